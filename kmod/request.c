// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, from submission to the read of their completion. A request
 * completes exactly once, whatever races: see enum untwist_request_state.
 */
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "channel.h"
#include "compat.h"
#include "request.h"
#include "trace.h"

static_assert(sizeof(struct untwist_sqe) == 64);
static_assert(sizeof(struct untwist_cqe) == 32);
static_assert(sizeof(struct untwist_submit) == 24);
static_assert(sizeof(struct untwist_cancel) == 16);

/* The first version of struct untwist_sqe; shorter entries never existed. */
#define SQE_SIZE_MIN 64u

static int nop_submit(struct untwist_request *req)
{
	untwist_complete(req, 0);
	return 0;
}

static int unknown_submit(struct untwist_request *req)
{
	return -EOPNOTSUPP;
}

static const struct untwist_opcode nop_op = { .name = "nop", .submit = nop_submit };
static const struct untwist_opcode unknown_op = { .name = "unknown", .submit = unknown_submit };

static const struct untwist_opcode *opcode_find(const struct untwist_device *ud, u32 opcode)
{
	unsigned int nr = ud->config.nr_opcodes;

	if (opcode == UNTWIST_OP_NOP)
		return &nop_op;
	if (opcode < UNTWIST_OP_DRIVER || opcode - UNTWIST_OP_DRIVER >= nr)
		return &unknown_op;
	return &ud->config.opcodes[array_index_nospec(opcode - UNTWIST_OP_DRIVER, nr)];
}

static struct untwist_slot *to_slot(struct untwist_request *req)
{
	return container_of(req, struct untwist_slot, req);
}

#if IS_ENABLED(CONFIG_KUNIT)
/* The suites provoke misuse; they look at the counter and not at the log. */
bool untwist_misuse_expected;
EXPORT_SYMBOL_IF_KUNIT(untwist_misuse_expected);
#else
static const bool untwist_misuse_expected;
#endif

/* A driver did what it must not: told once with a stack, counted always. */
static void request_misuse(struct untwist_slot *slot, const char *what)
{
	struct untwist_device *ud = slot->req.channel->ud;

	untwist_count(ud, UNTWIST_STAT_MISUSES, 1);
	if (!untwist_misuse_expected)
		WARN_ONCE(1, "untwist: %s (driver %s): %s: opcode %u\n", ud->name, ud->driver, what,
			  slot->req.opcode);
}

/* Slots: the memory of requests, used again and again. */

static size_t slot_stride(const struct untwist_device *ud)
{
	return ALIGN(sizeof(struct untwist_slot) + ud->config.request_size, ARCH_KMALLOC_MINALIGN);
}

/* The request plane costs a channel nothing until its first submission. */
static int slots_make(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	u32 max = ch->ud->config.requests_max;
	size_t stride = slot_stride(ch->ud);
	struct untwist_cqe *cq;
	void *slots;
	u32 i;

	lockdep_assert_held(&rq->submit_lock);
	if (rq->slots)
		return 0;
	slots = kvcalloc(max, stride, GFP_KERNEL_ACCOUNT);
	cq = kvcalloc(roundup_pow_of_two(max), sizeof(*cq), GFP_KERNEL_ACCOUNT);
	if (!slots || !cq) {
		kvfree(slots);
		kvfree(cq);
		return -ENOMEM;
	}
	for (i = 0; i < max; i++) {
		struct untwist_slot *slot = slots + i * stride;

		list_add_tail(&slot->link, &rq->free);
	}
	rq->cq_mask = roundup_pow_of_two(max) - 1;
	rq->cq = cq;
	WRITE_ONCE(rq->slots, slots);
	return 0;
}

/* Returns NULL when the channel holds as many requests as it may. */
static struct untwist_slot *slot_take(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot = NULL;

	spin_lock(&rq->lock);
	if (rq->in_use < ch->ud->config.requests_max)
		slot = list_first_entry_or_null(&rq->free, struct untwist_slot, link);
	if (slot) {
		list_del(&slot->link);
		WRITE_ONCE(rq->in_use, rq->in_use + 1);
	}
	spin_unlock(&rq->lock);
	return slot;
}

