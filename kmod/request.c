// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, from the moment the core has them until their completion is
 * posted. A request completes exactly once, whatever races: see enum
 * untwist_request_state.
 */
#include <linux/eventfd.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "channel.h"
#include "compat.h"
#include "request.h"
#include "ring.h"
#include "trace.h"

static_assert(UNTWIST_REQUESTS_MAX == 1u << UNTWIST_REQ_GENERATION);
static_assert(UNTWIST_REQ_TIMED_OUT < 1 << UNTWIST_REQ_GENERATION);

#define GENERATION_MASK (~0u << UNTWIST_REQ_GENERATION)
#define GENERATION_ONE	(UNTWIST_REQ_INDEX_MASK + 1)

/* What becomes of other requests when one is posted or cancelled. */
struct consequences {
	struct list_head start; /* their turn has come */
	struct list_head end; /* they will not be started */
};

static void consequences_none(struct consequences *c)
{
	INIT_LIST_HEAD(&c->start);
	INIT_LIST_HEAD(&c->end);
}

static struct untwist_slot *to_slot(const struct untwist_request *req)
{
	return container_of(req, struct untwist_slot, req);
}

#if IS_ENABLED(CONFIG_KUNIT)
/* The suites provoke misuse; they look at the counter and not at the log. */
bool untwist_misuse_expected;
EXPORT_SYMBOL_IF_KUNIT(untwist_misuse_expected);
#else
static const bool untwist_misuse_expected;
#endif

/* A driver did what it must not: told once with a stack, counted always. */
static void request_misuse(struct untwist_device *ud, u32 opcode, const char *what)
{
	untwist_count(ud, UNTWIST_STAT_MISUSES, 1);
	if (!untwist_misuse_expected)
		WARN_ONCE(1, "untwist: %s (driver %s): %s: opcode %u\n", ud->name, ud->driver, what,
			  opcode);
}

/* Slots: the memory of requests, used again and again. */

static size_t slot_stride(const struct untwist_device *ud)
{
	return ALIGN(sizeof(struct untwist_slot) + ud->config.request_size, ARCH_KMALLOC_MINALIGN);
}

static struct untwist_slot *slot_at(const struct untwist_channel *ch, u32 index)
{
	return ch->requests.slots + index * slot_stride(ch->ud);
}

/**
 * untwist_requests_make() - make the memory of the request plane
 * @ch: channel
 *
 * It costs a channel nothing until its first submission.
 *
 * Context: may sleep.
 *
 * Return: 0, -ENOMEM or -ERESTARTSYS.
 */
int untwist_requests_make(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	u32 max = ch->ud->config.requests_max;
	void *slots;
	int ret = 0;
	u32 i;

	/* Pairs with the store below: the list of free ones is there. */
	if (smp_load_acquire(&rq->slots))
		return 0;
	if (mutex_lock_interruptible(&rq->setup_lock))
		return -ERESTARTSYS;
	if (rq->slots)
		goto out;
	slots = kvcalloc(max, slot_stride(ch->ud), GFP_KERNEL_ACCOUNT);
	ret = slots ? 0 : -ENOMEM;
	if (!ret && !rq->cq.entries)
		ret = untwist_cq_init(&rq->cq, max);
	if (ret) {
		kvfree(slots);
		goto out;
	}
	for (i = 0; i < max; i++) {
		struct untwist_slot *slot = slots + i * slot_stride(ch->ud);

		slot->index = i;
		list_add_tail(&slot->link, &rq->free);
	}
	/* Pairs with the load above. */
	smp_store_release(&rq->slots, slots);
out:
	mutex_unlock(&rq->setup_lock);
	return ret;
}

/**
 * untwist_slot_take() - get room for a request
 * @ch: channel
 * @sink: where its completion goes; NULL, to the CQ, for which the caller has a
 *	credit, which the slot has from now on
 *
 * Return: a slot, of which all but what belongs to the core is zero; NULL when
 * the channel holds as many requests as it may.
 */
