// SPDX-License-Identifier: MIT
/*
 * Logs. The lock is held while observers are called, so that each sees events in order
 * and one at a time. It is recursive: an observer may log. What it logs is kept until all
 * have seen the event that it was called for.
 */
#include <untwist/log.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "log/event.h"
#include "log/levels.h"

struct utw_log {
	pthread_mutex_t lock; /* guards all below, but for levels.lowest */
	struct utw_levels levels;
	struct utw_link observers;
	struct utw_link *cursor; /* the observer to be called next */
	struct utw_observer *calling;
	struct utw_link kept; /* until the log begins */
	struct utw_link later; /* what observers have logged about the present event */
	size_t kept_count;
	size_t kept_most;
	uint64_t number; /* of the last event */
	uint64_t lost;
	bool begun;
	bool delivering;
	bool replying; /* delivering what observers have logged */
};

static void mutex_init_recursive(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

int utw_log_new(struct utw_log **ret, size_t kept)
{
	struct utw_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	mutex_init_recursive(&log->lock);
	utw_levels_init(&log->levels);
	utw_list_init(&log->observers);
	utw_list_init(&log->kept);
	utw_list_init(&log->later);
	log->cursor = &log->observers;
	log->kept_most = kept;
	*ret = log;
	return 0;
}

static struct utw_kept_event *kept_pop(struct utw_link *list)
{
	struct utw_link *link = utw_list_pop(list);

	return link ? utw_container_of(link, struct utw_kept_event, link) : NULL;
}

void utw_log_free(struct utw_log *log)
{
	struct utw_kept_event *kept;

	if (!log)
		return;
	while (!utw_list_empty(&log->observers))
		utw_observer_remove(utw_container_of(utw_list_first(&log->observers),
						     struct utw_observer, link));
	while ((kept = kept_pop(&log->kept)))
		utw_event_drop(kept);
	utw_levels_release(&log->levels);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

const char *utw_log_level_name(enum utw_log_level level)
{
	switch (level) {
	case UTW_LOG_DEBUG:
		return "debug";
	case UTW_LOG_INFO:
		return "info";
	case UTW_LOG_WARN:
		return "warn";
	case UTW_LOG_ERROR:
		return "error";
	case UTW_LOG_CRITICAL:
		return "critical";
	}
	return "unknown";
}

int utw_log_set_level(struct utw_log *log, const char *space, enum utw_log_level level)
{
	int err;

	pthread_mutex_lock(&log->lock);
	err = utw_levels_set(&log->levels, space, level);
	pthread_mutex_unlock(&log->lock);
	return err;
}

bool utw_log_wants(struct utw_log *log, const char *space, enum utw_log_level level)
{
	bool wanted;

	if ((int)level < atomic_load_explicit(&log->levels.lowest, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&log->lock);
	wanted = level >= utw_levels_of(&log->levels, space);
	pthread_mutex_unlock(&log->lock);
	return wanted;
}

/* Everything from here on is under the lock. */

static bool log_keep(struct utw_log *log, struct utw_link *list, const struct utw_event *e)
{
	struct utw_kept_event *kept = utw_event_keep(e);

	if (!kept) {
		log->lost++;
		return false;
	}
	kept->except = log->calling;
	utw_list_append(list, &kept->link);
	return true;
}

/* The oldest one makes room. */
static void log_keep_until_begun(struct utw_log *log, const struct utw_event *e)
{
	if (!log->kept_most) {
		log->lost++;
		return;
	}
	if (log->kept_count == log->kept_most) {
		utw_event_drop(kept_pop(&log->kept));
		log->kept_count--;
		log->lost++;
	}
	if (log_keep(log, &log->kept, e))
		log->kept_count++;
}

static void event_stamp(struct utw_log *log, struct utw_event *e)
{
	clock_gettime(CLOCK_REALTIME, &e->time);
	e->number = ++log->number;
}

/* Tell the others that one has failed. */
static void log_complain(struct utw_log *log, int error)
{
	struct utw_failure *f = utw_failure_from_errno(error, "log", "an observer");
	const struct utw_field field = utw_field_failure("failure", f);

	utw_log_emit_at(UTW_HERE, log, UTW_LOG_ERROR, "untwist.log", "{failure}", &field, 1);
	utw_failure_unref(f);
}

static void log_show(struct utw_log *log, const struct utw_event *e,
		     const struct utw_observer *except)
{
	struct utw_link *link;

	for (link = utw_list_first(&log->observers); link != &log->observers; link = log->cursor) {
		struct utw_observer *o = utw_container_of(link, struct utw_observer, link);
		int err;

		log->cursor = link->next;
		if (o == except || e->level < o->level)
			continue;
		log->calling = o;
		err = o->fn(o, e);
		if (err < 0)
			log_complain(log, err);
		log->calling = NULL;
	}
	log->cursor = &log->observers;
}

static void log_deliver(struct utw_log *log, const struct utw_event *e)
{
	struct utw_kept_event *reply;

	log->delivering = true;
	log_show(log, e, NULL);
	log->replying = true;
	while ((reply = kept_pop(&log->later))) {
		log_show(log, &reply->event, reply->except);
		utw_event_drop(reply);
	}
	log->replying = false;
	log->delivering = false;
}

static void log_take(struct utw_log *log, struct utw_event *e)
{
	event_stamp(log, e);
	if (!log->begun)
		log_keep_until_begun(log, e);
	else if (log->replying)
		log->lost++;
	else if (log->delivering)
		(void)log_keep(log, &log->later, e);
	else
		log_deliver(log, e);
}

void utw_log_emit_at(const char *file, int line, struct utw_log *log, enum utw_log_level level,
		     const char *space, const char *format, const struct utw_field *fields,
		     size_t count)
{
	struct utw_event e = {
		.level = level,
		.space = space,
		.format = format,
		.fields = fields,
		.count = count,
		.file = file,
		.line = line,
	};

	pthread_mutex_lock(&log->lock);
	log_take(log, &e);
	pthread_mutex_unlock(&log->lock);
}

void utw_log_begin(struct utw_log *log)
{
	struct utw_kept_event *kept;

	pthread_mutex_lock(&log->lock);
	if (!log->begun) {
		log->begun = true;
		if (log->lost)
			utw_log_emit(log, UTW_LOG_WARN, "untwist.log",
				     "{count} events were lost before logging began",
				     utw_field_uint("count", log->lost));
		while ((kept = kept_pop(&log->kept))) {
			log_deliver(log, &kept->event);
			utw_event_drop(kept);
		}
	}
	pthread_mutex_unlock(&log->lock);
}

uint64_t utw_log_lost(struct utw_log *log)
{
	uint64_t lost;

	pthread_mutex_lock(&log->lock);
	lost = log->lost;
	pthread_mutex_unlock(&log->lock);
	return lost;
}

void utw_observer_init(struct utw_observer *o, utw_observer_fn fn, enum utw_log_level level)
{
	utw_list_init(&o->link);
	o->fn = fn;
	o->log = NULL;
	o->level = level;
	o->reserved = 0;
}

int utw_log_add_observer(struct utw_log *log, struct utw_observer *o)
{
	if (o->log)
		return -EBUSY;
	pthread_mutex_lock(&log->lock);
	o->log = log;
	utw_list_append(&log->observers, &o->link);
	pthread_mutex_unlock(&log->lock);
	return 0;
}

/* What it has logged and nobody has seen yet is not its own any more. */
static void later_forget(struct utw_log *log, const struct utw_observer *o)
{
	struct utw_link *link;

	for (link = utw_list_first(&log->later); link != &log->later; link = link->next) {
		struct utw_kept_event *kept = utw_container_of(link, struct utw_kept_event, link);

		if (kept->except == o)
			kept->except = NULL;
	}
}

void utw_observer_remove(struct utw_observer *o)
{
	struct utw_log *log = o->log;

	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	if (log->cursor == &o->link)
		log->cursor = o->link.next;
	utw_list_remove(&o->link);
	later_forget(log, o);
	o->log = NULL;
	pthread_mutex_unlock(&log->lock);
}
