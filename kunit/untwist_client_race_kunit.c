// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races of clients, again and again: whoever wins, each call that was taken is
 * told to be complete exactly once, and nothing is told after the end.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "asker.h"
#include "bout.h"
#include "stats.h"
#include "thread.h"

/* Where each round takes a device of its own. */
#define DEVICE_ROUNDS 50

/**
 * struct dispute - what two threads race about
 * @test: test
 * @fake: fake
 * @asker: client
 * @questions: the calls of this round
 * @reqs: what the fake holds of them
 * @held: how many
 * @left_at: step of the left side
 * @right_at: step of the right side
 * @rets: what the left side was told, for each call
 */
struct dispute {
	struct kunit *test;
	struct fake *fake;
	struct asker *asker;
	struct question *questions[BOUT_BATCH];
	struct untwist_request *reqs[BOUT_BATCH];
	unsigned int held;
	unsigned int left_at;
	unsigned int right_at;
	int rets[BOUT_BATCH];
};

static const struct untwist_config dispute_config = { .requests_max = BOUT_BATCH };

static struct dispute *dispute_new(struct kunit *test)
{
	struct dispute *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->test = test;
	d->asker = asker_new(test);
	for (i = 0; i < BOUT_BATCH; i++)
		d->questions[i] = question_new(d->asker, FAKE_HOLD, 0);
	return d;
}

/* Beginnings of a round. */

static void begin(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	d->left_at = 0;
	d->right_at = 0;
	atomic_set(&d->asker->gones, 0);
	for (i = 0; i < BOUT_BATCH; i++)
		question_renew(d->questions[i]);
	if (!d->asker->client)
		KUNIT_ASSERT_EQ(d->test, 0, asker_open(d->asker, d->fake));
}

static void begin_and_ask(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	begin(d);
	for (i = 0; i < BOUT_BATCH; i++)
		KUNIT_ASSERT_EQ(d->test, 0, question_ask(d->questions[i]));
	d->held = fake_held(d->fake, d->reqs, BOUT_BATCH);
	KUNIT_ASSERT_EQ(d->test, (unsigned int)BOUT_BATCH, d->held);
}

static void begin_device(void *arg)
{
	struct dispute *d = arg;

	d->fake = fake_register(d->test, &dispute_config);
	begin(d);
}

static void begin_device_and_ask(void *arg)
{
	struct dispute *d = arg;

	d->fake = fake_register(d->test, &dispute_config);
	begin_and_ask(d);
}

/* Sides. */

static void complete_right(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		test_race_step(&d->right_at, &d->left_at, i + 1);
		if (fake_take_this(d->fake, d->reqs[i]))
			fake_complete(d->reqs[i], TEST_HERE, 1);
	}
}

static void cancel_left(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		test_race_step(&d->left_at, &d->right_at, i + 1);
		d->rets[i] = untwist_client_cancel(d->asker->client, &d->questions[i]->call);
	}
}

static void submit_left(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		test_race_step(&d->left_at, &d->right_at, i + 1);
		d->rets[i] = question_ask(d->questions[i]);
	}
}

static void close_left(void *arg)
{
	struct dispute *d = arg;

	test_race_step(&d->left_at, &d->right_at, 8);
	asker_close(d->asker);
}

static void unregister_right(void *arg)
{
	struct dispute *d = arg;

	test_race_step(&d->right_at, &d->left_at, 8);
	fake_unregister(d->fake);
}

/* Outcomes. */

static void after_cancel(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		s32 res = question_await(d->questions[i]);

		KUNIT_ASSERT_TRUE(d->test, res == 1 || res == -ECANCELED);
		KUNIT_ASSERT_FALSE(d->test, res == -ECANCELED && d->rets[i]);
	}
}