struct untwist_slot *untwist_slot_take(struct untwist_channel *ch, const struct untwist_sink *sink)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;
	u32 index, state;

	spin_lock(&rq->lock);
	slot = list_first_entry_or_null(&rq->free, struct untwist_slot, link);
	if (slot)
		list_del(&slot->link);
	spin_unlock(&rq->lock);
	if (!slot)
		return NULL;

	index = slot->index;
	state = ((u32)atomic_read(&slot->state) & GENERATION_MASK) + GENERATION_ONE;
	memset(slot, 0, slot_stride(ch->ud));
	slot->index = index;
	slot->sink = sink;
	slot->req.channel = ch;
	INIT_LIST_HEAD(&slot->req.node);
	INIT_LIST_HEAD(&slot->wait);
	timerqueue_init(&slot->deadline);
	refcount_set(&slot->refs, 2); /* the request, and who starts or ends it */
	atomic_set(&slot->state, (int)(state | UNTWIST_REQ_LIVE));
	return slot;
}

static void slot_free(struct untwist_requests *rq, struct untwist_slot *slot)
{
	lockdep_assert_held(&rq->lock);
	list_add_tail(&slot->link, &rq->free);
}

/**
 * untwist_slot_untake() - give a slot back that was never begun
 * @ch: channel
 * @slot: slot; its payload is returned as it is
 *
 * Context: process, within untwist_channel_enter() or after unplug.
 */
