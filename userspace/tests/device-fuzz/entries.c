// SPDX-License-Identifier: MIT
/* Untwist's structures, filled in as programs might. */
#include <stdint.h>

#include <linux/untwist_loop.h>

#include "entries.h"
#include "window.h"

#define MS 1000000ULL

__u64 any_user_data(struct dice *dice)
{
	return dice_below(dice, 32);
}

/* How long requests take, and how long they may: mostly short, to see them end. */
static __u64 any_time(struct dice *dice)
{
	switch (dice_below(dice, 8)) {
	case 0:
		return dice_number(dice);
	case 1:
		return 60000 * MS;
	case 2:
	case 3:
		return dice_below(dice, 3 * MS);
	default:
		return 0;
	}
}

static __u32 any_sqe_flags(struct dice *dice)
{
	static const __u32 flags[] = {
		0,
		UNTWIST_SQE_LINK,
		UNTWIST_SQE_HARDLINK,
		UNTWIST_SQE_DRAIN,
		UNTWIST_SQE_DRAIN | UNTWIST_SQE_LINK,
		UNTWIST_SQE_MULTISHOT,
		UNTWIST_SQE_ARENA,
	};

	if (dice_one_in(dice, 2))
		return 0;
	return flags[dice_below(dice, sizeof(flags) / sizeof(flags[0]))];
}

static void fill_payload(struct dice *dice, struct untwist_sqe *sqe)
{
	sqe->len = dice_length(dice, 4096);
	if (!sqe->len)
		return;
	if (sqe->flags & UNTWIST_SQE_ARENA)
		sqe->addr = dice_length(dice, 65536);
	else
		sqe->addr = (uintptr_t)ground_any(dice, sqe->len);
}

struct untwist_sqe any_sqe(struct dice *dice)
{
	static const __u32 opcodes[] = {
		UNTWIST_OP_NOP,	       UNTWIST_LOOP_OP_ECHO,  UNTWIST_LOOP_OP_ECHO,
		UNTWIST_LOOP_OP_ECHO,  UNTWIST_LOOP_OP_VALUE, UNTWIST_LOOP_OP_TICKS,
		UNTWIST_LOOP_OP_FAULT, UNTWIST_LOOP_OP_EVENT, UNTWIST_LOOP_OP_END,
	};
	struct untwist_sqe sqe = {
		.user_data = any_user_data(dice),
		.opcode = opcodes[dice_below(dice, sizeof(opcodes) / sizeof(opcodes[0]))],
		.flags = any_sqe_flags(dice),
		.timeout_ns = dice_one_in(dice, 4) ? any_time(dice) : 0,
	};

	switch (sqe.opcode) {
	case UNTWIST_LOOP_OP_ECHO:
		sqe.arg[0] = any_time(dice);
		if (dice_one_in(dice, 2))
			fill_payload(dice, &sqe);
		break;
	case UNTWIST_LOOP_OP_TICKS:
		/* Quicker ones would leave no processor to anybody else. */
		sqe.flags |= UNTWIST_SQE_MULTISHOT;
		sqe.arg[0] = MS / 2 + dice_below(dice, 5 * MS);
		sqe.arg[1] = dice_below(dice, 8);
		break;
	case UNTWIST_LOOP_OP_END:
		/* It is for good: not too often. */
		if (!dice_one_in(dice, 16))
			sqe.opcode = UNTWIST_LOOP_OP_VALUE;
		break;
	default:
		sqe.arg[0] = dice_number(dice);
		/* On edu, these numbers move payloads, some of them in place. */
		if (dice_one_in(dice, 3)) {
			sqe.arg[0] = dice_below(dice, 4096);
			fill_payload(dice, &sqe);
		}
	}
	if (dice_one_in(dice, 16))
		dice_mutate(dice, &sqe, sizeof(sqe));
	return sqe;
}

struct untwist_ring_setup any_setup(struct dice *dice)
{
	struct untwist_ring_setup setup = {
		.flags = dice_one_in(dice, 4) ? UNTWIST_RING_SQPOLL : 0,
		.sq_entries = 1 + dice_below(dice, 64),
		.idle_us = dice_below(dice, 3000),
		.arena_size = dice_one_in(dice, 2) ? dice_length(dice, 65536) : 0,
	};

	if (dice_one_in(dice, 2))
		setup.cq_entries = setup.sq_entries * (1 + dice_below(dice, 3));
	if (dice_one_in(dice, 8))
		dice_mutate(dice, &setup, sizeof(setup));
	return setup;
}

/* The signal that gets callers out of their sleep is rarely blocked. */
struct untwist_ring_enter any_enter(struct dice *dice)
{
	struct untwist_ring_enter enter = {
		.to_submit = dice_below(dice, 80),
		.min_complete = dice_one_in(dice, 2) ? dice_below(dice, 20) : 0,
		.flags = UNTWIST_ENTER_TIMEOUT,
		.timeout_ns = dice_below(dice, 5 * MS),
	};

	if (dice_one_in(dice, 4)) {
		enter.flags = UNTWIST_ENTER_WAKE;
		enter.timeout_ns = 0;
	}
	if (dice_one_in(dice, 8)) {
		enter.flags |= UNTWIST_ENTER_SIGMASK;
		enter.sigmask = dice_one_in(dice, 32) ? dice_number(dice) : 1;
	}
	if (dice_one_in(dice, 16))
		dice_mutate(dice, &enter, sizeof(enter));
	return enter;
}

struct untwist_options any_options(struct dice *dice)
{
	struct untwist_options options = {
		.rx_size = dice_one_in(dice, 2) ? dice_length(dice, 65536) : 0,
		.tx_size = dice_one_in(dice, 2) ? dice_length(dice, 65536) : 0,
		.overflow = dice_below(dice, 3),
		.flags = dice_below(dice, 2),
	};

	if (dice_one_in(dice, 16))
		dice_mutate(dice, &options, sizeof(options));
	return options;
}

unsigned long any_size(struct dice *dice, unsigned long cmd)
{
	if (!dice_one_in(dice, 8))
		return cmd;
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), dice_length(dice, 200) & 0x3fff);
}
