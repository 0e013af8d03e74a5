// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for the end of a channel. It comes when the driver has completed all
 * that it holds; a driver that does not do so holds up its own unregistering,
 * and the log says who and what that is.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>

#include "channel.h"
#include "holdup.h"

/* Requests that are named for one channel at a time. */
#define NAMED_MAX 8

static unsigned int holdup_seconds = 10;
module_param(holdup_seconds, uint, 0644);
MODULE_PARM_DESC(holdup_seconds,
		 "how often to tell for whom an unregister or close waits, in seconds (10)");

static const char *slot_progress(const struct untwist_slot *slot)
{
	int state = atomic_read(&slot->state);

	if (state & UNTWIST_REQ_FINISHED)
		return "complete, on its way to be told";
	if (!(state & UNTWIST_REQ_STARTED))
		return "waiting for its turn";
	if (!(state & UNTWIST_REQ_SUBMITTED))
		return "in the driver's submit operation";
	if (state & UNTWIST_REQ_CANCELLED)
		return "with the driver, which was asked to cancel it";
	return "with the driver";
}

/**
 * untwist_holdup_report() - tell of the requests of a channel
 * @ch: channel, within untwist_channel_enter() or with live requests
 */
void untwist_holdup_report(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;
	unsigned int named = 0;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link) {
		if (named++ == NAMED_MAX)
			break;
		dev_warn(&ch->ud->dev,
			 "channel %u: request %#x, opcode %u (%s), user_data %llu, is %u s old: %s\n",
			 ch->id, untwist_slot_tag(slot), slot->req.opcode, slot->op->name,
			 slot->user_data, jiffies_to_msecs(jiffies - slot->began) / 1000,
			 slot_progress(slot));
	}
	if (named > NAMED_MAX)
		dev_warn(&ch->ud->dev, "channel %u: and %u more requests\n", ch->id,
			 rq->nr_live - NAMED_MAX);
	spin_unlock(&rq->lock);
}

/**
 * untwist_channel_await_closed() - wait until the driver's close has returned
 * @ch: channel that is shut, pinned
 * @what: who waits, for the log
 *
 * Context: may sleep, and as long as the driver likes.
 */
void untwist_channel_await_closed(struct untwist_channel *ch, const char *what)
{
	unsigned int seconds = 0;
	unsigned int slice = clamp(READ_ONCE(holdup_seconds), 1u, 3600u);

	while (!wait_for_completion_timeout(&ch->closed, slice * HZ)) {
		seconds += slice;
		dev_warn(&ch->ud->dev,
			 "%s has waited %u s for channel %u, opened by %s (pid %d): %u requests and %u users left; driver %s has to let go of them\n",
			 what, seconds, ch->id, ch->comm, ch->pid, READ_ONCE(ch->requests.nr_live),
			 refcount_read(&ch->users), ch->ud->driver);
		untwist_holdup_report(ch);
	}
}
