/* SPDX-License-Identifier: GPL-2.0-only */
/* slot.c APIs: the memory of requests, and their states. */
#ifndef UNTWIST_SLOT_H
#define UNTWIST_SLOT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/timerqueue.h>
#include <linux/untwist.h>

#include "payload.h"

#define UNTWIST_REQUESTS_MAX	 4096u
#define UNTWIST_REQUEST_SIZE_MAX 4096u

struct untwist_channel;
struct untwist_requests;
struct untwist_slot;

/**
 * struct untwist_sink - where the completions of a request go, if not to the CQ
 * @post: take one; called in process context, may sleep, one at a time for a
 *	request. Without UNTWIST_CQE_F_MORE it is the last, and the slot is
 *	not to be touched after the return.
 */
struct untwist_sink {
	void (*post)(struct untwist_slot *slot, const struct untwist_cqe *cqe);
};

/**
 * enum untwist_request_state - what has happened to a request, a set of bits
 * @UNTWIST_REQ_LIVE: its slot is in use
 * @UNTWIST_REQ_STARTED: it was given to the driver, or is never going to be
 * @UNTWIST_REQ_CLAIMED: somebody completes it; only the first does
 * @UNTWIST_REQ_FINISHED: its result is in place
 * @UNTWIST_REQ_SUBMITTED: the driver's submit has returned
 * @UNTWIST_REQ_CANCELLED: a cancel was asked for
 * @UNTWIST_REQ_TIMED_OUT: and it was its timeout that did
 *
 * Bits are only ever added while a request lives, each by one atomic
 * instruction that also tells what was there before, and so each transition
 * has one winner:
 *
 *   STARTED                  who comes first gives the request to the driver,
 *                            or ends it before the driver has seen it.
 *   FINISHED and SUBMITTED   who comes second hands the request on: the
 *                            submitter posts it at once, with no work and no
 *                            wake-up; the completer gives it to the work.
 *   CANCELLED and SUBMITTED  who comes second calls the driver's cancel, which
 *                            so never meets a request that submit still holds.
 *
 * The bits above UNTWIST_REQ_GENERATION count the uses of the slot: a claim by
 * tag is refused by the same instruction if the request is not that one.
 */
enum untwist_request_state {
	UNTWIST_REQ_LIVE = 1 << 0,
	UNTWIST_REQ_STARTED = 1 << 1,
	UNTWIST_REQ_CLAIMED = 1 << 2,
	UNTWIST_REQ_FINISHED = 1 << 3,
	UNTWIST_REQ_SUBMITTED = 1 << 4,
	UNTWIST_REQ_CANCELLED = 1 << 5,
	UNTWIST_REQ_TIMED_OUT = 1 << 6,
};

/* A tag is the generation, 20 bits, above the index of the slot, 12 bits. */
#define UNTWIST_REQ_GENERATION	    12
#define UNTWIST_REQ_INDEX_MASK	    (UNTWIST_REQUESTS_MAX - 1)
#define UNTWIST_REQ_GENERATION_MASK (~0u << UNTWIST_REQ_GENERATION)

/**
 * struct untwist_slot - a request as the core sees it
 * @req: what the driver sees
 * @op: its opcode's entry
 * @sink: where its completions go; NULL, to the CQ, for which it has a credit
 * @sink_data: for the sink
 * @user_data: as submitted
 * @began: when that was, in jiffies
 * @stage_at: when it came to the stage it is in, in ns, if that is measured
 * @flags: set of UNTWIST_SQE_*
 * @res: result, valid once FINISHED
 * @error: why the driver is not to see it, or 0
 * @state: see enum untwist_request_state
 * @refs: the live request, and who calls the driver about it
 * @link: in the list of free or of live ones
 * @prev: what it waits for in its chain
 * @next: what waits for it
 * @wait: in the backlog, for the first of a chain; then in the list of who is
 *	to be started, or ended
 * @index: number of this slot
 * @running: counted in untwist_requests.nr_running
 * @powered: holds its device awake
 * @held: in the list of who waits for the system to wake up; guarded by the lock
 *	of untwist_power
 * @awake: was there before, and does not get there again
 * @done: in the list of finished ones, for the work
 * @deadline: in the queue of deadlines
 * @missed: completions of a multishot request that found no room
 * @payload: its bytes
 *
 * All of the chain is guarded by the lock of untwist_requests. The driver's
 * private area follows.
 */
struct untwist_slot {
	struct untwist_request req;
	const struct untwist_opcode *op;
	const struct untwist_sink *sink;
	void *sink_data;
	u64 user_data;
	unsigned long began;
	u64 stage_at;
	u32 flags;
	s32 res;
	int error;
	atomic_t state;
	refcount_t refs;
	struct list_head link;
	struct untwist_slot *prev;
	struct untwist_slot *next;
	struct list_head wait;
	u32 index;
	bool running;
	bool powered;
	bool held;
	bool awake;
	struct llist_node done;
	struct timerqueue_node deadline;
	atomic_t missed;
	struct untwist_payload payload;
};

static inline struct untwist_slot *untwist_to_slot(const struct untwist_request *req)
{
	return container_of(req, struct untwist_slot, req);
}

static inline u32 untwist_slot_tag(const struct untwist_slot *slot)
{
	return ((u32)atomic_read(&slot->state) & UNTWIST_REQ_GENERATION_MASK) | slot->index;
}

size_t untwist_slots_size(const struct untwist_device *ud);
void *untwist_slots_alloc(struct untwist_channel *ch);
struct untwist_slot *untwist_slot_at(const struct untwist_channel *ch, u32 index);

struct untwist_slot *untwist_slot_take(struct untwist_channel *ch, const struct untwist_sink *sink);
void untwist_slot_untake(struct untwist_channel *ch, struct untwist_slot *slot);
struct untwist_slot *untwist_slot_find_tag(struct untwist_channel *ch, u32 tag);
bool untwist_slot_unref(struct untwist_requests *rq, struct untwist_slot *slot);
void untwist_slot_put(struct untwist_channel *ch, struct untwist_slot *slot);

#endif /* UNTWIST_SLOT_H */
