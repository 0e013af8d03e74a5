// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings: entries in memory that the program shares, so that one call submits
 * many, and none is needed to reap.
 *
 * The program may write anything there at any time. What it writes is read
 * once, copied, and checked on the copy; what the kernel writes is never read
 * back. The order of it all, on either side:
 *
 *   producer                             consumer
 *     load peer's index (acquire)  --+     load peer's index (acquire)  --+
 *     write entries                  |     copy entries                   |
 *     store own index (release)    <-+     store own index (release)    <-+
 *
 * and for sleeping, on either side:
 *
 *   who sleeps                           who wakes
 *     store "wake me"                      store own index (release)
 *     full barrier                         full barrier
 *     look at peer's index once more       look at "wake me"
 *
 * The pages are ordinary ones with a reference for each mapping, so that a
 * mapping outlives ring and device and there is nothing to revoke.
 */
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "channel.h"
#include "compat.h"
#include "request.h"
#include "ring.h"
#include "submit.h"

static_assert(sizeof(struct untwist_ring) == 128);
static_assert(offsetof(struct untwist_ring, sq_head) == 64);
static_assert(sizeof(struct untwist_ring_setup) == 80);
static_assert(sizeof(struct untwist_ring_enter) == 32);

#define RING_ENTRIES_MAX 4096u
#define RING_ARENA_MAX	 (16u << 20)
#define RING_IDLE_US	 1000u
#define RING_IDLE_US_MAX 1000000u

#define ENTER_FLAGS (UNTWIST_ENTER_TIMEOUT | UNTWIST_ENTER_SIGMASK | UNTWIST_ENTER_WAKE)

/* Tell the program, once and for all or, of the poller, for a while. */
static void ring_set_flags(struct untwist_ringbuf *ring, u32 set, u32 clear)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&ring->flags_lock, irq);
	ring->flags = (ring->flags & ~clear) | set;
	WRITE_ONCE(ring->head->kernel_flags, ring->flags);
	raw_spin_unlock_irqrestore(&ring->flags_lock, irq);
}

/* For good. Who waits for completions would wait in vain. */
static void ring_break(struct untwist_channel *ch, struct untwist_ringbuf *ring)
{
	if (READ_ONCE(ring->flags) & UNTWIST_RING_BROKEN)
		return;
	ring_set_flags(ring, UNTWIST_RING_BROKEN, 0);
	wake_up_all(&ch->wait);
}

static bool ring_is_broken(struct untwist_channel *ch, struct untwist_ringbuf *ring)
{
	if (!untwist_cq_check(&ch->requests.cq))
		ring_break(ch, ring);
	return READ_ONCE(ring->flags) & UNTWIST_RING_BROKEN;
}

/**
 * untwist_ring_broken() - whether the program has written what cannot be
 * @ch: channel, with or without a ring
 *
 * Return: true for good once it has.
 */
bool untwist_ring_broken(struct untwist_channel *ch)
{
	struct untwist_ringbuf *ring = READ_ONCE(ch->requests.ring);

	return ring && ring_is_broken(ch, ring);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_ring_broken);

/**
 * untwist_ring_wants_wake() - whether the program wants to hear of completions
 * @rq: request plane with a ring; they are posted
 *
 * Return: false if it said that it looks by itself.
 */
bool untwist_ring_wants_wake(struct untwist_requests *rq)
{
	struct untwist_ringbuf *ring = rq->ring;
	u32 flags, event, tail, told;

	/* The tail is out before the look at who sleeps: see above. */
	smp_mb();
	if (atomic_read(&ring->waiters))
		return true;
	flags = READ_ONCE(ring->head->user_flags);
	if (flags & UNTWIST_RING_NO_WAKE)
		return false;
	if (!(flags & UNTWIST_RING_EVENT_IDX))
		return true;
	spin_lock(&rq->lock);
	tail = rq->cq.tail;
	told = ring->cq_told;
	ring->cq_told = tail;
	spin_unlock(&rq->lock);
	event = READ_ONCE(ring->head->cq_event);
	return tail - event - 1 < tail - told;
}

/**
 * untwist_ring_arena() - bytes of the arena
 * @ring: ring
 * @offset: where they start, as a program says
 * @len: how many
 *
 * Return: where they are, for as long as the ring is there; NULL, not all of
 * them are in the arena.
 */
