// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timeouts of requests: one timer for each channel, set to the first deadline.
 * It only has the work run, which cancels what is late.
 */
#include <linux/hrtimer.h>
#include <linux/timerqueue.h>

#include "channel.h"
#include "compat.h"
#include "request.h"

static enum hrtimer_restart deadline_passed(struct hrtimer *timer)
{
	struct untwist_requests *rq = container_of(timer, struct untwist_requests, timer);

	/* There as long as a request is live: untwist_deadlines_stop() waits. */
	untwist_channel_kick(container_of(rq, struct untwist_channel, requests));
	return HRTIMER_NORESTART;
}

/**
 * untwist_deadlines_init() - make an empty queue of deadlines
 * @rq: request plane
 */
void untwist_deadlines_init(struct untwist_requests *rq)
{
	timerqueue_init_head(&rq->deadlines);
	untwist_hrtimer_setup(&rq->timer, deadline_passed, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}

static void deadlines_arm(struct untwist_requests *rq)
{
	struct timerqueue_node *first = timerqueue_getnext(&rq->deadlines);

	if (first)
		hrtimer_start(&rq->timer, first->expires, HRTIMER_MODE_ABS);
}

/**
 * untwist_deadline_add() - have a request cancelled when it is late
 * @rq: request plane, its lock held
 * @slot: request, its deadline filled in
 */
void untwist_deadline_add(struct untwist_requests *rq, struct untwist_slot *slot)
{
	lockdep_assert_held(&rq->lock);
	if (timerqueue_add(&rq->deadlines, &slot->deadline))
		deadlines_arm(rq);
}

/**
 * untwist_deadline_del() - a request has no deadline any more
 * @rq: request plane, its lock held
 * @slot: request
 *
 * The timer may come too early after that, which does no harm.
 */
void untwist_deadline_del(struct untwist_requests *rq, struct untwist_slot *slot)
{
	lockdep_assert_held(&rq->lock);
	if (!RB_EMPTY_NODE(&slot->deadline.node))
		timerqueue_del(&rq->deadlines, &slot->deadline);
}

/**
 * untwist_deadline_expired() - the next request that is late
 * @rq: request plane
 *
 * Context: the channel's work.
 *
 * Return: the request, with a reference, and without a deadline from now on;
 * NULL, there is none, and the timer runs for the first to come.
 */
struct untwist_slot *untwist_deadline_expired(struct untwist_requests *rq)
{
	struct untwist_slot *slot = NULL;
	struct timerqueue_node *first;

	/* Without the lock: who adds the first kicks the work only after that. */
	if (!READ_ONCE(rq->deadlines.rb_root.rb_root.rb_node))
		return NULL;
	spin_lock(&rq->lock);
	first = timerqueue_getnext(&rq->deadlines);
	if (first && ktime_compare(first->expires, ktime_get()) <= 0) {
		slot = container_of(first, struct untwist_slot, deadline);
		timerqueue_del(&rq->deadlines, first);
		refcount_inc(&slot->refs);
	} else {
		deadlines_arm(rq);
	}
	spin_unlock(&rq->lock);
	return slot;
}

/**
 * untwist_deadlines_stop() - have the timer stop for good
 * @rq: request plane without live requests
 *
 * Context: may sleep.
 */
void untwist_deadlines_stop(struct untwist_requests *rq)
{
	hrtimer_cancel(&rq->timer);
}
