/* SPDX-License-Identifier: MIT */
/*
 * A deferred: a result that is not there yet, and the chain of functions that
 * will see it.
 *
 * The chain has two tracks. A value runs down the callbacks, a failure down the
 * errbacks; what a function returns is the result for the next pair. A function
 * may return another deferred: the chain then rests until that one has its
 * result, which moves over.
 *
 * Ownership: deferreds are counted references. Producer (who fires) and consumer
 * (who adds callbacks) hold one each; utw_deferred_new() gives one, so a producer
 * that hands it on takes another first. The chain owns its current result and
 * frees it when it is replaced or dropped.
 *
 * When the last reference goes
 *   - with a failure that no errback has handled, that is reported: see
 *     utw_deferred_set_unhandled();
 *   - before it fired, its callbacks are dropped without being called: nobody is
 *     left who could fire it.
 *
 * Re-entrancy: callbacks run inside the call that fires, and inside the call
 * that adds them when the result is there already - unless the chain is just
 * being run, in which case they take their place at its end. Chains of any length
 * and depth use constant stack.
 *
 * Thread rule: a deferred belongs to one thread, its reactor's.
 */
#ifndef UNTWIST_DEFERRED_H
#define UNTWIST_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/failure.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_reactor;

/* A value and how to free it; `free` is NULL for one that is only borrowed. */
struct utw_value {
	void *ptr;
	void (*free)(void *ptr);
};

enum utw_result_kind {
	UTW_RESULT_VALUE,
	UTW_RESULT_FAILURE,
	UTW_RESULT_WAIT, /* of another deferred, when that has one */
	UTW_RESULT_PASS, /* leave the current result as it is */
};

/* What a callback returns; make it with one of the functions below. */
struct utw_result {
	enum utw_result_kind kind;
	union {
		struct utw_value value;
		struct utw_failure *failure;
		struct utw_deferred *deferred;
	};
};

/*
 * A value the chain takes over: free(ptr) is called when it is done with it.
 * free may be NULL. For the very pointer that the callback was given, this only
 * replaces how it is freed.
 */
static inline struct utw_result utw_result_owned(void *ptr, void (*free)(void *ptr))
{
	struct utw_result result;

	result.kind = UTW_RESULT_VALUE;
	result.value.ptr = ptr;
	result.value.free = free;
	return result;
}

/* A borrowed value. For the very pointer that the callback was given: as utw_result_pass(). */
static inline struct utw_result utw_result_value(void *ptr)
{
	return utw_result_owned(ptr, NULL);
}

/* A failure; taken. */
static inline struct utw_result utw_result_fail(struct utw_failure *failure)
{
	struct utw_result result;

	result.kind = UTW_RESULT_FAILURE;
	result.failure = failure;
	return result;
}

/*
 * The result of another deferred, whose reference is taken: hold another one to
 * keep on using it, as its producer does. Its result moves; it is left with NULL.
 * Until then the value that the callback was given stays alive. One that leads
 * back to the deferred that would wait is a failure: errno domain, EDEADLK.
 */
static inline struct utw_result utw_result_wait(struct utw_deferred *deferred)
{
	struct utw_result result;

	result.kind = UTW_RESULT_WAIT;
	result.deferred = deferred;
	return result;
}

/* No change: the value or failure goes on to the next pair, ownership and all. */
static inline struct utw_result utw_result_pass(void)
{
	struct utw_result result;

	result.kind = UTW_RESULT_PASS;
	result.value.ptr = NULL;
	result.value.free = NULL;
	return result;
}

/* Let go of what a result holds - free the value, unreference the rest - and make it a NULL value. */
UTW_API void utw_result_drop(struct utw_result *result);

/* All three borrow what they are given, for the duration of the call. */
typedef struct utw_result (*utw_callback_fn)(void *value, void *data);
typedef struct utw_result (*utw_errback_fn)(struct utw_failure *failure, void *data);
/* failure is NULL on the value track. */
typedef struct utw_result (*utw_both_fn)(void *value, struct utw_failure *failure, void *data);

/* A new deferred with one reference, or NULL when memory is out. Records where it was made. */
#define utw_deferred_new() utw_deferred_new_at(UTW_HERE)
UTW_API struct utw_deferred *utw_deferred_new_at(const char *file, int line);

/* One that has fired already, with a borrowed value or a failure (taken, even when NULL is returned). */
#define utw_deferred_succeed(value) utw_deferred_succeed_at(UTW_HERE, value)
#define utw_deferred_fail(failure)  utw_deferred_fail_at(UTW_HERE, failure)
UTW_API struct utw_deferred *utw_deferred_succeed_at(const char *file, int line, void *value);
UTW_API struct utw_deferred *utw_deferred_fail_at(const char *file, int line,
						  struct utw_failure *failure);

/* Take another reference, and return it. NULL is passed through. */
UTW_API struct utw_deferred *utw_deferred_ref(struct utw_deferred *d);
/* Give a reference back; the last one ends the deferred as told at the top. NULL: no-op. */
UTW_API void utw_deferred_unref(struct utw_deferred *d);

/*
 * Add a pair at the end of the chain. Either function may be NULL: its track
 * passes by. An errback does not see the failure of the callback added with it.
 * The first four waiting pairs need no memory. Errors: -ENOMEM, and nothing was
 * added (never when they run at once).
 */
UTW_API int utw_deferred_add_callbacks(struct utw_deferred *d, utw_callback_fn callback,
				       utw_errback_fn errback, void *data);
