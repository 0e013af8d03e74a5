/* SPDX-License-Identifier: MIT */
/*
 * The inside of a deferred.
 *
 * It is in one of these states: not fired; fired and `waiting` for another one;
 * or settled, with `current` as its result - unless it is paused or its chain is being run.
 * References run from a deferred to those that wait for it, never back: it is the
 * producer at the far end that keeps a chain alive, so there are no cycles.
 */
#ifndef UTW_DEFERRED_DEFERRED_PRIVATE_H
#define UTW_DEFERRED_DEFERRED_PRIVATE_H

#include <stdbool.h>

#include <untwist/deferred.h>

#include "deferred/slots.h"

struct utw_deferred {
	unsigned int refs;
	unsigned int pauses;
	bool fired;
	bool waiting;
	bool stacked; /* its chain is being run, or will be gone on with */
	bool cancelled; /* asked to end before it fired */
	bool swallow_late; /* cancelled behind the producer's back: drop its one result */
	int line; /* of birth */
	const char *file;
	struct utw_result current; /* a value (NULL before it fired) or a failure */
	struct utw_deferred *waiting_on; /* NULL when that one has died unfired */
	struct utw_deferred *below; /* on the stack of a chain run, or of the dying */
	struct utw_link timeouts;
	utw_canceller_fn canceller;
	void *canceller_data;
	struct utw_slots slots;
};

/* chain.c: run what can be run, here and in those that wait for it. */
void utw_chain_run(struct utw_deferred *d);
/* chain.c: the same for one that is settled, beginning with a slot that was never queued. */
void utw_chain_run_slot(struct utw_deferred *d, const struct utw_slot *slot);

/* May its chain be run, by whoever is at it? */
static inline bool utw_chain_may_go_on(const struct utw_deferred *d)
{
	return d->fired && !d->waiting && !d->pauses;
}

/* Nothing will change its result any more, unless someone adds to it; so nothing is queued. */
static inline bool utw_chain_settled(const struct utw_deferred *d)
{
	return utw_chain_may_go_on(d) && !d->stacked;
}

/* deferred.c: queue a slot and run it if the result is there. 0 or -ENOMEM. */
int utw_deferred_add_slot(struct utw_deferred *d, const struct utw_slot *slot);
/* deferred.c: the same for a taker, which is told in any case unless this fails. */
int utw_deferred_add_taker(struct utw_deferred *d, utw_take_fn take, void *data);
/*
 * deferred.c: fire without running the chain, for a taker to return; takes the
 * result and the reference. NULL when it had fired before.
 */
struct utw_deferred *utw_deferred_settle(struct utw_deferred *d, struct utw_result result);

/* timeout.c: the deferred is dying. */
void utw_timeouts_release(struct utw_deferred *d);

/* unhandled.c: tell whoever wants to know. */
void utw_unhandled_report(const struct utw_deferred *d);

#endif
