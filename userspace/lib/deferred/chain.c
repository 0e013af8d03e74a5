// SPDX-License-Identifier: MIT
/*
 * Running chains.
 *
 * A result that reaches the end of one deferred may set free others that waited for
 * it, and so on to any depth. They are run one after the other from a stack that is
 * linked through the deferreds themselves, so the depth costs neither C stack nor
 * memory. Each is on at most one stack, which holds a reference to it.
 */
#include <errno.h>

#include "base/contract.h"
#include "deferred/deferred-private.h"

static void stack_push(struct utw_deferred **top, struct utw_deferred *d)
{
	d->stacked = true;
	d->below = *top;
	*top = d;
}

/* Without a call where it is not the last reference, which it hardly ever is. */
static void stack_pop(struct utw_deferred **top)
{
	struct utw_deferred *d = *top;

	*top = d->below;
	d->stacked = false;
	if (d->refs > 1)
		d->refs--;
	else
		utw_deferred_unref(d);
}

/* The same pointer again keeps its owner, unless it is given a new one. */
static void result_replace(struct utw_deferred *d, struct utw_result result)
{
	struct utw_result *old = &d->current;

	if (old->kind == UTW_RESULT_VALUE && result.kind == UTW_RESULT_VALUE &&
	    old->value.ptr == result.value.ptr) {
		if (result.value.free)
			old->value.free = result.value.free;
		return;
	}
	utw_result_drop(old);
	*old = result;
}

static void result_fail(struct utw_deferred *d, int error, const char *message)
{
	struct utw_failure *f =
		utw_failure_from_errno_at(d->file, d->line, error, "wait", "%s", message);

	result_replace(d, utw_result_fail(f));
}

static void result_move(struct utw_deferred *to, struct utw_deferred *from)
{
	struct utw_result result = from->current;

	from->current = utw_result_value(NULL);
	result_replace(to, result);
}

/* Would `d` wait for itself in the end? The walk is short where it is taken at all. */
static bool leads_back(const struct utw_deferred *inner, const struct utw_deferred *d)
{
	if (inner == d)
		return true;
	if (!utw_slots_have_waiter(&d->slots))
		return false;
	while ((inner = inner->waiting_on))
		if (inner == d)
			return true;
	return false;
}

static void chain_queue_for(struct utw_deferred *d, struct utw_deferred *inner)
{
	struct utw_slot slot = { .kind = UTW_SLOT_WAITER, .waiter = d };

	if (utw_slots_push(&inner->slots, &slot) < 0) {
		result_fail(d, -ENOMEM, "no memory to wait for another deferred");
		return;
	}
	utw_deferred_ref(d);
	/* A failure that led here has been dealt with; a value may still be in use by `inner`. */
	if (d->current.kind == UTW_RESULT_FAILURE)
		utw_result_drop(&d->current);
	d->waiting = true;
	d->waiting_on = inner;
}

static void chain_wait(struct utw_deferred *d, struct utw_deferred *inner)
{
	UTW_CONTRACT(inner);
	if (leads_back(inner, d))
		result_fail(d, -EDEADLK, "a callback returned a deferred that waits for this one");
	else if (utw_chain_settled(inner))
		result_move(d, inner);
	else
		chain_queue_for(d, inner);
	utw_deferred_unref(inner);
}

static void chain_accept(struct utw_deferred *d, struct utw_result result)
{
	switch (result.kind) {
	case UTW_RESULT_PASS:
		return;
	case UTW_RESULT_FAILURE:
		UTW_CONTRACT(result.failure);
		result_replace(d, result);
		return;
	case UTW_RESULT_VALUE:
		result_replace(d, result);
		return;
	case UTW_RESULT_WAIT:
		chain_wait(d, result.deferred);
		return;
	}
}

static struct utw_result slot_call(const struct utw_slot *slot, const struct utw_result *current)
{
	bool failed = current->kind == UTW_RESULT_FAILURE;

	if (slot->kind == UTW_SLOT_BOTH)
		return slot->both(failed ? NULL : current->value.ptr,
				  failed ? current->failure : NULL, slot->data);
	if (failed && slot->errback)
		return slot->errback(current->failure, slot->data);
	if (!failed && slot->callback)
		return slot->callback(current->value.ptr, slot->data);
	return utw_result_pass();
}

/* The slot's reference becomes the stack's. */
static void chain_pass_on(struct utw_deferred **top, struct utw_deferred *d,
			  struct utw_deferred *waiter)
{
	waiter->waiting = false;
	waiter->waiting_on = NULL;
	result_move(waiter, d);
	stack_push(top, waiter);
}

static void chain_give(struct utw_deferred **top, struct utw_deferred *d,
		       const struct utw_slot *slot)
{
	struct utw_result result = d->current;
	struct utw_deferred *next;

	d->current = utw_result_value(NULL);
	next = slot->take(result, slot->data);
	if (next)
		stack_push(top, next);
}

static void chain_step(struct utw_deferred **top, struct utw_deferred *d,
		       const struct utw_slot *slot)
{
	switch (slot->kind) {
	case UTW_SLOT_WAITER:
		chain_pass_on(top, d, slot->waiter);
		return;
	case UTW_SLOT_TAKER:
		chain_give(top, d, slot);
		return;
	case UTW_SLOT_PAIR:
	case UTW_SLOT_BOTH:
		chain_accept(d, slot_call(slot, &d->current));
		return;
	}
}

static void stack_run(struct utw_deferred *top)
{
	struct utw_slot slot;

	while (top) {
		if (utw_chain_may_go_on(top) && utw_slots_pop(&top->slots, &slot))
			chain_step(&top, top, &slot);
		else
			stack_pop(&top);
	}
}

void utw_chain_run(struct utw_deferred *d)
{
	struct utw_deferred *top = NULL;

	if (!utw_chain_settled(d) || !d->slots.count)
		return;
	d->refs++;
	stack_push(&top, d);
	stack_run(top);
}

void utw_chain_run_slot(struct utw_deferred *d, const struct utw_slot *slot)
{
	struct utw_deferred *top = NULL;

	d->refs++;
	stack_push(&top, d);
	chain_step(&top, d, slot);
	stack_run(top);
}
