/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads for what cannot be waited for in a reactor: functions that block or
 * compute for long. Their results come as deferreds; and a function in a thread can have
 * something done in the reactor's thread and wait for it.
 *
 * Threads are started when there is work for them and stay until the pool stops. They
 * take no signals. What a function is given must not be touched by others until the
 * deferred has fired: even a cancelled one fires only when its function has returned.
 *
 * Thread rule: only from the reactor's own thread, but for utw_work_cancelled() and
 * utw_pool_call(), which say so.
 */
#ifndef UNTWIST_POOL_H
#define UNTWIST_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_pool;
struct utw_reactor;
struct utw_work;

#define UTW_POOL_THREADS   10
#define UTW_POOL_UNLIMITED SIZE_MAX

struct utw_pool_options {
	unsigned int threads; /* at most so many; 0: UTW_POOL_THREADS */
	unsigned int reserved; /* 0 */
	size_t backlog; /* at most so much work that waits for a thread; UTW_POOL_UNLIMITED */
	const char *name; /* of its threads, 15 bytes count, copied; NULL: "untwist" */
};

/*
 * Runs in one of the pool's threads. Returns a value or a failure; UTW_RESULT_PASS is a
 * NULL value, and UTW_RESULT_WAIT a failure of its own (errno domain, EINVAL): deferreds
 * belong to the reactor's thread. `work` is good until it returns.
 */
typedef struct utw_result (*utw_work_fn)(struct utw_work *work, void *data);

/*
 * Make a pool, owned by the caller, that fires in turns of `r`, which must outlive it.
 * options may be NULL: that many threads, no limit. No thread is started yet. *ret is
 * untouched on failure. Errors: -ENOMEM; -EMFILE, -ENFILE; -EINVAL for more than 4096
 * threads, or a member that must be 0.
 */
UTW_API int utw_pool_new(struct utw_pool **ret, struct utw_reactor *r,
			 const struct utw_pool_options *options);

/*
 * Stop at once and free it; NULL: no-op. Work that still waits fails with UTW_CANCELLED;
 * what runs sees utw_work_cancelled(), is waited for - this blocks - and fires with what
 * it returns; calls from the threads fail with UTW_CANCELLED. All of that fires inside
 * this call. Legal inside the callbacks of its deferreds, not inside utw_pool_call().
 */
UTW_API void utw_pool_free(struct utw_pool *p);

/*
 * Stop in good order, without blocking: no new work is taken, what was taken is done.
 * Fires with NULL, in a turn of the reactor, when all has been delivered and the threads
 * are gone; the pool is still to be freed. May be called again. NULL: no memory, not stopped.
 */
#define utw_pool_stop(p) utw_pool_stop_at(UTW_HERE, p)
UTW_API struct utw_deferred *utw_pool_stop_at(const char *file, int line, struct utw_pool *p);

/*
 * Call fn(work, data) in a thread; the deferred fires with its result, in a turn of the
 * reactor. First come, first served. Cancelling takes it back with UTW_CANCELLED if it
 * still waits for a thread; once it runs it is only told so by utw_work_cancelled(), and
 * fires when it returns. Failures of its own: UTW_LIMIT when the backlog is full;
 * UTW_CANCELLED when the pool stops; EAGAIN of the errno domain when not even one thread
 * could be started. NULL: no memory.
 */
#define utw_pool_defer(p, fn, data) utw_pool_defer_at(UTW_HERE, p, fn, data)
UTW_API struct utw_deferred *utw_pool_defer_at(const char *file, int line, struct utw_pool *p,
					       utw_work_fn fn, void *data);

/*
 * Has its deferred been cancelled, or the pool freed? A function that runs for long looks
 * now and then, and returns a failure UTW_CANCELLED. Thread rule: any thread, until the
 * function has returned.
 */
UTW_API bool utw_work_cancelled(const struct utw_work *work);

/*
 * Call fn(data) in the reactor's thread and wait for its result, that of the deferred it
 * may return included. The result, a value or a failure, is the caller's: see
 * utw_result_drop(). Failures of its own: UTW_CANCELLED when the pool is being freed;
 * EDEADLK, ENOMEM of the errno domain when called in the reactor's own thread and for
 * want of memory; then fn is not called.
 * Thread rule: any thread but the reactor's, while the pool's owner does not free it
 * without knowing of that thread; the pool's own threads need no such care.
 */
UTW_API struct utw_result utw_pool_call(struct utw_pool *p, utw_start_fn fn, void *data);

/* How many threads there are, and how much work waits for one. */
UTW_API unsigned int utw_pool_threads(struct utw_pool *p);
UTW_API size_t utw_pool_queued(struct utw_pool *p);

#ifdef __cplusplus
}
#endif

#endif
