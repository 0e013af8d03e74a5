// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that wait, in a chain or behind a drain: what may happen to them
 * while they do. Each row of the table is a test case. The driver never sees
 * one that ends before its turn.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stats.h"

#define MILLISECOND 1000000ull

static struct untwist_sqe plain(u64 user_data, u32 flags)
{
	return (struct untwist_sqe){
		.user_data = user_data,
		.opcode = FAKE_OP_PLAIN,
		.flags = flags,
		.arg = { FAKE_ARG0(FAKE_HOLD, TEST_HERE) },
	};
}

static int submit(struct program *p, const struct untwist_sqe *sqes, unsigned int count)
{
	struct untwist_submit submit = { .count = count, .entry_size = sizeof(*sqes) };

	return program_submit_entries(p, &submit, sqes);
}

static void expect_next(struct kunit *test, struct program *p, u64 user_data, s32 res)
{
	struct untwist_cqe cqe = program_await(p);

	KUNIT_EXPECT_EQ(test, user_data, cqe.user_data);
	KUNIT_EXPECT_EQ(test, res, cqe.res);
}

/* The first is the driver's, the second waits for it. */

enum event {
	ITS_CANCEL,
	ITS_TIMEOUT,
	CLOSE,
	UNPLUG,
};

/* How it waits: the flags of the first, and its own. */
enum place {
	CHAIN,
	HARD_CHAIN,
	BACKLOG,
};

static const u32 place_flags[][2] = {
	[CHAIN] = { UNTWIST_SQE_LINK, 0 },
	[HARD_CHAIN] = { UNTWIST_SQE_HARDLINK, 0 },
	[BACKLOG] = { 0, UNTWIST_SQE_DRAIN },
};

struct waiting_case {
	const char *name;
	enum place place;
	enum event event;
	s32 res;
	bool without_cancel;
};

static const struct waiting_case waiting_cases[] = {
	{ "in a chain, cancel", CHAIN, ITS_CANCEL, -ECANCELED },
	{ "in a chain, timeout", CHAIN, ITS_TIMEOUT, -ETIME },
	{ "in a chain, close", CHAIN, CLOSE },
	{ "in a chain, unplug", CHAIN, UNPLUG, -ENODEV },
	{ "in a hard chain, cancel", HARD_CHAIN, ITS_CANCEL, -ECANCELED },
	{ "in a hard chain, timeout", HARD_CHAIN, ITS_TIMEOUT, -ETIME },
	{ "in the backlog, cancel", BACKLOG, ITS_CANCEL, -ECANCELED },
	{ "in the backlog, timeout", BACKLOG, ITS_TIMEOUT, -ETIME },
	{ "in a chain, no cancel operation, cancel", CHAIN, ITS_CANCEL, -ECANCELED, true },
	{ "in a chain, no cancel operation, timeout", CHAIN, ITS_TIMEOUT, -ETIME, true },
	{ "in a hard chain, no cancel operation, close", HARD_CHAIN, CLOSE, 0, true },
	{ "in the backlog, no cancel operation, cancel", BACKLOG, ITS_CANCEL, -ECANCELED, true },
	{ "in the backlog, no cancel operation, timeout", BACKLOG, ITS_TIMEOUT, -ETIME, true },
	{ "in the backlog, no cancel operation, close", BACKLOG, CLOSE, 0, true },
};

KUNIT_ARRAY_PARAM_DESC(waiting, waiting_cases, name);

static void expect_it_ended_alone(struct kunit *test, struct program *p, struct fake *fake, s32 res)
{
	expect_next(test, p, 2, res);
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 2));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake, 5));
	expect_next(test, p, 1, 5);
}

static void expect_both_ended(struct kunit *test, struct program *p, struct fake *fake, s32 res)
{
	struct untwist_cqe cqes[3];

	fake_unregister(fake);
	KUNIT_ASSERT_EQ(test, 2, program_completions(p, cqes, 3));
	KUNIT_EXPECT_EQ(test, res, cqes[0].res);
	KUNIT_EXPECT_EQ(test, res, cqes[1].res);
}

