// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a request as the driver tells it: whoever claims it first completes
 * it, and all others are wrong.
 */
#include <linux/nospec.h>

#include "channel.h"
#include "compat.h"
#include "latency.h"
#include "request.h"
#include "trace.h"

#if IS_ENABLED(CONFIG_KUNIT)
/* The suites provoke misuse; they look at the counter and not at the log. */
bool untwist_misuse_expected;
EXPORT_SYMBOL_IF_KUNIT(untwist_misuse_expected);
#else
static const bool untwist_misuse_expected;
#endif

/**
 * untwist_request_misuse() - a driver did what it must not
 * @ud: its device
 * @opcode: of the request, or 0
 * @what: what it did
 *
 * It is told once with a stack, and always counted.
 *
 * Context: any but NMI.
 */
void untwist_request_misuse(struct untwist_device *ud, u32 opcode, const char *what)
{
	untwist_count(ud, UNTWIST_STAT_MISUSES, 1);
	if (!untwist_misuse_expected)
		WARN_ONCE(1, "untwist: %s (driver %s): %s: opcode %u\n", ud->name, ud->driver, what,
			  opcode);
}

/**
 * untwist_slot_hand_on() - give a finished request to the work
 * @ch: channel
 * @slot: request
 *
 * Context: any but NMI, under RCU or with a user of the channel.
 */
void untwist_slot_hand_on(struct untwist_channel *ch, struct untwist_slot *slot)
{
	atomic_inc(&ch->requests.nr_done);
	if (llist_add(&slot->done, &ch->requests.done))
		untwist_channel_kick(ch);
}

/**
 * untwist_slot_finish() - a request has its result
 * @slot: request that the caller has claimed
 * @res: result
 *
 * Context: any but NMI.
 */
void untwist_slot_finish(struct untwist_slot *slot, s32 res)
{
	struct untwist_channel *ch = slot->req.channel;

	slot->res = res;
	trace_untwist_complete(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode, res);
	/* With an error of the core's, the driver has not seen it. */
	if (!slot->error && untwist_latency_on(ch->ud))
		untwist_latency_passed(slot, UNTWIST_STAGE_DRIVER);

	/*
	 * From FINISHED on, the submitter may post the request, and from
	 * llist_add() on, the work may. The file may be closed as well, so
	 * that only the grace period keeps the channel for the kick.
	 */
	rcu_read_lock();
	if (atomic_fetch_or(UNTWIST_REQ_FINISHED, &slot->state) & UNTWIST_REQ_SUBMITTED)
		untwist_slot_hand_on(ch, slot);
	rcu_read_unlock();
}

/**
 * untwist_complete() - a request is done
 * @req: request, which the driver must not touch any more
 * @res: result: zero or positive, or a negative errno
 *
 * Completing twice is the driver's bug: it is counted, warned about once, and
 * has no other effect as long as the request's slot is not in use again. Where
 * the hardware may answer late or twice, use untwist_complete_tag(), which
 * tells uses apart.
 *
 * Context: any but NMI; hard interrupts of PREEMPT_RT included.
 */
void untwist_complete(struct untwist_request *req, s32 res)
{
	struct untwist_slot *slot = untwist_to_slot(req);
	int old = atomic_fetch_or(UNTWIST_REQ_CLAIMED, &slot->state);

	if (!(old & UNTWIST_REQ_LIVE) || old & UNTWIST_REQ_CLAIMED)
		untwist_request_misuse(req->channel->ud, req->opcode,
				       "completed a request that it does not hold");
	else
		untwist_slot_finish(slot, res);
}
EXPORT_SYMBOL_GPL(untwist_complete);

/**
 * untwist_request_tag() - a number for the hardware to answer with
 * @req: request that the driver holds
 *
 * Return: the tag, of this request and of this channel; it is not used again
 * before about a million further requests have come.
 */
u32 untwist_request_tag(const struct untwist_request *req)
{
	return untwist_slot_tag(untwist_to_slot(req));
}
EXPORT_SYMBOL_GPL(untwist_request_tag);

/**
 * untwist_complete_tag() - a request is done, says somebody who may be wrong
 * @ch: channel that the request came from
 * @tag: tag of the request, whatever its value
 * @res: as untwist_complete()
 *
 * Context: as untwist_complete(), while the driver may use the channel.
 *
 * Return: 0; -ESTALE, the request with this tag is complete already, or there
 * never was one. That is counted as a misuse, warned about once, and has no
 * other effect.
 */
int untwist_complete_tag(struct untwist_channel *ch, u32 tag, s32 res)
{
	u32 index = tag & UNTWIST_REQ_INDEX_MASK;
	struct untwist_slot *slot;
	int state;

	if (!READ_ONCE(ch->requests.slots) || index >= ch->ud->config.requests_max)
		goto stale;
	slot = untwist_slot_at(ch, array_index_nospec(index, ch->ud->config.requests_max));
	state = atomic_read(&slot->state);
	do {
		if (((u32)state ^ tag) & UNTWIST_REQ_GENERATION_MASK ||
		    !(state & UNTWIST_REQ_LIVE) || state & UNTWIST_REQ_CLAIMED)
			goto stale;
	} while (!atomic_try_cmpxchg(&slot->state, &state, state | UNTWIST_REQ_CLAIMED));
	untwist_slot_finish(slot, res);
	return 0;

stale:
	untwist_request_misuse(ch->ud, 0, "completed by a tag that is not in use");
	return -ESTALE;
}
EXPORT_SYMBOL_GPL(untwist_complete_tag);
