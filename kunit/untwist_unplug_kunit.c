// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races with the unplug, again and again: whatever it meets, each request
 * completes exactly once, each channel is closed exactly once, and unregister
 * comes to its end.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "bout.h"
#include "channel.h"
#include "stats.h"

/* Where each round takes a device of its own. */
#define DEVICE_ROUNDS 50

/* What untwist_unregister() does to each channel. */
static void unplug(struct bout *bout)
{
	untwist_channel_kill(bout->p->ch);
	untwist_channel_shut(bout->p->ch);
}

static void unplug_left(void *arg)
{
	unplug(arg);
}

/* In the middle of the other side's steps; at another one in each round. */
static void unplug_right(void *arg)
{
	struct bout *bout = arg;
	unsigned int i = bout->rounds % BOUT_BATCH;

	bout_step_right(bout, i);
	unplug(bout);
}

static void await_end(struct bout *bout)
{
	struct completion *closed = &bout->p->ch->closed;

	KUNIT_ASSERT_NE_MSG(bout->test, wait_for_completion_timeout(closed, TEST_LIMIT), 0ul,
			    "unregister would wait for ever");
	KUNIT_ASSERT_EQ(bout->test, (int)bout->rounds, fake_calls(bout->fake, FAKE_CLOSE));
}

static void after_unplug(void *arg)
{
	struct bout *bout = arg;
	s32 res[BOUT_BATCH];
	unsigned int i;

	await_end(bout);
	bout_read_all(bout, res);
	for (i = 0; i < BOUT_BATCH; i++) {
		/* Cancelled by the program, and posted when the device was still there. */
		KUNIT_ASSERT_TRUE(bout->test,
				  res[i] == 1 || res[i] == -ENODEV || res[i] == -ECANCELED);
		bout_score(bout, res[i] != 1);
	}
	program_close(bout->p);
}

static void complete_races_unplug(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = bout_open_and_ask,
		.left = unplug_left,
		.right = bout_complete_right,
		.after = after_unplug,
		.arg = bout,
	};

	test_race_run(test, &race, BOUT_ROUNDS);
	bout_expect_score(bout, BOUT_TOTAL);
}

/* Each request is cancelled once, by the program or by the unplug. */
static void cancel_races_unplug(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = bout_open_and_ask,
		.left = bout_cancel_left,
		.right = unplug_right,
		.after = after_unplug,
		.arg = bout,
	};

	test_race_run(test, &race, BOUT_ROUNDS);
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL, fake_calls(bout->fake, FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL, atomic_read(&bout->fake->completed));
}

/* A request that the unplug has not seen is cancelled all the same. */

static void submit_left(void *arg)
{
	struct bout *bout = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		bout_step_left(bout, i);
		bout->rets[i] = program_ask(bout->p, &(struct ask){ bout->first + i });
	}
}

static void after_submit_and_unplug(void *arg)
{
	struct bout *bout = arg;
	struct untwist_cqe cqe;
	unsigned int i;

	await_end(bout);
	for (i = 0; i < BOUT_BATCH && bout->rets[i] == 1; i++) {
		cqe = program_await(bout->p);
		KUNIT_ASSERT_EQ(bout->test, -ENODEV, cqe.res);
		bout_score(bout, true);
	}
	for (; i < BOUT_BATCH; i++) {
		KUNIT_ASSERT_EQ(bout->test, -ENODEV, bout->rets[i]);
		bout_score(bout, false);
	}
	KUNIT_ASSERT_EQ(bout->test, 0, program_completions(bout->p, &cqe, 1));
	program_close(bout->p);
}

static void submit_races_unplug(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = bout_open,
		.left = submit_left,
		.right = unplug_right,
		.after = after_submit_and_unplug,
		.arg = bout,
	};

	test_race_run(test, &race, BOUT_ROUNDS);
	bout_expect_score(bout, BOUT_TOTAL);
	KUNIT_EXPECT_EQ(test, (int)bout->left_wins, atomic_read(&bout->fake->completed));
}

/* The same with devices that really go. */

static void before_register(void *arg)
{
	struct bout *bout = arg;
	const struct untwist_config config = { .requests_max = BOUT_BATCH };

	bout_begin_round(bout);
	bout->fake = fake_register(bout->test, &config);
}

static void before_register_and_ask(void *arg)
{
	struct bout *bout = arg;

	before_register(bout);
	KUNIT_ASSERT_EQ(bout->test, 0, program_open(bout->p, bout->fake, O_NONBLOCK));
	bout_ask_all(bout);
}

static void unregister_left(void *arg)
{
	struct bout *bout = arg;

	fake_unregister(bout->fake);
}

static void after_unregister(void *arg)
{
	struct bout *bout = arg;
	s32 res[BOUT_BATCH];
	unsigned int i;

	KUNIT_ASSERT_EQ(bout->test, 1, fake_calls(bout->fake, FAKE_CLOSE));
	bout_read_all(bout, res);
	for (i = 0; i < BOUT_BATCH; i++) {
		KUNIT_ASSERT_TRUE(bout->test, res[i] == 1 || res[i] == -ENODEV);
		bout_score(bout, res[i] != 1);
	}
	program_close(bout->p);
	KUNIT_ASSERT_EQ(bout->test, 1, fake_calls(bout->fake, FAKE_CLOSE));
}

static void complete_races_unregister(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = before_register_and_ask,
		.left = unregister_left,
		.right = bout_complete_right,
		.after = after_unregister,
		.arg = bout,
	};

	fake_unregister(bout->fake);
	test_race_run(test, &race, DEVICE_ROUNDS);
	bout_expect_score(bout, DEVICE_ROUNDS * BOUT_BATCH);
}

static void open_right(void *arg)
{
	struct bout *bout = arg;

	bout->right_ret = program_open(bout->p, bout->fake, O_NONBLOCK);
}

static void after_open_and_unregister(void *arg)
{
	struct bout *bout = arg;
	int ret = bout->right_ret;

	/* Gone: with its node, with its number, or on the way. */
	KUNIT_ASSERT_TRUE(bout->test, !ret || ret == -ENOENT || ret == -ENXIO || ret == -ENODEV);
	KUNIT_ASSERT_EQ(bout->test, fake_calls(bout->fake, FAKE_OPEN),
			fake_calls(bout->fake, FAKE_CLOSE));
	if (!ret)
		KUNIT_ASSERT_EQ(bout->test, -ENODEV, program_ask(bout->p, &(struct ask){ 1 }));
	program_close(bout->p);
	bout_score(bout, ret);
}

static void open_races_unregister(struct kunit *test)
{
	struct bout *bout = bout_new(test, NULL);
	const struct test_race race = {
		.before = before_register,
		.left = unregister_left,
		.right = open_right,
		.after = after_open_and_unregister,
		.arg = bout,
	};

	fake_unregister(bout->fake);
	test_race_run(test, &race, DEVICE_ROUNDS);
	bout_expect_score(bout, DEVICE_ROUNDS);
}

/* clang-format off */
static struct kunit_case unplug_cases[] = {
	KUNIT_CASE_SLOW(complete_races_unplug),
	KUNIT_CASE_SLOW(cancel_races_unplug),
	KUNIT_CASE_SLOW(submit_races_unplug),
	KUNIT_CASE_SLOW(complete_races_unregister),
	KUNIT_CASE_SLOW(open_races_unregister),
	{}
};

/* clang-format on */

static struct kunit_suite unplug_suite = {
	.name = "untwist_unplug",
	.test_cases = unplug_cases,
};

kunit_test_suite(unplug_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's unplug");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
