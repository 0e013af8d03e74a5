// SPDX-License-Identifier: MIT
/* Deferreds: birth, death, firing, cancelling. The running of their chains is chain.c's. */
#include <errno.h>
#include <stdlib.h>

#include "base/contract.h"
#include "base/list.h"
#include "deferred/deferred-private.h"

struct utw_deferred *utw_deferred_new_at(const char *file, int line)
{
	struct utw_deferred *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->refs = 1;
	d->file = file;
	d->line = line;
	d->current = utw_result_value(NULL);
	utw_list_init(&d->timeouts);
	utw_slots_init(&d->slots);
	return d;
}

struct utw_deferred *utw_deferred_succeed_at(const char *file, int line, void *value)
{
	struct utw_deferred *d = utw_deferred_new_at(file, line);

	if (d)
		utw_deferred_callback(d, value);
	return d;
}

struct utw_deferred *utw_deferred_fail_at(const char *file, int line, struct utw_failure *failure)
{
	struct utw_deferred *d = utw_deferred_new_at(file, line);

	if (d)
		utw_deferred_errback(d, failure);
	else
		utw_failure_unref(failure);
	return d;
}

struct utw_deferred *utw_deferred_ref(struct utw_deferred *d)
{
	if (d)
		d->refs++;
	return d;
}

void utw_result_drop(struct utw_result *result)
{
	struct utw_result dropped = *result;

	*result = utw_result_value(NULL);
	switch (dropped.kind) {
	case UTW_RESULT_VALUE:
		if (dropped.value.free)
			dropped.value.free(dropped.value.ptr);
		break;
	case UTW_RESULT_FAILURE:
		utw_failure_unref(dropped.failure);
		break;
	case UTW_RESULT_WAIT:
		utw_deferred_unref(dropped.deferred);
		break;
	case UTW_RESULT_PASS:
		break;
	}
}

/* Whom a slot of a dying deferred held, with the slot's reference; or NULL. */
static struct utw_deferred *slot_abandon(const struct utw_slot *slot)
{
	struct utw_deferred *next = NULL;

	if (slot->kind == UTW_SLOT_WAITER) {
		next = slot->waiter;
		next->waiting_on = NULL;
	} else if (slot->kind == UTW_SLOT_TAKER) {
		next = slot->take(utw_result_pass(), slot->data);
		if (next)
			utw_chain_run(next);
	}
	return next;
}

/* Those waiting for it may be held by nothing else: they join the dying. */
static void deferred_abandon_waiters(struct utw_deferred *d, struct utw_deferred **dying)
{
	struct utw_slot slot;

	while (utw_slots_pop(&d->slots, &slot)) {
		struct utw_deferred *next = slot_abandon(&slot);

		if (!next || --next->refs)
			continue;
		next->below = *dying;
		*dying = next;
	}
}

static void deferred_destroy(struct utw_deferred *d, struct utw_deferred **dying)
{
	utw_timeouts_release(d);
	deferred_abandon_waiters(d, dying);
	if (d->current.kind == UTW_RESULT_FAILURE)
		utw_unhandled_report(d);
	utw_result_drop(&d->current);
	utw_slots_release(&d->slots);
	free(d);
}

/* In a loop, since a chain of any depth may fall with its producer. */
void utw_deferred_unref(struct utw_deferred *d)
{
	struct utw_deferred *dying = d;

	if (!d || --d->refs)
		return;
	d->below = NULL;
	while ((d = dying)) {
		dying = d->below;
		deferred_destroy(d, &dying);
	}
}

int utw_deferred_add_slot(struct utw_deferred *d, const struct utw_slot *slot)
{
	if (!utw_chain_settled(d))
		return utw_slots_push(&d->slots, slot);
	utw_chain_run_slot(d, slot);
	return 0;
}

int utw_deferred_add_taker(struct utw_deferred *d, utw_take_fn take, void *data)
{
	struct utw_slot slot = { .kind = UTW_SLOT_TAKER, .take = take, .data = data };

	return utw_deferred_add_slot(d, &slot);
}

int utw_deferred_add_callbacks(struct utw_deferred *d, utw_callback_fn callback,
			       utw_errback_fn errback, void *data)
{
	struct utw_slot slot = { .kind = UTW_SLOT_PAIR, .data = data };

	slot.callback = callback;
	slot.errback = errback;
	return utw_deferred_add_slot(d, &slot);
}

