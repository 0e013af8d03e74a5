// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data plane: bytes and records both ways, losses, and back-pressure.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stream.h"
#include "thread.h"
#include "watch.h"

#define RECORD_MAX 32u

static const struct untwist_config small_stream = {
	.kind = UNTWIST_KIND_STREAM,
	.rx_size = 64,
	.tx_size = 64,
};

/* Two records of the largest size do not fit. */
static const struct untwist_config small_record = {
	.kind = UNTWIST_KIND_RECORD,
	.rx_size = 64,
	.tx_size = 64,
	.record_max = RECORD_MAX,
};

static u8 pattern(u32 i)
{
	return i * 167 + 13;
}

static void fill(u8 *buf, u32 from, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		buf[i] = pattern(from + i);
}

static void expect_read(struct kunit *test, struct program *p, const char *want)
{
	char got[128] = {};

	KUNIT_EXPECT_EQ(test, (ssize_t)strlen(want), kernel_read(p->file, got, sizeof(got), NULL));
	KUNIT_EXPECT_STREQ(test, want, got);
}

static size_t push(struct program *p, const char *text)
{
	return untwist_push(p->ch, text, strlen(text));
}

static ssize_t write(struct program *p, const char *text)
{
	return kernel_write(p->file, text, strlen(text), NULL);
}

/* Receiving. */

static void bytes_join_and_split(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	char two[2];

	KUNIT_EXPECT_EQ(test, 3ul, push(p, "abc"));
	KUNIT_EXPECT_EQ(test, 3ul, push(p, "def"));
	KUNIT_EXPECT_EQ(test, 2l, kernel_read(p->file, two, 2, NULL));
	KUNIT_EXPECT_MEMEQ(test, two, "ab", 2);
	expect_read(test, p, "cdef");
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_read(p->file, two, 2, NULL));
}

static void records_never_join(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	push(p, "first");
	push(p, "2");
	push(p, "the third");
	expect_read(test, p, "first");
	expect_read(test, p, "2");
	expect_read(test, p, "the third");
}

static void record_longer_than_buffer_stays(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	char buf[4];

	push(p, "five!");
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, (int)kernel_read(p->file, buf, 4, NULL));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, (int)kernel_read(p->file, buf, 1, NULL));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLIN));
	expect_read(test, p, "five!");
}

static void longest_record_fits(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	u8 in[RECORD_MAX], out[RECORD_MAX];
	int i;

	fill(in, 0, RECORD_MAX);
	/* Often enough to be split at every place by the end of the memory. */
	for (i = 0; i < 64; i++) {
		u32 len = RECORD_MAX - i % 2;

		KUNIT_ASSERT_EQ(test, (size_t)len, untwist_push(p->ch, in, len));
		KUNIT_ASSERT_EQ(test, (ssize_t)len, kernel_read(p->file, out, RECORD_MAX, NULL));
		KUNIT_ASSERT_MEMEQ(test, in, out, len);
	}
}

static void nothing_is_no_record(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(p->ch, "", 0));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLIN));
	KUNIT_EXPECT_EQ(test, 0l, kernel_write(p->file, "", 0, NULL));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_TRANSMIT));
}

/* Losses. */

static void expect_lost(struct kunit *test, struct program *p, u64 bytes, u64 records)
{
	struct untwist_lost lost;

	KUNIT_EXPECT_EQ(test, bytes || records, program_polls(p, EPOLLPRI));
	untwist_receive_take_lost(p->ch, &lost);
	KUNIT_EXPECT_EQ(test, bytes, lost.bytes);
	KUNIT_EXPECT_EQ(test, records, lost.records);
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLPRI));
}

static void bytes_without_room_are_counted(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	u8 in[70], out[70];

	fill(in, 0, sizeof(in));
	expect_lost(test, p, 0, 0);
	KUNIT_EXPECT_EQ(test, 64ul, untwist_push(p->ch, in, 70));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(p->ch, in, 5));
	expect_lost(test, p, 11, 0);
	expect_lost(test, p, 0, 0);
	KUNIT_EXPECT_EQ(test, 64l, kernel_read(p->file, out, 70, NULL));
	KUNIT_EXPECT_MEMEQ(test, in, out, 64);
	KUNIT_EXPECT_EQ(test, 11ul, fake_stat(fake, UNTWIST_STAT_RX_LOST_BYTES));
}

static void record_is_lost_whole(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	u8 in[RECORD_MAX + 1] = {};

	KUNIT_EXPECT_EQ(test, 32ul, untwist_push(p->ch, in, 32));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(p->ch, in, 25));
	KUNIT_EXPECT_EQ(test, 24ul, untwist_push(p->ch, in, 24));
	expect_lost(test, p, 25, 1);
	KUNIT_EXPECT_EQ(test, 32l, kernel_read(p->file, in, 32, NULL));
	KUNIT_EXPECT_EQ(test, 24l, kernel_read(p->file, in, 32, NULL));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(p->ch, in, RECORD_MAX + 1));
	expect_lost(test, p, RECORD_MAX + 1, 1);
	KUNIT_EXPECT_EQ(test, 2ul, fake_stat(fake, UNTWIST_STAT_RX_LOST_RECORDS));
}