static void expect_close_ended_them(struct kunit *test, struct program *p, struct fake *fake)
{
	fake_gate_shut(fake, FAKE_CLOSE);
	program_close(p);
	fake_complete_held(fake, 5);
	fake_gate_await(test, fake, FAKE_CLOSE);
	fake_gate_open(fake, FAKE_CLOSE);
	KUNIT_EXPECT_EQ(test, 2ul, fake_stat(fake, UNTWIST_STAT_COMPLETIONS));
}

static void waiting_one_ends_unseen(struct kunit *test)
{
	const struct waiting_case *c = test->param_value;
	const struct untwist_config config = {
		.ops = c->without_cancel ? &fake_ops_without_cancel : &fake_ops,
	};
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	const u32 *flags = place_flags[c->place];
	struct untwist_sqe sqes[2] = { plain(1, flags[0]), plain(2, flags[1]) };

	sqes[1].timeout_ns = c->event == ITS_TIMEOUT ? MILLISECOND : 0;
	KUNIT_ASSERT_EQ(test, 2, submit(p, sqes, 2));
	if (c->event == ITS_CANCEL)
		KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 2));
	if (c->event == CLOSE)
		expect_close_ended_them(test, p, fake);
	else if (c->event == UNPLUG)
		expect_both_ended(test, p, fake, c->res);
	else
		expect_it_ended_alone(test, p, fake, c->res);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
}

/* What one that ran leaves to the others. */

static void next_one_is_started_by_the_completion(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	const struct untwist_sqe sqes[] = { plain(1, UNTWIST_SQE_LINK), plain(2, 0) };

	KUNIT_ASSERT_EQ(test, 2, submit(p, sqes, 2));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
	fake_gate_shut(fake, FAKE_SUBMIT);
	fake_complete(fake_take(fake), TEST_HARDIRQ, 7);
	/* The first is told while the second is still being submitted. */
	fake_gate_await(test, fake, FAKE_SUBMIT);
	expect_next(test, p, 1, 7);
	fake_gate_open(fake, FAKE_SUBMIT);
	fake_complete(fake_take(fake), TEST_HARDIRQ, 8);
	expect_next(test, p, 2, 8);
	KUNIT_EXPECT_EQ(test, 2, fake_calls(fake, FAKE_SUBMIT));
}

static void backlog_goes_on_with_who_is_left(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	const struct untwist_sqe sqes[] = { plain(1, 0), plain(2, UNTWIST_SQE_DRAIN), plain(3, 0),
					    plain(4, 0) };

	KUNIT_ASSERT_EQ(test, 4, submit(p, sqes, 4));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 2));
	expect_next(test, p, 2, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 3, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, 3u, fake_complete_held(fake, 7));
	expect_next(test, p, 1, 7);
	expect_next(test, p, 3, 7);
	expect_next(test, p, 4, 7);
	KUNIT_EXPECT_EQ(test, 0u, p->ch->requests.nr_running);
}

/* All that was taken for a chain is given back when it cannot be taken. */
static void chain_is_taken_whole_or_not_at_all(struct kunit *test)
{
	const struct untwist_config config = { .requests_max = 4 };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct untwist_sqe sqes[6];
	unsigned int i;

	for (i = 0; i < 6; i++)
		sqes[i] = plain(i, UNTWIST_SQE_LINK);
	KUNIT_EXPECT_EQ(test, -E2BIG, submit(p, sqes, 5));
	sqes[3].reserved1 = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, submit(p, sqes, 4));
	sqes[3].reserved1 = 0;
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&p->ch->requests.cq.in_use));
	sqes[0].flags = 0;
	KUNIT_EXPECT_EQ(test, 1, submit(p, sqes, 5));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, 3, submit(p, sqes + 1, 3));
	KUNIT_EXPECT_EQ(test, 4, atomic_read(&p->ch->requests.cq.in_use));
}

/* clang-format off */
static struct kunit_case submit_cases[] = {
	KUNIT_CASE_PARAM(waiting_one_ends_unseen, waiting_gen_params),
	KUNIT_CASE(next_one_is_started_by_the_completion),
	KUNIT_CASE(backlog_goes_on_with_who_is_left),
	KUNIT_CASE(chain_is_taken_whole_or_not_at_all),
	{}
};

/* clang-format on */

static struct kunit_suite submit_suite = {
	.name = "untwist_submit",
	.test_cases = submit_cases,
};

kunit_test_suite(submit_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's chains");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