static void after_close(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	/* Nothing is to be waited for any more. */
	for (i = 0; i < BOUT_BATCH; i++) {
		KUNIT_ASSERT_EQ(d->test, 1, d->questions[i]->dones);
		KUNIT_ASSERT_TRUE(d->test,
				  d->questions[i]->last.res == 1 ||
					  d->questions[i]->last.res == -ECANCELED);
	}
	KUNIT_ASSERT_EQ(d->test, 0, atomic_read(&d->asker->gones));
}

static void after_unregister(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++) {
		struct question *q = d->questions[i];

		if (d->rets[i])
			KUNIT_ASSERT_EQ(d->test, -ENODEV, d->rets[i]);
		KUNIT_ASSERT_EQ(d->test, !d->rets[i], q->dones);
		if (q->dones)
			KUNIT_ASSERT_TRUE(d->test, q->last.res == 1 || q->last.res == -ENODEV);
	}
	KUNIT_ASSERT_EQ(d->test, 1, atomic_read(&d->asker->gones));
	KUNIT_ASSERT_EQ(d->test, 1, fake_calls(d->fake, FAKE_CLOSE));
	asker_close(d->asker);
	KUNIT_ASSERT_EQ(d->test, 1, atomic_read(&d->asker->gones));
}

static void after_close_and_unregister(void *arg)
{
	struct dispute *d = arg;
	unsigned int i;

	for (i = 0; i < BOUT_BATCH; i++)
		KUNIT_ASSERT_EQ(d->test, 1, d->questions[i]->dones);
	KUNIT_ASSERT_EQ(d->test, 1, fake_calls(d->fake, FAKE_CLOSE));
	KUNIT_ASSERT_LE(d->test, atomic_read(&d->asker->gones), 1);
}

/* Races. */

static void run_on_one_device(struct kunit *test, void (*before)(void *arg),
			      void (*left)(void *arg), void (*after)(void *arg))
{
	struct dispute *d = dispute_new(test);
	const struct test_race race = {
		.before = before,
		.left = left,
		.right = complete_right,
		.after = after,
		.arg = d,
	};

	d->fake = fake_register(test, &dispute_config);
	test_race_run(test, &race, BOUT_ROUNDS);
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL, atomic_read(&d->asker->dones));
	KUNIT_EXPECT_EQ(test, BOUT_TOTAL + 0ul, fake_stat(d->fake, UNTWIST_STAT_COMPLETIONS));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&d->asker->overlaps));
}

static void complete_races_cancel(struct kunit *test)
{
	run_on_one_device(test, begin_and_ask, cancel_left, after_cancel);
}

static void complete_races_close(struct kunit *test)
{
	run_on_one_device(test, begin_and_ask, close_left, after_close);
}

static void run_on_many_devices(struct kunit *test, void (*before)(void *arg),
				void (*left)(void *arg), void (*right)(void *arg),
				void (*after)(void *arg))
{
	struct dispute *d = dispute_new(test);
	const struct test_race race = {
		.before = before,
		.left = left,
		.right = right,
		.after = after,
		.arg = d,
	};

	test_race_run(test, &race, DEVICE_ROUNDS);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&d->asker->overlaps));
}

static void submit_races_unregister(struct kunit *test)
{
	run_on_many_devices(test, begin_device, submit_left, unregister_right, after_unregister);
}

static void close_races_unregister(struct kunit *test)
{
	run_on_many_devices(test, begin_device_and_ask, close_left, unregister_right,
			    after_close_and_unregister);
}

/* clang-format off */
static struct kunit_case client_race_cases[] = {
	KUNIT_CASE_SLOW(complete_races_cancel),
	KUNIT_CASE_SLOW(complete_races_close),
	KUNIT_CASE_SLOW(submit_races_unregister),
	KUNIT_CASE_SLOW(close_races_unregister),
	{}
};

/* clang-format on */

static struct kunit_suite client_race_suite = {
	.name = "untwist_client_race",
	.test_cases = client_race_cases,
};

kunit_test_suite(client_race_suite);

MODULE_DESCRIPTION("KUnit suite of the races of Untwist's clients");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
