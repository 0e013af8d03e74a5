/* SPDX-License-Identifier: MIT */
/*
 * A looping call: runs again and again, on the grid of its start plus whole
 * multiples of its interval.
 *
 * The grid does not drift: a run that is late is followed by the next one at the
 * next point of the grid. Points that were missed are not made up for; the body is
 * told how many there were.
 *
 * Its owner keeps it in place until `ended` has been called.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_LOOPING_CALL_H
#define UNTWIST_LOOPING_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/call.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_looping_call;

/* What a body returns whose work goes on after it: see utw_looping_call_resume(). */
#define UTW_LOOPING_PENDING 1

struct utw_looping_call_ops {
	/*
	 * The body. `steps`: the points of the grid since its last run, never 0; in the
	 * first run 1, or those since the start. Returns 0 to go on, UTW_LOOPING_PENDING,
	 * or -errno, which ends the loop. May stop or reset the loop.
	 */
	int (*run)(struct utw_looping_call *l, uint64_t steps);
	/*
	 * The loop is over and may be freed or started again; nothing follows. `error`: 0
	 * when it was stopped, else what the body returned. May be NULL.
	 */
	void (*ended)(struct utw_looping_call *l, int error);
};

/* The members are private. */
struct utw_looping_call {
	const struct utw_looping_call_ops *ops;
	struct utw_reactor *reactor;
	struct utw_timer timer;
	struct utw_call end;
	uint64_t origin;
	uint64_t interval;
	uint64_t point; /* of the last run; UINT64_MAX before one at the origin */
	int error;
	uint32_t state;
};

/* Prepare the caller's storage; needs no release once it is over. */
UTW_API void utw_looping_call_init(struct utw_looping_call *l,
				   const struct utw_looping_call_ops *ops);

/*
 * Begin: the grid starts at utw_reactor_now() and the body runs `interval` ns later
 * for the first time. An interval of 0 means every turn.
 * Errors: -EBUSY it runs, or `ended` is yet to come; -ENOMEM.
 */
UTW_API int utw_looping_call_start(struct utw_looping_call *l, struct utw_reactor *r,
				   uint64_t interval);
/* The same, but the body runs in the next turn for the first time. */
UTW_API int utw_looping_call_start_now(struct utw_looping_call *l, struct utw_reactor *r,
				       uint64_t interval);

/*
 * Do not run any more; `ended` follows in a later turn, and not before a pending body
 * is done. Errors: -EINVAL it does not run.
 */
UTW_API int utw_looping_call_stop(struct utw_looping_call *l);

/*
 * Let the grid begin now: the next run is `interval` from here.
 * Errors: -EINVAL it does not run.
 */
UTW_API int utw_looping_call_reset(struct utw_looping_call *l);

/*
 * The work of a pending body is done, with 0 or -errno, which ends the loop.
 * Errors: -EINVAL its body is not pending.
 */
UTW_API int utw_looping_call_resume(struct utw_looping_call *l, int result);

/* Will it run again, as far as is known? */
UTW_API bool utw_looping_call_running(const struct utw_looping_call *l);

#ifdef __cplusplus
}
#endif

#endif