/* The opposite of slot_take(), for a request that never lived. */
static void slot_untake(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_requests *rq = &ch->requests;
	bool was_full;

	spin_lock(&rq->lock);
	list_add_tail(&slot->link, &rq->free);
	was_full = rq->in_use == ch->ud->config.requests_max;
	WRITE_ONCE(rq->in_use, rq->in_use - 1);
	spin_unlock(&rq->lock);
	/* Who looked meanwhile has seen no room, or something due. */
	if (untwist_channel_dead(ch))
		untwist_channel_wake_posted(ch);
	else if (was_full)
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/* Returns true if there is room now where there was none. */
static bool slot_unref(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_requests *rq = &ch->requests;
	bool made_room;

	lockdep_assert_held(&rq->lock);
	if (!refcount_dec_and_test(&slot->refs))
		return false;
	/* A cancel that took its time may have held the only slot there was. */
	made_room = list_empty(&rq->free) && rq->in_use < ch->ud->config.requests_max;
	list_add_tail(&slot->link, &rq->free);
	return made_room;
}

/* Called inside: the wake-up may need the work. */
static void slot_put(struct untwist_channel *ch, struct untwist_slot *slot)
{
	bool made_room;

	spin_lock(&ch->requests.lock);
	made_room = slot_unref(ch, slot);
	spin_unlock(&ch->requests.lock);
	if (made_room)
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/* Completion: claim, finish, post. */

/* Give a finished request to the work. */
static void slot_hand_on(struct untwist_channel *ch, struct untwist_slot *slot)
{
	atomic_inc(&ch->requests.nr_done);
	if (llist_add(&slot->done, &ch->requests.done))
		untwist_channel_kick(ch);
}

/**
 * untwist_complete() - a request is done
 * @req: request, which the driver must not touch any more
 * @res: result: zero or positive, or a negative errno
 *
 * Completing twice is the driver's bug: it is counted, warned about once, and
 * has no other effect as long as the request's slot is not in use again.
 *
 * Context: any but NMI; hard interrupts of PREEMPT_RT included.
 */
void untwist_complete(struct untwist_request *req, s32 res)
{
	struct untwist_slot *slot = to_slot(req);
	struct untwist_channel *ch = req->channel;
	int old = atomic_fetch_or(UNTWIST_REQ_CLAIMED, &slot->state);

	if (!(old & UNTWIST_REQ_LIVE) || old & UNTWIST_REQ_CLAIMED) {
		request_misuse(slot, "completed a request that it does not hold");
		return;
	}
	slot->res = res;
	trace_untwist_complete(ch, slot->user_data, req->opcode, res);

	/*
	 * From FINISHED on, the submitter may post the request, and from
	 * llist_add() on, the work may. The file may be closed as well, so
	 * that only the grace period keeps the channel for the kick.
	 */
	rcu_read_lock();
	if (atomic_fetch_or(UNTWIST_REQ_FINISHED, &slot->state) & UNTWIST_REQ_SUBMITTED)
		slot_hand_on(ch, slot);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(untwist_complete);

static void slot_post(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_cqe *cqe;
	s32 res = slot->res;
	bool made_room;

	/* The cancel was the core's: the program learns why it came. */
	if (res == -ECANCELED && untwist_channel_dead(ch))
		res = -ENODEV;
	untwist_payload_return(&slot->payload, max(res, 0));
	untwist_count(ch->ud, UNTWIST_STAT_COMPLETIONS, 1);
	if (res < 0)
		untwist_count(ch->ud, UNTWIST_STAT_ERRORS, 1);

	spin_lock(&rq->lock);
	list_del(&slot->link);
	atomic_set(&slot->state, 0);
	cqe = &rq->cq[rq->cq_head & rq->cq_mask];
	*cqe = (struct untwist_cqe){
		.user_data = slot->user_data,
		.res = res,
		.value = { slot->req.value[0], slot->req.value[1] },
	};
	/* Pairs with the load in untwist_requests_ready(). */
	smp_store_release(&rq->cq_head, rq->cq_head + 1);
	/* At once: who has read the completion may submit as many again. */
	made_room = slot_unref(ch, slot);
	spin_unlock(&rq->lock);
	if (made_room)
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/**
 * untwist_requests_run() - post all finished requests
 * @ch: channel
 *
 * Context: the channel's work.
 *
 * Return: how many were posted; the caller wakes the readers once and then
 * drops as many users.
 */
unsigned int untwist_requests_run(struct untwist_channel *ch)
{
	struct llist_node *done = llist_reverse_order(llist_del_all(&ch->requests.done));
	struct untwist_slot *slot, *next;
	unsigned int posted = 0;

	llist_for_each_entry_safe(slot, next, done, done) {
		if (slot->op->done) {
			untwist_call_begin(ch->ud);
			slot->op->done(&slot->req);
			untwist_call_end(ch->ud);
		}
		slot_post(ch, slot);
		atomic_dec(&ch->requests.nr_done);
		posted++;
	}
	return posted;
}

/* Cancellation. */

static void slot_call_cancel(struct untwist_channel *ch, struct untwist_slot *slot)
{
	untwist_count(ch->ud, UNTWIST_STAT_CANCELS, 1);
	untwist_call_begin(ch->ud);
	ch->ud->config.ops->cancel(&slot->req);
	untwist_call_end(ch->ud);
}

/* Returns 0 if this caller's cancel is the one that counts. */
static int slot_cancel(struct untwist_channel *ch, struct untwist_slot *slot)
{
	int old = atomic_fetch_or(UNTWIST_REQ_CANCELLED, &slot->state);

	if (old & UNTWIST_REQ_CANCELLED)
		return -EALREADY;
	if (!(old & UNTWIST_REQ_LIVE) || old & UNTWIST_REQ_CLAIMED)
		return -ENOENT;
	if (old & UNTWIST_REQ_SUBMITTED)
		slot_call_cancel(ch, slot);
	return 0;
}

/* The oldest live request that matches and is not cancelled yet, pinned. */
static struct untwist_slot *slot_find(struct untwist_channel *ch, const u64 *user_data)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link) {
		if (user_data && slot->user_data != *user_data)
			continue;
		if (atomic_read(&slot->state) & (UNTWIST_REQ_CANCELLED | UNTWIST_REQ_CLAIMED))
			continue;
		refcount_inc(&slot->refs);
		spin_unlock(&rq->lock);
		return slot;
	}
	spin_unlock(&rq->lock);
	return NULL;
}

static bool slot_exists(struct untwist_channel *ch, u64 user_data)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;
	bool found = false;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link)
		found |= slot->user_data == user_data &&
			!(atomic_read(&slot->state) & UNTWIST_REQ_CLAIMED);
	spin_unlock(&rq->lock);
	return found;
}

