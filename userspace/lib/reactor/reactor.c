// SPDX-License-Identifier: MIT
/*
 * The reactor's life and its turn. The order of the steps of a turn is promised in
 * reactor.h; the parts that they call on are told in reactor-private.h.
 */
#include <untwist/reactor.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/contract.h"
#include "reactor/reactor-private.h"
#include "reactor/watchdog.h"

/* Callbacks of one kind in one turn, unless the program says otherwise. */
#define BUDGET 1024

static int reactor_open(struct utw_reactor *r, enum utw_backend backend)
{
	int err = utw_poller_open(&r->poller, backend);

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
	utw_poller_close(&r->poller);
	return err;
}

static void notice_print(void *data, const char *text)
{
	(void)data;
	fprintf(stderr, "untwist: %s\n", text);
}

static void reactor_tell_fallback(const struct utw_reactor *r,
				  const struct utw_reactor_options *options)
{
	char text[96];

	if (!r->poller.reason)
		return;
	snprintf(text, sizeof(text), "%s; using %s instead", r->poller.reason, r->poller.ops->name);
	if (options->notice)
		options->notice(options->data, text);
	else
		notice_print(NULL, text);
}

int utw_reactor_new_with(struct utw_reactor **ret, const struct utw_reactor_options *options)
{
	struct utw_reactor *r;
	int err;

	if (options->reserved[0] || options->reserved[1] || (options->slow_limit && !options->slow))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	err = reactor_open(r, options->backend);
	if (err < 0) {
		free(r);
		return err;
	}
	r->budget = options->budget ? options->budget : BUDGET;
	utw_watchdog_init(r, options);
	utw_watches_init(r);
	utw_timers_init(r);
	utw_calls_init(r);
	utw_signals_init(r);
	utw_triggers_init(r);
	utw_nest_init(r);
	reactor_tell_fallback(r, options);
	*ret = r;
	return 0;
}

int utw_reactor_new(struct utw_reactor **ret)
{
	const struct utw_reactor_options options = { 0 };

	return utw_reactor_new_with(ret, &options);
}

const char *utw_reactor_backend(const struct utw_reactor *r)
{
	return r->poller.ops->name;
}

void utw_reactor_free(struct utw_reactor *r)
{
	if (!r)
		return;
	UTW_CONTRACT(!r->in_turn && !r->running);
	utw_triggers_release(r);
	utw_signals_release(r);
	utw_calls_release(r);
	utw_timers_release(r);
	utw_watches_release(r);
	utw_nest_release(r);
	utw_inbox_release(&r->inbox);
	utw_poller_close(&r->poller);
	free(r);
}

uint64_t utw_reactor_now(const struct utw_reactor *r)
{
	return r->in_turn ? r->now : utw_reactor_clock(r);
}

int utw_reactor_call_from_thread(struct utw_reactor *r, utw_call_fn fn, void *data)
{
	return utw_inbox_post(&r->inbox, fn, data);
}

/* The time left until `deadline`, without a look at the clock where none is needed. */
static uint64_t time_left(const struct utw_reactor *r, uint64_t deadline)
{
	uint64_t now;

	if (deadline == 0 || deadline == UTW_FOREVER)
		return deadline;
	now = utw_reactor_clock(r);
	return deadline > now ? deadline - now : 0;
}

static uint64_t wait_deadline(struct utw_reactor *r, uint64_t timeout)
{
	uint64_t timer = utw_timers_next(r);
	uint64_t deadline = timeout;

	if (utw_inbox_sleep(&r->inbox) || utw_calls_pending(r))
		return 0;
	if (timeout != 0 && timeout != UTW_FOREVER)
		deadline = utw_clock_add(utw_reactor_clock(r), timeout);
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
		count = utw_poller_wait(&r->poller, time_left(r, deadline), events);
	while (count == -EINTR || (count == 0 && time_left(r, deadline)));
	return count;
}

static unsigned int inbox_dispatch(struct utw_reactor *r)
{
	struct utw_slow_call told = { .kind = "posted call", .fd = -1 };
	unsigned int count = 0;
	utw_call_fn fn;

	utw_inbox_open(&r->inbox);
	while (count < r->budget && (fn = utw_inbox_call_next(&r->inbox))) {
		told.callback = (void (*)(void))fn;
		utw_watchdog_look(r, &told);
		count++;
	}
	r->statistics.posted += count;
	return count + utw_signals_dispatch(r);
}

static unsigned int event_dispatch(struct utw_reactor *r, const struct utw_poller_event *event)
{
	/* What is in the inbox is looked for in each turn, rung for or not. */
	if (event->tag == UTW_TAG_INBOX) {
		utw_inbox_silence(&r->inbox);
		return 0;
	}
	/* The nesting timer has done its work by ending the wait. */
	if (event->tag == UTW_TAG_NEST)
		return 0;
	return utw_watches_dispatch(r, event);
}

static int reactor_turn(struct utw_reactor *r, uint64_t timeout)
{
	struct utw_poller_event events[UTW_POLLER_BATCH];
	uint32_t limit = r->timers.sequence;
	unsigned int called = 0;
	int count = reactor_wait(r, timeout, events);
	int i;

	if (count < 0)
		return count;
	utw_inbox_wake(&r->inbox);
	r->now = utw_reactor_clock(r);
	r->in_turn = true;
	utw_watchdog_begin_turn(r);
	utw_calls_begin_turn(r);
	for (i = 0; i < count; i++)
		called += event_dispatch(r, &events[i]);
	called += inbox_dispatch(r);
	called += utw_timers_run(r, limit);
	called += utw_calls_run_due(r);
	called += utw_calls_run_at_end(r);
	r->in_turn = false;
	utw_watchdog_end_turn(r);
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
	r->over = false;
	utw_triggers_fire_startup(r);
	while (!r->over && err >= 0)
		err = reactor_turn(r, UTW_FOREVER);
	r->running = false;
	r->stopping = false;
	return err < 0 ? err : 0;
}

int utw_reactor_stop(struct utw_reactor *r)
{
	if (!r->running)
		return -ESRCH;
	if (!r->stopping)
		utw_triggers_fire_shutdown(r);
	r->stopping = true;
	return 0;
}

int utw_reactor_crash(struct utw_reactor *r)
{
	if (!r->running)
		return -ESRCH;
	r->over = true;
	return 0;
}
