// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program may choose about its queues, and that nothing which is queued
 * suffers from it.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sizes.h>
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
	.rx_size = 64,
	.tx_size = 64,
};

static const struct untwist_config small_record = {
	.kind = UNTWIST_KIND_RECORD,
	.rx_size = 64,
	.tx_size = 64,
	.record_max = 60,
};

static struct untwist_options get(struct program *p)
{
	struct untwist_options options;

	untwist_stream_get_options(p->ch, &options);
	return options;
}

static void expect_options(struct kunit *test, struct program *p, u32 rx_size, u32 tx_size,
			   u32 overflow, u32 flags)
{
	struct untwist_options options = get(p);

	KUNIT_EXPECT_EQ(test, rx_size, options.rx_size);
	KUNIT_EXPECT_EQ(test, tx_size, options.tx_size);
	KUNIT_EXPECT_EQ(test, overflow, options.overflow);
	KUNIT_EXPECT_EQ(test, flags, options.flags);
}

struct set_case {
	const char *what;
	const struct untwist_config *config;
	struct untwist_options options;
	int ret;
	struct untwist_options then;
};

#define OLDEST	UNTWIST_OVERFLOW_DROP_OLDEST
#define BLOCK	UNTWIST_OVERFLOW_BLOCK
#define HEADERS UNTWIST_OPT_HEADERS

static const struct set_case set_cases[] = {
	{ "nothing", &small_stream, {}, 0, { 64, 64 } },
	{ "rx", &small_stream, { 4096, 0 }, 0, { 4096, 64 } },
	{ "tx", &small_stream, { 0, 4096 }, 0, { 64, 4096 } },
	{ "smaller", &small_stream, { 16, 32 }, 0, { 16, 32 } },
	{ "rounded", &small_stream, { 65, 1 }, 0, { 128, 2 } },
	{ "largest", &small_stream, { SZ_16M, SZ_16M }, 0, { SZ_16M, SZ_16M } },
	{ "rx too large", &small_stream, { SZ_16M + 1, 0 }, -EINVAL, { 64, 64 } },
	{ "tx too large", &small_stream, { 128, SZ_16M + 1 }, -EINVAL, { 64, 64 } },
	{ "drop oldest", &small_stream, { 0, 0, OLDEST }, 0, { 64, 64, OLDEST } },
	{ "block", &small_stream, { 0, 0, BLOCK }, 0, { 64, 64, BLOCK } },
	{ "block, cannot", &small_record, { 128, 0, BLOCK }, -EOPNOTSUPP, { 64, 64 } },
	{ "unknown policy", &small_stream, { 0, 0, BLOCK + 1 }, -EINVAL, { 64, 64 } },
	{ "unknown flag", &small_record, { 0, 0, 0, HEADERS << 1 }, -EINVAL, { 64, 64 } },
	{ "headers of bytes", &small_stream, { 0, 0, 0, HEADERS }, -EOPNOTSUPP, { 64, 64 } },
	/* A record always fits, with whatever is in front of it. */
	{ "small for a record", &small_record, { 1, 1 }, 0, { 64, 64 } },
	{ "headers", &small_record, { 0, 0, 0, HEADERS }, 0, { 128, 64, 0, HEADERS } },
};

KUNIT_ARRAY_PARAM_DESC(set, set_cases, what);

static void options_are_checked_and_completed(struct kunit *test)
{
	const struct set_case *c = test->param_value;
	struct program *p = program_start(test, fake_register(test, c->config), 0);

	KUNIT_EXPECT_EQ(test, c->ret, program_set_options(p, &c->options));
	expect_options(test, p, c->then.rx_size, c->then.tx_size, c->then.overflow, c->then.flags);
}

static void nothing_to_send_with_has_no_size(struct kunit *test)
{
	static const struct untwist_ops no_ops;
	const struct untwist_config config = { .ops = &no_ops, .kind = UNTWIST_KIND_STREAM };
	struct program *p = program_start(test, fake_register(test, &config), 0);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			program_set_options(p, &(struct untwist_options){ .tx_size = 64 }));
	KUNIT_EXPECT_EQ(test, 0,
			program_set_options(p, &(struct untwist_options){ .rx_size = 64 }));
	expect_options(test, p, 64, 0, 0, 0);
}

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

/* Sizes that put the end of the memory at every place of what is queued. */
static void what_is_queued_stays(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), O_NONBLOCK);
	u8 in[48], out[64];
	u32 i;

	for (i = 0; i < 64; i++) {
		u32 size = i % 2 ? 64 : 256;

		fill(in, i, sizeof(in));
		KUNIT_ASSERT_EQ(test, 48ul, untwist_push(p->ch, in, 48));
		KUNIT_ASSERT_EQ(test, 48l, kernel_write(p->file, in, 48, NULL));
		KUNIT_ASSERT_EQ(test, 0,
				program_set_options(p, &(struct untwist_options){ size, size }));
		KUNIT_ASSERT_EQ(test, 48l, kernel_read(p->file, out, 64, NULL));
		KUNIT_ASSERT_MEMEQ(test, in, out, 48);
		KUNIT_ASSERT_EQ(test, 48ul, untwist_pull(p->ch, out, 64));
		KUNIT_ASSERT_MEMEQ(test, in, out, 48);
		/* So that the next round begins somewhere else. */
		untwist_push(p->ch, in, i % 7);
		kernel_read(p->file, out, 64, NULL);
	}
}

