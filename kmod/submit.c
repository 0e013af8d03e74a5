// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the entries that programs submit become requests: what is checked, where
 * the payload comes from, and how chains are put together. The short way for
 * requests that need no waiting is in execute.h. A program's memory is only touched outside of
 * the channel, for that may take as long as the program likes, and unplug
 * waits for who is inside.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "execute.h"
#include "latency.h"
#include "pages.h"
#include "request.h"
#include "ring.h"
#include "submit.h"
#include "trace.h"

static_assert(sizeof(struct untwist_sqe) == 64);
static_assert(sizeof(struct untwist_cqe) == 32);
static_assert(sizeof(struct untwist_submit) == 24);
static_assert(sizeof(struct untwist_cancel) == 16);

/* The first version of struct untwist_sqe; shorter entries never existed. */
#define SQE_SIZE_MIN 64u

#define SQE_CHAIN (UNTWIST_SQE_LINK | UNTWIST_SQE_HARDLINK)
#define SQE_FLAGS (SQE_CHAIN | UNTWIST_SQE_DRAIN | UNTWIST_SQE_MULTISHOT | UNTWIST_SQE_ARENA)

/**
 * untwist_intake_init() - begin a submission
 * @in: submission
 * @ch: channel
 * @results: what is wrong with an entry is its result
 */
void untwist_intake_init(struct untwist_intake *in, struct untwist_channel *ch, bool results)
{
	/* All but the completions, which would take longer than the rest. */
	memset(in, 0, offsetof(struct untwist_intake, cqes));
	in->ch = ch;
	in->results = results;
}

/**
 * untwist_intake_expect() - take credits for many entries at once
 * @in: submission
 * @n: how many are to come; there may be fewer credits, or none
 */
void untwist_intake_expect(struct untwist_intake *in, u32 n)
{
	if (n > 1)
		in->credits = untwist_cq_reserve(&in->ch->requests.cq, n);
}

static bool intake_credit(struct untwist_intake *in)
{
	if (in->sink)
		return true;
	if (!in->credits)
		in->credits = untwist_cq_reserve(&in->ch->requests.cq, 1);
	if (!in->credits)
		return false;
	in->credits--;
	return true;
}

static void intake_uncredit(struct untwist_intake *in)
{
	if (!in->sink)
		in->credits++;
}

/* Post what was executed: before anybody sleeps, or anything else is posted. */
static void intake_flush(struct untwist_intake *in)
{
	struct untwist_channel *ch = in->ch;
	u32 n = in->nr_cqes;

	if (!n)
		return;
	untwist_count(ch->ud, UNTWIST_STAT_REQUESTS, n);
	untwist_count(ch->ud, UNTWIST_STAT_COMPLETIONS, n);
	in->nr_cqes = 0;
	if (in->sink)
		return;
	untwist_requests_put(ch, in->cqes, n);
	in->posted += n;
}

/* Inside, and out again. */

static bool intake_enter(struct untwist_intake *in)
{
	if (in->inside)
		return true;
	/* Who sees the end has seen what is posted here: see untwist_requests_due(). */
	atomic_inc(&in->ch->requests.nr_inside);
	in->inside = untwist_channel_enter(in->ch);
	if (!in->inside)
		atomic_dec(&in->ch->requests.nr_inside);
	return in->inside;
}

static void intake_leave(struct untwist_intake *in)
{
	struct untwist_channel *ch = in->ch;

	intake_flush(in);
	if (!in->inside)
		return;
	in->inside = false;
	if (atomic_dec_and_test(&ch->requests.nr_inside) && untwist_channel_dead(ch))
		untwist_channel_wake_posted(ch);
	untwist_channel_leave(ch, 1);
}

/* One entry. */

static int entry_check(const struct untwist_intake *in, const struct untwist_sqe *sqe)
{
	if (sqe->flags & ~SQE_FLAGS || sqe->reserved0 || sqe->reserved1)
		return -EINVAL;
	if ((sqe->flags & SQE_CHAIN) == SQE_CHAIN)
		return -EINVAL;
	if (sqe->flags & UNTWIST_SQE_DRAIN && in->first)
		return -EINVAL;
	if (sqe->flags & UNTWIST_SQE_ARENA && !in->ch->requests.ring)
		return -EINVAL;
	return sqe->addr && !sqe->len ? -EINVAL : 0;
}

