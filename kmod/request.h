/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * request.c APIs: requests from the moment the core has them until their
 * completion is posted. With them, complete.c: what the driver tells of them;
 * cancel.c: their early end; deadline.c: their timeouts.
 */
#ifndef UNTWIST_REQUEST_H
#define UNTWIST_REQUEST_H

#include <linux/hrtimer.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/untwist.h>

#include "chain.h"
#include "cq.h"
#include "shots.h"
#include "slot.h"

struct eventfd_ctx;
struct iov_iter;
struct untwist_channel;
struct untwist_device;
struct untwist_ringbuf;

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
 * @posted_at: when those in it were posted, in ns; NULL, that is not measured
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
	u64 *posted_at;
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

bool untwist_requests_room(struct untwist_channel *ch);
bool untwist_requests_due(struct untwist_channel *ch);
ssize_t untwist_requests_read(struct untwist_channel *ch, struct iov_iter *to);
unsigned int untwist_requests_run(struct untwist_channel *ch, bool *wake);
void untwist_requests_set_eventfd(struct untwist_requests *rq, struct eventfd_ctx *eventfd);
void untwist_requests_signal(struct untwist_requests *rq);

static inline u32 untwist_requests_ready(const struct untwist_requests *rq)
{
	return untwist_cq_ready(&rq->cq);
}

unsigned int untwist_slots_begin(struct untwist_channel *ch, struct untwist_slot *first);
unsigned int untwist_consequences_follow(struct untwist_channel *ch,
					 struct untwist_consequences *after);
void untwist_slots_end(struct untwist_channel *ch, struct untwist_consequences *after);
void untwist_requests_put(struct untwist_channel *ch, const struct untwist_cqe *cqes, u32 n);

/* complete.c */
void untwist_request_misuse(struct untwist_device *ud, u32 opcode, const char *what);
void untwist_slot_finish(struct untwist_slot *slot, s32 res);
void untwist_slot_hand_on(struct untwist_channel *ch, struct untwist_slot *slot);

/* cancel.c */
int untwist_requests_cancel(struct untwist_channel *ch, u64 user_data);
unsigned int untwist_requests_cancel_all(struct untwist_channel *ch);
void untwist_requests_cancel_running(struct untwist_channel *ch);
int untwist_slot_cancel(struct untwist_channel *ch, struct untwist_slot *slot, int why);
void untwist_slot_call_cancel(struct untwist_channel *ch, struct untwist_slot *slot);

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
