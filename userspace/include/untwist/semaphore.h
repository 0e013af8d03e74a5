/* SPDX-License-Identifier: MIT */
/*
 * A semaphore: so many at a time may go on, the others wait, first come, first served.
 *
 * Nobody is blocked: a deferred fires when it is one's turn. It is for steps that span
 * several turns of a reactor, such as "three downloads at once". What happens within
 * one callback needs none.
 *
 * Cancelling a deferred that waits takes it out of the queue. To lose interest, cancel
 * it: one that is merely dropped still gets its turn, and nobody would end that.
 *
 * Re-entrancy: deferreds fire inside utw_semaphore_release(), one after the other,
 * however many; utw_semaphore_acquire() fires at once when a token is free.
 * Thread rule: all of it in one thread.
 */
#ifndef UNTWIST_SEMAPHORE_H
#define UNTWIST_SEMAPHORE_H

#include <stddef.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_semaphore;

/*
 * Make a semaphore with `tokens` of them, owned by the caller. *ret is untouched on
 * failure. Errors: -EINVAL for 0 tokens; -ENOMEM.
 */
UTW_API int utw_semaphore_new(struct utw_semaphore **ret, size_t tokens);

/*
 * Free it; NULL: no-op. Those who wait fail with UTW_CANCELLED inside this call. Legal
 * inside any callback. Functions of utw_semaphore_run() go on; other tokens that are still
 * held must not be released any more.
 */
UTW_API void utw_semaphore_free(struct utw_semaphore *s);

/*
 * Ask for a token. Fires with the semaphore as a borrowed value when there is one; who
 * got it gives it back with utw_semaphore_release(). NULL when memory is out.
 */
#define utw_semaphore_acquire(s) utw_semaphore_acquire_at(UTW_HERE, s)
UTW_API struct utw_deferred *utw_semaphore_acquire_at(const char *file, int line,
						      struct utw_semaphore *s);

/* Give a token back. Errors: -EPERM when none is out; nothing changes. */
UTW_API int utw_semaphore_release(struct utw_semaphore *s);

/*
 * Acquire, call fn(data), and release when its result is there, be it a value, a
 * failure, or that it can never come. The deferred has fn's result. Cancelling it while
 * it waits means that fn is never called; later it cancels what fn returned to wait for.
 * NULL when memory is out; then fn is never called.
 */
#define utw_semaphore_run(s, fn, data) utw_semaphore_run_at(UTW_HERE, s, fn, data)
UTW_API struct utw_deferred *utw_semaphore_run_at(const char *file, int line,
						  struct utw_semaphore *s, utw_start_fn fn,
						  void *data);

/* How many tokens are free, and how many wait for one. */
UTW_API size_t utw_semaphore_tokens(const struct utw_semaphore *s);
UTW_API size_t utw_semaphore_waiting(const struct utw_semaphore *s);

#ifdef __cplusplus
}
#endif

#endif