static int opcode_check(const struct untwist_device *ud, const struct untwist_sqe *sqe,
			const struct untwist_opcode *op)
{
	bool in_place = op->payload & UNTWIST_PAGES;

	if (sqe->len > (in_place ? ud->config.pages_max : ud->config.payload_max))
		return -EMSGSIZE;
	if (op == &untwist_unknown_op)
		return 0;
	if (sqe->len && !op->payload)
		return -EINVAL;
	return 0;
}

/* What the opcode as such refuses is the request's result. */
static int multishot_check(struct untwist_channel *ch, const struct untwist_sqe *sqe,
			   const struct untwist_opcode *op)
{
	if (!(sqe->flags & UNTWIST_SQE_MULTISHOT))
		return 0;
	if (!op->multishot || (sqe->len && op->payload & UNTWIST_FROM_DEVICE))
		return -EOPNOTSUPP;
	return untwist_shots_make(&ch->requests);
}

static int intake_payload(struct untwist_intake *in, const struct untwist_sqe *sqe,
			  unsigned int flags, struct untwist_payload *payload)
{
	int ret;

	if (sqe->flags & UNTWIST_SQE_ARENA)
		return untwist_payload_take_arena(payload, in->ch, sqe->addr, sqe->len, flags);
	if (in->no_memory)
		return -EFAULT;
	intake_leave(in);
	ret = untwist_payload_take(payload, in->ch, sqe->addr, sqe->len, flags);
	/* The device may be gone by now, and its opcodes with it. */
	if (!ret && !intake_enter(in)) {
		untwist_payload_return(payload, 0);
		ret = -ENODEV;
	}
	return ret;
}

/* What is measured goes the long way, as long as its completion goes to the queue. */
static bool way_is_clear(const struct untwist_intake *in)
{
	if (!in->sink && untwist_latency_on(in->ch->ud))
		return false;
	return !in->first && untwist_way_is_clear(in->ch);
}

static __always_inline int execute_now(struct untwist_intake *in, const struct untwist_sqe *sqe,
				       const struct untwist_opcode *op,
				       struct untwist_payload *payload)
{
	if (!intake_credit(in)) {
		if (payload)
			untwist_payload_return(payload, 0);
		return -EAGAIN;
	}
	untwist_call(in->ch, sqe, op, payload, &in->cqes[in->nr_cqes]);
	if (++in->nr_cqes == UNTWIST_INTAKE_BATCH)
		intake_flush(in);
	return 0;
}

/**
 * untwist_slot_fill() - what an entry says, for a request
 * @slot: slot that was just taken
 * @sqe: entry; its payload is not looked at
 * @op: its opcode's
 * @payload: taken over
 */
void untwist_slot_fill(struct untwist_slot *slot, const struct untwist_sqe *sqe,
		       const struct untwist_opcode *op, const struct untwist_payload *payload)
{
	slot->op = op;
	slot->user_data = sqe->user_data;
	slot->flags = sqe->flags;
	slot->payload = *payload;
	slot->req.opcode = sqe->opcode;
	slot->req.payload = payload->in_place ? NULL : payload->data;
	slot->req.sgt = untwist_payload_table(payload);
	slot->req.len = payload->len;
	slot->req.arg[0] = sqe->arg[0];
	slot->req.arg[1] = sqe->arg[1];
	slot->req.multishot = sqe->flags & UNTWIST_SQE_MULTISHOT;
	if (sqe->timeout_ns)
		slot->deadline.expires =
			ktime_add_safe(ktime_get(),
				       ns_to_ktime(min_t(u64, sqe->timeout_ns, KTIME_MAX)));
}

static int chain_append(struct untwist_intake *in, const struct untwist_sqe *sqe,
			const struct untwist_opcode *op, const struct untwist_payload *payload,
			int error)
{
	struct untwist_slot *slot;

	if (!intake_credit(in))
		return -EAGAIN;
	slot = untwist_slot_take(in->ch, in->sink);
	if (!slot) {
		intake_uncredit(in);
		return -EAGAIN;
	}
	slot->sink_data = in->sink_data;
	untwist_slot_fill(slot, sqe, op, payload);
	slot->error = error;
	slot->prev = in->last;
	if (in->last)
		in->last->next = slot;
	else
		in->first = slot;
	in->last = slot;
	in->length++;
	return 0;
}

