// SPDX-License-Identifier: GPL-2.0-only
/* Asking for the early end of requests, and finding those that are meant. */
#include "channel.h"
#include "compat.h"
#include "power.h"
#include "request.h"

/**
 * untwist_slot_call_cancel() - tell the driver that an end is asked for
 * @ch: channel
 * @slot: request that it holds, pinned
 *
 * Context: process; may sleep.
 */
void untwist_slot_call_cancel(struct untwist_channel *ch, struct untwist_slot *slot)
{
	untwist_count(ch->ud, UNTWIST_STAT_CANCELS, 1);
	untwist_call_begin(ch->ud);
	ch->ud->config.ops->cancel(&slot->req);
	untwist_call_end(ch->ud);
}

/* In the backlog, or behind another one in its chain. */
static bool slot_waits(const struct untwist_slot *slot)
{
	int state = atomic_read(&slot->state);

	return state & UNTWIST_REQ_LIVE && !(state & UNTWIST_REQ_STARTED);
}

/* Returns true if nobody has started it, and nobody will. */
static bool slot_end_waiting(struct untwist_channel *ch, struct untwist_slot *slot, int why)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_consequences after;
	bool waiting;

	untwist_consequences_none(&after);
	spin_lock(&rq->lock);
	waiting = slot_waits(slot);
	if (waiting) {
		if (slot->prev)
			slot->prev->next = NULL;
		else
			list_del_init(&slot->wait);
		atomic_or(why, &slot->state);
		untwist_chain_end(slot, &after);
		/* The end of what held the others back may be theirs, too. */
		untwist_backlog_run(rq, &after);
	}
	spin_unlock(&rq->lock);
	if (!waiting)
		return false;
	untwist_slots_end(ch, &after);
	untwist_channel_leave_posted(ch, untwist_consequences_follow(ch, &after));
	return true;
}

/**
 * untwist_slot_cancel() - ask for the early end of a request
 * @ch: channel
 * @slot: request, pinned by the caller
 * @why: UNTWIST_REQ_CANCELLED, and UNTWIST_REQ_TIMED_OUT besides if so
 *
 * Context: process, within untwist_channel_enter() or with a live request;
 * may sleep.
 *
 * Return: 0 if this caller's cancel is the one that counts; -EALREADY, asked
 * before or not possible; -ENOENT, it is complete.
 */
int untwist_slot_cancel(struct untwist_channel *ch, struct untwist_slot *slot, int why)
{
	int old;

	if (slot_waits(slot) && slot_end_waiting(ch, slot, why))
		return 0;
	if (untwist_power_unhold(ch, slot, why))
		return 0;
	if (!ch->ud->config.ops->cancel)
		return -EALREADY;
	old = atomic_read(&slot->state);
	do {
		if (old & UNTWIST_REQ_CANCELLED)
			return -EALREADY;
		if (!(old & UNTWIST_REQ_LIVE) || old & UNTWIST_REQ_CLAIMED)
			return -ENOENT;
	} while (!atomic_try_cmpxchg(&slot->state, &old, old | why));
	if (old & UNTWIST_REQ_SUBMITTED)
		untwist_slot_call_cancel(ch, slot);
	return 0;
}

/* Whether a cancel may have an effect. */
static bool slot_cancellable(const struct untwist_channel *ch, const struct untwist_slot *slot)
{
	int state = atomic_read(&slot->state);

	if (state & (UNTWIST_REQ_CANCELLED | UNTWIST_REQ_CLAIMED))
		return false;
	return !(state & UNTWIST_REQ_STARTED) || READ_ONCE(slot->held) ||
		ch->ud->config.ops->cancel;
}

static bool slot_is_any(const struct untwist_slot *slot, u64 unused)
{
	return true;
}

static bool slot_has_user_data(const struct untwist_slot *slot, u64 user_data)
{
	return !slot->sink && slot->user_data == user_data;
}

/* With the driver, which is to complete it soon. */
static bool slot_runs(const struct untwist_slot *slot, u64 unused)
{
	return atomic_read(&slot->state) & UNTWIST_REQ_STARTED && !READ_ONCE(slot->held) &&
		!slot->req.multishot;
}

/* The oldest live request that matches and can be cancelled, pinned. */
static struct untwist_slot *slot_find(struct untwist_channel *ch,
				      bool (*matches)(const struct untwist_slot *slot, u64 arg),
				      u64 arg)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link) {
		if (!matches(slot, arg) || !slot_cancellable(ch, slot))
			continue;
		refcount_inc(&slot->refs);
		spin_unlock(&rq->lock);
		return slot;
	}
	spin_unlock(&rq->lock);
	return NULL;
}

static bool slot_exists(struct untwist_channel *ch, u64 user_data)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;
	bool found = false;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link)
		found |= slot_has_user_data(slot, user_data) &&
			!(atomic_read(&slot->state) & UNTWIST_REQ_CLAIMED);
	spin_unlock(&rq->lock);
	return found;
}

/**
 * untwist_requests_cancel() - ask for the early end of one request
 * @ch: channel
 * @user_data: which; the oldest that was not cancelled yet, of several
 *
 * Context: process, within untwist_channel_enter().
 *
 * Return: 0, and the completion comes; -ENOENT; -EALREADY, asked before or not
 * possible.
 */
int untwist_requests_cancel(struct untwist_channel *ch, u64 user_data)
{
	struct untwist_slot *slot = slot_find(ch, slot_has_user_data, user_data);
	int ret;

	if (!slot)
		return slot_exists(ch, user_data) ? -EALREADY : -ENOENT;
	ret = untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED);
	untwist_slot_put(ch, slot);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_cancel);

/**
 * untwist_requests_cancel_all() - ask for the early end of what is in flight
 * @ch: channel
 *
 * Context: process, while the driver may be called.
 *
 * Return: how many.
 */
unsigned int untwist_requests_cancel_all(struct untwist_channel *ch)
{
	struct untwist_slot *slot;
	unsigned int n = 0;

	while ((slot = slot_find(ch, slot_is_any, 0))) {
		n += !untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED);
		untwist_slot_put(ch, slot);
	}
	return n;
}

/**
 * untwist_requests_cancel_running() - ask for the early end of what the driver has,
 * but for multishot requests
 * @ch: channel
 *
 * Context: process, while the driver may be called.
 */
void untwist_requests_cancel_running(struct untwist_channel *ch)
{
	struct untwist_slot *slot;

	while ((slot = slot_find(ch, slot_runs, 0))) {
		untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED);
		untwist_slot_put(ch, slot);
	}
}