void untwist_slot_untake(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_requests *rq = &ch->requests;
	bool made_room;

	untwist_payload_return(&slot->payload, 0);
	atomic_andnot(~GENERATION_MASK, &slot->state);
	spin_lock(&rq->lock);
	made_room = list_empty(&rq->free);
	slot_free(rq, slot);
	spin_unlock(&rq->lock);
	if (!slot->sink)
		made_room |= untwist_cq_unreserve(&rq->cq, 1);
	/* Who looked meanwhile has seen no room. */
	if (made_room && !untwist_channel_dead(ch))
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/* Returns true if there is room now where there was none. */
static bool slot_unref(struct untwist_requests *rq, struct untwist_slot *slot)
{
	bool was_empty;

	lockdep_assert_held(&rq->lock);
	if (!refcount_dec_and_test(&slot->refs))
		return false;
	was_empty = list_empty(&rq->free);
	slot_free(rq, slot);
	return was_empty;
}

/**
 * untwist_slot_put() - drop a reference to a slot
 * @ch: channel
 * @slot: slot
 *
 * Context: process, within untwist_channel_enter(): the wake-up may need the
 * work.
 */
void untwist_slot_put(struct untwist_channel *ch, struct untwist_slot *slot)
{
	bool made_room;

	spin_lock(&ch->requests.lock);
	made_room = slot_unref(&ch->requests, slot);
	spin_unlock(&ch->requests.lock);
	/* A cancel that took its time may have held the only slot there was. */
	if (made_room)
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/* Completion: claim, finish, post. */

/* Give a finished request to the work. */
static void slot_hand_on(struct untwist_channel *ch, struct untwist_slot *slot)
{
	atomic_inc(&ch->requests.nr_done);
	if (llist_add(&slot->done, &ch->requests.done))
		untwist_channel_kick(ch);
}

/* The caller has claimed it. */
static void slot_finish(struct untwist_slot *slot, s32 res)
{
	struct untwist_channel *ch = slot->req.channel;

	slot->res = res;
	trace_untwist_complete(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode, res);

	/*
	 * From FINISHED on, the submitter may post the request, and from
	 * llist_add() on, the work may. The file may be closed as well, so
	 * that only the grace period keeps the channel for the kick.
	 */
	rcu_read_lock();
	if (atomic_fetch_or(UNTWIST_REQ_FINISHED, &slot->state) & UNTWIST_REQ_SUBMITTED)
		slot_hand_on(ch, slot);
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
	struct untwist_slot *slot = to_slot(req);
	int old = atomic_fetch_or(UNTWIST_REQ_CLAIMED, &slot->state);

	if (!(old & UNTWIST_REQ_LIVE) || old & UNTWIST_REQ_CLAIMED)
		request_misuse(req->channel->ud, req->opcode,
			       "completed a request that it does not hold");
	else
		slot_finish(slot, res);
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
	return untwist_slot_tag(to_slot(req));
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
	slot = slot_at(ch, array_index_nospec(index, ch->ud->config.requests_max));
	state = atomic_read(&slot->state);
	do {
		if (((u32)state ^ tag) & GENERATION_MASK || !(state & UNTWIST_REQ_LIVE) ||
		    state & UNTWIST_REQ_CLAIMED)
			goto stale;
	} while (!atomic_try_cmpxchg(&slot->state, &state, state | UNTWIST_REQ_CLAIMED));
	slot_finish(slot, res);
	return 0;

stale:
	request_misuse(ch->ud, 0, "completed by a tag that is not in use");
	return -ESTALE;
}
EXPORT_SYMBOL_GPL(untwist_complete_tag);

/* Chains and the backlog: what may start when. All with the lock held. */

static void chain_run(struct untwist_requests *rq, struct untwist_slot *first,
		      struct consequences *after)
{
	struct untwist_slot *slot;

	for (slot = first; slot; slot = slot->next) {
		slot->running = true;
		rq->nr_running++;
	}
	rq->draining = first->flags & UNTWIST_SQE_DRAIN;
	atomic_or(UNTWIST_REQ_STARTED, &first->state);
	list_add_tail(&first->wait, &after->start);
}

static bool backlog_holds(const struct untwist_requests *rq, const struct untwist_slot *first)
{
	return rq->nr_running && (rq->draining || first->flags & UNTWIST_SQE_DRAIN);
}

static void backlog_run(struct untwist_requests *rq, struct consequences *after)
{
	struct untwist_slot *first, *next;

	list_for_each_entry_safe(first, next, &rq->backlog, wait) {
		if (backlog_holds(rq, first))
			break;
		list_del_init(&first->wait);
		chain_run(rq, first, after);
	}
}

/* None of them is started any more: @slot, which nothing precedes, and the rest. */
static void chain_end(struct untwist_slot *slot, struct consequences *after)
{
	while (slot) {
		struct untwist_slot *next = slot->next;

		slot->next = NULL;
		slot->prev = NULL;
		slot->error = -ECANCELED;
		atomic_or(UNTWIST_REQ_STARTED | UNTWIST_REQ_CLAIMED | UNTWIST_REQ_SUBMITTED |
				  UNTWIST_REQ_CANCELLED,
			  &slot->state);
		list_add_tail(&slot->wait, &after->end);
		slot = next;
	}
}

/* A request that ran is posted. */
static void chain_advance(struct untwist_requests *rq, struct untwist_slot *slot, s32 res,
			  struct consequences *after)
{
	struct untwist_slot *next = slot->next;

	if (next) {
		slot->next = NULL;
		next->prev = NULL;
		if (res < 0 && !(slot->flags & UNTWIST_SQE_HARDLINK)) {
			chain_end(next, after);
		} else {
			atomic_or(UNTWIST_REQ_STARTED, &next->state);
			list_add_tail(&next->wait, &after->start);
		}
	}
	if (slot->running)
		rq->nr_running--;
	if (!list_empty(&rq->backlog))
		backlog_run(rq, after);
}

static void slots_end(struct untwist_channel *ch, struct consequences *after)
{
	struct untwist_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &after->end, wait) {
		list_del_init(&slot->wait);
		slot_finish(slot, -ECANCELED);
		untwist_slot_put(ch, slot);
	}
}

/* Posting. */

/**
 * untwist_requests_put() - add completions for which credits were taken
 * @ch: channel
 * @cqes: completions
 * @n: how many
 *
 * Context: process.
 */
void untwist_requests_put(struct untwist_channel *ch, const struct untwist_cqe *cqes, u32 n)
{
	spin_lock(&ch->requests.lock);
	untwist_cq_put(&ch->requests.cq, cqes, n);
	spin_unlock(&ch->requests.lock);
}

static u32 cqe_lost(struct untwist_slot *slot)
{
	u32 missed = slot->req.multishot ? (u32)atomic_xchg(&slot->missed, 0) : 0;

	if (!missed)
		return 0;
	return UNTWIST_CQE_F_LOST | min(missed, 65535u) << UNTWIST_CQE_LOST_SHIFT;
}

/* What the program is told, which knows more than the driver about why. */
static s32 slot_result(const struct untwist_channel *ch, const struct untwist_slot *slot)
{
	if (slot->res != -ECANCELED)
		return slot->res;
	if (atomic_read(&slot->state) & UNTWIST_REQ_TIMED_OUT)
		return -ETIME;
	return untwist_channel_dead(ch) ? -ENODEV : -ECANCELED;
}

static void slot_post(struct untwist_channel *ch, struct untwist_slot *slot,
		      struct consequences *after)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_cqe cqe = {
		.user_data = slot->user_data,
		.res = slot_result(ch, slot),
		.flags = cqe_lost(slot),
		.value = { slot->req.value[0], slot->req.value[1] },
	};
	bool made_room;

	untwist_payload_return(&slot->payload, max(cqe.res, 0));
	untwist_count(ch->ud, UNTWIST_STAT_COMPLETIONS, 1);
	if (cqe.res < 0)
		untwist_count(ch->ud, UNTWIST_STAT_ERRORS, 1);
	trace_untwist_post(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode, cqe.res);
	if (slot->sink)
		slot->sink->post(slot, &cqe);

	spin_lock(&rq->lock);
	list_del(&slot->link);
	rq->nr_live--;
	untwist_deadline_del(rq, slot);
	atomic_andnot(~GENERATION_MASK, &slot->state);
	if (!slot->sink)
		untwist_cq_put(&rq->cq, &cqe, 1);
	chain_advance(rq, slot, cqe.res, after);
	/* At once: who has read the completion may submit as many again. */
	made_room = slot_unref(rq, slot);
	spin_unlock(&rq->lock);
	if (made_room)
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/* Starting. */

/* The driver's part of it. */
static void slot_submit(struct untwist_channel *ch, struct untwist_slot *slot)
{
	int ret = 0;

	trace_untwist_issue(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode, 0);
	if (slot->error) {
		untwist_complete(&slot->req, slot->error);
		return;
	}
	untwist_call_begin(ch->ud);
	if (slot->op->execute)
		untwist_complete(&slot->req, slot->op->execute(&slot->req));
	else
		ret = slot->op->submit(&slot->req);
	if (ret)
		untwist_complete(&slot->req, ret);
	untwist_call_end(ch->ud);
}

static void slot_call_cancel(struct untwist_channel *ch, struct untwist_slot *slot)
{
	untwist_count(ch->ud, UNTWIST_STAT_CANCELS, 1);
	untwist_call_begin(ch->ud);
	ch->ud->config.ops->cancel(&slot->req);
	untwist_call_end(ch->ud);
}

/* Returns true if the request is complete and posted already. */
static bool slot_start(struct untwist_channel *ch, struct untwist_slot *slot,
		       struct consequences *after)
{
	struct untwist_requests *rq = &ch->requests;
	bool posted;
	int old;

	slot_submit(ch, slot);
	old = atomic_fetch_or(UNTWIST_REQ_SUBMITTED, &slot->state);
	/*
	 * The work serialises done operations and completions of multishot
	 * requests, and what finished before and is still on its way is not to
	 * be overtaken.
	 */
	posted = old & UNTWIST_REQ_FINISHED && !slot->op->done && !slot->req.multishot &&
		!atomic_read(&rq->nr_done);
	if (posted)
		slot_post(ch, slot, after);
	else if (old & UNTWIST_REQ_FINISHED)
		slot_hand_on(ch, slot);
	else if (old & UNTWIST_REQ_CANCELLED)
		slot_call_cancel(ch, slot);
	untwist_slot_put(ch, slot);
	return posted;
}

/* What one starts may start another, and so on: in a loop, not by recursion. */
static unsigned int consequences_follow(struct untwist_channel *ch, struct consequences *after)
{
	struct untwist_slot *slot;
	unsigned int posted = 0;

	while ((slot = list_first_entry_or_null(&after->start, struct untwist_slot, wait))) {
		list_del_init(&slot->wait);
		posted += slot_start(ch, slot, after);
	}
	slots_end(ch, after);
	return posted;
}

/**
 * untwist_slots_begin() - take a chain of requests, and start what may start
 * @ch: channel
 * @first: the first, the others behind it; each was taken, filled in, and has a
 *	user of the channel, which is dropped after it is posted
 *
 * Context: process, within untwist_channel_enter(); may sleep.
 *
 * Return: how many are complete and posted already; the caller drops as many
 * users, and wakes who reads.
 */
unsigned int untwist_slots_begin(struct untwist_channel *ch, struct untwist_slot *first)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;
	struct consequences after;
	bool shut;

	consequences_none(&after);
	for (slot = first; slot; slot = slot->next) {
		untwist_count(ch->ud, UNTWIST_STAT_REQUESTS, 1);
		trace_untwist_submit(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode,
				     slot->req.len);
	}
	spin_lock(&rq->lock);
	for (slot = first; slot; slot = slot->next) {
		list_add_tail(&slot->link, &rq->live);
		rq->nr_live++;
		if (slot->deadline.expires)
			untwist_deadline_add(rq, slot);
	}
	if (!list_empty(&rq->backlog) || backlog_holds(rq, first))
		list_add_tail(&first->wait, &rq->backlog);
	else
		chain_run(rq, first, &after);
	/* Who shuts the channel may have looked for live ones already. */
	shut = test_bit(UNTWIST_CH_SHUT, &ch->state);
	spin_unlock(&rq->lock);
	if (shut)
		untwist_requests_cancel_all(ch);
	return consequences_follow(ch, &after);
}

