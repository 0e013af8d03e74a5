// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two sides of the core that race about requests: what such races have in
 * common. The left side is the program, the right side mostly the driver.
 */
#include <linux/export.h>

#include "bout.h"
#include "channel.h"

/**
 * bout_new() - begin a bout
 * @test: test that it ends with
 * @ops: of the fake; NULL, all
 *
 * Return: the bout, with a device and a program that has nothing open.
 */
struct bout *bout_new(struct kunit *test, const struct untwist_ops *ops)
{
	const struct untwist_config config = { .ops = ops, .requests_max = BOUT_BATCH };
	struct bout *bout = kunit_kzalloc(test, sizeof(*bout), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bout);
	bout->test = test;
	bout->fake = fake_register(test, &config);
	bout->p = program_new(test);
	return bout;
}
EXPORT_SYMBOL_GPL(bout_new);

/**
 * bout_begin_round() - count a round and its requests
 * @bout: bout
 */
void bout_begin_round(struct bout *bout)
{
	bout->rounds++;
	bout->first += BOUT_BATCH;
	bout->left_at = 0;
	bout->right_at = 0;
}
EXPORT_SYMBOL_GPL(bout_begin_round);

/**
 * bout_step_left() - the left side comes to a request
 * @bout: bout
 * @i: which
 */
void bout_step_left(struct bout *bout, unsigned int i)
{
	test_race_step(&bout->left_at, &bout->right_at, i + 1);
}
EXPORT_SYMBOL_GPL(bout_step_left);

/**
 * bout_step_right() - the right side comes to a request
 * @bout: bout
 * @i: which
 */
void bout_step_right(struct bout *bout, unsigned int i)
{
	test_race_step(&bout->right_at, &bout->left_at, i + 1);
}
EXPORT_SYMBOL_GPL(bout_step_right);

/**
 * bout_ask_all() - submit the requests of a round; the fake holds them
 * @bout: bout
 */
void bout_ask_all(struct bout *bout)
{
	struct ask asks[BOUT_BATCH] = {};
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		asks[i].user_data = bout->first + i;
		asks[i].opcode = bout->opcode;
	}
	KUNIT_ASSERT_EQ(bout->test, BOUT_BATCH, program_submit(bout->p, asks, BOUT_BATCH));
	KUNIT_ASSERT_EQ(bout->test, BOUT_BATCH, fake_held(bout->fake, bout->reqs, BOUT_BATCH));
}
EXPORT_SYMBOL_GPL(bout_ask_all);

/**
 * bout_ask() - begin a round on the channel that is open
 * @arg: bout
 */
void bout_ask(void *arg)
{
	bout_begin_round(arg);
	bout_ask_all(arg);
}
EXPORT_SYMBOL_GPL(bout_ask);

/**
 * bout_open() - begin a round on a channel of its own
 * @arg: bout
 */
void bout_open(void *arg)
{
	struct bout *bout = arg;

	bout_begin_round(bout);
	KUNIT_ASSERT_EQ(bout->test, 0, program_open_channel(bout->p, bout->fake));
}
EXPORT_SYMBOL_GPL(bout_open);

/**
 * bout_open_and_ask() - begin a round on a channel of its own, with requests
 * @arg: bout
 */
void bout_open_and_ask(void *arg)
{
	bout_open(arg);
	bout_ask_all(arg);
}
EXPORT_SYMBOL_GPL(bout_open_and_ask);

/**
 * bout_cancel_left() - the program cancels one after another
 * @arg: bout
 */
void bout_cancel_left(void *arg)
{
	struct bout *bout = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		bout_step_left(bout, i);
		bout->rets[i] = program_cancel(bout->p, bout->first + i);
	}
}
EXPORT_SYMBOL_GPL(bout_cancel_left);

/**
 * bout_complete_right() - the driver completes what no cancel has taken from it
 * @arg: bout
 */
void bout_complete_right(void *arg)
{
	struct bout *bout = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		bout_step_right(bout, i);
		if (fake_take_this(bout->fake, bout->reqs[i]))
			fake_complete(bout->reqs[i], TEST_HERE, 1);
	}
}
EXPORT_SYMBOL_GPL(bout_complete_right);

/**
 * bout_read_all() - each request of the round has completed, and only once
 * @bout: bout, whose test fails otherwise
 * @res: filled in with the results, in the order of submission
 */
void bout_read_all(struct bout *bout, s32 *res)
{
	struct untwist_cqe cqe;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++)
		res[i] = 0;
	for (i = 0; i < BOUT_BATCH; i++) {
		u64 which;

		cqe = program_await(bout->p);
		which = cqe.user_data - bout->first;
		KUNIT_ASSERT_LT(bout->test, which, (u64)BOUT_BATCH);
		KUNIT_ASSERT_EQ(bout->test, 0, res[which]);
		KUNIT_ASSERT_NE(bout->test, 0, cqe.res);
		res[which] = cqe.res;
	}
	KUNIT_ASSERT_EQ(bout->test, 0, program_completions(bout->p, &cqe, 1));
}
EXPORT_SYMBOL_GPL(bout_read_all);

/**
 * bout_score() - count whose it was
 * @bout: bout
 * @left: it was the left side's
 */
void bout_score(struct bout *bout, bool left)
{
	if (left)
		bout->left_wins++;
	else
		bout->right_wins++;
}
EXPORT_SYMBOL_GPL(bout_score);

/**
 * bout_expect_score() - the counts of both sides add up
 * @bout: bout
 * @sum: to what
 */
void bout_expect_score(struct bout *bout, unsigned int sum)
{
	kunit_info(bout->test, "left won %u times, right %u times\n", bout->left_wins,
		   bout->right_wins);
	KUNIT_EXPECT_EQ(bout->test, sum, bout->left_wins + bout->right_wins);
}
EXPORT_SYMBOL_GPL(bout_expect_score);
