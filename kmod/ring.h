/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ring.c APIs: submission and completion entries in memory that the program
 * shares.
 */
#ifndef UNTWIST_RING_H
#define UNTWIST_RING_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/untwist.h>
#include <linux/wait.h>

struct page;
struct task_struct;
struct untwist_channel;
struct untwist_requests;
struct vm_area_struct;

/**
 * struct untwist_ringbuf - the ring of a channel, from its set-up to the end
 *	of the channel
 * @pages: its memory; each is the program's as well, as long as it is mapped
 * @nr_pages: how many
 * @head: the kernel's mapping of them, and what is at its start
 * @sqes: in it: submission entries
 * @sq_mask: how many, less one
 * @sq_head: how many were taken; never read back from @head
 * @sq_lock: makes who takes entries one; held over copies from programs
 * @arena: in it: bytes for payloads
 * @arena_size: how many
 * @flags_lock: guards @flags
 * @flags: what kernel_flags of @head is to be; never read back
 * @cq_told: the last tail of the completions that somebody was woken for, or
 *	that nobody wanted to be; guarded by untwist_requests.lock
 * @waiters: who waits in enter, whatever the program's flags say
 * @poller: the thread that submits, or NULL
 * @poller_wait: where it sleeps
 * @poller_kicked: it is to look again
 * @idle_ns: for how long it looks in vain before that
 */
struct untwist_ringbuf {
	struct page **pages;
	unsigned int nr_pages;
	struct untwist_ring *head;
	struct untwist_sqe *sqes;
	u32 sq_mask;
	u32 sq_head;
	struct mutex sq_lock; /* see above */
	void *arena;
	size_t arena_size;
	raw_spinlock_t flags_lock; /* see above */
	u32 flags;
	u32 cq_told;
	atomic_t waiters;
	struct task_struct *poller;
	wait_queue_head_t poller_wait;
	bool poller_kicked;
	u64 idle_ns;
};

int untwist_ring_setup(struct untwist_channel *ch, struct untwist_ring_setup *setup);
int untwist_ring_mmap(struct untwist_channel *ch, struct vm_area_struct *vma);
int untwist_ring_enter(struct untwist_channel *ch, const struct untwist_ring_enter *enter);
void untwist_ring_stop(struct untwist_channel *ch);
void untwist_ring_kill(struct untwist_channel *ch);
void untwist_ring_release(struct untwist_ringbuf *ring);

bool untwist_ring_broken(struct untwist_channel *ch);
bool untwist_ring_wants_wake(struct untwist_requests *rq);
void *untwist_ring_arena(struct untwist_ringbuf *ring, u64 offset, u32 len);
struct page **untwist_ring_pages(struct untwist_ringbuf *ring, const void *bytes);

#endif /* UNTWIST_RING_H */
