// SPDX-License-Identifier: MIT
/* Deferreds that wait for deferreds. */
#include <untwist/deferred.h>

#include <errno.h>
#include <pthread.h>

#include "harness-alloc.h"
#include "notes.h"

#define DEPTH	    20000
#define SMALL_STACK ((size_t)128 << 10)

static struct utw_result wait_for(void *value, void *data)
{
	(void)value;
	return utw_result_wait(utw_deferred_ref(data));
}

static struct utw_result wait_for_after_failure(struct utw_failure *failure, void *data)
{
	(void)failure;
	return utw_result_wait(utw_deferred_ref(data));
}

static struct utw_result store(void *value, void *data)
{
	*(void **)data = value;
	return utw_result_pass();
}

static struct utw_result store_code(struct utw_failure *failure, void *data)
{
	*(int *)data = utw_failure_code(failure);
	return utw_result_value(NULL);
}

static struct utw_failure *planned_failure(void)
{
	return utw_failure_from_errno(-ENOENT, "test", "as planned");
}

static void deferred_case_07_inner_failure_moves_to_the_outer(void **state)
{
	struct utw_deferred *inner = utw_deferred_fail(planned_failure());
	struct utw_deferred *outer = utw_deferred_succeed(NULL);

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_unref(inner);
	assert_int_equal(harness_take_unhandled(), 0);
	utw_deferred_unref(outer);
	assert_int_equal(harness_take_unhandled(), 1);
}

