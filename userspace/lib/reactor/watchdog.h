/* SPDX-License-Identifier: MIT */
/*
 * The watchdog: takes the time of turns and of callbacks, where that was asked for.
 * A callback begins when the one before has ended, so one look at the clock does.
 */
#ifndef UTW_REACTOR_WATCHDOG_H
#define UTW_REACTOR_WATCHDOG_H

#include "reactor/reactor-private.h"

void utw_watchdog_init(struct utw_reactor *r, const struct utw_reactor_options *options);
void utw_watchdog_measure_turn(struct utw_reactor *r);
void utw_watchdog_measure_call(struct utw_reactor *r, const struct utw_slow_call *call);

static inline void utw_watchdog_begin_turn(struct utw_reactor *r)
{
	r->watchdog.since = r->now;
}

/* After a callback, which may have freed its source: `call` was noted before it. */
static inline void utw_watchdog_look(struct utw_reactor *r, const struct utw_slow_call *call)
{
	if (__builtin_expect(r->watchdog.limit != 0, 0))
		utw_watchdog_measure_call(r, call);
}

static inline void utw_watchdog_end_turn(struct utw_reactor *r)
{
	r->statistics.turns++;
	if (__builtin_expect(r->watchdog.measuring, 0))
		utw_watchdog_measure_turn(r);
}

#endif
