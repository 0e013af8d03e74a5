// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains and the backlog: which request may start when. What follows from one
 * that is posted or cancelled is collected under the lock, for the caller to do.
 */
#include "channel.h"
#include "chain.h"

static void chain_run(struct untwist_requests *rq, struct untwist_slot *first,
		      struct untwist_consequences *after)
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

/**
 * untwist_chain_begin() - a new chain: start its first, or hold it back
 * @rq: request plane, locked
 * @first: the first, the others behind it
 * @after: what is to be started
 */
void untwist_chain_begin(struct untwist_requests *rq, struct untwist_slot *first,
			 struct untwist_consequences *after)
{
	if (!list_empty(&rq->backlog) || backlog_holds(rq, first))
		list_add_tail(&first->wait, &rq->backlog);
	else
		chain_run(rq, first, after);
}

/**
 * untwist_backlog_run() - start what nothing holds back any more
 * @rq: request plane, locked
 * @after: what is to be started
 */
void untwist_backlog_run(struct untwist_requests *rq, struct untwist_consequences *after)
{
	struct untwist_slot *first, *next;

	list_for_each_entry_safe(first, next, &rq->backlog, wait) {
		if (backlog_holds(rq, first))
			break;
		list_del_init(&first->wait);
		chain_run(rq, first, after);
	}
}

/**
 * untwist_chain_end() - the rest of a chain is not going to be started
 * @slot: the first of the rest, which nothing precedes any more
 * @after: what is to be ended
 */
void untwist_chain_end(struct untwist_slot *slot, struct untwist_consequences *after)
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

/**
 * untwist_chain_advance() - a request that ran, or was ended, is posted
 * @rq: request plane, locked
 * @slot: request
 * @res: its result, which decides about the next in its chain
 * @after: what is to be started or ended now
 */
void untwist_chain_advance(struct untwist_requests *rq, struct untwist_slot *slot, s32 res,
			   struct untwist_consequences *after)
{
	struct untwist_slot *next = slot->next;

	if (next) {
		slot->next = NULL;
		next->prev = NULL;
		if (res < 0 && !(slot->flags & UNTWIST_SQE_HARDLINK)) {
			untwist_chain_end(next, after);
		} else {
			atomic_or(UNTWIST_REQ_STARTED, &next->state);
			list_add_tail(&next->wait, &after->start);
		}
	}
	if (slot->running)
		rq->nr_running--;
	if (!list_empty(&rq->backlog))
		untwist_backlog_run(rq, after);
}
