// SPDX-License-Identifier: MIT
/* The byte queue. */
#include "base/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness-alloc.h"
#include "harness.h"

static void assert_held(const struct utw_buffer *b, const char *expected)
{
	assert_int_equal(utw_buffer_length(b), strlen(expected));
	assert_memory_equal(utw_buffer_data(b), expected, strlen(expected));
}

static void init_holds_nothing(void **state)
{
	struct utw_buffer b;

	(void)state;
	utw_buffer_init(&b);
	assert_true(utw_buffer_empty(&b));
	assert_non_null(utw_buffer_data(&b));
	utw_buffer_consume(&b, 5);
	assert_int_equal(utw_buffer_append(&b, NULL, 0), 0);
	assert_null(b.storage);
	utw_buffer_release(&b);
}

static void append_and_consume_keep_the_order(void **state)
{
	struct utw_buffer b = { 0 };

	(void)state;
	utw_buffer_append(&b, "hello ", 6);
	utw_buffer_append(&b, "world", 5);
	assert_held(&b, "hello world");
	utw_buffer_consume(&b, 6);
	assert_held(&b, "world");
	utw_buffer_consume(&b, 99);
	assert_true(utw_buffer_empty(&b));
	utw_buffer_release(&b);
}

static void reserve_and_commit_take_what_was_filled(void **state)
{
	struct utw_buffer b = { 0 };
	char *room;

	(void)state;
	room = utw_buffer_reserve(&b, 100);
	memcpy(room, "abc", 3);
	utw_buffer_commit(&b, 3);
	assert_held(&b, "abc");
	utw_buffer_release(&b);
	assert_true(utw_buffer_empty(&b));
}

/* Sizes drawn from a fixed sequence, compared with plain counters of what must be there. */
static void any_mix_of_sizes_gives_back_the_same_bytes(void **state)
{
	struct utw_buffer b = { 0 };
	unsigned char next_in = 0, next_out = 0, piece[700];
	unsigned int seed = 1, i, j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		size_t in = rand_r(&seed) % sizeof(piece);
		size_t out = rand_r(&seed) % sizeof(piece);
		const unsigned char *held;

		for (j = 0; j < in; j++)
			piece[j] = next_in++;
		assert_int_equal(utw_buffer_append(&b, piece, in), 0);
		if (out > utw_buffer_length(&b))
			out = utw_buffer_length(&b);
		held = utw_buffer_data(&b);
		for (j = 0; j < out; j++)
			if (held[j] != next_out++)
				fail_msg("byte %u of round %u differs", j, i);
		utw_buffer_consume(&b, out);
	}
	utw_buffer_release(&b);
}

/* A queue that is always short needs little memory, however much has gone through. */
static void storage_stays_in_proportion_to_what_is_held(void **state)
{
	struct utw_buffer b = { 0 };
	char piece[100] = { 0 };
	int i;

	(void)state;
	utw_buffer_append(&b, piece, sizeof(piece));
	for (i = 0; i < 10000; i++) {
		utw_buffer_append(&b, piece, sizeof(piece));
		utw_buffer_consume(&b, sizeof(piece));
	}
	assert_true(b.capacity <= 1024);
	utw_buffer_release(&b);
}

/* A megabyte by single bytes: doubling asks for memory a dozen times, not a million. */
static void growing_by_single_bytes_allocates_rarely(void **state)
{
	struct utw_buffer b = { 0 };
	int i;

	(void)state;
	alloc_fail_at(0);
	for (i = 0; i < 1 << 20; i++)
		utw_buffer_append(&b, "x", 1);
	assert_true(alloc_count() <= 16);
	utw_buffer_release(&b);
}

static void append_without_memory_loses_nothing(void **state)
{
	struct utw_buffer b = { 0 };
	char big[4096] = { 0 };

	(void)state;
	utw_buffer_append(&b, "kept", 4);
	alloc_fail_at(1);
	assert_int_equal(utw_buffer_append(&b, big, sizeof(big)), -ENOMEM);
	assert_held(&b, "kept");
	assert_int_equal(utw_buffer_append(&b, big, sizeof(big)), 0);
	assert_int_equal(utw_buffer_length(&b), 4 + sizeof(big));
	utw_buffer_release(&b);
}

static void reserve_of_an_impossible_size_is_refused(void **state)
{
	struct utw_buffer b = { 0 };

	(void)state;
	utw_buffer_append(&b, "kept", 4);
	assert_null(utw_buffer_reserve(&b, SIZE_MAX));
	assert_null(utw_buffer_reserve(&b, SIZE_MAX - 2));
	assert_held(&b, "kept");
	utw_buffer_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(init_holds_nothing),
		TEST(append_and_consume_keep_the_order),
		TEST(reserve_and_commit_take_what_was_filled),
		TEST(any_mix_of_sizes_gives_back_the_same_bytes),
		TEST(storage_stays_in_proportion_to_what_is_held),
		TEST(growing_by_single_bytes_allocates_rarely),
		TEST(append_without_memory_loses_nothing),
		TEST(reserve_of_an_impossible_size_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