void *untwist_ring_arena(struct untwist_ringbuf *ring, u64 offset, u32 len)
{
	if (offset > ring->arena_size || len > ring->arena_size - offset)
		return NULL;
	return ring->arena + offset;
}

/**
 * untwist_ring_pages() - the pages of bytes of the arena
 * @ring: ring
 * @bytes: as untwist_ring_arena() returned them
 *
 * Return: the page that they start in, and those after it.
 */
struct page **untwist_ring_pages(struct untwist_ringbuf *ring, const void *bytes)
{
	return ring->pages + ((bytes - (const void *)ring->head) >> PAGE_SHIFT);
}

/* Submission. */

/* Returns how many there are to be taken, or -EBADMSG. */
static int sq_waiting(struct untwist_channel *ch, struct untwist_ringbuf *ring)
{
	/* Pairs with the program's release: the entries are there. */
	u32 n = smp_load_acquire(&ring->head->sq_tail) - ring->sq_head;

	if (n <= ring->sq_mask + 1 && !ring_is_broken(ch, ring))
		return (int)n;
	ring_break(ch, ring);
	return -EBADMSG;
}

/* Returns how many entries were taken; or, if none was, why. */
static int ring_submit(struct untwist_channel *ch, struct untwist_ringbuf *ring, u32 most,
		       struct untwist_intake *in)
{
	u32 taken;
	int ret, n;

	lockdep_assert_held(&ring->sq_lock);
	n = sq_waiting(ch, ring);
	if (n < 0)
		return n;
	n = min_t(u32, n, most);
	untwist_intake_expect(in, n);
	taken = untwist_intake_run(in, ring->sqes, ring->sq_mask, ring->sq_head, n, &ret);
	if (ret)
		taken -= untwist_intake_drop_chain(in);
	else if (in->first)
		untwist_intake_end_chain(in);
	WRITE_ONCE(ring->sq_head, ring->sq_head + taken);
	/* Pairs with the program's acquire: the entries were copied. */
	smp_store_release(&ring->head->sq_head, ring->sq_head);
	untwist_intake_end(in);
	return taken ? taken : ret;
}

/*
 * Who waits for completions wants those, too, of what is still in the ring:
 * the poller may have gone to rest because there was no room.
 */
static int enter_poller(struct untwist_channel *ch, struct untwist_ringbuf *ring,
			const struct untwist_ring_enter *enter)
{
	bool wake = enter->flags & UNTWIST_ENTER_WAKE;

	if (enter->to_submit && untwist_channel_dead(ch))
		return -ENODEV;
	if (enter->min_complete)
		wake |= READ_ONCE(ring->head->sq_tail) != READ_ONCE(ring->sq_head);
	if (wake) {
		WRITE_ONCE(ring->poller_kicked, true);
		wake_up(&ring->poller_wait);
	}
	return min_t(u32, enter->to_submit, INT_MAX);
}

static int enter_submit(struct untwist_channel *ch, struct untwist_ringbuf *ring,
			const struct untwist_ring_enter *enter)
{
	struct untwist_intake in __uninitialized;
	int ret;

	/* Who submits here is told by ring_submit(). */
	if ((ring->poller || !enter->to_submit) && ring_is_broken(ch, ring))
		return -EBADMSG;
	if (ring->poller)
		return enter_poller(ch, ring, enter);
	if (!enter->to_submit)
		return 0;
	if (mutex_lock_interruptible(&ring->sq_lock))
		return -ERESTARTSYS;
	untwist_intake_init(&in, ch, true);
	ret = ring_submit(ch, ring, enter->to_submit, &in);
	mutex_unlock(&ring->sq_lock);
	return ret;
}

/* Waiting. */

/* Most often so: what executes at once is complete by now. */
static bool enter_satisfied(struct untwist_channel *ch, const struct untwist_ring_enter *enter)
{
	return untwist_requests_ready(&ch->requests) >=
		min(enter->min_complete, ch->requests.cq.max);
}

static bool enter_done(struct untwist_channel *ch, u32 want)
{
	return untwist_requests_ready(&ch->requests) >= want || untwist_ring_broken(ch) ||
		(untwist_channel_dead(ch) && !untwist_requests_due(ch));
}