static bool chain_fits(const struct untwist_intake *in)
{
	const struct untwist_channel *ch = in->ch;

	return in->length < min(ch->requests.cq.max, ch->ud->config.requests_max);
}

/* Any entry, of which all is to be checked. */
static int take_any(struct untwist_intake *in, const struct untwist_sqe *sqe)
{
	struct untwist_payload payload = {};
	const struct untwist_opcode *op;
	int error = entry_check(in, sqe);
	int ret;

	if (in->first && !chain_fits(in))
		return -E2BIG;
	if (!intake_enter(in))
		return -ENODEV;
	op = untwist_opcode_find(in->ch->ud, sqe->opcode);
	if (!error)
		error = opcode_check(in->ch->ud, sqe, op);
	if (!error && sqe->len && op->payload) {
		error = intake_payload(in, sqe, op->payload, &payload);
		if (!intake_enter(in))
			return -ENODEV;
	}
	if (error && !in->results)
		return error;
	if (!error)
		error = multishot_check(in->ch, sqe, op);

	if (!error && op->execute && !(sqe->flags & ~UNTWIST_SQE_ARENA) && way_is_clear(in))
		return execute_now(in, sqe, op, &payload);
	ret = chain_append(in, sqe, error ? &untwist_unknown_op : op, &payload, error);
	if (ret)
		untwist_payload_return(&payload, 0);
	else if (!(sqe->flags & SQE_CHAIN) && !in->sink)
		untwist_intake_end_chain(in);
	return ret;
}

/**
 * untwist_intake_take() - take one entry
 * @in: submission
 * @sqe: entry, which nobody else can change any more
 *
 * Context: process; that of the program, if the entry has a payload that is
 * not in the arena. May sleep.
 *
 * Return: 0, and the entry is taken, or part of the chain that is being put
 * together; else nothing has become of it: -EAGAIN, no room; -ENODEV; -E2BIG,
 * the chain can never be taken; and without untwist_intake.results, what is
 * wrong with it.
 */
int untwist_intake_take(struct untwist_intake *in, const struct untwist_sqe *sqe)
{
	const struct untwist_opcode *op;

	if (untwist_sqe_is_plain(sqe) && intake_enter(in) && way_is_clear(in)) {
		op = untwist_opcode_find(in->ch->ud, sqe->opcode);
		if (op->execute)
			return execute_now(in, sqe, op, NULL);
	}
	return take_any(in, sqe);
}

/*
 * How many entries may be taken the short way now. Asked once for what is posted
 * together: what finishes meanwhile did not finish before.
 */
static u32 run_length(struct untwist_intake *in, u32 n)
{
	if (!intake_enter(in) || !way_is_clear(in))
		return 0;
	if (!in->credits)
		in->credits = untwist_cq_reserve(&in->ch->requests.cq, n);
	return min3(n, in->credits, UNTWIST_INTAKE_BATCH - in->nr_cqes);
}

/*
 * Take plain entries until there is another, which is left in @sqe: the loop that
 * a command goes through, so nothing is in it that could be outside.
 */
static u32 run_plain(struct untwist_intake *in, const struct untwist_sqe *sqes, u32 mask, u32 head,
		     u32 n, struct untwist_sqe *sqe)
{
	struct untwist_channel *ch = in->ch;
	struct untwist_cqe *cqe = &in->cqes[in->nr_cqes];
	const struct untwist_opcode *op;
	u32 taken;

	for (taken = 0; taken < n; taken++, cqe++) {
		untwist_sqe_copy(sqe, &sqes[(head + taken) & mask]);
		if (!untwist_sqe_is_plain(sqe))
			break;
		op = untwist_opcode_find(ch->ud, sqe->opcode);
		if (!op->execute)
			break;
		untwist_call(ch, sqe, op, NULL, cqe);
	}
	in->credits -= taken;
	in->nr_cqes += taken;
	if (in->nr_cqes == UNTWIST_INTAKE_BATCH)
		intake_flush(in);
	return taken;
}

/**
 * untwist_intake_run() - take entries that lie in a ring
 * @in: submission, whose completions go to the CQ
 * @sqes: the ring, whose memory others may change at any time
 * @mask: its length less one
 * @head: where the first is; runs free
 * @n: how many
 * @error: set to why there are not more, as untwist_intake_take(); or to 0
 *
 * Context: as untwist_intake_take().
 *
 * Return: how many were taken; the last ones may be a chain that has no end yet.
 */
