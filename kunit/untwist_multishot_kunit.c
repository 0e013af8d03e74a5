// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that complete many times, and those that are completed by a tag:
 * in each state, and by drivers that are wrong about it.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "channel.h"
#include "context.h"
#include "fake.h"
#include "program.h"
#include "stats.h"

static struct program *start(struct kunit *test, u32 requests_max)
{
	const struct untwist_config config = { .requests_max = requests_max };

	return program_start(test, fake_register(test, &config), O_NONBLOCK);
}

static struct fake *fake_behind(struct program *p)
{
	return untwist_device_drvdata(untwist_channel_device(p->ch));
}

static void misuse_over(void *unused)
{
	WRITE_ONCE(untwist_misuse_expected, false);
}

static void expect_misuse(struct kunit *test)
{
	WRITE_ONCE(untwist_misuse_expected, true);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, misuse_over, NULL));
}

static unsigned long misuses(struct program *p)
{
	return fake_stat(fake_behind(p), UNTWIST_STAT_MISUSES);
}

/* A request that the driver holds, with or without a flag. */
static struct untwist_request *hold(struct kunit *test, struct program *p, u32 flags)
{
	struct untwist_submit submit = { .count = 1, .entry_size = sizeof(struct untwist_sqe) };
	const struct untwist_sqe sqe = { .user_data = 1, .opcode = FAKE_OP_SHOTS, .flags = flags };
	struct untwist_request *req;

	KUNIT_ASSERT_EQ(test, 1, program_submit_entries(p, &submit, &sqe));
	req = fake_take(fake_behind(p));
	KUNIT_ASSERT_NOT_NULL(test, req);
	return req;
}

static struct untwist_request *hold_shots(struct kunit *test, struct program *p)
{
	return hold(test, p, UNTWIST_SQE_MULTISHOT);
}

static void expect_shot(struct kunit *test, struct program *p, s32 res, u32 flags)
{
	struct untwist_cqe cqe = program_await(p);

	KUNIT_EXPECT_EQ(test, 1ull, cqe.user_data);
	KUNIT_EXPECT_EQ(test, res, cqe.res);
	KUNIT_EXPECT_EQ(test, flags, cqe.flags);
}

/* From wherever the driver is called. */

struct posting {
	struct untwist_request *req;
	s32 res;
	int ret;
};

static void post_now(void *arg)
{
	struct posting *posting = arg;

	posting->ret = untwist_post(posting->req, posting->res, 5, 6);
}

static void posts_from_anywhere(struct kunit *test)
{
	struct program *p = start(test, 8);
	struct posting posting = { .req = hold_shots(test, p) };
	enum test_context context;

	for (context = 0; context < TEST_NR_CONTEXTS; context++) {
		posting.res = (s32)context;
		test_call_in(context, post_now, &posting);
		KUNIT_EXPECT_EQ(test, 0, posting.ret);
		expect_shot(test, p, (s32)context, UNTWIST_CQE_F_MORE);
	}
	fake_complete(posting.req, TEST_HARDIRQ, 7);
	expect_shot(test, p, 7, 0);
	KUNIT_EXPECT_EQ(test, (unsigned long)TEST_NR_CONTEXTS,
			fake_stat(fake_behind(p), UNTWIST_STAT_SHOTS));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&p->ch->requests.cq.in_use));
}

/* All that was posted before the last comes before it. */
static void last_one_comes_last(struct kunit *test)
{
	struct program *p = start(test, 64);
	struct untwist_request *req = hold_shots(test, p);
	int i;

	for (i = 0; i < 60; i++)
		KUNIT_ASSERT_EQ(test, 0, untwist_post(req, i, 0, 0));
	fake_complete(req, TEST_HARDIRQ, -EIO);
	for (i = 0; i < 60; i++)
		expect_shot(test, p, i, UNTWIST_CQE_F_MORE);
	expect_shot(test, p, -EIO, 0);
}

static void post_in_the_wrong_state(struct kunit *test)
{
	struct program *p = start(test, 8);
	struct untwist_request *req;

	expect_misuse(test);
	req = hold(test, p, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, untwist_post(req, 1, 0, 0));
	fake_complete(req, TEST_HERE, 2);
	expect_shot(test, p, 2, 0);
	KUNIT_EXPECT_EQ(test, 1ul, misuses(p));

	req = hold_shots(test, p);
	fake_complete(req, TEST_HERE, 3);
	expect_shot(test, p, 3, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, untwist_post(req, 4, 0, 0));
	KUNIT_EXPECT_EQ(test, 2ul, misuses(p));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&p->ch->requests.cq.in_use));
}

