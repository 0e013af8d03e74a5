/* SPDX-License-Identifier: MIT */
/*
 * The reactor: waits for what a program waits for and calls it back.
 *
 * A reactor is a value, not a fact of the process: make as many as you like,
 * one thread each, run them, stop them, run them again. It knows nothing of
 * global state and starts no threads.
 *
 * Sources (struct utw_watch, utw_timer, utw_signal, utw_call) are embedded in
 * the caller's own objects: starting one allocates nothing for itself. The
 * caller keeps a started source in place and alive until it is stopped, has run
 * for the last time, or its reactor is freed.
 *
 * One turn is, in this order:
 *   1. wait, but not when calls are queued or a timer is due;
 *   2. read the clock: utw_reactor_now() keeps this value all through the turn;
 *   3. what the kernel has told of, in its order: watches that are ready, calls
 *      posted by other threads, signals;
 *   4. timers that are due, by deadline, equals in the order they were started;
 *   5. calls queued before the turn, in order;
 *   6. calls for the end of the turn (struct utw_call), in order.
 * What a callback queues with call_soon, and any timer it starts, waits for a
 * later turn: a callback that re-queues itself cannot starve the others.
 *
 * Callbacks never run inside the call that registered them. A callback may stop
 * or free any source, its own included, and may stop the reactor; it must not
 * free the reactor that is calling it nor run it from within.
 *
 * Across fork(): the child must not use the parent's reactors, not even to
 * free them; exec closes their descriptors.
 *
 * Thread rule: a reactor and all its sources belong to one thread at a time;
 * the one entry for other threads is utw_reactor_call_from_thread().
 * Times are unsigned nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef UNTWIST_REACTOR_H
#define UNTWIST_REACTOR_H

#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As a timeout: wait as long as it takes. */
#define UTW_FOREVER UINT64_MAX

struct utw_reactor;

typedef void (*utw_call_fn)(void *data);

/*
 * Make a reactor, owned by the caller. *ret is untouched on failure.
 * Errors: -ENOMEM; -EMFILE, -ENFILE when descriptors are out.
 */
UTW_API int utw_reactor_new(struct utw_reactor **ret);

/*
 * Free a reactor that is not running; NULL is ignored. Sources still started
 * become inactive without a call; queued and posted calls are dropped, so free
 * what their data points at some other way. No other thread may be posting.
 */
UTW_API void utw_reactor_free(struct utw_reactor *r);

/*
 * Take turns until utw_reactor_stop(). Returns 0 when stopped.
 * Errors: -EALREADY when it is running already, in any of the two ways; what
 * waiting reports when it is broken beyond help.
 */
UTW_API int utw_reactor_run(struct utw_reactor *r);

/*
 * Take one turn, waiting at most `timeout` ns (0: only look). Returns the number
 * of callbacks run. Errors: as for utw_reactor_run().
 */
UTW_API int utw_reactor_run_once(struct utw_reactor *r, uint64_t timeout);

/*
 * Let utw_reactor_run() return at the end of the turn. Asking twice is the same
 * as once. Errors: -ESRCH when utw_reactor_run() is not running.
 */
UTW_API int utw_reactor_stop(struct utw_reactor *r);

/*
 * Inside a turn: the time at which its wait ended. Outside: the time. Delays
 * are counted from here.
 */
UTW_API uint64_t utw_reactor_now(const struct utw_reactor *r);

/*
 * A descriptor that is readable whenever a turn would find something to do,
 * timers and queued calls included: put it into another event loop (or another
 * reactor) and call utw_reactor_run_once(r, 0) when it is. It stays the
 * reactor's: do not read or close it. The first call prepares for nesting.
 * Errors: -EMFILE, -ENFILE, -ENOMEM.
 */
UTW_API int utw_reactor_get_fd(struct utw_reactor *r);

/*
 * Call fn(data) in the next turn; first queued, first called. Cannot be taken
 * back: use a struct utw_call for that. Errors: -ENOMEM.
 */
UTW_API int utw_reactor_call_soon(struct utw_reactor *r, utw_call_fn fn, void *data);

/*
 * Call fn(data) in the reactor's thread, in the next turn, waking it up. From
 * any thread, the reactor's own included, while the reactor is not being freed;
 * not from a signal handler. Calls of one thread keep their order.
 * Errors: -ENOMEM.
 */
UTW_API int utw_reactor_call_from_thread(struct utw_reactor *r, utw_call_fn fn, void *data);

#ifdef __cplusplus
}
#endif

#endif