int utw_deferred_add_callback(struct utw_deferred *d, utw_callback_fn callback, void *data)
{
	return utw_deferred_add_callbacks(d, callback, NULL, data);
}

int utw_deferred_add_errback(struct utw_deferred *d, utw_errback_fn errback, void *data)
{
	return utw_deferred_add_callbacks(d, NULL, errback, data);
}

int utw_deferred_add_both(struct utw_deferred *d, utw_both_fn fn, void *data)
{
	struct utw_slot slot = { .kind = UTW_SLOT_BOTH, .both = fn, .data = data };

	return utw_deferred_add_slot(d, &slot);
}

/* What to say to a producer whose result comes too late. */
static int deferred_refuse(struct utw_deferred *d)
{
	if (!d->swallow_late)
		return -EALREADY;
	d->swallow_late = false;
	return 0;
}

int utw_deferred_fire(struct utw_deferred *d, struct utw_result result)
{
	int ret = 0;

	if (result.kind != UTW_RESULT_VALUE && result.kind != UTW_RESULT_FAILURE)
		ret = -EINVAL;
	else if (d->fired)
		ret = deferred_refuse(d);
	else {
		UTW_CONTRACT(result.kind == UTW_RESULT_VALUE || result.failure);
		d->fired = true;
		d->current = result;
		utw_chain_run(d);
		return 0;
	}
	utw_result_drop(&result);
	return ret;
}

struct utw_deferred *utw_deferred_settle(struct utw_deferred *d, struct utw_result result)
{
	if (d->fired) {
		deferred_refuse(d);
		utw_result_drop(&result);
		utw_deferred_unref(d);
		return NULL;
	}
	d->fired = true;
	d->current = result;
	return d;
}

int utw_deferred_callback(struct utw_deferred *d, void *value)
{
	return utw_deferred_fire(d, utw_result_value(value));
}

int utw_deferred_callback_owned(struct utw_deferred *d, void *ptr, void (*free)(void *ptr))
{
	return utw_deferred_fire(d, utw_result_owned(ptr, free));
}

int utw_deferred_errback(struct utw_deferred *d, struct utw_failure *failure)
{
	return utw_deferred_fire(d, utw_result_fail(failure));
}

bool utw_deferred_fired(const struct utw_deferred *d)
{
	return d->fired;
}

int utw_deferred_take(struct utw_deferred *d, struct utw_result *ret)
{
	if (d->stacked)
		return -EBUSY;
	if (!d->fired || d->waiting || d->pauses)
		return -EAGAIN;
	*ret = d->current;
	d->current = utw_result_value(NULL);
	return 0;
}

void utw_deferred_pause(struct utw_deferred *d)
{
	d->pauses++;
}

void utw_deferred_unpause(struct utw_deferred *d)
{
	if (d->pauses && --d->pauses == 0)
		utw_chain_run(d);
}

void utw_deferred_set_canceller(struct utw_deferred *d, utw_canceller_fn fn, void *data)
{
	d->canceller = fn;
	d->canceller_data = data;
}

static struct utw_result cancelled_result(const struct utw_deferred *d, const char *message)
{
	return utw_result_fail(utw_failure_new_at(d->file, d->line, &utw_domain_reason,
						  UTW_CANCELLED, "cancel", NULL, "%s", message));
}

/* What it waited for died unfired, so this is the only way left for it to end. */
static void deferred_cancel_orphan(struct utw_deferred *d)
{
	d->waiting = false;
	utw_result_drop(&d->current);
	d->current = cancelled_result(d, "what it waited for was released before it fired");
	utw_chain_run(d);
}

static void deferred_cancel_unfired(struct utw_deferred *d)
{
	enum utw_cancel how = UTW_CANCEL_NOW;

	d->cancelled = true;
	utw_deferred_ref(d);
	if (d->canceller)
		how = d->canceller(d, d->canceller_data);
	else
		d->swallow_late = true;
	if (!d->fired && how == UTW_CANCEL_NOW)
		utw_deferred_fire(d, cancelled_result(d, "on request"));
	utw_deferred_unref(d);
}

void utw_deferred_cancel(struct utw_deferred *d)
{
	while (d->waiting && d->waiting_on)
		d = d->waiting_on;
	if (d->waiting)
		deferred_cancel_orphan(d);
	else if (!d->fired && !d->cancelled)
		deferred_cancel_unfired(d);
}