/**
 * untwist_requests_cancel() - ask for the early end of one request
 * @ch: channel
 * @user_data: which; the oldest that was not cancelled yet, of several
 *
 * Context: process, within untwist_channel_enter().
 *
 * Return: 0, and the completion comes; -ENOENT; -EALREADY, asked before or not
 * possible.
 */
int untwist_requests_cancel(struct untwist_channel *ch, u64 user_data)
{
	struct untwist_slot *slot;
	int ret;

	if (!ch->ud->config.ops->cancel)
		return slot_exists(ch, user_data) ? -EALREADY : -ENOENT;
	slot = slot_find(ch, &user_data);
	if (!slot)
		return slot_exists(ch, user_data) ? -EALREADY : -ENOENT;
	ret = slot_cancel(ch, slot);
	slot_put(ch, slot);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_cancel);

/**
 * untwist_requests_cancel_all() - ask for the early end of what is in flight
 * @ch: channel, on which no more requests are submitted
 *
 * Context: process, while the driver may be called.
 */
void untwist_requests_cancel_all(struct untwist_channel *ch)
{
	struct untwist_slot *slot;

	if (!ch->ud->config.ops->cancel)
		return;
	while ((slot = slot_find(ch, NULL))) {
		slot_cancel(ch, slot);
		slot_put(ch, slot);
	}
}

/* Submission. */

static int sqe_check(const struct untwist_channel *ch, const struct untwist_sqe *sqe,
		     const struct untwist_opcode *op)
{
	if (sqe->flags || sqe->reserved0 || sqe->reserved1[0] || sqe->reserved1[1])
		return -EINVAL;
	if (!sqe->len)
		return sqe->addr ? -EINVAL : 0;
	if (op != &unknown_op && !op->payload)
		return -EINVAL;
	if (sqe->len > ch->ud->config.payload_max)
		return -EMSGSIZE;
	return 0;
}

