// SPDX-License-Identifier: GPL-2.0-only
/*
 * A full receive queue: what is lost then, by the program's choice, and how the
 * headers of records tell.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stream.h"
#include "thread.h"
#include "watch.h"

#define RECORD_MAX 24u

static const struct untwist_config small_stream = {
	.kind = UNTWIST_KIND_STREAM,
	.flags = UNTWIST_HOLDS_BACK,
	.rx_size = 16,
};

/* Four records of four bytes fit, or two of twelve. */
static const struct untwist_config small_record = {
	.kind = UNTWIST_KIND_RECORD,
	.flags = UNTWIST_HOLDS_BACK,
	.rx_size = 32,
	.record_max = RECORD_MAX,
};

/* With headers, four records of six bytes fit. */
#define HEADERS_QUEUE 128u

static struct program *start(struct kunit *test, const struct untwist_config *config, u32 overflow,
			     u32 flags)
{
	const struct untwist_options options = {
		.rx_size = flags ? HEADERS_QUEUE : config->rx_size,
		.overflow = overflow,
		.flags = flags,
	};
	struct program *p = program_start(test, fake_register(test, config), O_NONBLOCK);

	KUNIT_ASSERT_EQ(test, 0, program_set_options(p, &options));
	return p;
}

static size_t push(struct program *p, const char *text)
{
	return untwist_push(p->ch, text, strlen(text));
}

static void expect_read(struct kunit *test, struct program *p, const char *want)
{
	char got[64] = {};

	KUNIT_EXPECT_EQ(test, (ssize_t)strlen(want), kernel_read(p->file, got, 63, NULL));
	KUNIT_EXPECT_STREQ(test, want, got);
}

static void expect_nothing(struct kunit *test, struct program *p)
{
	char byte;

	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_read(p->file, &byte, 1, NULL));
}

static void expect_lost(struct kunit *test, struct program *p, u64 bytes, u64 records)
{
	struct untwist_lost lost;

	KUNIT_EXPECT_EQ(test, bytes || records, program_polls(p, EPOLLPRI));
	untwist_receive_take_lost(p->ch, &lost);
	KUNIT_EXPECT_EQ(test, bytes, lost.bytes);
	KUNIT_EXPECT_EQ(test, records, lost.records);
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLPRI));
}

/* The oldest goes. */

static void oldest_bytes_go(struct kunit *test)
{
	struct program *p = start(test, &small_stream, UNTWIST_OVERFLOW_DROP_OLDEST, 0);

	KUNIT_EXPECT_EQ(test, 10ul, push(p, "0123456789"));
	KUNIT_EXPECT_EQ(test, 10ul, push(p, "abcdefghij"));
	expect_lost(test, p, 4, 0);
	expect_read(test, p, "456789abcdefghij");
	expect_nothing(test, p);
}

static void end_of_a_long_push_stays(struct kunit *test)
{
	struct program *p = start(test, &small_stream, UNTWIST_OVERFLOW_DROP_OLDEST, 0);

	push(p, "gone");
	KUNIT_EXPECT_EQ(test, 16ul, push(p, "0123456789abcdefghij"));
	expect_lost(test, p, 8, 0);
	expect_read(test, p, "456789abcdefghij");
}

static void oldest_records_go_whole(struct kunit *test)
{
	struct program *p = start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, 0);

	push(p, "one.");
	push(p, "two.");
	push(p, "3...");
	push(p, "four");
	expect_lost(test, p, 0, 0);
	/* It takes as much as two of the old. */
	KUNIT_EXPECT_EQ(test, 12ul, push(p, "a longer one"));
	expect_lost(test, p, 8, 2);
	expect_read(test, p, "3...");
	expect_read(test, p, "four");
	expect_read(test, p, "a longer one");
	expect_nothing(test, p);
}

static void record_that_never_fits_drops_nothing(struct kunit *test)
{
	struct program *p = start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, 0);

	push(p, "one");
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "longer than a record may be"));
	expect_lost(test, p, 27, 1);
	expect_read(test, p, "one");
}

static void there_is_always_room(struct kunit *test)
{
	struct program *p = start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, 0);

	push(p, "a record that fills it..");
	KUNIT_EXPECT_EQ(test, (size_t)RECORD_MAX, untwist_room(p->ch, RECORD_MAX));
	KUNIT_EXPECT_FALSE(test, test_bit(UNTWIST_CH_RX_STALLED, &p->ch->state));
}

