// SPDX-License-Identifier: MIT
/* Timers: a heap by deadline and, among equals, by the order in which they were started. */
#include <untwist/timer.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "reactor/reactor-private.h"
#include "reactor/watchdog.h"

enum timer_state {
	TIMER_NEW,
	TIMER_ACTIVE,
	TIMER_CANCELLED,
	TIMER_RAN,
};

void utw_timers_init(struct utw_reactor *r)
{
	utw_heap_init(&r->timers.heap);
	r->timers.sequence = 0;
}

/*
 * Take a timer out by its entry. Of a million timers this one is in no cache: it
 * comes while the heap, which does not need it, is put in order.
 */
static struct utw_timer *timer_leave(struct utw_heap *heap, const struct utw_heap_entry *entry,
				     enum timer_state state)
{
	struct utw_timer *t = heap->items[entry->handle];
	uint64_t when = entry->key;

	__builtin_prefetch(t, 1);
	utw_heap_remove(heap, entry->handle);
	utw_heap_expect_next(heap);
	t->u.when = when;
	t->state = state;
	return t;
}

void utw_timers_release(struct utw_reactor *r)
{
	struct utw_heap *heap = &r->timers.heap;

	while (heap->count)
		timer_leave(heap, &heap->entries[heap->count - 1], TIMER_CANCELLED);
	utw_heap_release(heap);
}

uint64_t utw_timers_next(struct utw_reactor *r)
{
	const struct utw_heap_entry *first = utw_heap_first(&r->timers.heap);

	return first ? first->key : UTW_FOREVER;
}

/*
 * Sequences wrap around, so age is asked for only where it decides: who was due
 * before this turn's time cannot have been started in it.
 */
static bool entry_due(const struct utw_heap_entry *entry, uint64_t now, uint32_t limit)
{
	if (entry->key != now)
		return entry->key < now;
	return (int32_t)(entry->sequence - limit) < 0;
}

/*
 * A timer started in this turn is due now at the earliest and is younger than any
 * other due now, so it can stand before none that still has to run: stopping at
 * the first one too young leaves nothing behind.
 */
unsigned int utw_timers_run(struct utw_reactor *r, uint32_t limit)
{
	struct utw_heap *heap = &r->timers.heap;
	const struct utw_heap_entry *first;
	unsigned int count = 0;

	while (count < r->budget && (first = utw_heap_first(heap)) &&
	       entry_due(first, r->now, limit)) {
		struct utw_timer *t = timer_leave(heap, first, TIMER_RAN);
		const struct utw_slow_call told = {
			.kind = "timer",
			.callback = (void (*)(void))t->fn,
			.place = t->place,
			.fd = -1,
		};

		t->fn(t);
		utw_watchdog_look(r, &told);
		count++;
	}
	r->statistics.timers += count;
	return count;
}

void utw_timer_init(struct utw_timer *t, utw_timer_fn fn)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
}

/* A deadline at the end of time is never due: the clock does not get there. */
int utw_timer_start_at(struct utw_timer *t, struct utw_reactor *r, uint64_t delay,
		       const char *place)
{
	uint64_t when = utw_clock_add(utw_reactor_now(r), delay);
	int err;

	if (t->state == TIMER_ACTIVE)
		return -EBUSY;
	err = utw_heap_insert(&r->timers.heap, t, when, r->timers.sequence, &t->handle);
	if (err < 0)
		return err;
	r->timers.sequence++;
	t->u.reactor = r;
	t->place = place;
	t->state = TIMER_ACTIVE;
	utw_nest_update(r);
	return 0;
}

static int timer_check_active(const struct utw_timer *t)
{
	switch ((enum timer_state)t->state) {
	case TIMER_ACTIVE:
		return 0;
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
	struct utw_reactor *r = t->u.reactor;
	int err = timer_check_active(t);

	if (err < 0)
		return err;
	timer_leave(&r->timers.heap, utw_heap_entry(&r->timers.heap, t->handle), TIMER_CANCELLED);
	utw_nest_update(r);
	return 0;
}

int utw_timer_reset(struct utw_timer *t, uint64_t delay)
{
	struct utw_reactor *r = t->u.reactor;
	int err = timer_check_active(t);

	if (err < 0)
		return err;
	utw_heap_update(&r->timers.heap, t->handle, utw_clock_add(utw_reactor_now(r), delay),
			r->timers.sequence++);
	utw_nest_update(r);
	return 0;
}

int utw_timer_delay(struct utw_timer *t, uint64_t more)
{
	struct utw_reactor *r = t->u.reactor;
	const struct utw_heap_entry *entry;
	int err = timer_check_active(t);

	if (err < 0)
		return err;
	entry = utw_heap_entry(&r->timers.heap, t->handle);
	utw_heap_update(&r->timers.heap, t->handle, utw_clock_add(entry->key, more),
			entry->sequence);
	utw_nest_update(r);
	return 0;
}

bool utw_timer_active(const struct utw_timer *t)
{
	return t->state == TIMER_ACTIVE;
}

const char *utw_timer_place(const struct utw_timer *t)
{
	return t->place;
}

uint64_t utw_timer_when(const struct utw_timer *t)
{
	if (t->state != TIMER_ACTIVE)
		return t->u.when;
	return utw_heap_entry(&t->u.reactor->timers.heap, t->handle)->key;
}
