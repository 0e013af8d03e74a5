// SPDX-License-Identifier: GPL-2.0-only
/*
 * The byte queue: what goes in comes out, whatever the positions are.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "fifo.h"
#include "thread.h"

#define SMALL 16u

static void fifo_end(void *fifo)
{
	untwist_fifo_release(fifo);
}

static struct untwist_fifo *fifo_new(struct kunit *test, u32 size)
{
	struct untwist_fifo *fifo = kunit_kzalloc(test, sizeof(*fifo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fifo);
	KUNIT_ASSERT_EQ(test, 0, untwist_fifo_init(fifo, size));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fifo_end, fifo));
	return fifo;
}

/* As if so many bytes had gone through. */
static void fifo_move_to(struct untwist_fifo *fifo, u32 position)
{
	fifo->head = position;
	fifo->tail = position;
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

static void put_all(struct untwist_fifo *fifo, u32 from, u32 len)
{
	u8 buf[SMALL];

	fill(buf, from, len);
	untwist_fifo_put(fifo, 0, buf, len);
	untwist_fifo_publish(fifo, len);
}

static void expect_next(struct kunit *test, struct untwist_fifo *fifo, u32 from, u32 len)
{
	u8 want[SMALL];
	u8 got[SMALL];

	fill(want, from, len);
	untwist_fifo_get(fifo, 0, got, len);
	KUNIT_EXPECT_MEMEQ(test, got, want, len);
	untwist_fifo_consume(fifo, len);
}

struct size_case {
	u32 size;
	int ret;
};

static const struct size_case sizes[] = {
	{ 0, -EINVAL },
	{ 1, 0 },
	{ 2, 0 },
	{ 3, -EINVAL },
	{ 4095, -EINVAL },
	{ 4096, 0 },
	{ UNTWIST_FIFO_MAX, 0 },
	{ UNTWIST_FIFO_MAX + 1, -EINVAL },
	{ UNTWIST_FIFO_MAX * 2, -EINVAL },
	{ U32_MAX, -EINVAL },
};

static void size_desc(const struct size_case *c, char *to)
{
	snprintf(to, KUNIT_PARAM_DESC_SIZE, "%u", c->size);
}

KUNIT_ARRAY_PARAM(size, sizes, size_desc);

static void init_takes_powers_of_two_only(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct untwist_fifo fifo = {};

	KUNIT_EXPECT_EQ(test, c->ret, untwist_fifo_init(&fifo, c->size));
	if (!c->ret) {
		KUNIT_EXPECT_EQ(test, 0u, untwist_fifo_used(&fifo));
		KUNIT_EXPECT_EQ(test, c->size, untwist_fifo_room(&fifo));
	}
	untwist_fifo_release(&fifo);
}

static void release_of_nothing_and_twice(struct kunit *test)
{
	struct untwist_fifo fifo = {};

	untwist_fifo_release(&fifo);
	KUNIT_ASSERT_EQ(test, 0, untwist_fifo_init(&fifo, SMALL));
	untwist_fifo_release(&fifo);
	untwist_fifo_release(&fifo);
	KUNIT_EXPECT_NULL(test, fifo.data);
}

static void put_shows_only_when_published(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	u8 buf[4];

	fill(buf, 0, 4);
	untwist_fifo_put(fifo, 0, buf, 2);
	untwist_fifo_put(fifo, 2, buf + 2, 2);
	KUNIT_EXPECT_EQ(test, 0u, untwist_fifo_used(fifo));
	untwist_fifo_publish(fifo, 4);
	KUNIT_EXPECT_EQ(test, 4u, untwist_fifo_used(fifo));
	expect_next(test, fifo, 0, 4);
}

static void get_leaves_until_consumed(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	u8 byte;

	put_all(fifo, 0, 3);
	untwist_fifo_get(fifo, 1, &byte, 1);
	KUNIT_EXPECT_EQ(test, pattern(1), byte);
	KUNIT_EXPECT_EQ(test, 3u, untwist_fifo_used(fifo));
	expect_next(test, fifo, 0, 3);
	KUNIT_EXPECT_EQ(test, 0u, untwist_fifo_used(fifo));
}

/* Every length at every place, so at every way around the end of the memory. */
static void wraps_at_end_of_memory(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	u32 at, len;

	for (at = 0; at < SMALL; at++) {
		for (len = 1; len <= SMALL; len++) {
			fifo_move_to(fifo, at);
			put_all(fifo, at + len, len);
			KUNIT_ASSERT_EQ(test, len, untwist_fifo_used(fifo));
			KUNIT_ASSERT_EQ(test, SMALL - len, untwist_fifo_room(fifo));
			expect_next(test, fifo, at + len, len);
			KUNIT_ASSERT_EQ(test, SMALL, untwist_fifo_room(fifo));
		}
	}
}

static void wraps_at_end_of_u32(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	u32 before;

	for (before = 0; before <= SMALL; before++) {
		fifo_move_to(fifo, U32_MAX - before);
		put_all(fifo, before, SMALL);
		KUNIT_ASSERT_EQ(test, SMALL, untwist_fifo_used(fifo));
		KUNIT_ASSERT_EQ(test, 0u, untwist_fifo_room(fifo));
		expect_next(test, fifo, before, SMALL / 2);
		KUNIT_ASSERT_EQ(test, SMALL / 2, untwist_fifo_room(fifo));
		expect_next(test, fifo, before + SMALL / 2, SMALL / 2);
		KUNIT_ASSERT_EQ(test, 0u, untwist_fifo_used(fifo));
	}
}

/*
 * Who only looks on reads the tail first; when it reads the head, more may have
 * gone through than the queue holds.
 */
static void looks_full_at_most(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);

	fifo->tail = U32_MAX - 1;
	fifo->head = fifo->tail + SMALL + 5;
	KUNIT_EXPECT_EQ(test, SMALL, untwist_fifo_used(fifo));
	KUNIT_EXPECT_EQ(test, 0u, untwist_fifo_room(fifo));
}

