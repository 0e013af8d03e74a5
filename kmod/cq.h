/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cq.c APIs: the completion queue of a channel, and the credits that make sure
 * that there is room in it.
 */
#ifndef UNTWIST_CQ_H
#define UNTWIST_CQ_H

#include <linux/atomic.h>
#include <linux/untwist.h>

struct iov_iter;
struct untwist_channel;

/**
 * struct untwist_cq - completions on their way to the program
 * @entries: completions; in the ring's memory if @shared
 * @mask: length of @entries less one
 * @max: credits there are, at most the length
 * @tail: where the next goes; runs free; guarded by untwist_requests.lock
 * @head: where the oldest unread is, as far as is known here; runs free
 * @seen: where it was at the last look, which it may be past, but never before
 * @in_use: credits taken: completions that are due or unread
 * @shared: the head of the ring's memory, through which the program tells how
 *	far it has read; NULL, it calls read()
 * @broken: @shared told what cannot be
 *
 * A credit is taken before a request starts and given back by the read, so
 * that a completion always finds room.
 */
struct untwist_cq {
	struct untwist_cqe *entries;
	u32 mask;
	u32 max;
	u32 tail;
	atomic_t head;
	u32 seen;
	atomic_t in_use;
	struct untwist_ring *shared;
	bool broken;
};

/* More than there can be, and far from where it would wrap. */
#define UNTWIST_CQ_CLOSED 0x40000000

int untwist_cq_init(struct untwist_cq *cq, u32 max);
bool untwist_cq_share(struct untwist_cq *cq, struct untwist_ring *shared,
		      struct untwist_cqe *entries, u32 nr_entries);
void untwist_cq_release(struct untwist_cq *cq);

u32 untwist_cq_reserve(struct untwist_cq *cq, u32 n);
bool untwist_cq_unreserve(struct untwist_cq *cq, u32 n);
void untwist_cq_put(struct untwist_cq *cq, const struct untwist_cqe *cqes, u32 n);

bool untwist_cq_room(struct untwist_cq *cq);
u32 untwist_cq_used(struct untwist_cq *cq);
int untwist_cq_copy(const struct untwist_cq *cq, struct iov_iter *to);
bool untwist_cq_consume(struct untwist_cq *cq, u32 n);

/* Inline, as they are part of each call on a ring. */

/**
 * untwist_cq_check() - whether what the program says of a ring can be
 * @cq: queue
 *
 * A look only: what was read is paid out when somebody lacks it. Several may look
 * at once; who stores an older @seen than another only knows less.
 *
 * Return: true so far.
 */
static inline bool untwist_cq_check(struct untwist_cq *cq)
{
	u32 seen, head;

	if (cq->shared) {
		/* Pairs with the store below: the head is not older than that. */
		seen = smp_load_acquire(&cq->seen);
		/* Before the tail, so that none is missed that the program saw. */
		head = smp_load_acquire(&cq->shared->cq_head);
		if (head - seen > READ_ONCE(cq->tail) - seen)
			WRITE_ONCE(cq->broken, true);
		else
			/* Pairs with the load above: after the look at the head. */
			smp_store_release(&cq->seen, head);
	}
	return !READ_ONCE(cq->broken);
}

/**
 * untwist_cq_ready() - completions that the program has not read
 * @cq: queue
 *
 * Return: how many; of a ring, as far as the program can be believed.
 */
static inline u32 untwist_cq_ready(const struct untwist_cq *cq)
{
	u32 head = cq->shared ? READ_ONCE(cq->shared->cq_head) : (u32)atomic_read(&cq->head);
	/* Pairs with the store in untwist_cq_put(): the entries are there. */
	u32 tail = smp_load_acquire(&cq->tail);
	u32 ready = tail - head;

	return ready > READ_ONCE(cq->max) ? 0 : ready;
}

#endif /* UNTWIST_CQ_H */