static int slot_fill(struct untwist_channel *ch, struct untwist_slot *slot,
		     const struct untwist_sqe *sqe, const struct untwist_opcode *op)
{
	int ret;

	memset(slot, 0, slot_stride(ch->ud));
	if (sqe->len && op->payload) {
		ret = untwist_payload_take(&slot->payload, sqe->addr, sqe->len, op->payload);
		if (ret)
			return ret;
	}
	slot->req.channel = ch;
	slot->req.opcode = sqe->opcode;
	slot->req.payload = slot->payload.data;
	slot->req.len = slot->payload.len;
	slot->req.arg[0] = sqe->arg[0];
	slot->req.arg[1] = sqe->arg[1];
	slot->op = op;
	slot->user_data = sqe->user_data;
	INIT_LIST_HEAD(&slot->req.node);
	refcount_set(&slot->refs, 2); /* the request, and its submitter */
	atomic_set(&slot->state, UNTWIST_REQ_LIVE);
	return 0;
}

/* Returns true if the request is complete and posted already. */
static bool slot_start(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_requests *rq = &ch->requests;
	bool posted;
	int ret, old;

	spin_lock(&rq->lock);
	list_add_tail(&slot->link, &rq->live);
	/* Who shuts the channel may have looked for live ones already. */
	if (test_bit(UNTWIST_CH_SHUT, &ch->state) && ch->ud->config.ops->cancel)
		atomic_or(UNTWIST_REQ_CANCELLED, &slot->state);
	spin_unlock(&rq->lock);
	untwist_count(ch->ud, UNTWIST_STAT_REQUESTS, 1);
	trace_untwist_submit(ch, slot->user_data, slot->req.opcode, slot->req.len);

	untwist_call_begin(ch->ud);
	ret = slot->op->submit(&slot->req);
	untwist_call_end(ch->ud);
	if (ret)
		untwist_complete(&slot->req, ret);

	old = atomic_fetch_or(UNTWIST_REQ_SUBMITTED, &slot->state);
	/*
	 * The work serialises done operations, and what finished before and is
	 * still on its way is not to be overtaken.
	 */
	posted = old & UNTWIST_REQ_FINISHED && !slot->op->done && !atomic_read(&rq->nr_done);
	if (posted) {
		slot_post(ch, slot);
		untwist_channel_leave(ch, 1);
	} else if (old & UNTWIST_REQ_FINISHED) {
		slot_hand_on(ch, slot);
	} else if (old & UNTWIST_REQ_CANCELLED) {
		slot_call_cancel(ch, slot);
	}
	slot_put(ch, slot);
	return posted;
}

static int request_submit(struct untwist_channel *ch, const struct untwist_sqe *sqe, u32 *posted)
{
	const struct untwist_opcode *op = opcode_find(ch->ud, sqe->opcode);
	struct untwist_slot *slot;
	int ret;

	ret = sqe_check(ch, sqe, op);
	if (ret)
		return ret;
	slot = slot_take(ch);
	if (!slot)
		return -EAGAIN;
	ret = slot_fill(ch, slot, sqe, op);
	if (ret) {
		slot_untake(ch, slot);
		return ret;
	}
	/* One user for the request: until it is posted, the driver stays. */
	if (!untwist_channel_enter(ch)) {
		untwist_payload_return(&slot->payload, 0);
		atomic_set(&slot->state, 0);
		slot_untake(ch, slot);
		return -ENODEV;
	}
	*posted += slot_start(ch, slot);
	return 0;
}

/**
 * untwist_requests_submit() - take requests from a program
 * @ch: channel
 * @submit: as the program gave it
 *
 * Context: process, of the program, within untwist_channel_enter(); may sleep.
 *
 * Return: how many entries were taken, at least 1; or why the first was not,
 * see UNTWIST_IOC_SUBMIT.
 */
int untwist_requests_submit(struct untwist_channel *ch, const struct untwist_submit *submit)
{
	const void __user *entries = u64_to_user_ptr(submit->entries);
	struct untwist_requests *rq = &ch->requests;
	struct untwist_sqe sqe;
	u32 posted = 0;
	u32 taken = 0;
	int ret;

	if (!untwist_device_has_requests(ch->ud))
		return -EOPNOTSUPP;
	if (submit->flags || submit->reserved || !submit->count)
		return -EINVAL;
	if (submit->entry_size < SQE_SIZE_MIN || submit->entry_size > PAGE_SIZE)
		return -EINVAL;
	if (submit->entries != (unsigned long)submit->entries)
		return -EFAULT;

	if (mutex_lock_interruptible(&rq->submit_lock))
		return -ERESTARTSYS;
	ret = slots_make(ch);
	while (!ret && taken < min(submit->count, ch->ud->config.requests_max)) {
		ret = copy_struct_from_user(&sqe, sizeof(sqe),
					    entries + (size_t)taken * submit->entry_size,
					    submit->entry_size);
		if (!ret)
			ret = request_submit(ch, &sqe, &posted);
		if (!ret)
			taken++;
	}
	mutex_unlock(&rq->submit_lock);
	if (posted)
		untwist_channel_wake_posted(ch);
	return taken ? taken : ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_submit);

