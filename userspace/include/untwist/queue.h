/* SPDX-License-Identifier: MIT */
/*
 * A queue of values: who puts one never waits, who gets one has a deferred for it. Both
 * sides are first come, first served, and both may be bounded.
 *
 * Re-entrancy: utw_queue_put() fires the deferred of the first one who waits, inside
 * the call - unless it is called from such a callback, in which case that goes first.
 * Thread rule: all of it in one thread.
 */
#ifndef UNTWIST_QUEUE_H
#define UNTWIST_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_queue;

#define UTW_QUEUE_UNBOUNDED SIZE_MAX

/*
 * Make a queue, owned by the caller; NULL when memory is out.
 *   size     how many values may lie in it; 0: only as many as are waited for
 *   backlog  how many may wait for one
 */
UTW_API struct utw_queue *utw_queue_new(size_t size, size_t backlog);

/*
 * Free it; NULL: no-op. Values in it are freed, those who wait fail with UTW_CANCELLED
 * inside this call. Legal inside any callback.
 */
UTW_API void utw_queue_free(struct utw_queue *q);

/*
 * Put a borrowed value, or one with the function that frees it (NULL: borrowed).
 * Errors: -ENOBUFS it is full; -ENOMEM. On error the value stays the caller's.
 */
UTW_API int utw_queue_put(struct utw_queue *q, void *value);
UTW_API int utw_queue_put_owned(struct utw_queue *q, void *ptr, void (*free)(void *ptr));

/*
 * The next value, now or later. Cancelling a deferred that waits takes it out of the
 * queue, and the value goes to the next one. With `backlog` waiting before it, it fails
 * with UTW_LIMIT. NULL when memory is out.
 */
#define utw_queue_get(q) utw_queue_get_at(UTW_HERE, q)
UTW_API struct utw_deferred *utw_queue_get_at(const char *file, int line, struct utw_queue *q);

/* How many values lie in it, and how many wait for one. */
UTW_API size_t utw_queue_length(const struct utw_queue *q);
UTW_API size_t utw_queue_waiting(const struct utw_queue *q);

#ifdef __cplusplus
}
#endif

#endif
