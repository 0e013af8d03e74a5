// SPDX-License-Identifier: MIT
/* Deferreds: what a function begins, and a result that goes to another one. */
#include <untwist/deferred.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "harness-alloc.h"
#include "harness.h"

#define DEPTH	    20000
#define SMALL_STACK ((size_t)128 << 10)

static struct utw_result start_with_seven(void *data)
{
	++*(int *)data;
	return utw_result_value((void *)7);
}

static struct utw_result start_with_failure(void *data)
{
	(void)data;
	return utw_result_fail(utw_failure_from_errno(-EACCES, "test", "as planned"));
}

static struct utw_result start_waiting(void *data)
{
	return utw_result_wait(utw_deferred_ref(data));
}

static struct utw_result start_with_nothing(void *data)
{
	(void)data;
	return utw_result_pass();
}

/* The result at the end of `d`, whose reference is taken. */
static struct utw_result result_of(struct utw_deferred *d)
{
	struct utw_result result;

	assert_non_null(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	utw_deferred_unref(d);
	return result;
}

static void assert_failed(struct utw_result result, const struct utw_domain *domain, int code)
{
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
}

static void maybe_makes_a_deferred_of_a_value(void **state)
{
	int calls = 0;
	struct utw_result result = result_of(utw_deferred_maybe(start_with_seven, &calls));

	(void)state;
	assert_int_equal(calls, 1);
	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	assert_ptr_equal(result.value.ptr, (void *)7);
}

static void maybe_makes_a_deferred_of_a_failure(void **state)
{
	(void)state;
	assert_failed(result_of(utw_deferred_maybe(start_with_failure, NULL)), &utw_domain_errno,
		      EACCES);
}

static void maybe_hands_out_the_deferred_that_was_returned(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *d = utw_deferred_maybe(start_waiting, inner);

	(void)state;
	assert_ptr_equal(d, inner);
	utw_deferred_unref(inner);
	utw_deferred_unref(d);
}

static void maybe_of_no_result_is_null(void **state)
{
	struct utw_result result = result_of(utw_deferred_maybe(start_with_nothing, NULL));

	(void)state;
	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	assert_null(result.value.ptr);
}

static void maybe_without_memory_begins_nothing(void **state)
{
	int calls = 0;

	(void)state;
	alloc_fail_at(1);
	assert_null(utw_deferred_maybe(start_with_seven, &calls));
	assert_int_equal(calls, 0);
}

static void chain_moves_the_value_with_its_owner(void **state)
{
	struct utw_deferred *d = utw_deferred_new(), *other = utw_deferred_new();
	struct utw_result result;

	(void)state;
	assert_int_equal(utw_deferred_chain(d, utw_deferred_ref(other)), 0);
	assert_false(utw_deferred_fired(other));
	utw_deferred_callback_owned(d, malloc(1), free);
	assert_true(utw_deferred_fired(other));
	result = result_of(d);
	assert_null(result.value.ptr);
	result = result_of(other);
	assert_non_null(result.value.ptr);
	free(result.value.ptr);
}

static void chain_moves_a_failure_and_the_duty_to_handle_it(void **state)
{
	struct utw_deferred *d = utw_deferred_new(), *other = utw_deferred_new();

	(void)state;
	utw_deferred_chain(d, utw_deferred_ref(other));
	utw_deferred_errback(d, utw_failure_from_errno(-EIO, "test", "as planned"));
	utw_deferred_unref(d);
	assert_int_equal(harness_take_unhandled(), 0);
	utw_deferred_unref(other);
	assert_int_equal(harness_take_unhandled(), 1);
}

static void chain_to_one_that_was_cancelled_drops_the_late_result(void **state)
{
	struct utw_deferred *d = utw_deferred_new(), *other = utw_deferred_new();

	(void)state;
	utw_deferred_chain(d, utw_deferred_ref(other));
	utw_deferred_cancel(other);
	assert_false(utw_deferred_fired(d));
	assert_int_equal(utw_deferred_callback(d, (void *)1), 0);
	utw_deferred_unref(d);
	assert_int_equal(utw_deferred_callback(other, NULL), -EALREADY);
	assert_failed(result_of(other), &utw_domain_reason, UTW_CANCELLED);
}

static void chain_without_memory_lets_the_other_go(void **state)
{
	struct utw_deferred *d = utw_deferred_new(), *other = utw_deferred_new();
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		utw_deferred_add_callback(d, NULL, NULL);
	alloc_fail_at(1);
	assert_int_equal(utw_deferred_chain(d, other), -ENOMEM);
	utw_deferred_unref(d);
}

/* The first of DEPTH deferreds, each chained to the next; *last is the caller's too. */
static struct utw_deferred *chain_of_many(struct utw_deferred **last)
{
	struct utw_deferred *first = utw_deferred_new(), *d = first, *next;
	int i;

	*last = NULL;
	for (i = 1; i < DEPTH; i++) {
		next = utw_deferred_new();
		if (i == DEPTH - 1)
			*last = utw_deferred_ref(next);
		assert_int_equal(utw_deferred_chain(d, next), 0);
		d = next;
	}
	return first;
}

static void *fire(void *data)
{
	utw_deferred_callback(data, data);
	utw_deferred_unref(data);
	return NULL;
}

static void *unref(void *data)
{
	utw_deferred_unref(data);
	return NULL;
}

static void with_a_small_stack(void *(*fn)(void *data), void *data)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
	assert_int_equal(pthread_create(&thread, &attributes, fn, data), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

static void deferred_case_24_long_chain_of_deferreds_uses_constant_stack(void **state)
{
	struct utw_deferred *first, *last;
	struct utw_result result;

	(void)state;
	first = chain_of_many(&last);
	with_a_small_stack(fire, first);
	result = result_of(last);
	assert_ptr_equal(result.value.ptr, first);
}

static void unref_of_a_long_chain_uses_constant_stack(void **state)
{
	struct utw_deferred *first, *last;

	(void)state;
	first = chain_of_many(&last);
	with_a_small_stack(unref, first);
	assert_false(utw_deferred_fired(last));
	utw_deferred_unref(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(maybe_makes_a_deferred_of_a_value),
		TEST(maybe_makes_a_deferred_of_a_failure),
		TEST(maybe_hands_out_the_deferred_that_was_returned),
		TEST(maybe_of_no_result_is_null),
		TEST(maybe_without_memory_begins_nothing),
		TEST(chain_moves_the_value_with_its_owner),
		TEST(chain_moves_a_failure_and_the_duty_to_handle_it),
		TEST(chain_to_one_that_was_cancelled_drops_the_late_result),
		TEST(chain_without_memory_lets_the_other_go),
		TEST(deferred_case_24_long_chain_of_deferreds_uses_constant_stack),
		TEST(unref_of_a_long_chain_uses_constant_stack),
	};

	return cmocka_run_group_tests_name("deferred-handover", tests, NULL, NULL);
}
