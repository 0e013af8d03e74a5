/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * execute.c APIs: the short way, of requests that need no waiting. What each of
 * them goes through is inline: with a ring there is not much else that it costs.
 */
#ifndef UNTWIST_EXECUTE_H
#define UNTWIST_EXECUTE_H

#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/untwist.h>

#include "channel.h"
#include "payload.h"
#include "power.h"
#include "trace.h"

extern const struct untwist_opcode untwist_nop_op;
extern const struct untwist_opcode untwist_unknown_op;

s32 untwist_call_execute(struct untwist_channel *ch, const struct untwist_sqe *sqe,
			 const struct untwist_opcode *op, const struct untwist_payload *payload,
			 u64 value[2]);
int untwist_execute(struct untwist_channel *ch, const struct untwist_sqe *sqe,
		    struct untwist_cqe *cqe);

/**
 * untwist_opcode_find() - what a device does with an opcode
 * @ud: device, within untwist_channel_enter() of one of its channels
 * @opcode: from a program
 *
 * Return: the opcode's entry, which stays until the channel is left; one that
 * fails with EOPNOTSUPP for an opcode that the device does not know.
 */
static inline const struct untwist_opcode *untwist_opcode_find(const struct untwist_device *ud,
							       u32 opcode)
{
	unsigned int nr = ud->config.nr_opcodes;

	if (opcode == UNTWIST_OP_NOP)
		return &untwist_nop_op;
	if (opcode < UNTWIST_OP_DRIVER || opcode - UNTWIST_OP_DRIVER >= nr)
		return &untwist_unknown_op;
	return &ud->config.opcodes[array_index_nospec(opcode - UNTWIST_OP_DRIVER, nr)];
}

/*
 * The short way: no slot, no state, no work. Not for what is part of something
 * greater, nor past what finished before and is still on its way; nor for a
 * device that may sleep.
 */
static inline bool untwist_way_is_clear(const struct untwist_channel *ch)
{
	const struct untwist_requests *rq = &ch->requests;

	return !untwist_power_managed(&ch->ud->config) && !READ_ONCE(rq->draining) &&
		list_empty(&rq->backlog) && !atomic_read(&rq->nr_done);
}

/*
 * Whether there is nothing to it but its opcode: no payload, no chain, and no
 * fault in what every opcode has.
 */
static inline bool untwist_sqe_is_plain(const struct untwist_sqe *sqe)
{
	return !(sqe->flags | sqe->addr | sqe->len | sqe->reserved0 | sqe->reserved1);
}

/* Inline, for most have no payload, and nothing is to be called for the empty one. */
static __always_inline void untwist_call(struct untwist_channel *ch, const struct untwist_sqe *sqe,
					 const struct untwist_opcode *op,
					 struct untwist_payload *payload, struct untwist_cqe *cqe)
{
	trace_untwist_submit(ch, 0, sqe->user_data, sqe->opcode, payload ? payload->len : 0);
	*cqe = (struct untwist_cqe){ .user_data = sqe->user_data };
	if (op != &untwist_nop_op)
		cqe->res = untwist_call_execute(ch, sqe, op, payload, cqe->value);
	if (payload && payload->len)
		untwist_payload_return(payload, max(cqe->res, 0));
	trace_untwist_post(ch, 0, sqe->user_data, sqe->opcode, cqe->res);
}

#endif /* UNTWIST_EXECUTE_H */