static int enter_sleep(struct untwist_channel *ch, struct untwist_ringbuf *ring,
		       const struct untwist_ring_enter *enter)
{
	u32 want = min(enter->min_complete, ch->requests.cq.max);
	u64 timeout = min_t(u64, enter->timeout_ns, KTIME_MAX);
	int ret;

	atomic_inc(&ring->waiters);
	/* Pairs with the one in untwist_ring_wants_wake(). */
	smp_mb__after_atomic();
	if (enter->flags & UNTWIST_ENTER_TIMEOUT)
		ret = wait_event_interruptible_hrtimeout(ch->wait, enter_done(ch, want),
							 ns_to_ktime(timeout));
	else
		ret = wait_event_interruptible(ch->wait, enter_done(ch, want));
	atomic_dec(&ring->waiters);
	if (ret)
		return ret == -ERESTARTSYS ? -EINTR : ret;
	if (untwist_ring_broken(ch))
		return -EBADMSG;
	return untwist_requests_ready(&ch->requests) ? 0 : -ENODEV;
}

static int enter_wait(struct untwist_channel *ch, struct untwist_ringbuf *ring,
		      const struct untwist_ring_enter *enter)
{
	sigset_t mask, old;
	int ret;

	if (!(enter->flags & UNTWIST_ENTER_SIGMASK))
		return enter_sleep(ch, ring, enter);
	memset(&mask, 0, sizeof(mask));
	mask.sig[0] = (unsigned long)enter->sigmask;
#if _NSIG_WORDS > 1
	mask.sig[1] = (unsigned long)(enter->sigmask >> 32);
#endif
	sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_SETMASK, &mask, &old);
	ret = enter_sleep(ch, ring, enter);
	if (ret == -EINTR) {
		/* The signal is delivered with this mask, and then the old one is back. */
		current->saved_sigmask = old;
		set_restore_sigmask();
	} else {
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	return ret;
}

/**
 * untwist_ring_enter() - take entries from a ring, and wait for completions
 * @ch: channel
 * @enter: as the program gave it
 *
 * Context: process, of the program; may sleep.
 *
 * Return: how many entries were taken; see UNTWIST_IOC_RING_ENTER.
 */
int untwist_ring_enter(struct untwist_channel *ch, const struct untwist_ring_enter *enter)
{
	/* Pairs with the store in ring_publish(). */
	struct untwist_ringbuf *ring = smp_load_acquire(&ch->requests.ring);
	int taken, ret = 0;

	if (enter->flags & ~ENTER_FLAGS || enter->reserved)
		return -EINVAL;
	if (!(enter->flags & UNTWIST_ENTER_TIMEOUT) && enter->timeout_ns)
		return -EINVAL;
	if (!ring)
		return -ENXIO;
	taken = enter_submit(ch, ring, enter);
	if (taken < 0 && taken != -EAGAIN)
		return taken;
	/* Without room for the first, the completions may be what makes it. */
	if (enter->min_complete && !enter_satisfied(ch, enter))
		ret = enter_wait(ch, ring, enter);
	if (taken > 0)
		return taken;
	return ret ? ret : taken;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_ring_enter);

/* The poller: a thread that submits, so that the program need not call. */

/* Returns true if something was taken. */
static bool poller_submit(struct untwist_channel *ch, struct untwist_ringbuf *ring)
{
	struct untwist_intake in __uninitialized;
	int taken;

	untwist_intake_init(&in, ch, true);
	in.no_memory = true;
	mutex_lock(&ring->sq_lock);
	taken = ring_submit(ch, ring, U32_MAX, &in);
	mutex_unlock(&ring->sq_lock);
	/* Nobody is there who could be told. */
	if (taken == -E2BIG)
		ring_break(ch, ring);
	return taken > 0;
}

/* Say that it is to be woken, and look once more; whatever there is no way to take waits, too. */
static void poller_rest(struct untwist_channel *ch, struct untwist_ringbuf *ring)
{
	ring_set_flags(ring, UNTWIST_RING_NEED_WAKEUP, 0);
	/* Pairs with the program's, between its index and its look at the flag. */
	smp_mb();
	if (!poller_submit(ch, ring))
		wait_event_idle(ring->poller_wait,
				READ_ONCE(ring->poller_kicked) || kthread_should_stop());
	WRITE_ONCE(ring->poller_kicked, false);
	ring_set_flags(ring, 0, UNTWIST_RING_NEED_WAKEUP);
}

