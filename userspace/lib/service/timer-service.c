/* SPDX-License-Identifier: MIT */
/* The timer service: see untwist/service.h. */
#include <untwist/failure.h>
#include <untwist/reactor.h>
#include <untwist/service.h>

static struct utw_timer_service *timer_of(struct utw_service *s)
{
	return utw_container_of(s, struct utw_timer_service, service);
}

static void timer_due(struct utw_timer *timer)
{
	struct utw_timer_service *t = utw_container_of(timer, struct utw_timer_service, timer);
	uint64_t late = (utw_reactor_now(t->reactor) - t->begun) % t->interval;

	/* Its place among the timers is there already: this cannot fail. */
	utw_timer_start(&t->timer, t->reactor, t->interval - late);
	t->fn(t->data);
}

static int timer_start(struct utw_service *s, struct utw_failure **why)
{
	struct utw_timer_service *t = timer_of(s);
	int error;

	t->begun = utw_reactor_now(t->reactor);
	error = utw_timer_start(&t->timer, t->reactor, 0);
	if (error)
		*why = utw_failure_from_errno(error, "start", "timer service");
	return error;
}

static struct utw_deferred *timer_stop(struct utw_service *s)
{
	utw_timer_cancel(&timer_of(s)->timer);
	return NULL;
}

static const struct utw_service_ops timer_ops = { .start = timer_start, .stop = timer_stop };

void utw_timer_service_init(struct utw_timer_service *t, struct utw_reactor *r, uint64_t interval,
			    utw_timer_service_fn fn, void *data)
{
	utw_service_init(&t->service, &timer_ops, NULL);
	utw_timer_init(&t->timer, timer_due);
	t->reactor = r;
	t->interval = interval;
	t->fn = fn;
	t->data = data;
}
