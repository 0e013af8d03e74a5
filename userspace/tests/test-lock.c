// SPDX-License-Identifier: MIT
/* Locks: the one token, under their own name. */
#include <untwist/lock.h>

#include <errno.h>

#include "harness-alloc.h"
#include "harness.h"

static void assert_cancelled(struct utw_deferred *d)
{
	struct utw_result result;

	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void deferred_case_19_lock_goes_past_a_cancelled_waiter(void **state)
{
	struct utw_lock *l = utw_lock_new();
	struct utw_deferred *a = utw_lock_acquire(l);
	struct utw_deferred *b = utw_lock_acquire(l);
	struct utw_deferred *c = utw_lock_acquire(l);

	(void)state;
	assert_true(utw_deferred_fired(a));
	utw_deferred_cancel(b);
	assert_int_equal(utw_lock_release(l), 0);
	assert_true(utw_deferred_fired(c));
	assert_true(utw_lock_held(l));
	assert_cancelled(b);
	utw_deferred_unref(a);
	utw_deferred_unref(c);
	utw_lock_free(l);
}

static void deferred_case_19_release_of_a_free_lock_is_refused(void **state)
{
	struct utw_lock *l = utw_lock_new();

	(void)state;
	assert_int_equal(utw_lock_release(l), -EPERM);
	assert_false(utw_lock_held(l));
	utw_lock_free(l);
	utw_lock_free(NULL);
}

static struct utw_result fail_as_planned(void *data)
{
	assert_true(utw_lock_held(data));
	return utw_result_fail(utw_failure_from_errno(-EIO, "test", "as planned"));
}

static void deferred_case_19_run_leaves_the_lock_free_after_a_failure(void **state)
{
	struct utw_lock *l = utw_lock_new();
	struct utw_deferred *d = utw_lock_run(l, fail_as_planned, l);
	struct utw_result result;

	(void)state;
	assert_false(utw_lock_held(l));
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_errno, EIO));
	utw_result_drop(&result);
	utw_deferred_unref(d);
	utw_lock_free(l);
}

static struct utw_result free_lock(void *value, void *data)
{
	(void)value;
	utw_lock_free(data);
	return utw_result_pass();
}

static void free_inside_a_turn(void **state)
{
	struct utw_lock *l = utw_lock_new();
	struct utw_deferred *a = utw_lock_acquire(l), *b = utw_lock_acquire(l);
	struct utw_deferred *c = utw_lock_acquire(l);

	(void)state;
	assert_true(a && b && c);
	utw_deferred_add_callback(b, free_lock, l);
	utw_lock_release(l);
	utw_deferred_unref(a);
	utw_deferred_unref(b);
	assert_cancelled(c);
}

static void new_survives_each_failed_allocation(void **state)
{
	(void)state;
	alloc_fail_at(1);
	assert_null(utw_lock_new());
	alloc_fail_at(2);
	assert_null(utw_lock_new());
	assert_true(alloc_failed());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_case_19_lock_goes_past_a_cancelled_waiter),
		TEST(deferred_case_19_release_of_a_free_lock_is_refused),
		TEST(deferred_case_19_run_leaves_the_lock_free_after_a_failure),
		TEST(free_inside_a_turn),
		TEST(new_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
