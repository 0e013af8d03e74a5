// SPDX-License-Identifier: MIT
/* Deferreds: who owns the value of a chain, when it is freed, and how it is taken out. */
#include <untwist/deferred.h>

#include <errno.h>
#include <stdlib.h>

#include "harness.h"

/* Owned values are counters; freeing one counts up. */
static void count_free(void *ptr)
{
	++*(int *)ptr;
}

static struct utw_result return_same_borrowed(void *value, void *data)
{
	(void)data;
	return utw_result_value(value);
}

static struct utw_result return_nothing(void *value, void *data)
{
	(void)value;
	(void)data;
	return utw_result_value(NULL);
}

static void owned_value_is_freed_once_when_replaced(void **state)
{
	int freed = 0;
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_callback_owned(d, &freed, count_free);
	utw_deferred_add_callback(d, return_same_borrowed, NULL);
	assert_int_equal(freed, 0);
	utw_deferred_add_callback(d, return_nothing, NULL);
	assert_int_equal(freed, 1);
	utw_deferred_unref(d);
	assert_int_equal(freed, 1);
}

static void owned_value_is_freed_with_the_deferred(void **state)
{
	int freed = 0;
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_callback_owned(d, &freed, count_free);
	assert_int_equal(freed, 0);
	utw_deferred_unref(d);
	assert_int_equal(freed, 1);
}

static void owned_value_that_is_refused_is_freed(void **state)
{
	int freed = 0;
	struct utw_deferred *d = utw_deferred_succeed(NULL);

	(void)state;
	assert_int_equal(utw_deferred_callback_owned(d, &freed, count_free), -EALREADY);
	assert_int_equal(freed, 1);
	utw_deferred_unref(d);
}

static void take_moves_the_value_out(void **state)
{
	int freed = 0;
	struct utw_deferred *d = utw_deferred_new();
	struct utw_result result;

	(void)state;
	assert_int_equal(utw_deferred_take(d, &result), -EAGAIN);
	utw_deferred_callback_owned(d, &freed, count_free);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	utw_deferred_unref(d);
	assert_int_equal(freed, 0);
	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	assert_ptr_equal(result.value.ptr, &freed);
	assert_ptr_equal(result.value.free, count_free);
}

static void take_of_a_failure_leaves_nothing_unhandled(void **state)
{
	struct utw_deferred *d =
		utw_deferred_fail(utw_failure_from_errno(-EIO, "test", "as planned"));
	struct utw_result result;

	(void)state;
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	assert_int_equal(harness_take_unhandled(), 0);
}

static struct utw_result take_while_running(void *value, void *data)
{
	struct utw_result result;

	(void)value;
	assert_int_equal(utw_deferred_take(data, &result), -EBUSY);
	return utw_result_pass();
}

static void take_from_inside_the_chain_is_busy(void **state)
{
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callback(d, take_while_running, d);
	utw_deferred_callback(d, NULL);
	utw_deferred_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(owned_value_is_freed_once_when_replaced),
		TEST(owned_value_is_freed_with_the_deferred),
		TEST(owned_value_that_is_refused_is_freed),
		TEST(take_moves_the_value_out),
		TEST(take_of_a_failure_leaves_nothing_unhandled),
		TEST(take_from_inside_the_chain_is_busy),
	};

	return cmocka_run_group_tests_name("deferred-ownership", tests, NULL, NULL);
}
