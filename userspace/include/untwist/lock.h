/* SPDX-License-Identifier: MIT */
/*
 * A lock: one at a time, the others wait, first come, first served. It is a semaphore
 * of one token, and all that semaphore.h says of those holds for it.
 *
 * Thread rule: all of it in one thread.
 */
#ifndef UNTWIST_LOCK_H
#define UNTWIST_LOCK_H

#include <stdbool.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_lock;

/* Make a lock that is free, owned by the caller. NULL when memory is out. */
UTW_API struct utw_lock *utw_lock_new(void);
/* As utw_semaphore_free(). */
UTW_API void utw_lock_free(struct utw_lock *l);

/* Fires, with a borrowed value of no meaning, when the lock is the caller's. NULL: no memory. */
#define utw_lock_acquire(l) utw_lock_acquire_at(UTW_HERE, l)
UTW_API struct utw_deferred *utw_lock_acquire_at(const char *file, int line, struct utw_lock *l);

/* Let the next one have it. Errors: -EPERM when nobody holds it. */
UTW_API int utw_lock_release(struct utw_lock *l);

/* As utw_semaphore_run(). */
#define utw_lock_run(l, fn, data) utw_lock_run_at(UTW_HERE, l, fn, data)
UTW_API struct utw_deferred *utw_lock_run_at(const char *file, int line, struct utw_lock *l,
					     utw_start_fn fn, void *data);

/* Does somebody hold it? */
UTW_API bool utw_lock_held(const struct utw_lock *l);

#ifdef __cplusplus
}
#endif

#endif
