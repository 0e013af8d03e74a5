// SPDX-License-Identifier: MIT
/*
 * Queued calls: one queue for those that callers embed and for those that
 * utw_reactor_call_soon() makes, so that all keep one order.
 */
#include <untwist/call.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/list.h"
#include "reactor/reactor-private.h"
#include "reactor/watchdog.h"

/* More than this many unused records are given back to the heap. */
#define SPARES_KEPT 64

/* A call that the reactor owns. */
struct record {
	struct utw_call call;
	utw_call_fn fn;
	void *data;
};

static void record_due(struct utw_call *c);

static struct utw_call *call_of(struct utw_link *link)
{
	return utw_container_of(link, struct utw_call, link);
}

static struct record *record_of(struct utw_call *c)
{
	return utw_container_of(c, struct record, call);
}

void utw_calls_init(struct utw_reactor *r)
{
	utw_list_init(&r->calls.soon);
	utw_list_init(&r->calls.due);
	utw_list_init(&r->calls.at_end);
	utw_list_init(&r->calls.ending);
	utw_list_init(&r->calls.spare);
	r->calls.spares = 0;
}

void utw_calls_release(struct utw_reactor *r)
{
	struct utw_link *link;

	utw_list_splice(&r->calls.soon, &r->calls.due);
	utw_list_splice(&r->calls.soon, &r->calls.at_end);
	utw_list_splice(&r->calls.soon, &r->calls.spare);
	while ((link = utw_list_pop(&r->calls.soon))) {
		struct utw_call *c = call_of(link);

		c->reactor = NULL;
		if (c->fn == record_due)
			free(record_of(c));
	}
}

void utw_call_init(struct utw_call *c, utw_call_due_fn fn)
{
	utw_list_init(&c->link);
	c->fn = fn;
	c->reactor = NULL;
}

static int call_queue(struct utw_call *c, struct utw_reactor *r, struct utw_link *queue)
{
	if (c->reactor)
		return -EBUSY;
	c->reactor = r;
	utw_list_append(queue, &c->link);
	utw_nest_update(r);
	return 0;
}

int utw_call_start(struct utw_call *c, struct utw_reactor *r)
{
	return call_queue(c, r, &r->calls.soon);
}

int utw_call_start_at_end(struct utw_call *c, struct utw_reactor *r)
{
	return call_queue(c, r, &r->calls.at_end);
}

void utw_call_stop(struct utw_call *c)
{
	struct utw_reactor *r = c->reactor;

	if (!r)
		return;
	utw_list_remove(&c->link);
	c->reactor = NULL;
	utw_nest_update(r);
}

bool utw_call_active(const struct utw_call *c)
{
	return c->reactor;
}

static void record_due(struct utw_call *c)
{
	struct record *record = record_of(c);

	record->fn(record->data);
}

static struct record *record_take(struct utw_call_queue *calls)
{
	struct utw_link *link = utw_list_pop(&calls->spare);
	struct record *record;

	if (link) {
		calls->spares--;
		return record_of(call_of(link));
	}
	record = malloc(sizeof(*record));
	if (record)
		utw_call_init(&record->call, record_due);
	return record;
}

static void record_give_back(struct utw_call_queue *calls, struct record *record)
{
	if (calls->spares == SPARES_KEPT) {
		free(record);
		return;
	}
	utw_list_append(&calls->spare, &record->call.link);
	calls->spares++;
}

int utw_reactor_call_soon(struct utw_reactor *r, utw_call_fn fn, void *data)
{
	struct record *record = record_take(&r->calls);

	if (!record)
		return -ENOMEM;
	record->fn = fn;
	record->data = data;
	return utw_call_start(&record->call, r);
}

bool utw_calls_pending(const struct utw_reactor *r)
{
	return !utw_list_empty(&r->calls.soon) || !utw_list_empty(&r->calls.due) ||
		!utw_list_empty(&r->calls.at_end);
}

void utw_calls_begin_turn(struct utw_reactor *r)
{
	utw_list_splice(&r->calls.due, &r->calls.soon);
}

static unsigned int calls_run(struct utw_reactor *r, struct utw_link *queue, unsigned int most)
{
	unsigned int count = 0;
	struct utw_link *link;

	while (count < most && (link = utw_list_pop(queue))) {
		struct utw_call *c = call_of(link);
		/* An embedded call may be freed by its callback: look at it now. */
		bool owned = c->fn == record_due;
		const struct utw_slow_call told = {
			.kind = "call",
			.callback = owned ? (void (*)(void))record_of(c)->fn
					  : (void (*)(void))c->fn,
			.fd = -1,
		};

		c->reactor = NULL;
		c->fn(c);
		utw_watchdog_look(r, &told);
		if (owned)
			record_give_back(&r->calls, record_of(c));
		count++;
	}
	r->statistics.calls += count;
	return count;
}

unsigned int utw_calls_run_due(struct utw_reactor *r)
{
	return calls_run(r, &r->calls.due, r->budget);
}

unsigned int utw_calls_run_at_end(struct utw_reactor *r)
{
	utw_list_splice(&r->calls.ending, &r->calls.at_end);
	return calls_run(r, &r->calls.ending, UINT_MAX);
}