/* In reads of every length, and over the end of the memory, too. */
static void reads_are_as_ever(struct kunit *test)
{
	struct program *p = start(test, &small_stream, UNTWIST_OVERFLOW_DROP_OLDEST, 0);
	char buf[17];
	int i;

	for (i = 1; i <= 16; i++) {
		KUNIT_ASSERT_EQ(test, 16ul, push(p, "0123456789abcdef"));
		KUNIT_ASSERT_EQ(test, (ssize_t)i, kernel_read(p->file, buf, i, NULL));
		KUNIT_ASSERT_MEMEQ(test, "0123456789abcdef", buf, i);
		if (i < 16)
			KUNIT_ASSERT_EQ(test, 16l - i, kernel_read(p->file, buf, 17, NULL));
		expect_nothing(test, p);
		expect_lost(test, p, 0, 0);
	}
}

static void __user *const nowhere = (void __user *)16;

static ssize_t read_nowhere(struct program *p)
{
	struct kiocb iocb;
	struct iov_iter to;

	init_sync_kiocb(&iocb, p->file);
	iov_iter_ubuf(&to, ITER_DEST, nowhere, 64);
	return p->file->f_op->read_iter(&iocb, &to);
}

static void fault_loses_nothing(struct kunit *test)
{
	struct program *p = start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, 0);
	struct program *q;
	char byte;

	push(p, "record");
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)read_nowhere(p));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, (int)kernel_read(p->file, &byte, 1, NULL));
	expect_read(test, p, "record");
	expect_lost(test, p, 0, 0);

	fake_unregister(p->ch->ud->config.drvdata);
	q = start(test, &small_stream, UNTWIST_OVERFLOW_DROP_OLDEST, 0);
	push(q, "bytes");
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)read_nowhere(q));
	expect_read(test, q, "bytes");
	expect_lost(test, q, 0, 0);
}

/* The driver keeps it. */

static void driver_keeps_bytes_that_find_no_room(struct kunit *test)
{
	struct program *p = start(test, &small_stream, UNTWIST_OVERFLOW_BLOCK, 0);
	struct fake *fake = p->ch->ud->config.drvdata;
	char buf[16];

	KUNIT_EXPECT_EQ(test, 16ul, push(p, "0123456789abcdefghij"));
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "ghij"));
	expect_lost(test, p, 0, 0);
	KUNIT_EXPECT_EQ(test, 7l, kernel_read(p->file, buf, 7, NULL));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(p->file, buf, 1, NULL));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 4ul, push(p, "ghij"));
	expect_read(test, p, "89abcdefghij");
}

static void driver_keeps_records_that_find_no_room(struct kunit *test)
{
	struct program *p = start(test, &small_record, UNTWIST_OVERFLOW_BLOCK, 0);
	struct fake *fake = p->ch->ud->config.drvdata;

	push(p, "the first record");
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "the second"));
	expect_lost(test, p, 0, 0);
	expect_read(test, p, "the first record");
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 10ul, push(p, "the second"));
	/* To keep this would be for ever. */
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "longer than a record may be"));
	expect_lost(test, p, 27, 1);
	expect_read(test, p, "the second");
}

/* Headers. */

struct stamped {
	struct untwist_record_header header;
	char text[RECORD_MAX + 1];
};

static struct stamped read_stamped(struct kunit *test, struct program *p)
{
	struct stamped stamped = {};
	ssize_t n = kernel_read(p->file, &stamped, sizeof(stamped) - 1, NULL);

	KUNIT_EXPECT_EQ(test, (ssize_t)(sizeof(stamped.header) + strlen(stamped.text)), n);
	KUNIT_EXPECT_EQ(test, strlen(stamped.text), (size_t)stamped.header.length);
	KUNIT_EXPECT_EQ(test, 0u, stamped.header.reserved);
	return stamped;
}

static void expect_stamped(struct kunit *test, struct program *p, const char *text, u64 sequence,
			   u32 lost)
{
	struct stamped stamped = read_stamped(test, p);

	KUNIT_EXPECT_STREQ(test, text, stamped.text);
	KUNIT_EXPECT_EQ(test, sequence, stamped.header.sequence);
	KUNIT_EXPECT_EQ(test, lost, stamped.header.lost);
	KUNIT_EXPECT_EQ(test, lost ? UNTWIST_RECORD_LOST : 0, stamped.header.flags);
}

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