/* Many completions of one request. */

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
	struct untwist_slot *slot = to_slot(req);
	struct untwist_channel *ch = req->channel;
	struct untwist_shots *shots = &ch->requests.shots;
	int state = atomic_read(&slot->state);
	unsigned long flags;
	bool full;

	if (!(state & UNTWIST_REQ_LIVE) || state & UNTWIST_REQ_CLAIMED || !req->multishot) {
		request_misuse(ch->ud, req->opcode, "posted to a request that takes no more");
		return -EINVAL;
	}
	if (!slot->sink && !untwist_cq_reserve(&ch->requests.cq, 1))
		goto lost;
	raw_spin_lock_irqsave(&shots->lock, flags);
	/* Pairs with the store in shots_run(): the place is free. */
	full = shots->head - smp_load_acquire(&shots->tail) > shots->mask;
	if (!full) {
		shots->entries[shots->head & shots->mask] = (struct untwist_shot){
			.slot = slot,
			.res = res,
			.value = { value0, value1 },
		};
		/* Pairs with the load in shots_run(). */
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

/* Returns how many were posted. */
static unsigned int shots_run(struct untwist_channel *ch)
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
			.flags = UNTWIST_CQE_F_MORE | cqe_lost(slot),
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

/* The work's part. */

static void slots_cancel_late(struct untwist_channel *ch)
{
	struct untwist_slot *slot;

	while ((slot = untwist_deadline_expired(&ch->requests))) {
		untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED | UNTWIST_REQ_TIMED_OUT);
		untwist_slot_put(ch, slot);
	}
}