static void loss_is_told_once_until_asked(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *watch;
	u8 in[64] = {};

	KUNIT_EXPECT_EQ(test, 64ul, untwist_push(p->ch, in, 64));
	watch = watch_start(test, p->ch);
	untwist_push(p->ch, in, 1);
	untwist_push(p->ch, in, 1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&watch->wakes));
	EXPECT_BITS(test, EPOLLPRI | EPOLLRDHUP, watch_keys(watch));
	expect_lost(test, p, 2, 0);
	untwist_push(p->ch, in, 1);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&watch->wakes));
	expect_lost(test, p, 1, 0);
}

/* Where data is announced from. */

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

static void push_one(void *p)
{
	push(p, "x");
}

static void push_wakes_readers_from(struct kunit *test)
{
	const enum test_context *context = test->param_value;
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *watch = watch_start(test, p->ch);

	test_call_in(*context, push_one, p);
	watch_wait(test, watch);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&watch->wakes));
	EXPECT_BITS(test, EPOLLIN | EPOLLRDNORM, watch_keys(watch));
	expect_read(test, p, "x");
}

static void pull_all(void *arg)
{
	struct program *p = arg;
	u8 buf[64];

	while (untwist_pull(p->ch, buf, sizeof(buf)))
		;
}

static void pull_wakes_writers_from(struct kunit *test)
{
	const enum test_context *context = test->param_value;
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *watch;
	u8 in[80] = {};

	KUNIT_EXPECT_EQ(test, 64l, kernel_write(p->file, in, 80, NULL));
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_write(p->file, in, 1, NULL));
	watch = watch_start(test, p->ch);
	test_call_in(*context, pull_all, p);
	watch_wait(test, watch);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&watch->wakes));
	EXPECT_BITS(test, EPOLLOUT | EPOLLWRNORM, watch_keys(watch));
}

/* Sending. */

static void written_bytes_are_pulled(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	char buf[8] = {};

	KUNIT_EXPECT_EQ(test, 0ul, untwist_pending(p->ch));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_pull(p->ch, buf, 8));
	KUNIT_EXPECT_EQ(test, 3l, write(p, "abc"));
	KUNIT_EXPECT_EQ(test, 2l, write(p, "de"));
	KUNIT_EXPECT_EQ(test, 2, fake_calls(fake, FAKE_TRANSMIT));
	KUNIT_EXPECT_EQ(test, 5ul, untwist_pending(p->ch));
	KUNIT_EXPECT_EQ(test, 4ul, untwist_pull(p->ch, buf, 4));
	KUNIT_EXPECT_STREQ(test, "abcd", buf);
	KUNIT_EXPECT_EQ(test, 1ul, untwist_pull(p->ch, buf, 4));
	KUNIT_EXPECT_EQ(test, 'e', buf[0]);
}

static void written_records_are_pulled_whole(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	char buf[RECORD_MAX + 1] = {};

	KUNIT_EXPECT_EQ(test, 5l, write(p, "first"));
	KUNIT_EXPECT_EQ(test, 3l, write(p, "2nd"));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, (int)kernel_write(p->file, buf, RECORD_MAX + 1, NULL));
	KUNIT_EXPECT_EQ(test, 5ul, untwist_pending(p->ch));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_pull(p->ch, buf, 4));
	KUNIT_EXPECT_EQ(test, 5ul, untwist_pull(p->ch, buf, 5));
	KUNIT_EXPECT_STREQ(test, "first", buf);
	KUNIT_EXPECT_EQ(test, 3ul, untwist_pending(p->ch));
	KUNIT_EXPECT_EQ(test, 3ul, untwist_pull(p->ch, buf, RECORD_MAX));
	KUNIT_EXPECT_MEMEQ(test, buf, "2nd", 3);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_pending(p->ch));
}

/* A writer is not woken for a byte: half of the queue is to be free. */
static void writers_wait_for_half_of_the_queue(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct watch *watch;
	u8 buf[64] = {};

	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT | EPOLLWRNORM));
	KUNIT_EXPECT_EQ(test, 33l, kernel_write(p->file, buf, 33, NULL));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 31l, kernel_write(p->file, buf, 64, NULL));
	watch = watch_start(test, p->ch);
	KUNIT_EXPECT_EQ(test, 31ul, untwist_pull(p->ch, buf, 31));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&watch->wakes));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 1ul, untwist_pull(p->ch, buf, 1));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&watch->wakes));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT));
	/* Nobody has asked since. */
	untwist_pull(p->ch, buf, 1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&watch->wakes));
}