static void push_text(void *p)
{
	push(p, "text");
}

static void time_is_that_of_the_push(struct kunit *test)
{
	const enum test_context *context = test->param_value;
	struct program *p = start(test, &small_record, 0, UNTWIST_OPT_HEADERS);
	u64 before = ktime_get_ns();
	struct stamped stamped;
	u64 after;

	test_call_in(*context, push_text, p);
	after = ktime_get_ns();
	stamped = read_stamped(test, p);
	KUNIT_EXPECT_GE(test, stamped.header.time, before);
	KUNIT_EXPECT_LE(test, stamped.header.time, after);
}

static void header_wants_room_too(struct kunit *test)
{
	struct program *p = start(test, &small_record, 0, UNTWIST_OPT_HEADERS);
	struct stamped stamped;

	push(p, "1234");
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			(int)kernel_read(p->file, &stamped, sizeof(stamped.header) + 3, NULL));
	mutex_lock(&p->ch->rd_mutex);
	KUNIT_EXPECT_EQ(test, sizeof(stamped.header) + 4, untwist_receive_next(p->ch));
	mutex_unlock(&p->ch->rd_mutex);
	expect_stamped(test, p, "1234", 0, 0);
}

static void headers_tell_of_lost_newest(struct kunit *test)
{
	struct program *p = start(test, &small_record, 0, UNTWIST_OPT_HEADERS);

	/* With what is in front of each, four go into the queue. */
	KUNIT_EXPECT_EQ(test, 6ul, push(p, "000000"));
	KUNIT_EXPECT_EQ(test, 6ul, push(p, "111111"));
	KUNIT_EXPECT_EQ(test, 6ul, push(p, "222222"));
	KUNIT_EXPECT_EQ(test, 6ul, push(p, "333333"));
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "444444"));
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "555555"));
	expect_stamped(test, p, "000000", 0, 0);
	KUNIT_EXPECT_EQ(test, 6ul, push(p, "666666"));
	expect_stamped(test, p, "111111", 1, 0);
	expect_stamped(test, p, "222222", 2, 0);
	expect_stamped(test, p, "333333", 3, 0);
	expect_stamped(test, p, "666666", 6, 2);
	expect_lost(test, p, 12, 2);
}

static void headers_tell_of_lost_oldest(struct kunit *test)
{
	struct program *p =
		start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, UNTWIST_OPT_HEADERS);
	char text[7];
	int i;

	for (i = 0; i < 7; i++) {
		snprintf(text, sizeof(text), "%06d", i);
		KUNIT_EXPECT_EQ(test, 6ul, push(p, text));
	}
	KUNIT_EXPECT_EQ(test, 0ul, push(p, "longer than a record may be"));
	expect_stamped(test, p, "000003", 3, 3);
	expect_stamped(test, p, "000004", 4, 0);
	KUNIT_EXPECT_EQ(test, 6ul, push(p, "000008"));
	expect_stamped(test, p, "000005", 5, 0);
	expect_stamped(test, p, "000006", 6, 0);
	expect_stamped(test, p, "000008", 8, 1);
	expect_lost(test, p, 18 + 27, 4);
}

/* What a lost record would have told of those before it is told by the next. */
static void loss_before_a_lost_one_is_told(struct kunit *test)
{
	struct program *p =
		start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, UNTWIST_OPT_HEADERS);
	int i;

	push(p, "longer than a record may be");
	for (i = 0; i < 5; i++)
		push(p, "abcdef");
	expect_stamped(test, p, "abcdef", 2, 2);
}

static void fault_does_not_tell(struct kunit *test)
{
	struct program *p =
		start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, UNTWIST_OPT_HEADERS);
	int i;

	for (i = 0; i < 5; i++)
		push(p, "abcdef");
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)read_nowhere(p));
	expect_stamped(test, p, "abcdef", 1, 1);
}

static void choice_counts_for_what_waits(struct kunit *test)
{
	struct program *p = start(test, &small_record, 0, 0);
	const struct untwist_options headers = { .flags = UNTWIST_OPT_HEADERS };
	const struct untwist_options none = {};
	struct stamped stamped;

	push(p, "early");
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &headers));
	push(p, "late");
	stamped = read_stamped(test, p);
	KUNIT_EXPECT_STREQ(test, "early", stamped.text);
	KUNIT_EXPECT_EQ(test, UNTWIST_RECORD_BARE, (int)stamped.header.flags);
	KUNIT_EXPECT_EQ(test, 0ull, stamped.header.time);
	expect_stamped(test, p, "late", 1, 0);
	push(p, "with");
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &none));
	expect_read(test, p, "with");
}

