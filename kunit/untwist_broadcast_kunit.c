// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver tells besides the data of one channel: data for all, events, and
 * the end.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/string.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stream.h"
#include "thread.h"
#include "watch.h"

static const struct untwist_config small_stream = {
	.kind = UNTWIST_KIND_STREAM,
	.flags = UNTWIST_HOLDS_BACK,
	.rx_size = 16,
};

static const enum test_context contexts[] = {
	TEST_HERE,
	TEST_THREAD,
	TEST_SOFTIRQ,
	TEST_HARDIRQ,
};

static void context_desc(const enum test_context *context, char *to)
{
	strscpy(to, test_context_names[*context], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(context, contexts, context_desc);

static void expect_read(struct kunit *test, struct program *p, const char *want)
{
	char got[32] = {};

	KUNIT_EXPECT_EQ(test, (ssize_t)strlen(want), kernel_read(p->file, got, 31, NULL));
	KUNIT_EXPECT_STREQ(test, want, got);
}

/* For all. */

static void broadcast_x(void *fake)
{
	untwist_broadcast(((struct fake *)fake)->ud, "x", 1);
}

static void broadcast_wakes_all_from(struct kunit *test)
{
	const enum test_context *context = test->param_value;
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct program *q = program_start(test, fake, O_NONBLOCK);
	struct watch *p_watch = watch_start(test, p->ch);
	struct watch *q_watch = watch_start(test, q->ch);

	test_call_in(*context, broadcast_x, fake);
	watch_wait(test, p_watch);
	watch_wait(test, q_watch);
	EXPECT_BITS(test, EPOLLIN | EPOLLRDNORM, watch_keys(p_watch));
	expect_read(test, p, "x");
	expect_read(test, q, "x");
}

static void each_loses_for_itself(struct kunit *test)
{
	const struct untwist_options block = { .overflow = UNTWIST_OVERFLOW_BLOCK };
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct program *q = program_start(test, fake, O_NONBLOCK);
	struct untwist_lost lost;

	KUNIT_ASSERT_EQ(test, 0, program_set_options(p, &block));
	KUNIT_EXPECT_EQ(test, 2u, untwist_broadcast(fake->ud, "0123456789", 10));
	expect_read(test, q, "0123456789");
	/* Nobody is held back for all: the one that would rather wait loses. */
	KUNIT_EXPECT_EQ(test, 1u, untwist_broadcast(fake->ud, "abcdefghij", 10));
	expect_read(test, p, "0123456789abcdef");
	expect_read(test, q, "abcdefghij");
	untwist_receive_take_lost(p->ch, &lost);
	KUNIT_EXPECT_EQ(test, 4ull, lost.bytes);
	untwist_receive_take_lost(q->ch, &lost);
	KUNIT_EXPECT_EQ(test, 0ull, lost.bytes);
}

static u64 time_of_next(struct kunit *test, struct program *p)
{
	struct {
		struct untwist_record_header header;
		u8 text[8];
	} got;

	KUNIT_ASSERT_EQ(test, sizeof(got.header) + 1l,
			kernel_read(p->file, &got, sizeof(got), NULL));
	return got.header.time;
}

static void all_have_the_same_time(struct kunit *test)
{
	const struct untwist_options headers = { .flags = UNTWIST_OPT_HEADERS };
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_RECORD);
	struct program *programs[2];
	u64 time;
	int i;

	for (i = 0; i < 2; i++) {
		programs[i] = program_start(test, fake, O_NONBLOCK);
		KUNIT_ASSERT_EQ(test, 0, program_set_options(programs[i], &headers));
	}
	untwist_broadcast(fake->ud, "x", 1);
	time = time_of_next(test, programs[0]);
	KUNIT_EXPECT_NE(test, 0ull, time);
	KUNIT_EXPECT_EQ(test, time, time_of_next(test, programs[1]));
}

static void nobody_listens(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	program_close(p);
	KUNIT_EXPECT_EQ(test, 0u, untwist_broadcast(fake->ud, "x", 1));
	KUNIT_EXPECT_EQ(test, 0ul, fake_stat(fake, UNTWIST_STAT_RX_BYTES));
}

/* Opens that come and go while one broadcasts; KASAN tells who looks too late. */

#define ROUNDS 20u
#define STEPS  50u

struct crowd {
	struct fake *fake;
	struct program *p;
	unsigned int left;
	unsigned int right;
	unsigned int heard;
};

static void broadcast_many(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int step, i;

	for (step = 1; step <= STEPS; step++) {
		test_race_step(&crowd->left, &crowd->right, step);
		/* An open is slow: as long as one lasts. */
		for (i = 0; i < 200 && READ_ONCE(crowd->right) <= step; i++)
			untwist_broadcast(crowd->fake->ud, "x", 1);
	}
}

static void open_and_close(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int step;

	for (step = 1; step <= STEPS; step++) {
		test_race_step(&crowd->right, &crowd->left, step);
		if (!program_open_channel(crowd->p, crowd->fake)) {
			crowd->heard += untwist_receive_ready(crowd->p->ch);
			program_close(crowd->p);
		}
	}
}

static void crowd_begins(void *arg)
{
	struct crowd *crowd = arg;

	crowd->left = 0;
	crowd->right = 0;
}

static void broadcast_races_open_and_close(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	const struct test_race race = {
		.before = crowd_begins,
		.left = broadcast_many,
		.right = open_and_close,
		.arg = crowd,
	};

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->fake = fake_register(test, &small_stream);
	crowd->p = program_new(test);
	test_race_run(test, &race, ROUNDS);
	kunit_info(test, "%u of %u opens heard something", crowd->heard, ROUNDS * STEPS);
	KUNIT_EXPECT_TRUE(test, list_empty(&crowd->fake->ud->channels));
	KUNIT_EXPECT_EQ(test, (int)(ROUNDS * STEPS), fake_calls(crowd->fake, FAKE_CLOSE));
}

/* Events. */

static void raise_four(void *p)
{
	untwist_event(((struct program *)p)->ch, 4);
}

static void event_wakes_from(struct kunit *test)
{
	const enum test_context *context = test->param_value;
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *watch = watch_start(test, p->ch);

	test_call_in(*context, raise_four, p);
	watch_wait(test, watch);
	EXPECT_BITS(test, EPOLLPRI | EPOLLRDHUP, watch_keys(watch));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLPRI));
	KUNIT_EXPECT_EQ(test, 4u, untwist_receive_take_events(p->ch));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLPRI));
}