/**
 * untwist_requests_run() - post all finished requests, start what waited for
 * them, and cancel what is late
 * @ch: channel
 * @wake: set if there is something to read
 *
 * Context: the channel's work.
 *
 * Return: how many were posted for good; the caller wakes the readers once and
 * then drops as many users.
 */
unsigned int untwist_requests_run(struct untwist_channel *ch, bool *wake)
{
	/* Before the shots: those of a finished request are all there, then. */
	struct llist_node *done = llist_reverse_order(llist_del_all(&ch->requests.done));
	struct untwist_slot *slot, *next;
	unsigned int posted = 0;
	struct consequences after;

	consequences_none(&after);
	*wake = shots_run(ch);
	llist_for_each_entry_safe(slot, next, done, done) {
		if (slot->op->done && !slot->error) {
			untwist_call_begin(ch->ud);
			slot->op->done(&slot->req);
			untwist_call_end(ch->ud);
		}
		slot_post(ch, slot, &after);
		atomic_dec(&ch->requests.nr_done);
		posted++;
	}
	slots_cancel_late(ch);
	/* A submit operation may take its time: first tell of those who are done. */
	if (posted && !list_empty(&after.start))
		untwist_channel_wake_posted(ch);
	posted += consequences_follow(ch, &after);
	*wake |= posted > 0;
	return posted;
}