static int ring_poller(void *data)
{
	struct untwist_channel *ch = data;
	struct untwist_ringbuf *ring = ch->requests.ring;
	u64 busy = ktime_get_ns();

	while (!kthread_should_stop()) {
		if (poller_submit(ch, ring)) {
			busy = ktime_get_ns();
		} else if (ktime_get_ns() - busy > ring->idle_ns) {
			poller_rest(ch, ring);
			busy = ktime_get_ns();
		}
		cond_resched();
	}
	return 0;
}

/**
 * untwist_ring_stop() - nothing is submitted by itself any more
 * @ch: channel whose file is being closed
 *
 * Context: process; may wait for a submit operation of the driver.
 */
void untwist_ring_stop(struct untwist_channel *ch)
{
	struct untwist_ringbuf *ring = ch->requests.ring;

	if (ring && ring->poller)
		kthread_stop(ring->poller);
}

/**
 * untwist_ring_kill() - tell the program that the device is gone
 * @ch: channel, dead
 */
void untwist_ring_kill(struct untwist_channel *ch)
{
	/* Pairs with the store in ring_publish(). */
	struct untwist_ringbuf *ring = smp_load_acquire(&ch->requests.ring);

	if (ring)
		ring_set_flags(ring, UNTWIST_RING_DEAD, 0);
}

/* Memory. */

/**
 * untwist_ring_release() - free a ring
 * @ring: ring that nobody uses any more, or NULL; what programs have mapped
 *	stays with them
 *
 * Context: may sleep.
 */
void untwist_ring_release(struct untwist_ringbuf *ring)
{
	unsigned int i;

	if (!ring)
		return;
	if (ring->head)
		vunmap(ring->head);
	for (i = 0; i < ring->nr_pages; i++)
		__free_page(ring->pages[i]);
	kvfree(ring->pages);
	kfree(ring);
}

static int ring_alloc_pages(struct untwist_ringbuf *ring, size_t size)
{
	unsigned int nr = size >> PAGE_SHIFT;

	ring->pages = kvcalloc(nr, sizeof(*ring->pages), GFP_KERNEL_ACCOUNT);
	if (!ring->pages)
		return -ENOMEM;
	while (ring->nr_pages < nr) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

		if (!page)
			return -ENOMEM;
		ring->pages[ring->nr_pages++] = page;
	}
	ring->head = vmap(ring->pages, nr, VM_MAP, PAGE_KERNEL);
	return ring->head ? 0 : -ENOMEM;
}

/* Fill in the reply: what there will be, and where. */
static int setup_complete(struct untwist_ring_setup *setup)
{
	if (setup->flags & ~UNTWIST_RING_SQPOLL || setup->reserved0 || setup->reserved[0] ||
	    setup->reserved[1])
		return -EINVAL;
	if (!setup->sq_entries || setup->sq_entries > RING_ENTRIES_MAX)
		return -EINVAL;
	if (setup->arena_size > RING_ARENA_MAX || setup->idle_us > RING_IDLE_US_MAX)
		return -EINVAL;
	setup->sq_entries = roundup_pow_of_two(setup->sq_entries);
	if (!setup->cq_entries)
		setup->cq_entries = min(2 * setup->sq_entries, RING_ENTRIES_MAX);
	if (setup->cq_entries > RING_ENTRIES_MAX)
		return -EINVAL;
	setup->cq_entries = roundup_pow_of_two(setup->cq_entries);
	if (setup->cq_entries < setup->sq_entries)
		return -EINVAL;
	if (!setup->idle_us)
		setup->idle_us = RING_IDLE_US;
	setup->arena_size = PAGE_ALIGN(setup->arena_size);
	setup->sqe_size = sizeof(struct untwist_sqe);
	setup->cqe_size = sizeof(struct untwist_cqe);
	setup->header_off = 0;
	setup->sq_off = sizeof(struct untwist_ring);
	setup->cq_off = setup->sq_off + setup->sq_entries * setup->sqe_size;
	setup->arena_off = PAGE_ALIGN(setup->cq_off + setup->cq_entries * setup->cqe_size);
	setup->map_size = setup->arena_off + setup->arena_size;
	return 0;
}