static void events_add_up_until_fetched(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *watch = watch_start(test, p->ch);

	untwist_event(p->ch, 1);
	untwist_event(p->ch, 6);
	/* What waits already is no news. */
	untwist_event(p->ch, 2);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&watch->wakes));
	fake_unregister(fake);
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLPRI));
	KUNIT_EXPECT_EQ(test, 7u, untwist_receive_take_events(p->ch));
	KUNIT_EXPECT_EQ(test, 0u, untwist_receive_take_events(p->ch));
}

static void losses_are_no_events(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct untwist_lost lost;

	untwist_push(p->ch, "0123456789abcdefg", 17);
	untwist_event(p->ch, 1);
	untwist_receive_take_lost(p->ch, &lost);
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLPRI));
	KUNIT_EXPECT_EQ(test, 1u, untwist_receive_take_events(p->ch));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLPRI));
}

/* The end. */

static void end(void *p)
{
	untwist_end_of_stream(((struct program *)p)->ch);
}

static void end_wakes_all_from(struct kunit *test)
{
	const enum test_context *context = test->param_value;
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *one = watch_start_exclusive(test, p->ch);
	struct watch *other = watch_start_exclusive(test, p->ch);

	test_call_in(*context, end, p);
	watch_wait(test, one);
	watch_wait(test, other);
	EXPECT_BITS(test, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLOUT | EPOLLWRNORM,
		    program_poll(p));
}

static void what_is_left_comes_before_the_end(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, 0);

	untwist_push(p->ch, "last", 4);
	untwist_end_of_stream(p->ch);
	untwist_end_of_stream(p->ch);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(p->ch, "late", 4));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLPRI));
	expect_read(test, p, "last");
	expect_read(test, p, "");
	KUNIT_EXPECT_EQ(test, 3l, kernel_write(p->file, "abc", 3, NULL));
	KUNIT_EXPECT_EQ(test, 3ul, untwist_pending(p->ch));
	fake_unregister(fake);
	expect_read(test, p, "");
	EXPECT_BITS(test, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP | EPOLLERR,
		    program_poll(p));
}

static int read_blocking(void *arg)
{
	struct program *p = arg;
	char byte;

	return kernel_read(p->file, &byte, 1, NULL);
}

static void reader_that_waits_is_told(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), 0);
	struct test_thread *reader = test_thread_start(test, read_blocking, p);

	watch_until_sleepers(test, p->ch, 1);
	test_call_in(TEST_HARDIRQ, end, p);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(test, reader));
}

/* clang-format off */
static struct kunit_case broadcast_cases[] = {
	KUNIT_CASE_PARAM(broadcast_wakes_all_from, context_gen_params),
	KUNIT_CASE(each_loses_for_itself),
	KUNIT_CASE(all_have_the_same_time),
	KUNIT_CASE(nobody_listens),
	KUNIT_CASE(broadcast_races_open_and_close),
	KUNIT_CASE_PARAM(event_wakes_from, context_gen_params),
	KUNIT_CASE(events_add_up_until_fetched),
	KUNIT_CASE(losses_are_no_events),
	KUNIT_CASE_PARAM(end_wakes_all_from, context_gen_params),
	KUNIT_CASE(what_is_left_comes_before_the_end),
	KUNIT_CASE(reader_that_waits_is_told),
	{}
};

/* clang-format on */

static struct kunit_suite broadcast_suite = {
	.name = "untwist_broadcast",
	.test_cases = broadcast_cases,
};

kunit_test_suite(broadcast_suite);

MODULE_DESCRIPTION("KUnit suite of what Untwist's drivers tell besides data");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
