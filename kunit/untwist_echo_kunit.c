// SPDX-License-Identifier: GPL-2.0-only
/*
 * Back-pressure both ways at full speed: a writer, a driver that sends all
 * back, and a reader, with queues so small that each of them has to wait all
 * the time. One wake-up or one resume that is lost, and it stands still.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "thread.h"

#define RECORD_MAX 32u
#define TOTAL	   20000u
#define BURST	   97u

/**
 * struct echo - a driver that sends all back
 * @fake: fake it is made of
 * @ch: channel
 * @lock: makes one of the moves
 * @called: transmit or resume was called, for the driver's own thread
 * @context: where the driver's own thread moves data
 * @over: the thread ends
 */
struct echo {
	struct fake *fake;
	struct untwist_channel *ch;
	raw_spinlock_t lock; /* see above */
	struct completion called;
	enum test_context context;
	bool over;
};

static bool echo_move_one(struct echo *echo)
{
	u8 buf[RECORD_MAX];
	unsigned long flags;
	size_t len;

	raw_spin_lock_irqsave(&echo->lock, flags);
	len = min_t(size_t, untwist_pending(echo->ch), sizeof(buf));
	if (len)
		len = untwist_room(echo->ch, len) < len ? 0 : len;
	if (len)
		len = untwist_push(echo->ch, buf, untwist_pull(echo->ch, buf, len));
	raw_spin_unlock_irqrestore(&echo->lock, flags);
	return len;
}

static void echo_move(void *arg)
{
	while (echo_move_one(arg))
		;
}

static void echo_at_once(struct untwist_channel *ch)
{
	echo_move(untwist_channel_drvdata(ch));
}

static void echo_by_thread(struct untwist_channel *ch)
{
	struct echo *echo = untwist_channel_drvdata(ch);

	complete(&echo->called);
}

static int echo_thread(void *arg)
{
	struct echo *echo = arg;

	while (!READ_ONCE(echo->over)) {
		wait_for_completion(&echo->called);
		test_call_in(echo->context, echo_move, echo);
	}
	return 0;
}

static void echo_end(void *arg)
{
	struct echo *echo = arg;

	WRITE_ONCE(echo->over, true);
	complete(&echo->called);
}

struct echo_case {
	const char *name;
	u32 kind;
	unsigned int flags;
	bool thread;
	enum test_context context;
};

static const struct echo_case echo_cases[] = {
	{ "bytes, in the calls", UNTWIST_KIND_STREAM },
	{ "bytes, deferred", UNTWIST_KIND_STREAM, UNTWIST_DEFER },
	{ "bytes, thread", UNTWIST_KIND_STREAM, 0, true, TEST_HERE },
	{ "bytes, softirq", UNTWIST_KIND_STREAM, 0, true, TEST_SOFTIRQ },
	{ "bytes, hardirq", UNTWIST_KIND_STREAM, 0, true, TEST_HARDIRQ },
	{ "records, in the calls", UNTWIST_KIND_RECORD },
	{ "records, deferred", UNTWIST_KIND_RECORD, UNTWIST_DEFER },
	{ "records, hardirq", UNTWIST_KIND_RECORD, 0, true, TEST_HARDIRQ },
};

KUNIT_ARRAY_PARAM_DESC(echo, echo_cases, name);

static u8 pattern(u32 i)
{
	return i * 167 + 13;
}

/**
 * struct transfer - what goes through the echo
 * @file: the open file
 * @record: move records, not bytes
 * @wrong: bytes that came back different
 */
struct transfer {
	struct file *file;
	bool record;
	u32 wrong;
};

/* Lengths that fit no queue; a record's is at most RECORD_MAX. */
static u32 burst_length(const struct transfer *t, u32 done)
{
	u32 len = t->record ? 1 + done % RECORD_MAX : 1 + done % BURST;

	return min(len, TOTAL - done);
}

static int write_all(void *arg)
{
	struct transfer *t = arg;
	u8 buf[BURST];
	u32 done = 0;

	while (done < TOTAL) {
		u32 len = burst_length(t, done);
		ssize_t ret;
		u32 i;

		for (i = 0; i < len; i++)
			buf[i] = pattern(done + i);
		ret = kernel_write(t->file, buf, len, NULL);
		if (ret <= 0)
			return ret;
		done += ret;
	}
	return done;
}

static int read_all(void *arg)
{
	struct transfer *t = arg;
	u8 buf[BURST];
	u32 done = 0;

	while (done < TOTAL) {
		ssize_t ret = kernel_read(t->file, buf, t->record ? RECORD_MAX : BURST, NULL);
		u32 i;

		if (ret <= 0)
			return ret;
		t->wrong += t->record && ret != burst_length(t, done);
		for (i = 0; i < ret; i++)
			t->wrong += buf[i] != pattern(done + i);
		done += ret;
	}
	return done;
}

static struct echo *echo_start(struct kunit *test, const struct echo_case *c)
{
	const struct untwist_config config = {
		.kind = c->kind,
		.flags = c->flags,
		.rx_size = 64,
		.tx_size = 64,
		.record_max = RECORD_MAX,
	};
	struct echo *echo = kunit_kzalloc(test, sizeof(*echo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, echo);
	raw_spin_lock_init(&echo->lock);
	init_completion(&echo->called);
	echo->context = c->context;
	echo->fake = fake_register(test, &config);
	echo->fake->on_transmit = c->thread ? echo_by_thread : echo_at_once;
	echo->fake->on_resume = echo->fake->on_transmit;
	return echo;
}

static void all_comes_back(struct kunit *test)
{
	const struct echo_case *c = test->param_value;
	struct transfer *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct test_thread *writer, *reader;
	struct echo *echo = echo_start(test, c);
	struct program *p;

	KUNIT_ASSERT_NOT_NULL(test, t);
	p = program_start(test, echo->fake, 0);
	echo->ch = p->ch;
	untwist_channel_set_drvdata(p->ch, echo);
	if (c->thread) {
		test_thread_start(test, echo_thread, echo);
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, echo_end, echo));
	}
	t->file = p->file;
	t->record = c->kind == UNTWIST_KIND_RECORD;
	reader = test_thread_start(test, read_all, t);
	writer = test_thread_start(test, write_all, t);

	KUNIT_EXPECT_EQ(test, TOTAL, test_thread_join(test, writer));
	KUNIT_EXPECT_EQ(test, TOTAL, test_thread_join(test, reader));
	KUNIT_EXPECT_EQ(test, 0u, t->wrong);
	KUNIT_EXPECT_EQ(test, 0ul, fake_stat(echo->fake, UNTWIST_STAT_RX_LOST_BYTES));
}

/* clang-format off */
static struct kunit_case echo_kunit_cases[] = {
	KUNIT_CASE_PARAM_ATTR(all_comes_back, echo_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	{}
};

/* clang-format on */

static struct kunit_suite echo_suite = {
	.name = "untwist_echo",
	.test_cases = echo_kunit_cases,
};

kunit_test_suite(echo_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's back-pressure");
MODULE_LICENSE("GPL");
