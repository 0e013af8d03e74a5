/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * request.c APIs: requests from the moment the core has them until their
 * completion is posted; deadline.c APIs: their timeouts.
 */
#ifndef UNTWIST_REQUEST_H
#define UNTWIST_REQUEST_H

#include <linux/hrtimer.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/untwist.h>

#include "cq.h"
#include "payload.h"

#define UNTWIST_REQUESTS_MAX	 4096u
#define UNTWIST_REQUEST_SIZE_MAX 4096u

struct eventfd_ctx;
struct iov_iter;
struct untwist_channel;
struct untwist_ringbuf;
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
#define UNTWIST_REQ_GENERATION 12
#define UNTWIST_REQ_INDEX_MASK (UNTWIST_REQUESTS_MAX - 1)

/**
 * struct untwist_slot - a request as the core sees it
 * @req: what the driver sees
 * @op: its opcode's entry
 * @sink: where its completions go; NULL, to the CQ, for which it has a credit
 * @sink_data: for the sink
 * @user_data: as submitted
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
	struct llist_node done;
	struct timerqueue_node deadline;
	atomic_t missed;
	struct untwist_payload payload;
};

/* One of a multishot request's completions, on its way to the work. */
struct untwist_shot {
	struct untwist_slot *slot;
	s32 res;
	u64 value[2];
};

/**
 * struct untwist_shots - the queue of these, filled from any context
 * @entries: as many as there are credits; made by the first such request
 * @mask: length less one
 * @lock: guards @head, and the entries from @tail to it
 * @head: where the next goes; runs free
 * @tail: the oldest; the work's
 */
struct untwist_shots {
	struct untwist_shot *entries;
	u32 mask;
	raw_spinlock_t lock; /* see above */
	u32 head;
	u32 tail;
};

/**
 * struct untwist_requests - the request plane of a channel
 * @setup_lock: makes who allocates the first
 * @lock: guards the lists, the chains, the deadlines and the tail of @cq
 * @slots: memory of all slots, made by the first submission
 * @free: slots not in use; the longest unused is taken first
 * @live: slots in use, oldest first
 * @nr_live: how many
 * @nr_inside: submitters who may be about to post something
 * @backlog: chains that a drain holds back
 * @nr_running: live requests that are not in the backlog
 * @draining: what runs is to run alone
 * @cq: completions
 * @done: finished requests on their way to the work
 * @nr_done: how many of them are not posted yet
 * @shots: completions of multishot requests on their way to the work
 * @deadlines: requests with a timeout
 * @timer: runs until the first of them
 * @ring: shared memory, or NULL
 * @eventfd: signalled with completions, or NULL; guarded by @lock
 */
struct untwist_requests {
	struct mutex setup_lock; /* see above */
	spinlock_t lock; /* see above */
	void *slots;
	struct list_head free;
	struct list_head live;
	u32 nr_live;
	atomic_t nr_inside;
	struct list_head backlog;
	u32 nr_running;
	bool draining;
	struct untwist_cq cq;
	struct llist_head done;
	atomic_t nr_done;
	struct untwist_shots shots;
	struct timerqueue_head deadlines;
	struct hrtimer timer;
	struct untwist_ringbuf *ring;
	struct eventfd_ctx *eventfd;
};

void untwist_requests_init(struct untwist_requests *rq);
void untwist_requests_release(struct untwist_requests *rq);
int untwist_requests_make(struct untwist_channel *ch);

struct untwist_slot *untwist_slot_take(struct untwist_channel *ch, const struct untwist_sink *sink);
void untwist_slot_untake(struct untwist_channel *ch, struct untwist_slot *slot);
unsigned int untwist_slots_begin(struct untwist_channel *ch, struct untwist_slot *first);
void untwist_requests_put(struct untwist_channel *ch, const struct untwist_cqe *cqes, u32 n);

int untwist_requests_cancel(struct untwist_channel *ch, u64 user_data);
unsigned int untwist_requests_cancel_all(struct untwist_channel *ch);
int untwist_slot_cancel(struct untwist_channel *ch, struct untwist_slot *slot, int why);
struct untwist_slot *untwist_slot_find_tag(struct untwist_channel *ch, u32 tag);
void untwist_slot_put(struct untwist_channel *ch, struct untwist_slot *slot);

bool untwist_requests_room(struct untwist_channel *ch);
bool untwist_requests_due(struct untwist_channel *ch);
ssize_t untwist_requests_read(struct untwist_channel *ch, struct iov_iter *to);
unsigned int untwist_requests_run(struct untwist_channel *ch, bool *wake);
void untwist_requests_set_eventfd(struct untwist_requests *rq, struct eventfd_ctx *eventfd);
void untwist_requests_signal(struct untwist_requests *rq);
int untwist_shots_make(struct untwist_requests *rq);

static inline u32 untwist_slot_tag(const struct untwist_slot *slot)
{
	return ((u32)atomic_read(&slot->state) & ~UNTWIST_REQ_INDEX_MASK) | slot->index;
}

static inline u32 untwist_requests_ready(const struct untwist_requests *rq)
{
	return untwist_cq_ready(&rq->cq);
}

/* deadline.c */
void untwist_deadlines_init(struct untwist_requests *rq);
void untwist_deadline_add(struct untwist_requests *rq, struct untwist_slot *slot);
void untwist_deadline_del(struct untwist_requests *rq, struct untwist_slot *slot);
struct untwist_slot *untwist_deadline_expired(struct untwist_requests *rq);
void untwist_deadlines_stop(struct untwist_requests *rq);

#if IS_ENABLED(CONFIG_KUNIT)
extern bool untwist_misuse_expected;
#endif

#endif /* UNTWIST_REQUEST_H */
