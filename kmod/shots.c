// SPDX-License-Identifier: GPL-2.0-only
/*
 * The many completions of a multishot request, on their way from any context to
 * the work.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "channel.h"
#include "request.h"
#include "trace.h"

/**
 * untwist_post() - one of many completions of a request
 * @req: request that the driver holds, its @multishot set
 * @res: result of this one: zero or positive, or a negative errno
 * @value0: further result, as the opcode defines it
 * @value1: likewise
 *
 * The request goes on; untwist_complete() brings its last completion. What finds
 * no room is counted, and the count goes with the next completion.
 *
 * Context: any but NMI; hard interrupts of PREEMPT_RT included. Not while the
 * request is being completed elsewhere.
 *
 * Return: 0; -ENOBUFS, the program has not read what was posted before;
 * -EINVAL, not such a request, which is counted as misuse.
 */
int untwist_post(struct untwist_request *req, s32 res, u64 value0, u64 value1)
{
	struct untwist_slot *slot = untwist_to_slot(req);
	struct untwist_channel *ch = req->channel;
	struct untwist_shots *shots = &ch->requests.shots;
	int state = atomic_read(&slot->state);
	unsigned long flags;
	bool full;

	if (!(state & UNTWIST_REQ_LIVE) || state & UNTWIST_REQ_CLAIMED || !req->multishot) {
		untwist_request_misuse(ch->ud, req->opcode,
				       "posted to a request that takes no more");
		return -EINVAL;
	}
	if (!slot->sink && !untwist_cq_reserve(&ch->requests.cq, 1))
		goto lost;
	raw_spin_lock_irqsave(&shots->lock, flags);
	/* Pairs with the store in untwist_shots_run(): the place is free. */
	full = shots->head - smp_load_acquire(&shots->tail) > shots->mask;
	if (!full) {
		shots->entries[shots->head & shots->mask] = (struct untwist_shot){
			.slot = slot,
			.res = res,
			.value = { value0, value1 },
		};
		/* Pairs with the load in untwist_shots_run(). */
		smp_store_release(&shots->head, shots->head + 1);
	}
	raw_spin_unlock_irqrestore(&shots->lock, flags);
	if (full) {
		if (!slot->sink)
			untwist_cq_unreserve(&ch->requests.cq, 1);
		goto lost;
	}
	rcu_read_lock();
	untwist_channel_kick(ch);
	rcu_read_unlock();
	return 0;

lost:
	atomic_inc(&slot->missed);
	untwist_count(ch->ud, UNTWIST_STAT_SHOTS_LOST, 1);
	return -ENOBUFS;
}
EXPORT_SYMBOL_GPL(untwist_post);

/**
 * untwist_shots_make() - make room for completions of multishot requests
 * @rq: request plane
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int untwist_shots_make(struct untwist_requests *rq)
{
	u32 nr = roundup_pow_of_two(rq->cq.max);
	struct untwist_shot *entries;
	int ret = 0;

	/* Pairs with the store below: the length is there. */
	if (smp_load_acquire(&rq->shots.entries))
		return 0;
	mutex_lock(&rq->setup_lock);
	if (!rq->shots.entries) {
		entries = kvcalloc(nr, sizeof(*entries), GFP_KERNEL_ACCOUNT);
		ret = entries ? 0 : -ENOMEM;
		rq->shots.mask = nr - 1;
		/* Pairs with the load above. */
		smp_store_release(&rq->shots.entries, entries);
	}
	mutex_unlock(&rq->setup_lock);
	return ret;
}

/**
 * untwist_shots_lost() - what to tell of the completions that found no room
 * @slot: request
 *
 * Return: the flags for its next completion, which tells of all until now.
 */
u32 untwist_shots_lost(struct untwist_slot *slot)
{
	u32 missed = slot->req.multishot ? (u32)atomic_xchg(&slot->missed, 0) : 0;

	if (!missed)
		return 0;
	return UNTWIST_CQE_F_LOST | min(missed, 65535u) << UNTWIST_CQE_LOST_SHIFT;
}

/**
 * untwist_shots_run() - post what waits
 * @ch: channel
 *
 * Context: the channel's work.
 *
 * Return: how many were posted.
 */
unsigned int untwist_shots_run(struct untwist_channel *ch)
{
	struct untwist_shots *shots = &ch->requests.shots;
	u32 tail = shots->tail;
	/* Pairs with the store in untwist_post(). */
	u32 nr = smp_load_acquire(&shots->head) - tail;
	u32 i;

	for (i = 0; i < nr; i++) {
		struct untwist_shot *shot = &shots->entries[(tail + i) & shots->mask];
		struct untwist_slot *slot = shot->slot;
		struct untwist_cqe cqe = {
			.user_data = slot->user_data,
			.res = shot->res,
			.flags = UNTWIST_CQE_F_MORE | untwist_shots_lost(slot),
			.value = { shot->value[0], shot->value[1] },
		};

		/* Pairs with the load in untwist_post(): the place is free. */
		smp_store_release(&shots->tail, tail + i + 1);
		untwist_count(ch->ud, UNTWIST_STAT_SHOTS, 1);
		trace_untwist_post(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode,
				   cqe.res);
		if (slot->sink)
			slot->sink->post(slot, &cqe);
		else
			untwist_requests_put(ch, &cqe, 1);
	}
	return nr;
}
