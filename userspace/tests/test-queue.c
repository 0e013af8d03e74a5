// SPDX-License-Identifier: MIT
/* Queues: values and those who wait for them. */
#include <untwist/queue.h>

#include <errno.h>

#include "harness-alloc.h"
#include "notes.h"

#define VALUE(number) ((void *)(intptr_t)(number))

/* The value at the end of `d`, whose reference is taken. */
static intptr_t value_of(struct utw_deferred *d)
{
	struct utw_result result;

	assert_non_null(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	utw_deferred_unref(d);
	return (intptr_t)result.value.ptr;
}

static void assert_failed(struct utw_deferred *d, int reason)
{
	struct utw_result result;

	assert_non_null(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, reason));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void values_come_out_in_the_order_they_went_in(void **state)
{
	struct utw_queue *q = utw_queue_new(UTW_QUEUE_UNBOUNDED, UTW_QUEUE_UNBOUNDED);
	struct utw_deferred *third, *fourth;

	(void)state;
	utw_queue_put(q, VALUE(1));
	utw_queue_put(q, VALUE(2));
	assert_int_equal(utw_queue_length(q), 2);
	assert_int_equal(value_of(utw_queue_get(q)), 1);
	assert_int_equal(value_of(utw_queue_get(q)), 2);
	third = utw_queue_get(q);
	fourth = utw_queue_get(q);
	assert_int_equal(utw_queue_waiting(q), 2);
	utw_queue_put(q, VALUE(3));
	utw_queue_put(q, VALUE(4));
	assert_int_equal(value_of(third), 3);
	assert_int_equal(value_of(fourth), 4);
	utw_queue_free(q);
}

static void put_into_a_full_queue_leaves_the_value_to_the_caller(void **state)
{
	struct utw_queue *q = utw_queue_new(1, 1);

	(void)state;
	assert_int_equal(utw_queue_put(q, VALUE(1)), 0);
	assert_int_equal(utw_queue_put(q, VALUE(2)), -ENOBUFS);
	assert_int_equal(value_of(utw_queue_get(q)), 1);
	assert_int_equal(utw_queue_put(q, VALUE(3)), 0);
	assert_int_equal(value_of(utw_queue_get(q)), 3);
	utw_queue_free(q);
}

static void get_beyond_the_backlog_fails(void **state)
{
	struct utw_queue *q = utw_queue_new(1, 1);
	struct utw_deferred *d = utw_queue_get(q);

	(void)state;
	assert_failed(utw_queue_get(q), UTW_LIMIT);
	utw_queue_put(q, VALUE(1));
	assert_int_equal(value_of(d), 1);
	utw_queue_free(q);
}

static void queue_of_size_0_takes_only_what_is_waited_for(void **state)
{
	struct utw_queue *q = utw_queue_new(0, 1);
	struct utw_deferred *d;

	(void)state;
	assert_int_equal(utw_queue_put(q, VALUE(1)), -ENOBUFS);
	d = utw_queue_get(q);
	assert_int_equal(utw_queue_put(q, VALUE(2)), 0);
	assert_int_equal(value_of(d), 2);
	utw_queue_free(q);
}

static void cancelled_getter_loses_no_value(void **state)
{
	struct utw_queue *q = utw_queue_new(1, 2);
	struct utw_deferred *gone = utw_queue_get(q), *next = utw_queue_get(q);

	(void)state;
	utw_deferred_cancel(gone);
	assert_failed(gone, UTW_CANCELLED);
	utw_queue_put(q, VALUE(5));
	assert_int_equal(value_of(next), 5);
	utw_queue_free(q);
}

/* Puts from inside the callback of a getter, for the next one. */
static struct utw_result put_next(void *value, void *data)
{
	assert_int_equal(utw_queue_put(data, VALUE((intptr_t)value + 1)), 0);
	return utw_result_pass();
}

static void put_inside_a_getters_callback_keeps_the_order(void **state)
{
	struct utw_queue *q = utw_queue_new(0, 3);
	struct utw_deferred *d[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		d[i] = utw_queue_get(q);
	utw_deferred_add_callback(d[0], put_next, q);
	utw_deferred_add_callback(d[1], put_next, q);
	utw_queue_put(q, VALUE(1));
	for (i = 0; i < 3; i++)
		assert_int_equal(value_of(d[i]), i + 1);
	utw_queue_free(q);
}

/* Notes when it is done, so that one who was served inside of it would come first. */
struct server {
	struct utw_queue *queue;
	struct notes notes;
};

static struct utw_result put_and_note(void *value, void *data)
{
	struct server *server = data;

	(void)value;
	utw_queue_put(server->queue, VALUE(2));
	note(&server->notes, '1');
	return utw_result_pass();
}

static struct utw_result note_second(void *value, void *data)
{
	(void)value;
	note(&((struct server *)data)->notes, '2');
	return utw_result_pass();
}

static void getter_is_not_served_inside_another_ones_callback(void **state)
{
	struct server server = { .queue = utw_queue_new(0, 2) };
	struct utw_deferred *first = utw_queue_get(server.queue);
	struct utw_deferred *second = utw_queue_get(server.queue);

	(void)state;
	utw_deferred_add_callback(first, put_and_note, &server);
	utw_deferred_add_callback(second, note_second, &server);
	utw_queue_put(server.queue, VALUE(1));
	assert_noted(&server.notes, "12");
	utw_deferred_unref(first);
	utw_deferred_unref(second);
	utw_queue_free(server.queue);
}

static void count_free(void *ptr)
{
	++*(int *)ptr;
}

static void free_frees_the_values_and_fails_the_getters(void **state)
{
	struct utw_queue *q = utw_queue_new(2, 1);
	struct utw_deferred *d;
	int freed = 0;

	(void)state;
	utw_queue_put_owned(q, &freed, count_free);
	utw_queue_put_owned(q, &freed, count_free);
	utw_queue_free(q);
	assert_int_equal(freed, 2);
	q = utw_queue_new(0, 1);
	d = utw_queue_get(q);
	utw_queue_free(q);
	utw_queue_free(NULL);
	assert_failed(d, UTW_CANCELLED);
}

static struct utw_result free_queue(void *value, void *data)
{
	(void)value;
	utw_queue_free(data);
	assert_int_equal(utw_queue_put(data, NULL), -ENOBUFS);
	assert_failed(utw_queue_get(data), UTW_CANCELLED);
	return utw_result_value(NULL);
}

static void free_inside_a_getters_callback(void **state)
{
	struct utw_queue *q = utw_queue_new(1, 2);
	struct utw_deferred *first = utw_queue_get(q), *second = utw_queue_get(q);

	(void)state;
	utw_deferred_add_callback(first, free_queue, q);
	utw_queue_put(q, VALUE(1));
	assert_failed(second, UTW_CANCELLED);
	utw_deferred_unref(first);
}

static void value_given_to_a_getter_moves_with_its_owner(void **state)
{
	struct utw_queue *q = utw_queue_new(1, 1);
	struct utw_deferred *d = utw_queue_get(q);
	int freed = 0;

	(void)state;
	utw_queue_put_owned(q, &freed, count_free);
	assert_int_equal(freed, 0);
	utw_deferred_unref(d);
	assert_int_equal(freed, 1);
	utw_queue_free(q);
}

static void queue_survives_each_failed_allocation(void **state)
{
	struct utw_queue *q = utw_queue_new(1, 1);

	(void)state;
	alloc_fail_at(1);
	assert_null(utw_queue_new(1, 1));
	alloc_fail_at(1);
	assert_null(utw_queue_get(q));
	alloc_fail_at(2);
	assert_null(utw_queue_get(q));
	assert_int_equal(utw_queue_waiting(q), 0);
	alloc_fail_at(1);
	assert_int_equal(utw_queue_put(q, VALUE(1)), -ENOMEM);
	alloc_fail_at(0);
	assert_int_equal(utw_queue_put(q, VALUE(1)), 0);
	alloc_fail_at(1);
	assert_null(utw_queue_get(q));
	alloc_fail_at(0);
	assert_int_equal(value_of(utw_queue_get(q)), 1);
	utw_queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_come_out_in_the_order_they_went_in),
		TEST(put_into_a_full_queue_leaves_the_value_to_the_caller),
		TEST(get_beyond_the_backlog_fails),
		TEST(queue_of_size_0_takes_only_what_is_waited_for),
		TEST(cancelled_getter_loses_no_value),
		TEST(put_inside_a_getters_callback_keeps_the_order),
		TEST(getter_is_not_served_inside_another_ones_callback),
		TEST(free_frees_the_values_and_fails_the_getters),
		TEST(free_inside_a_getters_callback),
		TEST(value_given_to_a_getter_moves_with_its_owner),
		TEST(queue_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