static void deferred_case_07_errback_of_the_outer_gets_the_inner_failure(void **state)
{
	struct utw_deferred *inner = utw_deferred_fail(planned_failure());
	struct utw_deferred *outer = utw_deferred_succeed(NULL);
	int code = 0;

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_errback(outer, store_code, &code);
	assert_int_equal(code, ENOENT);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

/* A thread whose stack is far too small for any recursion of DEPTH levels. */
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

static void *fire(void *data)
{
	utw_deferred_callback(data, data);
	return NULL;
}

static void *unref(void *data)
{
	utw_deferred_unref(data);
	return NULL;
}

/* The outermost of DEPTH deferreds that each wait for the one before; the caller's. */
static struct utw_deferred *nest_around(struct utw_deferred *innermost)
{
	struct utw_deferred *last = utw_deferred_ref(innermost);
	int i;

	for (i = 1; i < DEPTH; i++) {
		struct utw_deferred *outer = utw_deferred_succeed(NULL);

		utw_deferred_add_callback(outer, wait_for, last);
		utw_deferred_unref(last);
		last = outer;
	}
	return last;
}

static void deferred_case_24_deep_nest_uses_constant_stack(void **state)
{
	struct utw_deferred *innermost = utw_deferred_new();
	struct utw_deferred *outermost = nest_around(innermost);
	void *value = NULL;

	(void)state;
	utw_deferred_add_callback(outermost, store, &value);
	with_a_small_stack(fire, innermost);
	assert_ptr_equal(value, innermost);
	utw_deferred_unref(outermost);
	utw_deferred_unref(innermost);
}

static void unref_of_the_innermost_ends_a_deep_nest(void **state)
{
	struct utw_deferred *innermost = utw_deferred_new();

	(void)state;
	utw_deferred_unref(nest_around(innermost));
	with_a_small_stack(unref, innermost);
}

static void cancel_reaches_through_a_deep_nest(void **state)
{
	struct utw_deferred *innermost = utw_deferred_new();
	struct utw_deferred *outermost = nest_around(innermost);
	int code = 0;

	(void)state;
	utw_deferred_add_errback(outermost, store_code, &code);
	utw_deferred_cancel(outermost);
	assert_int_equal(code, UTW_CANCELLED);
	utw_deferred_unref(outermost);
	utw_deferred_unref(innermost);
}

static void outer_waits_and_the_value_moves(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *outer = utw_deferred_succeed(NULL);
	void *value = NULL;
	struct utw_result left;
	int object;

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_callback(outer, store, &value);
	assert_null(value);
	assert_int_equal(utw_deferred_take(outer, &left), -EAGAIN);
	utw_deferred_callback(inner, &object);
	assert_ptr_equal(value, &object);
	assert_int_equal(utw_deferred_take(inner, &left), 0);
	assert_null(left.value.ptr);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

static void count_free(void *ptr)
{
	++*(int *)ptr;
}

static void value_given_to_the_callback_lives_until_the_inner_result(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *outer = utw_deferred_new();
	int freed = 0;

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_callback_owned(outer, &freed, count_free);
	assert_int_equal(freed, 0);
	utw_deferred_callback(inner, NULL);
	assert_int_equal(freed, 1);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

static void errback_that_waits_has_handled_its_failure(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *outer = utw_deferred_fail(planned_failure());

	(void)state;
	utw_deferred_add_errback(outer, wait_for_after_failure, inner);
	utw_deferred_unref(outer);
	utw_deferred_unref(inner);
	assert_int_equal(harness_take_unhandled(), 0);
}

static void outer_is_kept_alive_by_the_inner_it_waits_for(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *outer = utw_deferred_succeed(NULL);
	void *value = NULL;
	int object;

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_callback(outer, store, &value);
	utw_deferred_unref(outer);
	utw_deferred_callback(inner, &object);
	assert_ptr_equal(value, &object);
	utw_deferred_unref(inner);
}

static void second_waiter_gets_what_the_first_left(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *first = utw_deferred_succeed(NULL);
	struct utw_deferred *second = utw_deferred_succeed(NULL);
	int object;
	void *values[2] = { NULL, &object };

	(void)state;
	utw_deferred_add_callback(first, wait_for, inner);
	utw_deferred_add_callback(second, wait_for, inner);
	utw_deferred_add_callback(first, store, &values[0]);
	utw_deferred_add_callback(second, store, &values[1]);
	utw_deferred_callback(inner, &object);
	assert_ptr_equal(values[0], &object);
	assert_null(values[1]);
	utw_deferred_unref(inner);
	utw_deferred_unref(first);
	utw_deferred_unref(second);
}

static void paused_inner_holds_the_outer(void **state)
{
	struct utw_deferred *inner = utw_deferred_succeed(&inner);
	struct utw_deferred *outer = utw_deferred_succeed(NULL);
	void *value = NULL;

	(void)state;
	utw_deferred_pause(inner);
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_callback(outer, store, &value);
	assert_null(value);
	utw_deferred_unpause(inner);
	assert_ptr_equal(value, &inner);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

static void paused_outer_keeps_the_inner_result_for_later(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *outer = utw_deferred_succeed(NULL);
	void *value = NULL;

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_callback(outer, store, &value);
	utw_deferred_pause(outer);
	utw_deferred_callback(inner, &inner);
	assert_null(value);
	utw_deferred_unpause(outer);
	assert_ptr_equal(value, &inner);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

static void callback_that_returns_its_own_deferred_fails(void **state)
{
	struct utw_deferred *d = utw_deferred_succeed(NULL);
	int code = 0;

	(void)state;
	utw_deferred_add_callback(d, wait_for, d);
	utw_deferred_add_errback(d, store_code, &code);
	assert_int_equal(code, EDEADLK);
	utw_deferred_unref(d);
}

static void circle_of_two_fails(void **state)
{
	struct utw_deferred *a = utw_deferred_succeed(NULL);
	struct utw_deferred *b = utw_deferred_new();
	int code = 0;

	(void)state;
	utw_deferred_add_callback(b, wait_for, a);
	utw_deferred_add_callback(a, wait_for, b);
	utw_deferred_add_errback(a, store_code, &code);
	utw_deferred_callback(b, NULL);
	assert_int_equal(code, EDEADLK);
	utw_deferred_unref(a);
	utw_deferred_unref(b);
}

static void wait_without_memory_fails_the_outer(void **state)
{
	struct utw_deferred *inner = utw_deferred_new();
	struct utw_deferred *outer = utw_deferred_new();
	int code = 0, i;

	(void)state;
	for (i = 0; i < 4; i++)
		utw_deferred_add_callback(inner, NULL, NULL);
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_errback(outer, store_code, &code);
	alloc_fail_at(1);
	utw_deferred_callback(outer, NULL);
	assert_int_equal(code, ENOMEM);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

struct late_addition {
	struct notes notes;
	struct utw_deferred *inner;
};

static struct utw_result note_a(void *value, void *data)
{
	(void)value;
	note(&((struct late_addition *)data)->notes, 'a');
	return utw_result_pass();
}

static struct utw_result add_to_the_inner(void *value, void *data)
{
	struct late_addition *late = data;

	(void)value;
	utw_deferred_add_callback(late->inner, note_a, late);
	note(&late->notes, 'b');
	return utw_result_pass();
}

static void outer_callback_may_add_to_the_inner_being_run(void **state)
{
	struct late_addition late = { .inner = utw_deferred_new() };
	struct utw_deferred *outer = utw_deferred_succeed(NULL);

	(void)state;
	utw_deferred_add_callback(outer, wait_for, late.inner);
	utw_deferred_add_callback(outer, add_to_the_inner, &late);
	utw_deferred_callback(late.inner, NULL);
	assert_noted(&late.notes, "ba");
	utw_deferred_unref(late.inner);
	utw_deferred_unref(outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_case_07_inner_failure_moves_to_the_outer),
		TEST(deferred_case_07_errback_of_the_outer_gets_the_inner_failure),
		TEST(deferred_case_24_deep_nest_uses_constant_stack),
		TEST(unref_of_the_innermost_ends_a_deep_nest),
		TEST(cancel_reaches_through_a_deep_nest),
		TEST(outer_waits_and_the_value_moves),
		TEST(value_given_to_the_callback_lives_until_the_inner_result),
		TEST(errback_that_waits_has_handled_its_failure),
		TEST(outer_is_kept_alive_by_the_inner_it_waits_for),
		TEST(second_waiter_gets_what_the_first_left),
		TEST(paused_inner_holds_the_outer),
		TEST(paused_outer_keeps_the_inner_result_for_later),
		TEST(callback_that_returns_its_own_deferred_fails),
		TEST(circle_of_two_fails),
		TEST(wait_without_memory_fails_the_outer),
		TEST(outer_callback_may_add_to_the_inner_being_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
