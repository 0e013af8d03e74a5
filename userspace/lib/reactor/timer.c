// SPDX-License-Identifier: MIT
/* Timers: a heap by deadline and, among equals, by the order in which they were started. */
#include <untwist/timer.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "reactor/reactor-private.h"

/* Of a timer that is not active, in place of its position in the heap. */
enum timer_past {
	TIMER_NEW,
	TIMER_CANCELLED,
	TIMER_RAN,
};

void utw_timers_init(struct utw_reactor *r)
{
	utw_heap_init(&r->timers.heap);
	r->timers.sequence = 0;
}

static struct utw_timer *first_timer(const struct utw_reactor *r)
{
	struct utw_heap_node *node = utw_heap_first(&r->timers.heap);

	return node ? utw_container_of(node, struct utw_timer, node) : NULL;
}

static void timer_end(struct utw_timer *t, enum timer_past past)
{
	t->reactor = NULL;
	t->node.position = past;
}

static void timer_leave(struct utw_timer *t, enum timer_past past)
{
	utw_heap_remove(&t->reactor->timers.heap, &t->node);
	timer_end(t, past);
}

void utw_timers_release(struct utw_reactor *r)
{
	uint32_t i;

	for (i = 0; i < r->timers.heap.count; i++) {
		struct utw_heap_node *node = r->timers.heap.entries[i].node;

		timer_end(utw_container_of(node, struct utw_timer, node), TIMER_CANCELLED);
	}
	utw_heap_release(&r->timers.heap);
}

uint64_t utw_timers_next(const struct utw_reactor *r)
{
	const struct utw_heap_node *node = utw_heap_first(&r->timers.heap);

	return node ? node->key : UTW_FOREVER;
}

/*
 * Sequences wrap around, so age is asked for only where it decides: who was due
 * before this turn's time cannot have been started in it.
 */
static bool timer_due(const struct utw_timer *t, uint64_t now, uint32_t limit)
{
	if (t->node.key != now)
		return t->node.key < now;
	return (int32_t)(t->node.sequence - limit) < 0;
}

/*
 * A timer started in this turn is due now at the earliest and is younger than any
 * other due now, so it can stand before none that still has to run: stopping at
 * the first one too young leaves nothing behind.
 */
unsigned int utw_timers_run(struct utw_reactor *r, uint32_t limit)
{
	unsigned int count = 0;
	struct utw_timer *t;

	while (count < r->budget && (t = first_timer(r)) && timer_due(t, r->now, limit)) {
		timer_leave(t, TIMER_RAN);
		t->fn(t);
		count++;
	}
	return count;
}

void utw_timer_init(struct utw_timer *t, utw_timer_fn fn)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
}

/* A deadline at the end of time is never due: the clock does not get there. */
static void timer_set(struct utw_timer *t, struct utw_reactor *r, uint64_t delay)
{
	t->node.key = utw_clock_add(utw_reactor_now(r), delay);
	t->node.sequence = r->timers.sequence++;
}

int utw_timer_start_at(struct utw_timer *t, struct utw_reactor *r, uint64_t delay,
		       const char *place)
{
	int err;

	if (t->reactor)
		return -EBUSY;
	timer_set(t, r, delay);
	err = utw_heap_insert(&r->timers.heap, &t->node);
	if (err < 0)
		return err;
	t->reactor = r;
	t->place = place;
	utw_nest_update(r);
	return 0;
}

static int timer_check_active(const struct utw_timer *t)
{
	if (t->reactor)
		return 0;
	switch ((enum timer_past)t->node.position) {
	case TIMER_CANCELLED:
		return -ECANCELED;
	case TIMER_RAN:
		return -EALREADY;
	case TIMER_NEW:
		break;
	}
	return -EINVAL;
}

int utw_timer_cancel(struct utw_timer *t)
{
	struct utw_reactor *r = t->reactor;
	int err = timer_check_active(t);

	if (err < 0)
		return err;
	timer_leave(t, TIMER_CANCELLED);
	utw_nest_update(r);
	return 0;
}

static void timer_moved(struct utw_timer *t)
{
	utw_heap_update(&t->reactor->timers.heap, &t->node);
	utw_nest_update(t->reactor);
}

int utw_timer_reset(struct utw_timer *t, uint64_t delay)
{
	int err = timer_check_active(t);

	if (err < 0)
		return err;
	timer_set(t, t->reactor, delay);
	timer_moved(t);
	return 0;
}

int utw_timer_delay(struct utw_timer *t, uint64_t more)
{
	int err = timer_check_active(t);

	if (err < 0)
		return err;
	t->node.key = utw_clock_add(t->node.key, more);
	timer_moved(t);
	return 0;
}

bool utw_timer_active(const struct utw_timer *t)
{
	return t->reactor;
}

const char *utw_timer_place(const struct utw_timer *t)
{
	return t->place;
}

uint64_t utw_timer_when(const struct utw_timer *t)
{
	return t->node.key;
}
