// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests from the moment the core has them until their completion is posted:
 * starting, posting, and the work's part. A request completes exactly once,
 * whatever races: see enum untwist_request_state.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "channel.h"
#include "compat.h"
#include "latency.h"
#include "power.h"
#include "request.h"
#include "ring.h"
#include "trace.h"

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
	if (untwist_latency_on(ch->ud))
		untwist_latency_posted(ch, n);
	untwist_cq_put(&ch->requests.cq, cqes, n);
	spin_unlock(&ch->requests.lock);
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
		      struct untwist_consequences *after)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_cqe cqe = {
		.user_data = slot->user_data,
		.res = slot_result(ch, slot),
		.flags = untwist_shots_lost(slot),
		.value = { slot->req.value[0], slot->req.value[1] },
	};
	bool made_room;

	untwist_payload_return(&slot->payload, max(cqe.res, 0));
	untwist_power_end(ch, slot);
	untwist_count(ch->ud, UNTWIST_STAT_COMPLETIONS, 1);
	if (cqe.res < 0)
		untwist_count(ch->ud, UNTWIST_STAT_ERRORS, 1);
	trace_untwist_post(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode, cqe.res);
	if (untwist_latency_on(ch->ud))
		untwist_latency_passed(slot, UNTWIST_STAGE_POST);
	if (slot->sink)
		slot->sink->post(slot, &cqe);

	spin_lock(&rq->lock);
	list_del(&slot->link);
	rq->nr_live--;
	untwist_deadline_del(rq, slot);
	atomic_andnot(~UNTWIST_REQ_GENERATION_MASK, &slot->state);
	if (!slot->sink && untwist_latency_on(ch->ud))
		untwist_latency_posted(ch, 1);
	if (!slot->sink)
		untwist_cq_put(&rq->cq, &cqe, 1);
	untwist_chain_advance(rq, slot, cqe.res, after);
	/* At once: who has read the completion may submit as many again. */
	made_room = untwist_slot_unref(rq, slot);
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
	if (untwist_latency_on(ch->ud))
		untwist_latency_passed(slot, UNTWIST_STAGE_SUBMIT);
	untwist_call_begin(ch->ud);
	if (slot->op->execute)
		untwist_complete(&slot->req, slot->op->execute(&slot->req));
	else
		ret = slot->op->submit(&slot->req);
	if (ret)
		untwist_complete(&slot->req, ret);
	untwist_call_end(ch->ud);
}

/**
 * untwist_slots_end() - end what is not going to be started
 * @ch: channel
 * @after: those
 *
 * Context: process, within untwist_channel_enter().
 */
void untwist_slots_end(struct untwist_channel *ch, struct untwist_consequences *after)
{
	struct untwist_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &after->end, wait) {
		list_del_init(&slot->wait);
		untwist_slot_finish(slot, -ECANCELED);
		untwist_slot_put(ch, slot);
	}
}

/* Whether the driver is to have it now: not if it sleeps. */
static bool slot_may_start(struct untwist_channel *ch, struct untwist_slot *slot)
{
	if (!untwist_power_managed(&ch->ud->config))
		return true;
	return slot->error || slot->req.opcode < UNTWIST_OP_DRIVER || untwist_power_begin(ch, slot);
}

/* Returns true if the request is complete and posted already. */
static bool slot_start(struct untwist_channel *ch, struct untwist_slot *slot,
		       struct untwist_consequences *after)
{
	struct untwist_requests *rq = &ch->requests;
	bool posted;
	int old;

	if (!slot_may_start(ch, slot))
		return false;
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
		untwist_slot_hand_on(ch, slot);
	else if (old & UNTWIST_REQ_CANCELLED)
		untwist_slot_call_cancel(ch, slot);
	untwist_slot_put(ch, slot);
	return posted;
}

/**
 * untwist_consequences_follow() - start and end what is to be
 * @ch: channel
 * @after: those; what one starts may start another, and so on, in a loop and
 *	not by recursion
 *
 * Context: process, within untwist_channel_enter(); may sleep.
 *
 * Return: how many are complete and posted already.
 */
