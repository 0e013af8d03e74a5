/* SPDX-License-Identifier: MIT */
/*
 * A log: events with named fields, seen by observers.
 *
 *	utw_log_emit(log, UTW_LOG_WARN, "myapp.net", "{peer} sent {bytes} bytes too many",
 *		     utw_field_text("peer", name), utw_field_uint("bytes", excess));
 *
 * An event is not text. Its level is looked at first, for the namespace that it belongs
 * to, and nothing is made of one that nobody wants; text is made late, by the observers
 * that need it.
 *
 * Until utw_log_begin() events are kept, as many as the log was made for; then they are
 * replayed to the observers, so that what happened before the log file was open is in it.
 *
 * Observers are called one at a time, in the thread that logs, in order of events. What
 * an observer itself logs goes to the others only, after the event that it was called for;
 * what they log about that is dropped and counted. An observer that fails is reported to
 * the others in the same way.
 *
 * Thread rule: every function here may be called from any thread. An observer is called
 * in any thread.
 */
#ifndef UNTWIST_LOG_H
#define UNTWIST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <untwist/api.h>
#include <untwist/failure.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_log;

enum utw_log_level {
	UTW_LOG_DEBUG, /* for those who look for a mistake */
	UTW_LOG_INFO, /* what the program does */
	UTW_LOG_WARN, /* somebody should know */
	UTW_LOG_ERROR, /* something did not work */
	UTW_LOG_CRITICAL, /* the program cannot do its work */
};

enum utw_field_kind {
	UTW_FIELD_INT,
	UTW_FIELD_UINT,
	UTW_FIELD_DOUBLE,
	UTW_FIELD_BOOL,
	UTW_FIELD_TEXT,
	UTW_FIELD_FAILURE,
};

/* A named value; make it with one of the functions below. Everything is borrowed. */
struct utw_field {
	const char *name;
	enum utw_field_kind kind;
	union {
		int64_t integer;
		uint64_t natural;
		double real;
		bool truth;
		const char *text; /* NULL is told as "(none)" */
		const struct utw_failure *failure; /* not NULL */
	};
};

static inline struct utw_field utw_field_int(const char *name, int64_t value)
{
	struct utw_field field;

	field.name = name;
	field.kind = UTW_FIELD_INT;
	field.integer = value;
	return field;
}

static inline struct utw_field utw_field_uint(const char *name, uint64_t value)
{
	struct utw_field field;

	field.name = name;
	field.kind = UTW_FIELD_UINT;
	field.natural = value;
	return field;
}

static inline struct utw_field utw_field_double(const char *name, double value)
{
	struct utw_field field;

	field.name = name;
	field.kind = UTW_FIELD_DOUBLE;
	field.real = value;
	return field;
}

static inline struct utw_field utw_field_bool(const char *name, bool value)
{
	struct utw_field field;

	field.name = name;
	field.kind = UTW_FIELD_BOOL;
	field.truth = value;
	return field;
}

static inline struct utw_field utw_field_text(const char *name, const char *value)
{
	struct utw_field field;

	field.name = name;
	field.kind = UTW_FIELD_TEXT;
	field.text = value;
	return field;
}

static inline struct utw_field utw_field_failure(const char *name, const struct utw_failure *value)
{
	struct utw_field field;

	field.name = name;
	field.kind = UTW_FIELD_FAILURE;
	field.failure = value;
	return field;
}

/* What happened. Observers borrow it for the duration of their call. */
struct utw_event {
	enum utw_log_level level;
	const char *space; /* the namespace, its parts divided by dots */
	const char *format; /* text with "{field}"; "{{" and "}}" stand for braces */
	const struct utw_field *fields;
	size_t count; /* of fields */
	const char *file; /* the place that logged it; static text */
	int line;
	struct timespec time; /* of CLOCK_REALTIME */
	uint64_t number; /* of the events of its log, from 1; gaps are events that were lost */
};

