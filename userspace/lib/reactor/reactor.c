// SPDX-License-Identifier: MIT
/*
 * The reactor's life and its turn. The order of the steps of a turn is promised in
 * reactor.h; the parts that they call on are told in reactor-private.h.
 */
#include <untwist/reactor.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/contract.h"
#include "reactor/reactor-private.h"

static int reactor_open(struct utw_reactor *r)
{
	int err = utw_poller_init(&r->poller);

	if (err < 0)
		return err;
	err = utw_inbox_init(&r->inbox);
	if (err < 0)
		goto release_poller;
	err = utw_poller_add(&r->poller, r->inbox.bell, EPOLLIN, UTW_TAG_INBOX);
	if (err < 0)
		goto release_inbox;
	return 0;

release_inbox:
	utw_inbox_release(&r->inbox);
release_poller:
	utw_poller_release(&r->poller);
	return err;
}

int utw_reactor_new(struct utw_reactor **ret)
{
	struct utw_reactor *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	err = reactor_open(r);
	if (err < 0) {
		free(r);
		return err;
	}
	utw_watches_init(r);
	utw_timers_init(r);
	utw_calls_init(r);
	utw_signals_init(r);
	utw_nest_init(r);
	*ret = r;
	return 0;
}

void utw_reactor_free(struct utw_reactor *r)
{
	if (!r)
		return;
	UTW_CONTRACT(!r->in_turn && !r->running);
	utw_signals_release(r);
	utw_calls_release(r);
	utw_timers_release(r);
	utw_watches_release(r);
	utw_nest_release(r);
	utw_inbox_release(&r->inbox);
	utw_poller_release(&r->poller);
	free(r);
}

uint64_t utw_reactor_now(const struct utw_reactor *r)
{
	return r->in_turn ? r->now : utw_clock_now();
}

int utw_reactor_call_from_thread(struct utw_reactor *r, utw_call_fn fn, void *data)
{
	return utw_inbox_post(&r->inbox, fn, data);
}

/* The time left until `deadline`, without a look at the clock where none is needed. */
static uint64_t time_left(uint64_t deadline)
{
	uint64_t now;

	if (deadline == 0 || deadline == UTW_FOREVER)
		return deadline;
	now = utw_clock_now();
	return deadline > now ? deadline - now : 0;
}

static uint64_t wait_deadline(const struct utw_reactor *r, uint64_t timeout)
{
	uint64_t timer = utw_timers_next(r);
	uint64_t deadline = timeout;

	if (utw_calls_pending(r))
		return 0;
	if (timeout != 0 && timeout != UTW_FOREVER)
		deadline = utw_clock_add(utw_clock_now(), timeout);
	return timer < deadline ? timer : deadline;
}

/*
 * Interrupted or cut short, it waits for the rest: a signal of ours rings the bell,
 * any other one is none of our business.
 */
static int reactor_wait(struct utw_reactor *r, uint64_t timeout, struct utw_poller_event *events)
{
	uint64_t deadline = wait_deadline(r, timeout);
	int count;

	do
		count = utw_poller_wait(&r->poller, time_left(deadline), events);
	while (count == -EINTR || (count == 0 && time_left(deadline)));
	return count;
}

static unsigned int inbox_dispatch(struct utw_reactor *r)
{
	unsigned int count;

	utw_inbox_open(&r->inbox);
	count = utw_inbox_run(&r->inbox);
	return count + utw_signals_dispatch(r);
}

static unsigned int event_dispatch(struct utw_reactor *r, const struct utw_poller_event *event)
{
	if (event->tag == UTW_TAG_INBOX)
		return inbox_dispatch(r);
	/* The nesting timer has done its work by ending the wait. */
	if (event->tag == UTW_TAG_NEST)
		return 0;
	return utw_watches_dispatch(r, event);
}

static int reactor_turn(struct utw_reactor *r, uint64_t timeout)
{
	struct utw_poller_event events[UTW_POLLER_BATCH];
	uint64_t limit = r->timers.sequence;
	unsigned int called = 0;
	int count = reactor_wait(r, timeout, events);
	int i;

	if (count < 0)
		return count;
	r->now = utw_clock_now();
	r->in_turn = true;
	utw_calls_begin_turn(r);
	for (i = 0; i < count; i++)
		called += event_dispatch(r, &events[i]);
	called += utw_timers_run(r, limit);
	called += utw_calls_run_due(r);
	called += utw_calls_run_at_end(r);
	r->in_turn = false;
	utw_nest_update(r);
	return (int)called;
}

int utw_reactor_run_once(struct utw_reactor *r, uint64_t timeout)
{
	if (r->in_turn || r->running)
		return -EALREADY;
	return reactor_turn(r, timeout);
}

int utw_reactor_run(struct utw_reactor *r)
{
	int err = 0;

	if (r->in_turn || r->running)
		return -EALREADY;
	r->running = true;
	r->stopping = false;
	while (!r->stopping && err >= 0)
		err = reactor_turn(r, UTW_FOREVER);
	r->running = false;
	return err < 0 ? err : 0;
}

int utw_reactor_stop(struct utw_reactor *r)
{
	if (!r->running)
		return -ESRCH;
	r->stopping = true;
	return 0;
}
