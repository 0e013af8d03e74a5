// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told of how long requests take: which of them are counted at which
 * stage, and that nobody measures unasked. How long they took is not looked at.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "asker.h"
#include "channel.h"
#include "latency.h"
#include "program.h"

static unsigned long passed(const struct fake *fake, enum untwist_stage stage)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < UNTWIST_LATENCY_BUCKETS; i++)
		sum += untwist_latency_read(fake->ud, stage, i);
	return sum;
}

static void expect_passed(struct kunit *test, const struct fake *fake, unsigned long submit,
			  unsigned long driver, unsigned long post, unsigned long reap)
{
	KUNIT_EXPECT_EQ(test, submit, passed(fake, UNTWIST_STAGE_SUBMIT));
	KUNIT_EXPECT_EQ(test, driver, passed(fake, UNTWIST_STAGE_DRIVER));
	KUNIT_EXPECT_EQ(test, post, passed(fake, UNTWIST_STAGE_POST));
	KUNIT_EXPECT_EQ(test, reap, passed(fake, UNTWIST_STAGE_REAP));
}

static struct fake *measured_fake(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);

	KUNIT_ASSERT_EQ(test, 0, untwist_latency_switch(fake->ud, true));
	return fake;
}

static void nobody_measures_unasked(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, FAKE_COMPLETE }));
	program_await(p);
	KUNIT_EXPECT_NULL(test, p->ch->requests.posted_at);
	KUNIT_EXPECT_NULL(test, (__force void *)fake->ud->latency);
}

static void request_passes_each_stage_once(struct kunit *test)
{
	struct fake *fake = measured_fake(test);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	expect_passed(test, fake, 1, 0, 0, 0);
	fake_complete(fake_take(fake), TEST_HARDIRQ, 0);
	wait_event_interruptible_timeout(p->ch->wait, untwist_requests_ready(&p->ch->requests),
					 TEST_LIMIT);
	expect_passed(test, fake, 1, 1, 1, 0);
	program_await(p);
	expect_passed(test, fake, 1, 1, 1, 1);
}

/* Even where there would have been no need to wait. */
static void what_executes_at_once_passes_them_too(struct kunit *test)
{
	struct fake *fake = measured_fake(test);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, UNTWIST_OP_NOP + 7 }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	program_await(p);
	program_await(p);
	expect_passed(test, fake, 2, 2, 2, 2);
}

/* It has not been with the driver. */
static void what_never_starts_is_posted_only(struct kunit *test)
{
	struct fake *fake = measured_fake(test);
	struct asker *asker = asker_start(test, fake);
	struct question *first = question_new(asker, FAKE_COMPLETE, -EIO);
	struct question *second = question_new(asker, FAKE_COMPLETE, 1);
	struct untwist_call *const calls[] = { &first->call, &second->call };

	first->call.flags = UNTWIST_SQE_LINK;
	KUNIT_ASSERT_EQ(test, 0, untwist_client_submit(asker->client, calls, 2));
	KUNIT_EXPECT_EQ(test, -ECANCELED, question_await(second));
	expect_passed(test, fake, 1, 1, 2, 2);
}

static void client_reaps_when_it_is_told(struct kunit *test)
{
	struct fake *fake = measured_fake(test);
	struct question *q = question_new(asker_start(test, fake), FAKE_COMPLETE, 1);

	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, 1, question_await(q));
	expect_passed(test, fake, 1, 1, 1, 1);
}

static void what_began_before_is_left_out(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, FAKE_COMPLETE }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2 }));
	KUNIT_ASSERT_EQ(test, 0, untwist_latency_switch(fake->ud, true));
	program_await(p);
	fake_complete_held(fake, 0);
	program_await(p);
	/* The end of the first stage that began while somebody measured. */
	expect_passed(test, fake, 0, 0, 1, 0);
}

static void switching_on_begins_anew(struct kunit *test)
{
	struct fake *fake = measured_fake(test);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, FAKE_COMPLETE }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	program_await(p);
	KUNIT_ASSERT_EQ(test, 0, untwist_latency_switch(fake->ud, false));
	program_await(p);
	expect_passed(test, fake, 2, 2, 2, 1);
	KUNIT_ASSERT_EQ(test, 0, untwist_latency_switch(fake->ud, true));
	expect_passed(test, fake, 0, 0, 0, 0);
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 3, 0, FAKE_COMPLETE }));
	program_await(p);
	expect_passed(test, fake, 1, 1, 1, 1);
}

static void device_may_go_while_it_is_measured(struct kunit *test)
{
	struct fake *fake = measured_fake(test);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, -ENODEV, program_await(p).res);
	fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	KUNIT_EXPECT_FALSE(test, fake->ud->latency_on);
}

/* clang-format off */
static struct kunit_case latency_cases[] = {
	KUNIT_CASE(nobody_measures_unasked),
	KUNIT_CASE(request_passes_each_stage_once),
	KUNIT_CASE(what_executes_at_once_passes_them_too),
	KUNIT_CASE(what_never_starts_is_posted_only),
	KUNIT_CASE(client_reaps_when_it_is_told),
	KUNIT_CASE(what_began_before_is_left_out),
	KUNIT_CASE(switching_on_begins_anew),
	KUNIT_CASE(device_may_go_while_it_is_measured),
	{}
};

/* clang-format on */

static struct kunit_suite latency_suite = {
	.name = "untwist_latency",
	.test_cases = latency_cases,
};

kunit_test_suite(latency_suite);

MODULE_DESCRIPTION("KUnit suite of the latencies of Untwist's requests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