static void iterators_go_around_the_end(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	struct iov_iter iter;
	struct kvec vec;
	u8 in[SMALL];
	u8 out[SMALL] = {};

	fill(in, 0, SMALL);
	fifo_move_to(fifo, SMALL - 5);
	vec = (struct kvec){ .iov_base = in, .iov_len = SMALL };
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, SMALL);
	KUNIT_EXPECT_EQ(test, SMALL, untwist_fifo_put_iter(fifo, 0, SMALL, &iter));
	untwist_fifo_publish(fifo, SMALL);
	KUNIT_EXPECT_EQ(test, 0ul, iov_iter_count(&iter));

	vec = (struct kvec){ .iov_base = out, .iov_len = SMALL };
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, SMALL);
	KUNIT_EXPECT_EQ(test, SMALL, untwist_fifo_get_iter(fifo, 0, SMALL, &iter));
	KUNIT_EXPECT_MEMEQ(test, out, in, SMALL);
}

/* An iterator that ends before its time is what a fault in a program looks like. */
static void iterators_tell_how_far_they_came(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	struct iov_iter iter;
	struct kvec vec;
	u8 buf[SMALL];
	u32 len;

	for (len = 0; len < SMALL; len++) {
		fill(buf, 0, SMALL);
		fifo_move_to(fifo, SMALL - 5);
		vec = (struct kvec){ .iov_base = buf, .iov_len = len };
		iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, len);
		KUNIT_ASSERT_EQ(test, len, untwist_fifo_put_iter(fifo, 0, SMALL, &iter));
		untwist_fifo_publish(fifo, SMALL);
		vec = (struct kvec){ .iov_base = buf, .iov_len = len };
		iov_iter_kvec(&iter, ITER_DEST, &vec, 1, len);
		KUNIT_ASSERT_EQ(test, len, untwist_fifo_get_iter(fifo, 0, SMALL, &iter));
	}
}

/* Whatever the positions are, and whichever of the two is larger. */
static void moves_to_memory_of_another_size(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, SMALL);
	struct untwist_fifo *other = fifo_new(test, 4 * SMALL);
	u32 at, len;

	for (at = 0; at < 4 * SMALL; at++) {
		for (len = 0; len <= SMALL; len++) {
			u32 size = other->size;

			fifo_move_to(fifo, U32_MAX - 2 * SMALL + at);
			put_all(fifo, at, len);
			KUNIT_ASSERT_TRUE(test, untwist_fifo_movable(fifo, size));
			untwist_fifo_move(fifo, other);
			KUNIT_ASSERT_EQ(test, size, fifo->size);
			KUNIT_ASSERT_EQ(test, len, untwist_fifo_used(fifo));
			expect_next(test, fifo, at, len);
		}
	}
}