/* The driver drops what the reader is about to return. */

#define ROUNDS 20u
#define STEPS  500u

struct drop_race {
	struct program *p;
	unsigned int left;
	unsigned int right;
	u32 pushed;
	u32 read;
	u32 told_lost;
	u32 torn;
	u32 disorder;
};

static void push_records(void *arg)
{
	struct drop_race *race = arg;
	u32 record[4];
	u32 step;

	for (step = 1; step <= STEPS; step++) {
		u32 i = race->pushed++;

		record[0] = i;
		record[1] = ~i;
		record[2] = i;
		record[3] = ~i;
		test_race_step(&race->left, &race->right, step);
		untwist_push(race->p->ch, record, sizeof(record));
	}
}

static bool read_one(struct drop_race *race)
{
	struct {
		struct untwist_record_header header;
		u32 record[4];
	} got;
	u32 i;

	if (kernel_read(race->p->file, &got, sizeof(got), NULL) != sizeof(got))
		return false;
	i = got.header.sequence;
	race->torn += got.record[0] != i || got.record[1] != ~i || got.record[2] != i ||
		got.record[3] != ~i;
	race->told_lost += got.header.lost;
	race->disorder += race->read + race->told_lost != i;
	race->read++;
	return true;
}

static void read_records(void *arg)
{
	struct drop_race *race = arg;
	u32 step;

	for (step = 1; step <= STEPS; step++) {
		test_race_step(&race->right, &race->left, step);
		if (step % 8 < 3)
			read_one(race);
	}
}

static void drop_begins(void *arg)
{
	struct drop_race *race = arg;

	race->left = 0;
	race->right = 0;
}

static void dropping_races_reading(struct kunit *test)
{
	struct drop_race *state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);
	struct test_race race = {
		.before = drop_begins,
		.left = push_records,
		.right = read_records,
		.arg = state,
	};
	struct untwist_lost lost;

	KUNIT_ASSERT_NOT_NULL(test, state);
	state->p = start(test, &small_record, UNTWIST_OVERFLOW_DROP_OLDEST, UNTWIST_OPT_HEADERS);
	test_race_run(test, &race, ROUNDS);
	while (read_one(state))
		;
	untwist_receive_take_lost(state->p->ch, &lost);
	kunit_info(test, "%u read, %llu lost", state->read, lost.records);
	KUNIT_EXPECT_EQ(test, 0u, state->torn);
	KUNIT_EXPECT_EQ(test, 0u, state->disorder);
	KUNIT_EXPECT_EQ(test, (u64)state->told_lost, lost.records);
	KUNIT_EXPECT_EQ(test, state->pushed, state->read + state->told_lost);
}

/* clang-format off */
static struct kunit_case overflow_cases[] = {
	KUNIT_CASE(oldest_bytes_go),
	KUNIT_CASE(end_of_a_long_push_stays),
	KUNIT_CASE(oldest_records_go_whole),
	KUNIT_CASE(record_that_never_fits_drops_nothing),
	KUNIT_CASE(there_is_always_room),
	KUNIT_CASE(reads_are_as_ever),
	KUNIT_CASE(fault_loses_nothing),
	KUNIT_CASE(driver_keeps_bytes_that_find_no_room),
	KUNIT_CASE(driver_keeps_records_that_find_no_room),
	KUNIT_CASE_PARAM(time_is_that_of_the_push, context_gen_params),
	KUNIT_CASE(header_wants_room_too),
	KUNIT_CASE(headers_tell_of_lost_newest),
	KUNIT_CASE(headers_tell_of_lost_oldest),
	KUNIT_CASE(loss_before_a_lost_one_is_told),
	KUNIT_CASE(fault_does_not_tell),
	KUNIT_CASE(choice_counts_for_what_waits),
	KUNIT_CASE(dropping_races_reading),
	{}
};

/* clang-format on */

static struct kunit_suite overflow_suite = {
	.name = "untwist_overflow",
	.test_cases = overflow_cases,
};

kunit_test_suite(overflow_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's full queues");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
