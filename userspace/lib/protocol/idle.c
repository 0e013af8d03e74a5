/* SPDX-License-Identifier: MIT */
/*
 * Idle: see untwist/idle.h.
 *
 * A reset only writes down when it came; the timer finds out when it expires,
 * and waits for the rest. So traffic does not move timers about.
 */
#include <untwist/idle.h>

static void idle_expired(struct utw_timer *t)
{
	struct utw_idle *idle = utw_container_of(t, struct utw_idle, timer);
	uint64_t quiet = utw_reactor_now(idle->reactor) - idle->last;

	/* The timer has a place in the reactor's table already: this cannot fail. */
	if (quiet < idle->period &&
	    utw_timer_start(&idle->timer, idle->reactor, idle->period - quiet) == 0)
		return;
	idle->period = UTW_FOREVER;
	idle->fn(idle);
}

void utw_idle_init(struct utw_idle *idle, utw_idle_fn fn)
{
	idle->fn = fn;
	idle->period = UTW_FOREVER;
	idle->last = 0;
	idle->reactor = NULL;
	utw_timer_init(&idle->timer, idle_expired);
}

int utw_idle_set(struct utw_idle *idle, struct utw_reactor *r, uint64_t period, uint64_t *previous)
{
	int error = 0;

	if (previous)
		*previous = idle->period;
	utw_timer_cancel(&idle->timer);
	idle->reactor = r;
	if (period != UTW_FOREVER)
		error = utw_timer_start(&idle->timer, r, period);
	idle->period = error ? UTW_FOREVER : period;
	idle->last = utw_reactor_now(r);
	return error;
}

void utw_idle_reset(struct utw_idle *idle)
{
	if (idle->period != UTW_FOREVER)
		idle->last = utw_reactor_now(idle->reactor);
}
