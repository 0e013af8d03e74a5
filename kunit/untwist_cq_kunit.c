// SPDX-License-Identifier: GPL-2.0-only
/*
 * The completion queue alone: its credits, and what it makes of the words of a
 * program that shares a ring. Each row of the table is a test case, and each
 * is told twice, the second time where the indices begin again at zero.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/module.h>

#include "cq.h"

#define ENTRIES 8u

static void release(void *cq)
{
	untwist_cq_release(cq);
}

static struct untwist_cq *cq_of(struct kunit *test, u32 max)
{
	struct untwist_cq *cq = kunit_kzalloc(test, sizeof(*cq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cq);
	KUNIT_ASSERT_EQ(test, 0, untwist_cq_init(cq, max));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, release, cq));
	return cq;
}

static bool share(struct kunit *test, struct untwist_cq *cq, u32 nr_entries)
{
	struct untwist_ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	struct untwist_cqe *cqes = kunit_kcalloc(test, nr_entries, sizeof(*cqes), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_ASSERT_NOT_NULL(test, cqes);
	return untwist_cq_share(cq, ring, cqes, nr_entries);
}

/* A queue in a ring; all that was ever put was read, and that was @start. */
static struct untwist_cq *cq_shared(struct kunit *test, u32 start)
{
	struct untwist_cq *cq = cq_of(test, 1);

	KUNIT_ASSERT_TRUE(test, share(test, cq, ENTRIES));
	cq->tail = start;
	atomic_set(&cq->head, (int)start);
	cq->seen = start;
	cq->shared->cq_head = start;
	return cq;
}

static void put(struct untwist_cq *cq, u32 n)
{
	const struct untwist_cqe cqes[ENTRIES] = {};

	untwist_cq_put(cq, cqes, n);
}

/* Credits. */

static void credits_are_as_many_as_there_are(struct kunit *test)
{
	struct untwist_cq *cq = cq_of(test, 3);

	KUNIT_EXPECT_EQ(test, 2u, untwist_cq_reserve(cq, 2));
	KUNIT_EXPECT_TRUE(test, untwist_cq_room(cq));
	KUNIT_EXPECT_EQ(test, 1u, untwist_cq_reserve(cq, U32_MAX));
	KUNIT_EXPECT_FALSE(test, untwist_cq_room(cq));
	KUNIT_EXPECT_EQ(test, 0u, untwist_cq_reserve(cq, 1));
	/* It is told to one alone that there is room again. */
	KUNIT_EXPECT_TRUE(test, untwist_cq_unreserve(cq, 1));
	KUNIT_EXPECT_FALSE(test, untwist_cq_unreserve(cq, 1));
	KUNIT_EXPECT_EQ(test, 2u, untwist_cq_reserve(cq, 3));
}

static void ring_is_not_shared_while_something_is_due(struct kunit *test)
{
	struct untwist_cq *cq = cq_of(test, 4);

	KUNIT_ASSERT_EQ(test, 1u, untwist_cq_reserve(cq, 1));
	KUNIT_EXPECT_FALSE(test, share(test, cq, 2));
	put(cq, 1);
	KUNIT_EXPECT_FALSE(test, share(test, cq, 2));
	KUNIT_EXPECT_EQ(test, 1u, untwist_cq_ready(cq));
	atomic_set(&cq->head, 1);
	untwist_cq_unreserve(cq, 1);
	KUNIT_EXPECT_TRUE(test, share(test, cq, 2));
	KUNIT_EXPECT_EQ(test, 2u, untwist_cq_reserve(cq, 4));
}

/* The program reaps without a call: it is looked at when credits are short. */
static void reaping_gives_credits(struct kunit *test)
{
	struct untwist_cq *cq = cq_shared(test, 0);

	KUNIT_ASSERT_EQ(test, ENTRIES, untwist_cq_reserve(cq, ENTRIES));
	put(cq, ENTRIES);
	KUNIT_EXPECT_EQ(test, 0u, untwist_cq_reserve(cq, 1));
	cq->shared->cq_head = 3;
	KUNIT_EXPECT_TRUE(test, untwist_cq_room(cq));
	KUNIT_EXPECT_EQ(test, 3u, untwist_cq_reserve(cq, ENTRIES));
	KUNIT_EXPECT_EQ(test, ENTRIES - 3, untwist_cq_ready(cq));
	KUNIT_EXPECT_EQ(test, (int)ENTRIES, atomic_read(&cq->in_use));
}