unsigned int untwist_consequences_follow(struct untwist_channel *ch,
					 struct untwist_consequences *after)
{
	struct untwist_slot *slot;
	unsigned int posted = 0;

	while ((slot = list_first_entry_or_null(&after->start, struct untwist_slot, wait))) {
		list_del_init(&slot->wait);
		posted += slot_start(ch, slot, after);
	}
	untwist_slots_end(ch, after);
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
	struct untwist_consequences after;
	bool shut;

	untwist_consequences_none(&after);
	for (slot = first; slot; slot = slot->next) {
		untwist_count(ch->ud, UNTWIST_STAT_REQUESTS, 1);
		trace_untwist_submit(ch, untwist_slot_tag(slot), slot->user_data, slot->req.opcode,
				     slot->req.len);
		if (untwist_latency_on(ch->ud))
			untwist_latency_submitted(ch, slot);
	}
	spin_lock(&rq->lock);
	for (slot = first; slot; slot = slot->next) {
		slot->began = jiffies;
		list_add_tail(&slot->link, &rq->live);
		rq->nr_live++;
		if (slot->deadline.expires)
			untwist_deadline_add(rq, slot);
	}
	untwist_chain_begin(rq, first, &after);
	/* Who shuts the channel may have looked for live ones already. */
	shut = test_bit(UNTWIST_CH_SHUT, &ch->state);
	spin_unlock(&rq->lock);
	if (shut)
		untwist_requests_cancel_all(ch);
	return untwist_consequences_follow(ch, &after);
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
	struct untwist_consequences after;

	untwist_consequences_none(&after);
	*wake = untwist_shots_run(ch);
	llist_for_each_entry_safe(slot, next, done, done) {
		untwist_payload_unmap(&slot->payload);
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
	posted += untwist_consequences_follow(ch, &after);
	*wake |= posted > 0;
	return posted;
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
	struct untwist_cq *cq = &ch->requests.cq;
	int n;

	lockdep_assert_held(&ch->rd_mutex);
	n = untwist_cq_copy(cq, to);
	if (n <= 0)
		return n;
	if (untwist_latency_on(ch->ud))
		untwist_latency_reaped(ch, n);
	/* Not by announce: the device's workqueue may be gone, and is not needed. */
	if (untwist_cq_consume(cq, n)) {
		untwist_channel_wake(ch, EPOLLOUT | EPOLLWRNORM);
		kill_fasync(&ch->fasync, SIGIO, POLL_OUT);
	}
	return n * sizeof(struct untwist_cqe);
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

static int requests_alloc(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	size_t bytes = untwist_slots_size(ch->ud);
	int ret = untwist_limits_charge(ch, bytes);
	void *slots = NULL;

	if (ret)
		return ret;
	if (!rq->cq.entries)
		ret = untwist_cq_init(&rq->cq, ch->ud->config.requests_max);
	if (!ret)
		slots = untwist_slots_alloc(ch);
	if (!slots) {
		untwist_limits_uncharge(ch, bytes);
		return ret ? ret : -ENOMEM;
	}
	/* Pairs with the load in untwist_requests_make(). */
	smp_store_release(&rq->slots, slots);
	return 0;
}

/**
 * untwist_requests_make() - make the memory of the request plane
 * @ch: channel
 *
 * It costs a channel nothing until its first submission.
 *
 * Context: may sleep.
 *
 * Return: 0, -ENOMEM, -EDQUOT for a limit or -ERESTARTSYS.
 */
int untwist_requests_make(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	int ret = 0;

	/* Pairs with the store in requests_alloc(): the list of free ones is there. */
	if (smp_load_acquire(&rq->slots))
		return 0;
	if (mutex_lock_interruptible(&rq->setup_lock))
		return -ERESTARTSYS;
	if (!rq->slots)
		ret = requests_alloc(ch);
	mutex_unlock(&rq->setup_lock);
	return ret;
}

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
	kvfree(rq->posted_at);
	kvfree(rq->slots);
}
