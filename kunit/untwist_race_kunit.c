// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races of two threads, on two CPUs, again and again: whoever wins, a request
 * completes exactly once, and the counts of both sides add up.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "bout.h"
#include "channel.h"
#include "stats.h"

static void after_complete_and_cancel(void *arg)
{
	struct bout *bout = arg;
	s32 res[BOUT_BATCH];
	unsigned int i;

	bout_read_all(bout, res);
	for (i = 0; i < BOUT_BATCH; i++) {
		KUNIT_ASSERT_TRUE(bout->test, res[i] == 1 || res[i] == -ECANCELED);
		KUNIT_ASSERT_TRUE(bout->test, bout->rets[i] == 0 || bout->rets[i] == -ENOENT);
		/* Who was told that it was too late has not cancelled. */
		KUNIT_ASSERT_FALSE(bout->test, res[i] == -ECANCELED && bout->rets[i]);
		bout_score(bout, res[i] == -ECANCELED);
	}
}

static void complete_races_cancel(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = bout_ask,
		.left = bout_cancel_left,
		.right = bout_complete_right,
		.after = after_complete_and_cancel,
		.arg = bout,
	};

	KUNIT_ASSERT_EQ(test, 0, program_open_channel(bout->p, bout->fake));
	test_race_run(test, &race, BOUT_ROUNDS);
	bout_expect_score(bout, BOUT_TOTAL);
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL, atomic_read(&bout->fake->completed));
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL + 0ul, fake_stat(bout->fake, UNTWIST_STAT_COMPLETIONS));
	KUNIT_EXPECT_EQ(test, (unsigned long)fake_calls(bout->fake, FAKE_CANCEL),
			fake_stat(bout->fake, UNTWIST_STAT_CANCELS));
}

/* A driver that completes from two sides: a misuse each time, and no harm. */

static void complete_twice_left(void *arg)
{
	struct bout *bout = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		bout_step_left(bout, i);
		untwist_complete(bout->reqs[i], 1);
	}
}

static void complete_twice_right(void *arg)
{
	struct bout *bout = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		bout_step_right(bout, i);
		untwist_complete(bout->reqs[i], 2);
	}
}

static void take_all(void *arg)
{
	struct bout *bout = arg;

	bout_ask(bout);
	while (fake_take(bout->fake))
		;
}

static void after_complete_twice(void *arg)
{
	struct bout *bout = arg;
	s32 res[BOUT_BATCH];
	unsigned int i;

	bout_read_all(bout, res);
	for (i = 0; i < BOUT_BATCH; i++)
		bout_score(bout, res[i] == 1);
}

static void misuse_over(void *unused)
{
	WRITE_ONCE(untwist_misuse_expected, false);
}

static void complete_races_complete(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = take_all,
		.left = complete_twice_left,
		.right = complete_twice_right,
		.after = after_complete_twice,
		.arg = bout,
	};

	WRITE_ONCE(untwist_misuse_expected, true);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, misuse_over, NULL));
	KUNIT_ASSERT_EQ(test, 0, program_open_channel(bout->p, bout->fake));
	test_race_run(test, &race, BOUT_ROUNDS);
	bout_expect_score(bout, BOUT_TOTAL);
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL + 0ul, fake_stat(bout->fake, UNTWIST_STAT_MISUSES));
}

/* The file is closed: nobody reads the completions, but the driver's close waits for them. */

static void close_left(void *arg)
{
	struct bout *bout = arg;

	program_close(bout->p);
}

static void after_close(void *arg)
{
	struct bout *bout = arg;
	unsigned long end = jiffies + TEST_LIMIT;

	while (fake_calls(bout->fake, FAKE_CLOSE) != bout->rounds) {
		KUNIT_ASSERT_TRUE(bout->test, time_before(jiffies, end));
		cond_resched();
	}
	KUNIT_ASSERT_EQ(bout->test, (int)bout->rounds * BOUT_BATCH,
			atomic_read(&bout->fake->completed));
}

static void run_complete_and_close(struct kunit *test, const struct untwist_ops *ops)
{
	struct bout *bout = bout_new(test, ops);
	const struct test_race race = {
		.before = bout_open_and_ask,
		.left = close_left,
		.right = bout_complete_right,
		.after = after_close,
		.arg = bout,
	};

	test_race_run(test, &race, BOUT_ROUNDS);
	KUNIT_EXPECT_EQ(test, BOUT_ROUNDS, fake_calls(bout->fake, FAKE_OPEN));
	KUNIT_EXPECT_EQ(test, BOUT_ROUNDS, fake_calls(bout->fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL + 0ul, fake_stat(bout->fake, UNTWIST_STAT_COMPLETIONS));
}

static void complete_races_close(struct kunit *test)
{
	run_complete_and_close(test, &fake_ops);
}

static void complete_races_close_without_cancel(struct kunit *test)
{
	run_complete_and_close(test, &fake_ops_without_cancel);
}

/* clang-format off */
static struct kunit_case race_cases[] = {
	KUNIT_CASE_SLOW(complete_races_cancel),
	KUNIT_CASE_SLOW(complete_races_complete),
	KUNIT_CASE_SLOW(complete_races_close),
	KUNIT_CASE_SLOW(complete_races_close_without_cancel),
	{}
};

/* clang-format on */

static struct kunit_suite race_suite = {
	.name = "untwist_race",
	.test_cases = race_cases,
};

kunit_test_suite(race_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's races");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