/* What a program may say of how far it has read. */

struct head_case {
	const char *name;
	u32 put;
	u32 head;
	bool can_be;
};

static const struct head_case head_cases[] = {
	{ "nothing of nothing", 0, 0, true },
	{ "one of nothing", 0, 1, false },
	{ "nothing of three", 3, 0, true },
	{ "one of three", 3, 1, true },
	{ "three of three", 3, 3, true },
	{ "four of three", 3, 4, false },
	{ "all of all", ENTRIES, ENTRIES, true },
	{ "one more than there can be", ENTRIES, ENTRIES + 1, false },
	{ "one less than nothing", 3, -1u, false },
	{ "as many less as there are", 3, -3u, false },
	{ "half way round", 3, 0x80000000u, false },
	{ "nearly half way round", 3, 0x7fffffffu, false },
	{ "nearly all the way round", 3, -(ENTRIES + 3), false },
};

KUNIT_ARRAY_PARAM_DESC(head, head_cases, name);

static void check_head(struct kunit *test, const struct head_case *c, u32 start)
{
	struct untwist_cq *cq = cq_shared(test, start);

	if (c->put)
		KUNIT_ASSERT_EQ(test, c->put, untwist_cq_reserve(cq, c->put));
	put(cq, c->put);
	KUNIT_EXPECT_EQ(test, start + c->put, cq->shared->cq_tail);
	cq->shared->cq_head = start + c->head;
	KUNIT_EXPECT_EQ(test, c->can_be, untwist_cq_check(cq));
	/* A look pays nothing out. */
	KUNIT_EXPECT_EQ(test, (int)c->put, atomic_read(&cq->in_use));
	KUNIT_EXPECT_EQ(test, c->can_be ? c->put - c->head : c->put, untwist_cq_used(cq));
	if (c->can_be)
		KUNIT_EXPECT_EQ(test, c->put - c->head, untwist_cq_ready(cq));
	else
		KUNIT_EXPECT_LE(test, untwist_cq_ready(cq), ENTRIES);

	/* Whatever it says, there is never a credit too many. */
	KUNIT_EXPECT_LE(test, untwist_cq_reserve(cq, U32_MAX), ENTRIES);
	KUNIT_EXPECT_EQ(test, (int)ENTRIES, atomic_read(&cq->in_use));
	/* And what could not be once is not believed later. */
	cq->shared->cq_head = cq->tail;
	KUNIT_EXPECT_EQ(test, c->can_be, untwist_cq_check(cq));
}

static void head_is_believed_if_it_can_be(struct kunit *test)
{
	check_head(test, test->param_value, 0);
	check_head(test, test->param_value, -2u);
}

/* Also if nobody has needed the credits meanwhile. */
static void head_that_goes_back_is_not_believed(struct kunit *test)
{
	struct untwist_cq *cq = cq_shared(test, -1u);

	KUNIT_ASSERT_EQ(test, 2u, untwist_cq_reserve(cq, 2));
	put(cq, 2);
	cq->shared->cq_head = 1;
	KUNIT_EXPECT_TRUE(test, untwist_cq_check(cq));
	cq->shared->cq_head = 0;
	KUNIT_EXPECT_FALSE(test, untwist_cq_check(cq));
}

/* clang-format off */
static struct kunit_case cq_cases[] = {
	KUNIT_CASE(credits_are_as_many_as_there_are),
	KUNIT_CASE(ring_is_not_shared_while_something_is_due),
	KUNIT_CASE(reaping_gives_credits),
	KUNIT_CASE(head_that_goes_back_is_not_believed),
	KUNIT_CASE_PARAM(head_is_believed_if_it_can_be, head_gen_params),
	{}
};

/* clang-format on */

static struct kunit_suite cq_suite = {
	.name = "untwist_cq",
	.test_cases = cq_cases,
};

kunit_test_suite(cq_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's completion queue");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
