// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short way for requests that need no waiting, as far as it is not inline.
 */
#include "channel.h"
#include "execute.h"
#include "pages.h"
#include "payload.h"

static s32 nop_execute(struct untwist_request *req)
{
	return 0;
}

static s32 unknown_execute(struct untwist_request *req)
{
	return -EOPNOTSUPP;
}

const struct untwist_opcode untwist_nop_op = { .name = "nop", .execute = nop_execute };
const struct untwist_opcode untwist_unknown_op = {
	.name = "unknown",
	.execute = unknown_execute,
};

/**
 * untwist_call_execute() - have the driver do a request
 * @ch: channel, within untwist_channel_enter()
 * @sqe: entry
 * @op: its opcode's
 * @payload: its payload; NULL, none
 * @value: set to the further results
 *
 * Context: process, may sleep.
 *
 * Return: the result.
 */
s32 untwist_call_execute(struct untwist_channel *ch, const struct untwist_sqe *sqe,
			 const struct untwist_opcode *op, const struct untwist_payload *payload,
			 u64 value[2])
{
	struct untwist_request req = {
		.channel = ch,
		.opcode = sqe->opcode,
		.len = payload ? payload->len : 0,
		.payload = payload && !payload->in_place ? payload->data : NULL,
		.sgt = payload ? untwist_payload_table(payload) : NULL,
		.arg = { sqe->arg[0], sqe->arg[1] },
		.node = LIST_HEAD_INIT(req.node),
	};
	s32 res;

	untwist_call_begin(ch->ud);
	res = op->execute(&req);
	untwist_call_end(ch->ud);
	value[0] = req.value[0];
	value[1] = req.value[1];
	if (res < 0)
		untwist_count(ch->ud, UNTWIST_STAT_ERRORS, 1);
	return res;
}

/**
 * untwist_execute() - take one entry for itself, if it can execute at once
 * @ch: channel
 * @sqe: entry, which nobody else can change any more
 * @cqe: its completion, filled in for the caller, who tells the program
 *
 * Context: process, may sleep.
 *
 * Return: 1, and it is complete; 0, it takes a submission; -ENODEV.
 */
int untwist_execute(struct untwist_channel *ch, const struct untwist_sqe *sqe,
		    struct untwist_cqe *cqe)
{
	const struct untwist_opcode *op;
	int ret = 0;

	if (!untwist_sqe_is_plain(sqe))
		return 0;
	if (!untwist_channel_enter(ch))
		return -ENODEV;
	op = untwist_opcode_find(ch->ud, sqe->opcode);
	if (op->execute && untwist_way_is_clear(ch)) {
		untwist_call(ch, sqe, op, NULL, cqe);
		untwist_count(ch->ud, UNTWIST_STAT_REQUESTS, 1);
		untwist_count(ch->ud, UNTWIST_STAT_COMPLETIONS, 1);
		ret = 1;
	}
	untwist_channel_leave(ch, 1);
	return ret;
}