u32 untwist_intake_run(struct untwist_intake *in, const struct untwist_sqe *sqes, u32 mask,
		       u32 head, u32 n, int *error)
{
	struct untwist_sqe sqe __uninitialized;
	u32 taken = 0;

	*error = 0;
	while (taken < n) {
		u32 most = run_length(in, n - taken);
		u32 plain = run_plain(in, sqes, mask, head + taken, most, &sqe);

		taken += plain;
		if (most && plain == most)
			continue;
		/* Each entry is read once: another one by run_plain(), unless that had no leave. */
		if (!most)
			untwist_sqe_copy(&sqe, &sqes[(head + taken) & mask]);
		*error = take_any(in, &sqe);
		if (*error)
			break;
		taken++;
	}
	return taken;
}

/**
 * untwist_intake_end_chain() - nothing more belongs to the chain: begin it
 * @in: submission
 */
void untwist_intake_end_chain(struct untwist_intake *in)
{
	struct untwist_channel *ch = in->ch;
	struct untwist_slot *first = in->first;
	unsigned int posted;

	if (!first)
		return;
	intake_flush(in);
	/* One user for each request: until it is posted, the driver stays. */
	refcount_add((int)in->length, &ch->users);
	in->first = NULL;
	in->last = NULL;
	in->length = 0;
	posted = untwist_slots_begin(ch, first);
	in->posted += posted;
	if (posted)
		untwist_channel_leave(ch, posted);
}

/**
 * untwist_intake_drop_chain() - the chain that was begun cannot be taken
 * @in: submission
 *
 * Return: how many entries it had.
 */
u32 untwist_intake_drop_chain(struct untwist_intake *in)
{
	struct untwist_slot *slot = in->first;
	u32 length = in->length;

	/* Who is told of the room may be so by the work, which needs the device. */
	if (slot)
		intake_enter(in);
	while (slot) {
		struct untwist_slot *next = slot->next;

		untwist_slot_untake(in->ch, slot);
		slot = next;
	}
	in->first = NULL;
	in->last = NULL;
	in->length = 0;
	return length;
}

/**
 * untwist_intake_end() - the submission is over
 * @in: submission
 *
 * Context: process, may sleep. Wakes who reads, once.
 */
void untwist_intake_end(struct untwist_intake *in)
{
	struct untwist_channel *ch = in->ch;

	intake_flush(in);
	if (in->credits && untwist_cq_unreserve(&ch->requests.cq, in->credits) &&
	    !untwist_channel_dead(ch))
		untwist_channel_wake(ch, EPOLLOUT | EPOLLWRNORM);
	in->credits = 0;
	if (in->posted)
		untwist_channel_wake_posted(ch);
	in->posted = 0;
	intake_leave(in);
}

/**
 * untwist_requests_submit() - take requests from an array of a program's
 * @ch: channel
 * @submit: as the program gave it
 *
 * Context: process, of the program; may sleep.
 *
 * Return: how many entries were taken, at least 1; or why the first was not,
 * see UNTWIST_IOC_SUBMIT.
 */
int untwist_requests_submit(struct untwist_channel *ch, const struct untwist_submit *submit)
{
	const void __user *entries = u64_to_user_ptr(submit->entries);
	struct untwist_intake in __uninitialized;
	struct untwist_sqe sqe __uninitialized;
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

	untwist_intake_init(&in, ch, false);
	ret = untwist_requests_make(ch);
	while (!ret && taken < submit->count) {
		/* Others may read as fast as this submits; a chain is taken whole. */
		if (taken && !in.first && signal_pending(current))
			break;
		intake_leave(&in);
		ret = copy_struct_from_user(&sqe, sizeof(sqe),
					    entries + (size_t)taken * submit->entry_size,
					    submit->entry_size);
		if (!ret)
			ret = untwist_intake_take(&in, &sqe);
		if (!ret)
			taken++;
	}
	if (ret)
		taken -= untwist_intake_drop_chain(&in);
	else
		untwist_intake_end_chain(&in);
	untwist_intake_end(&in);
	return taken ? taken : ret;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_requests_submit);