/* The completion queue, as poll() and read() see it. */

/**
 * untwist_requests_ready() - completions that a read would return
 * @ch: channel
 *
 * Return: how many.
 */
u32 untwist_requests_ready(const struct untwist_channel *ch)
{
	const struct untwist_requests *rq = &ch->requests;
	u32 tail = READ_ONCE(rq->cq_tail);

	/* Pairs with the store in slot_post(): the entries are there. */
	return smp_load_acquire(&rq->cq_head) - tail;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_ready);

/**
 * untwist_requests_room() - whether a submission would be taken
 * @ch: channel
 *
 * Return: true if the channel holds less than it may.
 */
bool untwist_requests_room(const struct untwist_channel *ch)
{
	const struct untwist_requests *rq = &ch->requests;

	return READ_ONCE(rq->in_use) < ch->ud->config.requests_max &&
		(!READ_ONCE(rq->slots) || !list_empty(&rq->free));
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_room);

/**
 * untwist_requests_due() - whether there are completions still to come
 * @ch: channel
 *
 * Return: true if a request is in flight.
 */
bool untwist_requests_due(struct untwist_channel *ch)
{
	struct untwist_requests *rq = &ch->requests;
	bool due;

	spin_lock(&rq->lock);
	due = rq->in_use != rq->cq_head - rq->cq_tail;
	spin_unlock(&rq->lock);
	return due;
}

/**
 * untwist_requests_read() - move completions to a program
 * @ch: channel, its rd_mutex held
 * @to: destination
 *
 * An entry leaves the queue once it has arrived whole.
 *
 * Context: may fault and sleep.
 *
 * Return: bytes; 0, there is none; -EINVAL, no room for one; -EFAULT.
 */
ssize_t untwist_requests_read(struct untwist_channel *ch, struct iov_iter *to)
{
	struct untwist_requests *rq = &ch->requests;
	u32 ready = untwist_requests_ready(ch);
	bool was_full;
	u32 n;

	lockdep_assert_held(&ch->rd_mutex);
	if (iov_iter_count(to) < sizeof(struct untwist_cqe))
		return -EINVAL;
	for (n = 0; n < ready && iov_iter_count(to) >= sizeof(struct untwist_cqe); n++) {
		struct untwist_cqe cqe = rq->cq[(rq->cq_tail + n) & rq->cq_mask];

		if (copy_to_iter(&cqe, sizeof(cqe), to) != sizeof(cqe))
			break;
	}
	if (!n)
		return ready ? -EFAULT : 0;

	spin_lock(&rq->lock);
	was_full = rq->in_use == ch->ud->config.requests_max;
	WRITE_ONCE(rq->cq_tail, rq->cq_tail + n);
	WRITE_ONCE(rq->in_use, rq->in_use - n);
	spin_unlock(&rq->lock);
	/* Not by announce: the device's workqueue may be gone, and is not needed. */
	if (was_full) {
		untwist_channel_wake(ch, EPOLLOUT | EPOLLWRNORM);
		kill_fasync(&ch->fasync, SIGIO, POLL_OUT);
	}
	return n * sizeof(struct untwist_cqe);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_read);

/* Memory. */

/**
 * untwist_requests_init() - make an empty request plane
 * @rq: request plane
 */
void untwist_requests_init(struct untwist_requests *rq)
{
	mutex_init(&rq->submit_lock);
	spin_lock_init(&rq->lock);
	INIT_LIST_HEAD(&rq->free);
	INIT_LIST_HEAD(&rq->live);
	init_llist_head(&rq->done);
}

/**
 * untwist_requests_release() - free the memory of a request plane
 * @rq: request plane without live requests
 */
void untwist_requests_release(struct untwist_requests *rq)
{
	WARN_ON_ONCE(!list_empty(&rq->live));
	kvfree(rq->slots);
	kvfree(rq->cq);
}

/**
 * untwist_request_priv() - the driver's own memory with a request
 * @req: request
 *
 * Return: untwist_config.request_size bytes, zero when submit is called.
 */
void *untwist_request_priv(struct untwist_request *req)
{
	return to_slot(req) + 1;
}
EXPORT_SYMBOL_GPL(untwist_request_priv);