static struct untwist_ringbuf *ring_new(const struct untwist_ring_setup *setup)
{
	struct untwist_ringbuf *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);

	if (!ring)
		return NULL;
	if (ring_alloc_pages(ring, setup->map_size)) {
		untwist_ring_release(ring);
		return NULL;
	}
	ring->sqes = (void *)ring->head + setup->sq_off;
	ring->sq_mask = setup->sq_entries - 1;
	ring->arena = (void *)ring->head + setup->arena_off;
	ring->arena_size = setup->arena_size;
	ring->idle_ns = (u64)setup->idle_us * NSEC_PER_USEC;
	mutex_init(&ring->sq_lock);
	raw_spin_lock_init(&ring->flags_lock);
	init_waitqueue_head(&ring->poller_wait);
	return ring;
}

/* From here on completions go to it. */
static int ring_publish(struct untwist_channel *ch, struct untwist_ringbuf *ring,
			const struct untwist_ring_setup *setup)
{
	struct untwist_requests *rq = &ch->requests;

	lockdep_assert_held(&rq->setup_lock);
	if (rq->ring ||
	    !untwist_cq_share(&rq->cq, ring->head, (void *)ring->head + setup->cq_off,
			      setup->cq_entries))
		return -EBUSY;
	/* Pairs with the loads elsewhere: all of it is there. */
	smp_store_release(&rq->ring, ring);
	WRITE_ONCE(ch->plane, UNTWIST_PLANE_COMPLETIONS);
	/* Unplug marks first and tells second. */
	smp_mb();
	if (untwist_channel_dead(ch))
		untwist_ring_kill(ch);
	/* Who waits, waits for something else now. */
	wake_up_all(&ch->wait);
	return 0;
}

static int ring_attach(struct untwist_channel *ch, const struct untwist_ring_setup *setup)
{
	struct untwist_ringbuf *ring = ring_new(setup);
	struct task_struct *poller = NULL;
	int ret;

	if (!ring)
		return -ENOMEM;
	if (setup->flags & UNTWIST_RING_SQPOLL)
		poller = kthread_create(ring_poller, ch, "untwist-sq-%u", ch->id);
	if (IS_ERR(poller)) {
		untwist_ring_release(ring);
		return PTR_ERR(poller);
	}
	ring->poller = poller;

	mutex_lock(&ch->requests.setup_lock);
	mutex_lock(&ch->rd_mutex);
	ret = ring_publish(ch, ring, setup);
	mutex_unlock(&ch->rd_mutex);
	mutex_unlock(&ch->requests.setup_lock);
	if (ret) {
		if (poller)
			kthread_stop(poller);
		untwist_ring_release(ring);
	} else if (poller) {
		wake_up_process(poller);
	}
	return ret;
}

/**
 * untwist_ring_setup() - give a channel a ring
 * @ch: channel
 * @setup: as the program gave it; filled in
 *
 * Context: process, may sleep.
 *
 * Return: 0, or a negative errno; see UNTWIST_IOC_RING_SETUP.
 */
int untwist_ring_setup(struct untwist_channel *ch, struct untwist_ring_setup *setup)
{
	int ret;

	if (!untwist_device_has_requests(ch->ud))
		return -EOPNOTSUPP;
	ret = setup_complete(setup);
	if (!ret)
		ret = untwist_requests_make(ch);
	if (!ret)
		ret = untwist_limits_charge(ch, setup->map_size);
	if (ret)
		return ret;
	ret = ring_attach(ch, setup);
	if (ret)
		untwist_limits_uncharge(ch, setup->map_size);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_ring_setup);

/**
 * untwist_ring_mmap() - map a ring into a program
 * @ch: channel
 * @vma: where, all of it
 *
 * Context: process; called with the program's mmap_lock held, so no lock that
 * is ever held over a copy to or from a program may be taken.
 *
 * Return: 0; -ENXIO, there is no ring; -EINVAL, not all of it or not shared;
 * -EPERM, to be executed; -ENOMEM.
 */
int untwist_ring_mmap(struct untwist_channel *ch, struct vm_area_struct *vma)
{
	/* Pairs with the store in ring_publish(). */
	struct untwist_ringbuf *ring = smp_load_acquire(&ch->requests.ring);
	unsigned long nr = vma_pages(vma);

	if (!ring)
		return -ENXIO;
	if (vma->vm_pgoff || nr != ring->nr_pages || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	untwist_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	untwist_vm_flags_clear(vma, VM_MAYEXEC);
	return vm_insert_pages(vma, vma->vm_start, ring->pages, &nr);
}
