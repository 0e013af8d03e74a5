/* SPDX-License-Identifier: MIT */
/* Idle: a time-out that a protocol pushes ahead of itself as long as something happens. */
#ifndef UNTWIST_IDLE_H
#define UNTWIST_IDLE_H

#include <stdint.h>

#include <untwist/api.h>
#include <untwist/reactor.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_idle;

/** Nothing has happened for so long. Called from the reactor's turn. */
typedef void (*utw_idle_fn)(struct utw_idle *idle);

/* The members are private. */
struct utw_idle {
	utw_idle_fn fn;
	uint64_t period;
	uint64_t last;
	struct utw_reactor *reactor;
	struct utw_timer timer;
};

/**
 * utw_idle_init() - prepare it; it is not set
 * @idle: storage of the caller; needs no release when not set
 * @fn: called once when the time is over
 */
UTW_API void utw_idle_init(struct utw_idle *idle, utw_idle_fn fn);

/**
 * utw_idle_set() - begin to wait, or wait for another time, or no more
 * @idle: the time-out
 * @r: the reactor
 * @period: nanoseconds from now on; UTW_FOREVER: do not wait
 * @previous: receives what was set before, UTW_FOREVER for nothing; may be NULL
 *
 * Return: 0, or -ENOMEM, and then it is not set.
 */
UTW_API int utw_idle_set(struct utw_idle *idle, struct utw_reactor *r, uint64_t period,
			 uint64_t *previous);

/**
 * utw_idle_reset() - something has happened
 * @idle: the time-out; nothing happens when it is not set, or is over
 *
 * Costs no more than reading the time of the turn.
 */
UTW_API void utw_idle_reset(struct utw_idle *idle);

#ifdef __cplusplus
}
#endif

#endif
