/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * submit.c APIs: how the entries that programs submit become requests.
 */
#ifndef UNTWIST_SUBMIT_H
#define UNTWIST_SUBMIT_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/untwist.h>

struct untwist_channel;
struct untwist_payload;
struct untwist_sink;
struct untwist_slot;

/* So many completions are posted at once. */
#define UNTWIST_INTAKE_BATCH 16

/**
 * struct untwist_intake - one submission, of many entries
 * @ch: channel
 * @results: what is wrong with an entry is its result; else it is the
 *	submission's
 * @sink: where the completion goes; NULL, to the CQ. With a sink, what executes
 *	at once leaves its completion in @cqes for the caller, and what does
 *	not waits for untwist_intake_end_chain().
 * @sink_data: for the sink
 * @no_memory: the caller has no program's memory: payloads are in the arena
 * @inside: between untwist_channel_enter() and untwist_channel_leave()
 * @first: the chain that is being put together
 * @last: its latest
 * @length: how many they are
 * @posted: completions posted so far, for one wake-up
 * @credits: credits taken and not yet used
 * @nr_cqes: completions that are still to be posted
 * @cqes: these
 */
struct untwist_intake {
	struct untwist_channel *ch;
	bool results;
	const struct untwist_sink *sink;
	void *sink_data;
	bool no_memory;
	bool inside;
	struct untwist_slot *first;
	struct untwist_slot *last;
	u32 length;
	u32 posted;
	u32 credits;
	u32 nr_cqes;
	struct untwist_cqe cqes[UNTWIST_INTAKE_BATCH];
};

/* Each word once: the entry is in memory that the program shares. */
static inline void untwist_sqe_copy(struct untwist_sqe *to, const struct untwist_sqe *from)
{
	to->user_data = READ_ONCE(from->user_data);
	to->opcode = READ_ONCE(from->opcode);
	to->flags = READ_ONCE(from->flags);
	to->addr = READ_ONCE(from->addr);
	to->len = READ_ONCE(from->len);
	to->reserved0 = READ_ONCE(from->reserved0);
	to->arg[0] = READ_ONCE(from->arg[0]);
	to->arg[1] = READ_ONCE(from->arg[1]);
	to->timeout_ns = READ_ONCE(from->timeout_ns);
	to->reserved1 = READ_ONCE(from->reserved1);
}

void untwist_intake_init(struct untwist_intake *in, struct untwist_channel *ch, bool results);
void untwist_intake_expect(struct untwist_intake *in, u32 n);
int untwist_intake_take(struct untwist_intake *in, const struct untwist_sqe *sqe);
u32 untwist_intake_run(struct untwist_intake *in, const struct untwist_sqe *sqes, u32 mask,
		       u32 head, u32 n, int *error);
void untwist_intake_end_chain(struct untwist_intake *in);
u32 untwist_intake_drop_chain(struct untwist_intake *in);
void untwist_intake_end(struct untwist_intake *in);

void untwist_slot_fill(struct untwist_slot *slot, const struct untwist_sqe *sqe,
		       const struct untwist_opcode *op, const struct untwist_payload *payload);
int untwist_requests_submit(struct untwist_channel *ch, const struct untwist_submit *submit);

#endif /* UNTWIST_SUBMIT_H */