static void what_would_not_fit_is_not_movable(struct kunit *test)
{
	struct untwist_fifo *fifo = fifo_new(test, UNTWIST_FIFO_MOVE_MAX * 4);

	untwist_fifo_publish(fifo, 1024);
	KUNIT_EXPECT_TRUE(test, untwist_fifo_movable(fifo, 1024));
	KUNIT_EXPECT_FALSE(test, untwist_fifo_movable(fifo, 512));
	untwist_fifo_publish(fifo, UNTWIST_FIFO_MOVE_MAX - 1024);
	KUNIT_EXPECT_TRUE(test, untwist_fifo_movable(fifo, UNTWIST_FIFO_MAX));
	untwist_fifo_publish(fifo, 1);
	KUNIT_EXPECT_FALSE(test, untwist_fifo_movable(fifo, UNTWIST_FIFO_MAX));
}

#define TRANSFER 1000000u
#define BURST	 61u

struct transfer {
	struct untwist_fifo *fifo;
	u32 sum;
	u32 wrong;
	bool over;
};

static int produce(void *arg)
{
	struct transfer *t = arg;
	u8 buf[BURST];
	u32 done = 0;

	while (done < TRANSFER && !READ_ONCE(t->over)) {
		u32 len = min3(untwist_fifo_room(t->fifo), BURST, TRANSFER - done);

		if (!len) {
			cond_resched();
			continue;
		}
		fill(buf, done, len);
		untwist_fifo_put(t->fifo, 0, buf, len);
		untwist_fifo_publish(t->fifo, len);
		done += len;
	}
	return 0;
}

static int consume(void *arg)
{
	struct transfer *t = arg;
	u8 buf[BURST];
	u32 done = 0;
	u32 i;

	while (done < TRANSFER && !READ_ONCE(t->over)) {
		u32 len = min3(untwist_fifo_used(t->fifo), BURST - 2, TRANSFER - done);

		if (!len) {
			cond_resched();
			continue;
		}
		untwist_fifo_get(t->fifo, 0, buf, len);
		untwist_fifo_consume(t->fifo, len);
		for (i = 0; i < len; i++) {
			t->wrong += buf[i] != pattern(done + i);
			t->sum += buf[i];
		}
		done += len;
	}
	return done;
}

static void transfer_end(void *arg)
{
	struct transfer *t = arg;

	WRITE_ONCE(t->over, true);
}

/* The third one that looks on is a poll(): it has no side and no lock. */
static void producer_and_consumer_need_no_lock(struct kunit *test)
{
	struct transfer *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct test_thread *producer, *consumer;
	u32 sum = 0;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->fifo = fifo_new(test, 256);
	fifo_move_to(t->fifo, U32_MAX - TRANSFER / 2);
	producer = test_thread_start(test, produce, t);
	consumer = test_thread_start(test, consume, t);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, transfer_end, t));

	for (i = 0; i < 10000; i++) {
		KUNIT_ASSERT_LE(test, untwist_fifo_used(t->fifo), 256u);
		KUNIT_ASSERT_LE(test, untwist_fifo_room(t->fifo), 256u);
	}
	test_thread_join(test, producer);
	KUNIT_EXPECT_EQ(test, TRANSFER, test_thread_join(test, consumer));
	for (i = 0; i < TRANSFER; i++)
		sum += pattern(i);
	KUNIT_EXPECT_EQ(test, 0u, t->wrong);
	KUNIT_EXPECT_EQ(test, sum, t->sum);
}

/* clang-format off */
static struct kunit_case fifo_cases[] = {
	KUNIT_CASE_PARAM(init_takes_powers_of_two_only, size_gen_params),
	KUNIT_CASE(release_of_nothing_and_twice),
	KUNIT_CASE(put_shows_only_when_published),
	KUNIT_CASE(get_leaves_until_consumed),
	KUNIT_CASE(wraps_at_end_of_memory),
	KUNIT_CASE(wraps_at_end_of_u32),
	KUNIT_CASE(looks_full_at_most),
	KUNIT_CASE(iterators_go_around_the_end),
	KUNIT_CASE(iterators_tell_how_far_they_came),
	KUNIT_CASE(moves_to_memory_of_another_size),
	KUNIT_CASE(what_would_not_fit_is_not_movable),
	KUNIT_CASE(producer_and_consumer_need_no_lock),
	{}
};

/* clang-format on */

static struct kunit_suite fifo_suite = {
	.name = "untwist_fifo",
	.test_cases = fifo_cases,
};

kunit_test_suite(fifo_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's byte queue");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