/* Records: room for the longest. */
static void writers_wait_for_the_longest_record(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	u8 buf[RECORD_MAX] = {};

	/* With its header, each takes four bytes more. */
	KUNIT_EXPECT_EQ(test, 24l, kernel_write(p->file, buf, 24, NULL));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 24ul, untwist_pull(p->ch, buf, RECORD_MAX));
	KUNIT_EXPECT_EQ(test, 25l, kernel_write(p->file, buf, 25, NULL));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_write(p->file, buf, RECORD_MAX, NULL));
	KUNIT_EXPECT_EQ(test, 25ul, untwist_pull(p->ch, buf, RECORD_MAX));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 32l, kernel_write(p->file, buf, RECORD_MAX, NULL));
}

/* Holding back. */

static void resume_comes_when_half_is_free(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	u8 buf[64] = {};

	KUNIT_EXPECT_EQ(test, 64ul, untwist_room(p->ch, 64));
	untwist_push(p->ch, buf, 64);
	/* Not asked, so not told. */
	KUNIT_EXPECT_EQ(test, 64l, kernel_read(p->file, buf, 64, NULL));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_RESUME));

	untwist_push(p->ch, buf, 64);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_room(p->ch, 1));
	KUNIT_EXPECT_EQ(test, 31l, kernel_read(p->file, buf, 31, NULL));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(p->file, buf, 1, NULL));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 32l, kernel_read(p->file, buf, 32, NULL));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
}

static void room_of_records_counts_their_headers(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_record);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	u8 buf[RECORD_MAX] = {};

	KUNIT_EXPECT_EQ(test, (size_t)RECORD_MAX, untwist_room(p->ch, 1000));
	untwist_push(p->ch, buf, 30);
	KUNIT_EXPECT_EQ(test, 26ul, untwist_room(p->ch, RECORD_MAX));
	KUNIT_EXPECT_EQ(test, 26ul, untwist_push(p->ch, buf, 26));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_room(p->ch, 1));
	KUNIT_EXPECT_EQ(test, 30l, kernel_read(p->file, buf, RECORD_MAX, NULL));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
}

static void deferred_calls_do_not_hold_the_program_up(struct kunit *test)
{
	struct untwist_config config = small_stream;
	struct program *p;
	struct fake *fake;
	u8 buf[64] = {};

	config.flags = UNTWIST_DEFER;
	fake = fake_register(test, &config);
	p = program_start(test, fake, O_NONBLOCK);
	untwist_push(p->ch, buf, 64);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_room(p->ch, 1));
	fake_gate_shut(fake, FAKE_TRANSMIT);
	fake_gate_shut(fake, FAKE_RESUME);

	KUNIT_EXPECT_EQ(test, 3l, write(p, "abc"));
	fake_gate_await(test, fake, FAKE_TRANSMIT);
	KUNIT_EXPECT_EQ(test, 64l, kernel_read(p->file, buf, 64, NULL));
	fake_gate_open(fake, FAKE_TRANSMIT);
	fake_gate_await(test, fake, FAKE_RESUME);
	fake_gate_open(fake, FAKE_RESUME);
}

static void nothing_comes_after_the_end(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	push(p, "last");
	untwist_channel_kill(p->ch);
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "too late"));
	expect_lost(test, p, 0, 0);
	expect_read(test, p, "last");
}

/* clang-format off */
static struct kunit_case stream_cases[] = {
	KUNIT_CASE(bytes_join_and_split),
	KUNIT_CASE(records_never_join),
	KUNIT_CASE(record_longer_than_buffer_stays),
	KUNIT_CASE(longest_record_fits),
	KUNIT_CASE(nothing_is_no_record),
	KUNIT_CASE(bytes_without_room_are_counted),
	KUNIT_CASE(record_is_lost_whole),
	KUNIT_CASE(loss_is_told_once_until_asked),
	KUNIT_CASE_PARAM(push_wakes_readers_from, context_gen_params),
	KUNIT_CASE_PARAM(pull_wakes_writers_from, context_gen_params),
	KUNIT_CASE(written_bytes_are_pulled),
	KUNIT_CASE(written_records_are_pulled_whole),
	KUNIT_CASE(writers_wait_for_half_of_the_queue),
	KUNIT_CASE(writers_wait_for_the_longest_record),
	KUNIT_CASE(resume_comes_when_half_is_free),
	KUNIT_CASE(room_of_records_counts_their_headers),
	KUNIT_CASE(deferred_calls_do_not_hold_the_program_up),
	KUNIT_CASE(nothing_comes_after_the_end),
	{}
};

/* clang-format on */

static struct kunit_suite stream_suite = {
	.name = "untwist_stream",
	.test_cases = stream_cases,
};

kunit_test_suite(stream_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's data plane");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
