// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests with the driver whose time is up. That it is, is known by another
 * one with a later deadline, which waits for them and so ends by itself.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stats.h"

#define MILLISECOND 1000000ull

static struct program *start(struct kunit *test, const struct untwist_ops *ops)
{
	const struct untwist_config config = { .ops = ops };

	return program_start(test, fake_register(test, &config), O_NONBLOCK);
}

static struct fake *fake_behind(struct program *p)
{
	return untwist_device_drvdata(untwist_channel_device(p->ch));
}

/* The first has a millisecond, and the second, which waits for it, has two. */
static void submit_both(struct kunit *test, struct program *p)
{
	struct untwist_submit submit = { .count = 2, .entry_size = sizeof(struct untwist_sqe) };
	const struct untwist_sqe sqes[2] = {
		{
			.user_data = 1,
			.opcode = FAKE_OP_PLAIN,
			.flags = UNTWIST_SQE_LINK,
			.timeout_ns = MILLISECOND,
		},
		{
			.user_data = 2,
			.opcode = FAKE_OP_PLAIN,
			.timeout_ns = 2 * MILLISECOND,
		},
	};

	KUNIT_ASSERT_EQ(test, 2, program_submit_entries(p, &submit, sqes));
}

static void expect_next(struct kunit *test, struct program *p, u64 user_data, s32 res)
{
	struct untwist_cqe cqe = program_await(p);

	KUNIT_EXPECT_EQ(test, user_data, cqe.user_data);
	KUNIT_EXPECT_EQ(test, res, cqe.res);
}

static void late_request_is_cancelled(struct kunit *test)
{
	struct program *p = start(test, NULL);

	submit_both(test, p);
	expect_next(test, p, 1, -ETIME);
	program_await(p);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake_behind(p), FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
}

/* The work that was done all the same is not hidden. */
static void driver_does_not_have_to_obey(struct kunit *test)
{
	struct program *p = start(test, NULL);

	fake_behind(p)->keeps = true;
	submit_both(test, p);
	expect_next(test, p, 2, -ETIME);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake_behind(p), FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, -EALREADY, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake_behind(p), 9));
	expect_next(test, p, 1, 9);
}

static void late_completion_as_cancelled_is_late(struct kunit *test)
{
	struct program *p = start(test, NULL);

	fake_behind(p)->keeps = true;
	submit_both(test, p);
	expect_next(test, p, 2, -ETIME);
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake_behind(p), -ECANCELED));
	expect_next(test, p, 1, -ETIME);
}

/* Who asked first is who did it. */
static void cancel_before_the_deadline_counts(struct kunit *test)
{
	struct program *p = start(test, NULL);
	struct untwist_cqe cqe;

	fake_behind(p)->keeps = true;
	submit_both(test, p);
	if (program_cancel(p, 1))
		kunit_skip(test, "the deadline was quicker");
	cqe = program_await(p);
	KUNIT_EXPECT_EQ(test, 2ull, cqe.user_data);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake_behind(p), FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake_behind(p), -ECANCELED));
	expect_next(test, p, 1, -ECANCELED);
}

static void without_the_operation_it_stays(struct kunit *test)
{
	struct program *p = start(test, &fake_ops_without_cancel);

	submit_both(test, p);
	expect_next(test, p, 2, -ETIME);
	KUNIT_EXPECT_EQ(test, -EALREADY, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake_behind(p), 4));
	expect_next(test, p, 1, 4);
	KUNIT_EXPECT_EQ(test, 0ul, fake_stat(fake_behind(p), UNTWIST_STAT_CANCELS));
}

/* No deadline outlives its request, nor a timer the channel: KASAN and debug objects look. */
static void close_takes_the_timer_with_it(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_new(test);
	unsigned int i;

	for (i = 0; i < 200; i++) {
		KUNIT_ASSERT_EQ(test, 0, program_open_channel(p, fake));
		submit_both(test, p);
		if (i % 2)
			program_await(p);
		program_close(p);
	}
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, 200, fake_calls(fake, FAKE_CLOSE));
}

/* clang-format off */
static struct kunit_case deadline_cases[] = {
	KUNIT_CASE(late_request_is_cancelled),
	KUNIT_CASE(driver_does_not_have_to_obey),
	KUNIT_CASE(late_completion_as_cancelled_is_late),
	KUNIT_CASE(cancel_before_the_deadline_counts),
	KUNIT_CASE(without_the_operation_it_stays),
	KUNIT_CASE(close_takes_the_timer_with_it),
	{}
};

/* clang-format on */

static struct kunit_suite deadline_suite = {
	.name = "untwist_deadline",
	.test_cases = deadline_cases,
};

kunit_test_suite(deadline_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's timeouts");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