/* Cancellation. */

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
	struct consequences after;
	bool waiting;

	consequences_none(&after);
	spin_lock(&rq->lock);
	waiting = slot_waits(slot);
	if (waiting) {
		if (slot->prev)
			slot->prev->next = NULL;
		else
			list_del_init(&slot->wait);
		atomic_or(why, &slot->state);
		chain_end(slot, &after);
		/* The end of what held the others back may be theirs, too. */
		backlog_run(rq, &after);
	}
	spin_unlock(&rq->lock);
	if (!waiting)
		return false;
	slots_end(ch, &after);
	untwist_channel_leave_posted(ch, consequences_follow(ch, &after));
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
		slot_call_cancel(ch, slot);
	return 0;
}

/**
 * untwist_slot_find_tag() - the request with a tag
 * @ch: channel
 * @tag: tag, whatever its value
 *
 * Return: the request, live and pinned; NULL, it is complete.
 */
struct untwist_slot *untwist_slot_find_tag(struct untwist_channel *ch, u32 tag)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link) {
		if (untwist_slot_tag(slot) != tag)
			continue;
		refcount_inc(&slot->refs);
		spin_unlock(&rq->lock);
		return slot;
	}
	spin_unlock(&rq->lock);
	return NULL;
}

/* Whether a cancel may have an effect. */
static bool slot_cancellable(const struct untwist_channel *ch, const struct untwist_slot *slot)
{
	int state = atomic_read(&slot->state);

	if (state & (UNTWIST_REQ_CANCELLED | UNTWIST_REQ_CLAIMED))
		return false;
	return !(state & UNTWIST_REQ_STARTED) || ch->ud->config.ops->cancel;
}

/* The oldest live request that matches and can be cancelled, pinned. */
static struct untwist_slot *slot_find(struct untwist_channel *ch, const u64 *user_data)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link) {
		if (user_data && (slot->sink || slot->user_data != *user_data))
			continue;
		if (!slot_cancellable(ch, slot))
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
		found |= !slot->sink && slot->user_data == user_data &&
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
	struct untwist_slot *slot = slot_find(ch, &user_data);
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

	while ((slot = slot_find(ch, NULL))) {
		n += !untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED);
		untwist_slot_put(ch, slot);
	}
	return n;
}

/* The completion queue, as poll() and read() see it. */