UTW_API int utw_deferred_add_callback(struct utw_deferred *d, utw_callback_fn callback, void *data);
UTW_API int utw_deferred_add_errback(struct utw_deferred *d, utw_errback_fn errback, void *data);
/* One function for both tracks. */
UTW_API int utw_deferred_add_both(struct utw_deferred *d, utw_both_fn fn, void *data);

/*
 * Fire: give the result and run the chain. What is given is taken in every case,
 * freed or unreferenced when it cannot be used. The one late result after a
 * cancel without canceller is dropped, and counts as a success.
 * Errors: -EALREADY when it has fired; utw_deferred_fire(): -EINVAL for a result
 * that is neither a value nor a failure.
 */
UTW_API int utw_deferred_callback(struct utw_deferred *d, void *value);
UTW_API int utw_deferred_callback_owned(struct utw_deferred *d, void *ptr, void (*free)(void *ptr));
UTW_API int utw_deferred_errback(struct utw_deferred *d, struct utw_failure *failure);
UTW_API int utw_deferred_fire(struct utw_deferred *d, struct utw_result result);

/* Has it been given its result, or is it getting one from a deferred it waits for? */
UTW_API bool utw_deferred_fired(const struct utw_deferred *d);

/*
 * Move the result out, leaving a NULL value: nothing is unhandled any more, and
 * what *ret holds is the caller's (a value with its `free`, or a failure): see
 * utw_result_drop().
 * Errors, with *ret untouched: -EAGAIN while there is none, be it that it has not
 * fired, is paused or waits; -EBUSY while the chain runs.
 */
UTW_API int utw_deferred_take(struct utw_deferred *d, struct utw_result *ret);

/* Hold the chain, as often as wanted; it goes on with as many unpauses (more are ignored). */
UTW_API void utw_deferred_pause(struct utw_deferred *d);
UTW_API void utw_deferred_unpause(struct utw_deferred *d);

/* A function that begins something: its result is there, or is that of another deferred. */
typedef struct utw_result (*utw_start_fn)(void *data);

/*
 * Call fn(data) now and make a deferred of whatever it returns, a failure
 * included; of UTW_RESULT_WAIT it is that very deferred. So a caller has one path
 * for what fails at once and what fails later. NULL when memory is out, and then fn
 * was not called.
 */
#define utw_deferred_maybe(fn, data) utw_deferred_maybe_at(UTW_HERE, fn, data)
UTW_API struct utw_deferred *utw_deferred_maybe_at(const char *file, int line, utw_start_fn fn,
						   void *data);

/*
 * Let `other`, whose reference is taken in any case, have the result that `d` has at
 * this place of its chain; it moves, and `d` goes on with NULL. A deferred that dies
 * unfired leaves `other` as one whose producer has gone. Cancelling `other` does not
 * reach `d`: return utw_result_wait() from a callback for that. Errors: -ENOMEM.
 */
UTW_API int utw_deferred_chain(struct utw_deferred *d, struct utw_deferred *other);

/* What a canceller says. */
enum utw_cancel {
	UTW_CANCEL_NOW, /* it is off: the deferred fails with UTW_CANCELLED at once */
	UTW_CANCEL_LATER, /* it is being stopped: the producer fires when it has ended */
};

/*
 * Called at most once. It may fire the deferred itself, with whatever it likes;
 * then what it returns does not matter. LATER is for operations that own the
 * caller's memory until they have ended; report the end as UTW_CANCELLED in the
 * reason domain, or with that as a cause, if that is why it ended, so that a
 * timeout is told as one.
 */
typedef enum utw_cancel (*utw_canceller_fn)(struct utw_deferred *d, void *data);

/* Set before the deferred is handed out; NULL removes it. */
UTW_API void utw_deferred_set_canceller(struct utw_deferred *d, utw_canceller_fn fn, void *data);

/*
 * Ask for an early end; docs/cancellation.md has the whole table. Not fired: the canceller decides; without one it fails
 * with UTW_CANCELLED, and the producer's one late result is dropped. Waiting for
 * another deferred: that one is cancelled instead. Has its result: no-op.
 */
UTW_API void utw_deferred_cancel(struct utw_deferred *d);

/*
 * Cancel it unless the functions added so far have run within `delay` ns. The
 * failure that this cancel brings becomes UTW_TIMEOUT, with the former as its
 * cause; any other result stays. The timer goes when the result comes.
 * Errors: -ENOMEM, and there is no timeout.
 */
UTW_API int utw_deferred_add_timeout(struct utw_deferred *d, struct utw_reactor *r, uint64_t delay);

/*
 * A deferred that fires with NULL `delay` ns after utw_reactor_now(), in a turn of the
 * reactor. Cancelling it takes its timer away; do so before the reactor is freed. NULL
 * when memory is out.
 */
#define utw_deferred_later(r, delay) utw_deferred_later_at(UTW_HERE, r, delay)
UTW_API struct utw_deferred *utw_deferred_later_at(const char *file, int line,
						   struct utw_reactor *r, uint64_t delay);

/*
 * Told of each failure that nobody handled, once, with the place where its
 * deferred was made. Process-wide; may be called from any thread that uses
 * deferreds; must not change the handler itself. NULL brings back the default,
 * one line on standard error: the only thing this library ever prints.
 */
typedef void (*utw_unhandled_fn)(const struct utw_failure *f, const char *file, int line,
				 void *data);
/* Thread rule: any thread. */
UTW_API void utw_deferred_set_unhandled(utw_unhandled_fn fn, void *data);

#ifdef __cplusplus
}
#endif

#endif
