// SPDX-License-Identifier: GPL-2.0-only
/*
 * The completion queue of a channel, and its credits. The program takes
 * completions out by read(), or out of a ring that it shares with the kernel;
 * what it says there is looked at once and then believed only if it can be.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "compat.h"
#include "cq.h"

/**
 * untwist_cq_init() - make an empty queue for read()
 * @cq: queue, zero
 * @max: completions that may be due or unread at once
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int untwist_cq_init(struct untwist_cq *cq, u32 max)
{
	u32 nr = roundup_pow_of_two(max);
	struct untwist_cqe *entries = kvcalloc(nr, sizeof(*entries), GFP_KERNEL_ACCOUNT);

	if (!entries)
		return -ENOMEM;
	cq->entries = entries;
	cq->mask = nr - 1;
	cq->max = max;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_init);

/**
 * untwist_cq_share() - have the program read from a ring
 * @cq: queue
 * @shared: head of the ring's memory, zero
 * @entries: in the ring's memory; both stay until the queue is released
 * @nr_entries: how many, a power of two
 *
 * Context: may sleep. Nobody reads from the queue meanwhile.
 *
 * Return: true; false, completions are due or unread.
 */
bool untwist_cq_share(struct untwist_cq *cq, struct untwist_ring *shared,
		      struct untwist_cqe *entries, u32 nr_entries)
{
	int closed = UNTWIST_CQ_CLOSED;

	/* As a constant, sparse would see it cut by the narrow forms of arm64's cmpxchg. */
	OPTIMIZER_HIDE_VAR(closed);
	/* Nobody gets a credit until all is in place. */
	if (atomic_cmpxchg(&cq->in_use, 0, closed) != 0)
		return false;
	kvfree(cq->entries);
	cq->entries = entries;
	cq->mask = nr_entries - 1;
	WRITE_ONCE(cq->max, nr_entries);
	WRITE_ONCE(cq->tail, 0);
	atomic_set(&cq->head, 0);
	WRITE_ONCE(cq->seen, 0);
	WRITE_ONCE(cq->shared, shared);
	atomic_set_release(&cq->in_use, 0);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_share);

/**
 * untwist_cq_release() - free the memory of a queue
 * @cq: queue; that of a ring goes with the ring
 */
void untwist_cq_release(struct untwist_cq *cq)
{
	if (!cq->shared)
		kvfree(cq->entries);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_release);

/*
 * Take over how far the program has read in the ring. Several may do so at
 * once; each step forward is paid out by the one who made it.
 */
static void cq_refresh(struct untwist_cq *cq)
{
	int old = atomic_read_acquire(&cq->head);
	/* Pairs with the program's release: the entries may be overwritten. */
	u32 head = smp_load_acquire(&cq->shared->cq_head);
	u32 read = head - (u32)old;

	if (!read)
		return;
	/* The tail after the head, so that none is missed that the program saw. */
	if (read > READ_ONCE(cq->tail) - (u32)old)
		WRITE_ONCE(cq->broken, true);
	else if (atomic_cmpxchg(&cq->head, old, (int)head) == old)
		atomic_sub((int)read, &cq->in_use);
}

/**
 * untwist_cq_reserve() - take credits
 * @cq: queue
 * @n: how many at most, at least 1
 *
 * Context: any.
 *
 * Return: how many there are now, for as many completions to be put.
 */
u32 untwist_cq_reserve(struct untwist_cq *cq, u32 n)
{
	int in_use = atomic_read(&cq->in_use);
	bool refreshed = !cq->shared;

	for (;;) {
		int room = (int)READ_ONCE(cq->max) - in_use;

		if (room > 0) {
			n = min_t(u32, n, room);
			if (atomic_try_cmpxchg(&cq->in_use, &in_use, in_use + (int)n))
				return n;
			continue;
		}
		if (refreshed)
			return 0;
		refreshed = true;
		cq_refresh(cq);
		in_use = atomic_read(&cq->in_use);
	}
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_reserve);

/**
 * untwist_cq_unreserve() - give credits back
 * @cq: queue
 * @n: how many
 *
 * Context: any.
 *
 * Return: true if there was none before.
 */
bool untwist_cq_unreserve(struct untwist_cq *cq, u32 n)
{
	return atomic_fetch_sub((int)n, &cq->in_use) >= (int)cq->max;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_unreserve);

/**
 * untwist_cq_put() - add completions, for which credits were taken
 * @cq: queue; the caller holds the lock of its channel's requests
 * @cqes: completions
 * @n: how many
 */
void untwist_cq_put(struct untwist_cq *cq, const struct untwist_cqe *cqes, u32 n)
{
	u32 tail = cq->tail;
	u32 first = min(n, cq->mask + 1 - (tail & cq->mask));

	memcpy(&cq->entries[tail & cq->mask], cqes, first * sizeof(*cqes));
	if (n > first)
		memcpy(cq->entries, cqes + first, (n - first) * sizeof(*cqes));
	/* Pairs with the load in untwist_cq_ready(): the entries are there. */
	smp_store_release(&cq->tail, tail + n);
	if (!cq->shared)
		return;
	/* Pairs with the program's acquire, and comes after ours: see cq_refresh(). */
	smp_store_release(&cq->shared->cq_tail, tail + n);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_put);

/**
 * untwist_cq_room() - whether there is a credit
 * @cq: queue
 *
 * Return: true if a reservation would have been given.
 */
bool untwist_cq_room(struct untwist_cq *cq)
{
	if (cq->shared && atomic_read(&cq->in_use) >= (int)cq->max)
		cq_refresh(cq);
	return atomic_read(&cq->in_use) < (int)cq->max;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_room);

/**
 * untwist_cq_used() - how many completions are due or unread
 * @cq: queue
 *
 * Return: so many, as far as the program can be believed.
 */
u32 untwist_cq_used(struct untwist_cq *cq)
{
	if (cq->shared)
		cq_refresh(cq);
	return (u32)atomic_read(&cq->in_use);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_cq_used);

/**
 * untwist_cq_copy() - copy completions to a program
 * @cq: queue, not of a ring; the caller makes the reader one
 * @to: destination
 *
 * They stay in the queue: an entry leaves it once it has arrived whole.
 *
 * Context: may fault and sleep.
 *
 * Return: how many; 0, there is none; -EINVAL, no room for one, or the queue is a
 * ring's; -EFAULT.
 */
int untwist_cq_copy(const struct untwist_cq *cq, struct iov_iter *to)
{
	u32 head = (u32)atomic_read(&cq->head);
	u32 ready, n;

	if (cq->shared || iov_iter_count(to) < sizeof(struct untwist_cqe))
		return -EINVAL;
	ready = untwist_cq_ready(cq);
	for (n = 0; n < ready && iov_iter_count(to) >= sizeof(struct untwist_cqe); n++) {
		struct untwist_cqe cqe = cq->entries[(head + n) & cq->mask];

		if (copy_to_iter(&cqe, sizeof(cqe), to) != sizeof(cqe))
			break;
	}
	return ready && !n ? -EFAULT : (int)n;
}

/**
 * untwist_cq_consume() - take completions out that have arrived
 * @cq: queue
 * @n: how many
 *
 * Return: true if there was no credit before.
 */
bool untwist_cq_consume(struct untwist_cq *cq, u32 n)
{
	/* First the place is free, then it may be reserved again. */
	atomic_set_release(&cq->head, (int)((u32)atomic_read(&cq->head) + n));
	return untwist_cq_unreserve(cq, n);
}
