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
 *   3. watches that are ready, in the kernel's order; calls posted by other
 *      threads; signals;
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

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As a timeout: wait as long as it takes. */
#define UTW_FOREVER UINT64_MAX

struct utw_reactor;
struct utw_slow_call;

typedef void (*utw_call_fn)(void *data);

/*
 * What a reactor waits with. All of them mean the same and differ in cost only.
 * io_uring needs Linux 6.1 and the permission to use it; without, it is epoll.
 */
enum utw_backend {
	/* What the environment's UNTWIST_REACTOR says: epoll, io_uring or fake; else epoll. */
	UTW_BACKEND_DEFAULT,
	UTW_BACKEND_EPOLL,
	UTW_BACKEND_IO_URING,
	UTW_BACKEND_FAKE, /* for tests: see untwist/fake.h */
};

/* All zeroes are the defaults. */
struct utw_reactor_options {
	enum utw_backend backend;
	/*
	 * So many timers, so many calls posted by threads and so many queued calls run
	 * in one turn at most; the others run in the next, in the same order. Watches
	 * are limited to 256 events a turn. 0: 1024.
	 */
	unsigned int budget;
	/*
	 * Told, while the reactor is being made, in one line of text why the back end is
	 * not the one asked for. NULL: it goes to standard error.
	 */
	void (*notice)(void *data, const char *text);
	/*
	 * Told of each callback that took longer than `slow_limit` ns, after it: see
	 * untwist/inspect.h. Costs a look at the clock for each callback. 0: nothing is
	 * told.
	 */
	void (*slow)(void *data, const struct utw_slow_call *call);
	uint64_t slow_limit;
	bool measure; /* keep statistics of the time of turns, at two looks at the clock each */
	void *data; /* for the functions above */
	uint64_t reserved[2]; /* zero */
};

/*
 * Make a reactor, owned by the caller. *ret is untouched on failure. The options
 * are not needed any more when it returns.
 * Errors: -ENOMEM; -EMFILE, -ENFILE when descriptors are out; -EINVAL an unknown
 * back end, by option or by environment, a limit without a function to tell, or
 * something reserved that is not zero.
 */
UTW_API int utw_reactor_new_with(struct utw_reactor **ret,
				 const struct utw_reactor_options *options);

/* The same with all defaults. */
UTW_API int utw_reactor_new(struct utw_reactor **ret);

/* The name of the back end at work: "epoll", "io_uring", "fake". */
UTW_API const char *utw_reactor_backend(const struct utw_reactor *r);

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
 * Let utw_reactor_run() return at the end of the turn, or, where there are triggers
 * for the shutdown (untwist/trigger.h), when these are done. Asking twice is the
 * same as once. Errors: -ESRCH when utw_reactor_run() is not running.
 */
UTW_API int utw_reactor_stop(struct utw_reactor *r);

/*
 * Let utw_reactor_run() return at the end of the turn, whatever triggers there are.
 * Errors: -ESRCH when it is not running.
 */
UTW_API int utw_reactor_crash(struct utw_reactor *r);

/*
 * Inside a turn: the time at which its wait ended. Outside: the time. Delays
 * are counted from here.
 */
UTW_API uint64_t utw_reactor_now(const struct utw_reactor *r);

/*
 * A descriptor that is readable whenever a turn would find something to do,
 * timers and queued calls included: put it into another event loop (or another
 * reactor) and call utw_reactor_run_once(r, 0) when it is. It stays the
 * reactor's: do not read or close it. What it told of may be gone when the turn
 * comes, which then finds nothing. The first call prepares for nesting. With
 * io_uring, ask again after the reactor was taken to another thread.
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
