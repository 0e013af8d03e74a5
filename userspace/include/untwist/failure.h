/* SPDX-License-Identifier: MIT */
/*
 * A failure: why something did not work, as an object.
 *
 * It carries a domain and a code (what kind), the operation that failed, a
 * message (the particulars), the failure that caused it, and the place in the
 * source that made it. A failure never changes once made and its references
 * are counted atomically, so it may be shared by threads.
 *
 * Thread rule: every function here may be called from any thread.
 */
#ifndef UNTWIST_FAILURE_H
#define UNTWIST_FAILURE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_failure;

/*
 * A family of codes. Domains are compared by address, so there is one static
 * object for each; a library on top of this one declares its own.
 */
struct utw_domain {
	const char *name; /* one word: "errno", "dns" */
	const char *(*describe)(int code); /* static text; never NULL */
};

/* Codes are positive errno values. */
UTW_API extern const struct utw_domain utw_domain_errno;
/* Codes are enum utw_reason. */
UTW_API extern const struct utw_domain utw_domain_reason;

/* Why a transport, a request or a deferred ended, where errno has no word. */
enum utw_reason {
	UTW_DONE = 1, /* the orderly end: closed by agreement, or end of data */
	UTW_LOST, /* the peer or the path went away without a proper end */
	UTW_ABORTED, /* this side threw the connection away */
	UTW_GONE, /* the device was unplugged or its driver unloaded */
	UTW_TIMEOUT, /* a deadline passed */
	UTW_CANCELLED, /* the caller asked for the operation to stop */
	UTW_ALREADY_FIRED, /* a deferred was fired more than once */
	UTW_LIMIT, /* a configured size or count was exceeded */
	UTW_REFUSED, /* a factory or policy would not take it */
};

/* The place of the call, for the functions that record it. */
#define UTW_HERE __FILE__, __LINE__

/*
 * Make a failure; the caller owns the one reference returned.
 *   domain     static, see above
 *   code       of that domain
 *   operation  what was attempted, in a word or two; copied
 *   cause      the failure behind this one or NULL; taken
 *   fmt, ...   the particulars, as for printf; the text is copied
 * Never returns NULL: when memory is out it returns a shared, immortal failure
 * (errno domain, ENOMEM), and the cause is let go.
 */
#define utw_failure_new(domain, code, operation, cause, ...) \
	utw_failure_new_at(UTW_HERE, domain, code, operation, cause, __VA_ARGS__)

/*
 * The same from a result: `error` is a negative errno, as calls return it (a
 * positive one is taken for the same thing). There is no cause.
 */
#define utw_failure_from_errno(error, operation, ...) \
	utw_failure_from_errno_at(UTW_HERE, error, operation, __VA_ARGS__)

/* What the two macros call; `file` must be static text. */
UTW_API struct utw_failure *utw_failure_new_at(const char *file, int line,
					       const struct utw_domain *domain, int code,
					       const char *operation, struct utw_failure *cause,
					       const char *fmt, ...) UTW_PRINTF(7, 8);
UTW_API struct utw_failure *utw_failure_from_errno_at(const char *file, int line, int error,
						      const char *operation, const char *fmt, ...)
	UTW_PRINTF(5, 6);

/* Take another reference, and return it. NULL is passed through. */
UTW_API struct utw_failure *utw_failure_ref(const struct utw_failure *f);
/* Give a reference back; with the last one go the failure and its hold on its cause. NULL: no-op. */
UTW_API void utw_failure_unref(struct utw_failure *f);

/* The parts. Strings and the cause are borrowed: they live as long as `f` is held. */
UTW_API const struct utw_domain *utw_failure_domain(const struct utw_failure *f);
UTW_API int utw_failure_code(const struct utw_failure *f);
UTW_API const char *utw_failure_operation(const struct utw_failure *f);
UTW_API const char *utw_failure_message(const struct utw_failure *f);
/* NULL when nothing is behind it. */
UTW_API const struct utw_failure *utw_failure_cause(const struct utw_failure *f);
/* Returns the file and stores the line in *line, which may be NULL. */
UTW_API const char *utw_failure_place(const struct utw_failure *f, int *line);

/* Is this failure itself of that domain and code? */
UTW_API bool utw_failure_is(const struct utw_failure *f, const struct utw_domain *domain, int code);
/* Is this failure, or anything behind it, of that domain and code? */
UTW_API bool utw_failure_has(const struct utw_failure *f, const struct utw_domain *domain,
			     int code);

/*
 * The whole story in one line, newest first:
 *   "connect: no answer from 10.0.0.1 (timed out), caused by read: ..."
 * Writes at most `size` bytes including the terminating NUL (none when size is
 * 0) and returns the length the full text has, as snprintf does.
 */
UTW_API int utw_failure_format(const struct utw_failure *f, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
