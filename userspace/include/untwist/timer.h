/* SPDX-License-Identifier: MIT */
/*
 * A timer: calls back once, never before its time.
 *
 * It takes 32 bytes of the caller's and at most 32 of the reactor's.
 *
 * Timers with the same deadline run in the order in which they were started;
 * a reset counts as a new start, a delay does not. A timer started or reset by a
 * callback runs in a later turn at the earliest, even with a delay of 0.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_TIMER_H
#define UNTWIST_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;
struct utw_timer;

/* By the time it runs the timer is inactive: it may be started again or freed. */
typedef void (*utw_timer_fn)(struct utw_timer *t);

/* The members are private. */
struct utw_timer {
	utw_timer_fn fn;
	const char *place;
	union {
		struct utw_reactor *reactor; /* of an active one */
		uint64_t when; /* of one that is not */
	} u;
	uint32_t handle;
	uint32_t state;
};

/* Prepare the caller's storage; needs no release once inactive. */
UTW_API void utw_timer_init(struct utw_timer *t, utw_timer_fn fn);

/*
 * Run `delay` ns after utw_reactor_now(); a sum beyond the clock's range means
 * never. Errors: -EBUSY when active; -ENOMEM when the table of timers cannot
 * grow (it never shrinks: a started-and-cancelled timer has its place).
 */
#define utw_timer_start(t, r, delay) utw_timer_start_at(t, r, delay, UTW_PLACE)

/* The same for a `place` that the caller tells: a string that stays, or NULL. */
UTW_API int utw_timer_start_at(struct utw_timer *t, struct utw_reactor *r, uint64_t delay,
			       const char *place);

/*
 * The three that change a running timer have the same errors: -ECANCELED it was
 * cancelled before (or its reactor was freed), -EALREADY it has run, -EINVAL it
 * was never started.
 */

/* Do not run after all. */
UTW_API int utw_timer_cancel(struct utw_timer *t);
/* Run `delay` ns after utw_reactor_now() instead. */
UTW_API int utw_timer_reset(struct utw_timer *t, uint64_t delay);
/* Run `more` ns later than set so far. */
UTW_API int utw_timer_delay(struct utw_timer *t, uint64_t more);

/* Will it run? */
UTW_API bool utw_timer_active(const struct utw_timer *t);

/* Where it was started last: "file:line", or NULL. */
UTW_API const char *utw_timer_place(const struct utw_timer *t);

/* The deadline last set, in ns of CLOCK_MONOTONIC; 0 when never started. */
UTW_API uint64_t utw_timer_when(const struct utw_timer *t);

#ifdef __cplusplus
}
#endif

#endif