/*
 * Make a log that keeps the last `kept` events until it begins, owned by the caller.
 * Observers see UTW_LOG_INFO and above. *ret is untouched on failure. Errors: -ENOMEM.
 */
UTW_API int utw_log_new(struct utw_log **ret, size_t kept);
/* Free it; NULL: no-op. Its observers are removed. No other thread may be using it. */
UTW_API void utw_log_free(struct utw_log *log);

/* The name of a level, in lower case. */
UTW_API const char *utw_log_level_name(enum utw_log_level level);

/*
 * Let events of a namespace, and of those below it, be seen from `level` on. The longest
 * name that fits counts: "net" is for "net" and "net.tcp", not for "network". NULL or ""
 * is for all others. Errors: -ENOMEM, and nothing has changed.
 */
UTW_API int utw_log_set_level(struct utw_log *log, const char *space, enum utw_log_level level);

/* Would such an event be seen? One load, for levels that no namespace wants. */
UTW_API bool utw_log_wants(struct utw_log *log, const char *space, enum utw_log_level level);

/*
 * Log an event; the fields are only evaluated if it is wanted. What is given is borrowed,
 * and copied where it must be kept.
 */
#define utw_log_emit(log, level, space, format, ...)                                          \
	do {                                                                                  \
		if (utw_log_wants(log, space, level)) {                                       \
			const struct utw_field utw_fields_[] = { utw_field_int("", 0),        \
								 ##__VA_ARGS__ };             \
			utw_log_emit_at(UTW_HERE, log, level, space, format, utw_fields_ + 1, \
					sizeof(utw_fields_) / sizeof(utw_fields_[0]) - 1);    \
		}                                                                             \
	} while (0)

/* What the macro calls; logs without a look at the level. `file` must be static text. */
UTW_API void utw_log_emit_at(const char *file, int line, struct utw_log *log,
			     enum utw_log_level level, const char *space, const char *format,
			     const struct utw_field *fields, size_t count);

struct utw_observer;

/*
 * Returns 0, or a negative errno if the event could not be told: the other observers
 * hear of that. It may log, add and remove observers, itself included.
 */
typedef int (*utw_observer_fn)(struct utw_observer *o, const struct utw_event *e);

/* Embedded by its owner. The members are private. */
struct utw_observer {
	struct utw_link link;
	utw_observer_fn fn;
	struct utw_log *log;
	enum utw_log_level level;
	uint32_t reserved;
};

/* Prepare the caller's storage, for events from `level` on, among those the log wants. */
UTW_API void utw_observer_init(struct utw_observer *o, utw_observer_fn fn,
			       enum utw_log_level level);
/* Let it see all events from now on, if the log has begun. Errors: -EBUSY it is added already. */
UTW_API int utw_log_add_observer(struct utw_log *log, struct utw_observer *o);
/* No call follows; one that is under way in another thread is waited for. No-op when not added. */
UTW_API void utw_observer_remove(struct utw_observer *o);

/*
 * Replay what was kept to the observers, after a warning if some was lost, and from now
 * on let them see events as they happen. Later calls do nothing.
 */
UTW_API void utw_log_begin(struct utw_log *log);

/* How many events have been lost for want of room or memory, or because observers chattered. */
UTW_API uint64_t utw_log_lost(struct utw_log *log);

/*
 * The text of an event: its format with the values in place. A field that there is not
 * stays as it is written. Writes at most `size` bytes including the terminating NUL
 * (none when size is 0) and returns the length of the full text, as snprintf does.
 */
UTW_API int utw_event_format(const struct utw_event *e, char *buf, size_t size);
/* One of its fields, or NULL. */
UTW_API const struct utw_field *utw_event_field(const struct utw_event *e, const char *name);

/*
 * Log the failures that no errback has handled (see utw_deferred_set_unhandled()) as
 * errors of the namespace "untwist.deferred", with the fields file, line and failure.
 * NULL: back to standard error. The log must outlive that.
 */
UTW_API void utw_log_unhandled(struct utw_log *log);

#ifdef __cplusplus
}
#endif

#endif