/**
 * untwist_requests_room() - whether a submission would be taken
 * @ch: channel
 *
 * Return: true if the channel holds less than it may.
 */
bool untwist_requests_room(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;

	return !READ_ONCE(rq->slots) || (untwist_cq_room(&rq->cq) && !list_empty(&rq->free));
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_room);

/**
 * untwist_requests_due() - whether there are completions still to come
 * @ch: channel
 *
 * Return: true if a request is in flight, or may be about to be.
 */
bool untwist_requests_due(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	bool due;

	spin_lock(&rq->lock);
	due = rq->nr_live || atomic_read(&rq->nr_inside);
	spin_unlock(&rq->lock);
	return due;
}

/**
 * untwist_requests_read() - move completions to a program
 * @ch: channel, its rd_mutex held
 * @to: destination
 *
 * Context: may fault and sleep.
 *
 * Return: bytes; 0, there is none; -EINVAL, no room for one, or they go to a
 * ring; -EFAULT.
 */
ssize_t untwist_requests_read(struct untwist_channel *ch, struct iov_iter *to)
{
	bool made_room = false;
	ssize_t ret;

	lockdep_assert_held(&ch->rd_mutex);
	ret = untwist_cq_read(&ch->requests.cq, to, &made_room);
	/* Not by announce: the device's workqueue may be gone, and is not needed. */
	if (made_room) {
		untwist_channel_wake(ch, EPOLLOUT | EPOLLWRNORM);
		kill_fasync(&ch->fasync, SIGIO, POLL_OUT);
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_read);

/**
 * untwist_requests_set_eventfd() - what to signal with completions
 * @rq: request plane
 * @eventfd: reference, taken over; NULL, nothing
 */
void untwist_requests_set_eventfd(struct untwist_requests *rq, struct eventfd_ctx *eventfd)
{
	struct eventfd_ctx *old;

	spin_lock(&rq->lock);
	old = rq->eventfd;
	WRITE_ONCE(rq->eventfd, eventfd);
	spin_unlock(&rq->lock);
	if (old)
		eventfd_ctx_put(old);
}

/**
 * untwist_requests_signal() - signal the eventfd, if there is one
 * @rq: request plane
 *
 * Context: process.
 */
void untwist_requests_signal(struct untwist_requests *rq)
{
	if (!READ_ONCE(rq->eventfd))
		return;
	spin_lock(&rq->lock);
	if (rq->eventfd)
		untwist_eventfd_signal(rq->eventfd);
	spin_unlock(&rq->lock);
}

/* Memory. */

/**
 * untwist_requests_init() - make an empty request plane
 * @rq: request plane
 */
void untwist_requests_init(struct untwist_requests *rq)
{
	mutex_init(&rq->setup_lock);
	spin_lock_init(&rq->lock);
	INIT_LIST_HEAD(&rq->free);
	INIT_LIST_HEAD(&rq->live);
	INIT_LIST_HEAD(&rq->backlog);
	init_llist_head(&rq->done);
	raw_spin_lock_init(&rq->shots.lock);
	untwist_deadlines_init(rq);
}

/**
 * untwist_requests_release() - free the memory of a request plane
 * @rq: request plane without live requests
 */
void untwist_requests_release(struct untwist_requests *rq)
{
	WARN_ON_ONCE(!list_empty(&rq->live));
	if (rq->eventfd)
		eventfd_ctx_put(rq->eventfd);
	untwist_cq_release(&rq->cq);
	untwist_ring_release(rq->ring);
	kvfree(rq->shots.entries);
	kvfree(rq->slots);
}

/**
 * untwist_request_priv() - the driver's own memory with a request
 * @req: request that came by submit
 *
 * Return: untwist_config.request_size bytes, zero when submit is called.
 */
void *untwist_request_priv(struct untwist_request *req)
{
	return to_slot(req) + 1;
}
EXPORT_SYMBOL_GPL(untwist_request_priv);
