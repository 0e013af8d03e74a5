/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * request.c APIs: requests from submission to the read of their completion.
 */
#ifndef UNTWIST_REQUEST_H
#define UNTWIST_REQUEST_H

#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>

#include "payload.h"

#define UNTWIST_REQUESTS_MAX	 4096u
#define UNTWIST_REQUEST_SIZE_MAX 4096u

struct iov_iter;
struct untwist_channel;

/**
 * enum untwist_request_state - what has happened to a request, a set of bits
 * @UNTWIST_REQ_LIVE: it was given to the driver and its slot is in use
 * @UNTWIST_REQ_CLAIMED: somebody completes it; only the first does
 * @UNTWIST_REQ_FINISHED: its result is in place
 * @UNTWIST_REQ_SUBMITTED: the driver's submit has returned
 * @UNTWIST_REQ_CANCELLED: a cancel was asked for
 *
 * Bits are only ever added while a request lives, each by one atomic
 * instruction that also tells what was there before, and so each transition
 * has one winner:
 *
 *   FINISHED and SUBMITTED   who comes second hands the request on: the
 *                            submitter posts it at once, with no work and no
 *                            wake-up; the completer gives it to the work.
 *   CANCELLED and SUBMITTED  who comes second calls the driver's cancel, which
 *                            so never meets a request that submit still holds.
 */
enum untwist_request_state {
	UNTWIST_REQ_LIVE = 1 << 0,
	UNTWIST_REQ_CLAIMED = 1 << 1,
	UNTWIST_REQ_FINISHED = 1 << 2,
	UNTWIST_REQ_SUBMITTED = 1 << 3,
	UNTWIST_REQ_CANCELLED = 1 << 4,
};

/**
 * struct untwist_slot - a request as the core sees it
 * @req: what the driver sees
 * @op: its opcode's entry
 * @user_data: as submitted
 * @res: result, valid once FINISHED
 * @state: see enum untwist_request_state
 * @refs: the live request, and who calls the driver about it
 * @link: in the list of free or of live ones
 * @done: in the list of finished ones, for the work
 * @payload: its bytes
 *
 * The driver's private area follows.
 */
struct untwist_slot {
	struct untwist_request req;
	const struct untwist_opcode *op;
	u64 user_data;
	s32 res;
	atomic_t state;
	refcount_t refs;
	struct list_head link;
	struct llist_node done;
	struct untwist_payload payload;
};

/**
 * struct untwist_requests - the request plane of a channel
 * @submit_lock: submissions are taken in order
 * @lock: guards @free, @live, @in_use and the write side of the completions
 * @slots: memory of all slots, made by the first submission
 * @free: slots not in use; the longest unused is taken first
 * @live: slots in use, oldest first
 * @in_use: requests in flight or unread. It is raised at submission and
 *	lowered by the read: a completion always finds room.
 * @cq: completions
 * @cq_mask: length of @cq less one
 * @cq_head: where in @cq the next goes; runs free
 * @cq_tail: where in @cq the oldest unread is; runs free, the reader's under
 *	the channel's rd_mutex
 * @done: finished requests on their way to the work
 * @nr_done: how many of them are not posted yet
 */
struct untwist_requests {
	struct mutex submit_lock; /* see above */
	spinlock_t lock; /* see above */
	void *slots;
	struct list_head free;
	struct list_head live;
	u32 in_use;
	struct untwist_cqe *cq;
	u32 cq_mask;
	u32 cq_head;
	u32 cq_tail;
	struct llist_head done;
	atomic_t nr_done;
};

void untwist_requests_init(struct untwist_requests *rq);
void untwist_requests_release(struct untwist_requests *rq);

int untwist_requests_submit(struct untwist_channel *ch, const struct untwist_submit *submit);
int untwist_requests_cancel(struct untwist_channel *ch, u64 user_data);
void untwist_requests_cancel_all(struct untwist_channel *ch);

u32 untwist_requests_ready(const struct untwist_channel *ch);
bool untwist_requests_room(const struct untwist_channel *ch);
bool untwist_requests_due(struct untwist_channel *ch);
ssize_t untwist_requests_read(struct untwist_channel *ch, struct iov_iter *to);
unsigned int untwist_requests_run(struct untwist_channel *ch);

#if IS_ENABLED(CONFIG_KUNIT)
extern bool untwist_misuse_expected;
#endif

#endif /* UNTWIST_REQUEST_H */