static void post_after_a_cancel_is_no_misuse(struct kunit *test)
{
	struct program *p = start(test, 8);
	struct untwist_request *req = hold_shots(test, p);

	fake_behind(p)->keeps = true;
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 0, untwist_post(req, 1, 0, 0));
	expect_shot(test, p, 1, UNTWIST_CQE_F_MORE);
	fake_complete(req, TEST_HERE, -ECANCELED);
	expect_shot(test, p, -ECANCELED, 0);
	KUNIT_EXPECT_EQ(test, 0ul, misuses(p));
}

/* What finds no room: counted, told once, and the count ends somewhere. */
static void losses_are_counted(struct kunit *test)
{
	struct program *p = start(test, 2);
	struct untwist_request *req = hold_shots(test, p);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, untwist_post(req, 0, 0, 0));
	expect_shot(test, p, 0, UNTWIST_CQE_F_MORE);
	KUNIT_EXPECT_EQ(test, 0, untwist_post(req, 1, 0, 0));
	KUNIT_EXPECT_EQ(test, -ENOBUFS, untwist_post(req, 2, 0, 0));
	/* Surely after the loss; and the next one has nothing to tell. */
	flush_workqueue(p->ch->ud->wq);
	for (i = 0; i < 70000; i++)
		untwist_post(req, 3, 0, 0);
	program_await(p);
	fake_complete(req, TEST_HERE, 4);
	expect_shot(test, p, 4, UNTWIST_CQE_F_LOST | 65535u << UNTWIST_CQE_LOST_SHIFT);
	KUNIT_EXPECT_EQ(test, 70001ul, fake_stat(fake_behind(p), UNTWIST_STAT_SHOTS_LOST));
}

/* Tags. */

static void tag_completes_once(struct kunit *test)
{
	struct program *p = start(test, 1);
	u32 tag = untwist_request_tag(hold(test, p, 0));
	u32 next;

	expect_misuse(test);
	KUNIT_EXPECT_EQ(test, 0, untwist_complete_tag(p->ch, tag, 5));
	expect_shot(test, p, 5, 0);
	KUNIT_EXPECT_EQ(test, -ESTALE, untwist_complete_tag(p->ch, tag, 6));
	/* The only slot there is serves another: the old tag is not its. */
	next = untwist_request_tag(hold(test, p, 0));
	KUNIT_EXPECT_NE(test, tag, next);
	KUNIT_EXPECT_EQ(test, -ESTALE, untwist_complete_tag(p->ch, tag, 7));
	KUNIT_EXPECT_EQ(test, 2ul, misuses(p));
	KUNIT_EXPECT_EQ(test, 0, untwist_complete_tag(p->ch, next, 8));
	expect_shot(test, p, 8, 0);
}

static void garbage_is_no_tag(struct kunit *test)
{
	struct program *p = start(test, 3);
	struct program *never_asked = program_start(test, fake_behind(p), O_NONBLOCK);
	u32 tag = untwist_request_tag(hold(test, p, 0));
	unsigned int bit;

	expect_misuse(test);
	KUNIT_EXPECT_EQ(test, -ESTALE, untwist_complete_tag(never_asked->ch, tag, 1));
	for (bit = 0; bit < 32; bit++)
		KUNIT_EXPECT_EQ(test, -ESTALE, untwist_complete_tag(p->ch, tag ^ BIT(bit), 1));
	KUNIT_EXPECT_EQ(test, -ESTALE, untwist_complete_tag(p->ch, 0, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE, untwist_complete_tag(p->ch, ~0u, 1));
	KUNIT_EXPECT_EQ(test, 35ul, misuses(p));
	KUNIT_EXPECT_EQ(test, 0, untwist_complete_tag(p->ch, tag, 2));
	expect_shot(test, p, 2, 0);
}

/* clang-format off */
static struct kunit_case multishot_cases[] = {
	KUNIT_CASE(posts_from_anywhere),
	KUNIT_CASE(last_one_comes_last),
	KUNIT_CASE(post_in_the_wrong_state),
	KUNIT_CASE(post_after_a_cancel_is_no_misuse),
	KUNIT_CASE(losses_are_counted),
	KUNIT_CASE(tag_completes_once),
	KUNIT_CASE(garbage_is_no_tag),
	{}
};

/* clang-format on */

static struct kunit_suite multishot_suite = {
	.name = "untwist_multishot",
	.test_cases = multishot_cases,
};

kunit_test_suite(multishot_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's requests with many completions, and of tags");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