static void what_does_not_fit_keeps_its_queue(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), O_NONBLOCK);
	u8 buf[64] = {};

	untwist_push(p->ch, buf, 33);
	KUNIT_EXPECT_EQ(test, -EBUSY, program_set_options(p, &(struct untwist_options){ 32, 128 }));
	expect_options(test, p, 64, 64, 0, 0);
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(p->file, buf, 1, NULL));
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &(struct untwist_options){ 32, 128 }));
	expect_options(test, p, 32, 128, 0, 0);

	kernel_write(p->file, buf, 64, NULL);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			program_set_options(p, &(struct untwist_options){ 64, 32, OLDEST }));
	expect_options(test, p, 32, 128, 0, 0);
}

/* What is copied with interrupts off has a limit. */
static void much_is_not_moved(struct kunit *test)
{
	const struct untwist_config config = { .kind = UNTWIST_KIND_STREAM, .rx_size = SZ_64K };
	struct program *p = program_start(test, fake_register(test, &config), O_NONBLOCK);
	u8 *buf = kunit_kzalloc(test, SZ_16K + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, SZ_16K + 1ul, untwist_push(p->ch, buf, SZ_16K + 1));
	KUNIT_EXPECT_EQ(test, -EBUSY, program_set_options(p, &(struct untwist_options){ SZ_128K }));
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &(struct untwist_options){ 0, SZ_128K }));
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(p->file, buf, 1, NULL));
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &(struct untwist_options){ SZ_128K }));
}

static int write_blocking(void *arg)
{
	static u8 buf[96];
	struct program *p = arg;

	return kernel_write(p->file, buf, sizeof(buf), NULL);
}

static void more_room_wakes_both_sides(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, 0);
	struct test_thread *writer = test_thread_start(test, write_blocking, p);
	u8 buf[64] = {};

	watch_until_sleepers(test, p->ch, 1);
	untwist_push(p->ch, buf, 64);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_room(p->ch, 1));
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &(struct untwist_options){ 128, 256 }));
	KUNIT_EXPECT_EQ(test, 96, test_thread_join(test, writer));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 64ul, untwist_room(p->ch, 64));
}

/* Who waits for room need not wait any more when the oldest goes. */
static void dropping_resumes_the_driver(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, 0);
	u8 buf[64] = {};

	untwist_push(p->ch, buf, 64);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_room(p->ch, 1));
	KUNIT_EXPECT_EQ(test, 0, program_set_options(p, &(struct untwist_options){ 0, 0, OLDEST }));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 64ul, untwist_room(p->ch, 64));
}

/* Queues that change under a driver and a program which do not stop for it. */

#define ROUNDS 20u
#define STEPS  500u

struct change_race {
	struct program *p;
	unsigned int left;
	unsigned int right;
	u32 pushed;
	u32 read;
	u32 wrong;
	u32 refused;
};

static void push_and_read(void *arg)
{
	struct change_race *race = arg;
	u8 buf[16];
	u32 i, step;

	for (step = 1; step <= STEPS; step++) {
		ssize_t n;

		test_race_step(&race->left, &race->right, step);
		fill(buf, race->pushed, 7);
		race->pushed += untwist_push(race->p->ch, buf, 7);
		n = kernel_read(race->p->file, buf, step % 9 + 4, NULL);
		for (i = 0; n > 0 && i < n; i++)
			race->wrong += buf[i] != pattern(race->read++);
	}
}

static void resize(void *arg)
{
	static const u32 sizes[] = { 256, 64, 128, 1024 };
	struct change_race *race = arg;
	u32 step;

	for (step = 1; step <= STEPS; step++) {
		struct untwist_options options = { .rx_size = sizes[step % ARRAY_SIZE(sizes)] };

		test_race_step(&race->right, &race->left, step);
		race->refused += program_set_options(race->p, &options) != 0;
	}
}

static void resize_begins(void *arg)
{
	struct change_race *race = arg;

	race->left = 0;
	race->right = 0;
}

static void resizing_races_pushing_and_reading(struct kunit *test)
{
	struct change_race *state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);
	struct test_race race = {
		.before = resize_begins,
		.left = push_and_read,
		.right = resize,
		.arg = state,
	};

	KUNIT_ASSERT_NOT_NULL(test, state);
	state->p = program_start(test, fake_register(test, &small_stream), O_NONBLOCK);
	test_race_run(test, &race, ROUNDS);
	kunit_info(test, "%u of %u changes refused", state->refused, ROUNDS * STEPS);
	KUNIT_EXPECT_EQ(test, 0u, state->wrong);
	KUNIT_EXPECT_LT(test, state->refused, ROUNDS * STEPS);
	KUNIT_EXPECT_EQ(test, state->pushed - state->read, untwist_fifo_used(&state->p->ch->rx));
}

/* clang-format off */
static struct kunit_case options_cases[] = {
	KUNIT_CASE_PARAM(options_are_checked_and_completed, set_gen_params),
	KUNIT_CASE(nothing_to_send_with_has_no_size),
	KUNIT_CASE(what_is_queued_stays),
	KUNIT_CASE(what_does_not_fit_keeps_its_queue),
	KUNIT_CASE(much_is_not_moved),
	KUNIT_CASE(more_room_wakes_both_sides),
	KUNIT_CASE(dropping_resumes_the_driver),
	KUNIT_CASE(resizing_races_pushing_and_reading),
	{}
};

/* clang-format on */

static struct kunit_suite options_suite = {
	.name = "untwist_options",
	.test_cases = options_cases,
};

kunit_test_suite(options_suite);

MODULE_DESCRIPTION("KUnit suite of the options of Untwist's data plane");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
