// SPDX-License-Identifier: MIT
/* Semaphores: who goes on, who waits, and what comes back. */
#include <untwist/semaphore.h>

#include <errno.h>
#include <pthread.h>

#include "harness-alloc.h"
#include "harness.h"

#define MANY	    20000
#define SMALL_STACK ((size_t)128 << 10)

static struct utw_semaphore *semaphore_of(size_t tokens)
{
	struct utw_semaphore *s = NULL;

	assert_int_equal(utw_semaphore_new(&s, tokens), 0);
	return s;
}

/* Drop `d`, which must have failed so. */
static void assert_failed(struct utw_deferred *d, const struct utw_domain *domain, int code)
{
	struct utw_result result;

	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void deferred_case_20_third_of_two_waits(void **state)
{
	struct utw_semaphore *s = semaphore_of(2);
	struct utw_deferred *d[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		d[i] = utw_semaphore_acquire(s);
	assert_true(utw_deferred_fired(d[0]) && utw_deferred_fired(d[1]));
	assert_false(utw_deferred_fired(d[2]));
	assert_int_equal(utw_semaphore_waiting(s), 1);
	assert_int_equal(utw_semaphore_release(s), 0);
	assert_true(utw_deferred_fired(d[2]));
	assert_int_equal(utw_semaphore_tokens(s), 0);
	for (i = 0; i < 3; i++)
		utw_deferred_unref(d[i]);
	utw_semaphore_free(s);
}

static void deferred_case_20_no_tokens_are_refused(void **state)
{
	struct utw_semaphore *s = NULL;

	(void)state;
	assert_int_equal(utw_semaphore_new(&s, 0), -EINVAL);
	assert_null(s);
}

static void deferred_case_20_release_above_the_limit_is_refused(void **state)
{
	struct utw_semaphore *s = semaphore_of(2);

	(void)state;
	assert_int_equal(utw_semaphore_release(s), -EPERM);
	assert_int_equal(utw_semaphore_tokens(s), 2);
	utw_semaphore_free(s);
}

static void cancelled_waiter_leaves_the_queue(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *held = utw_semaphore_acquire(s);
	struct utw_deferred *gone = utw_semaphore_acquire(s);
	struct utw_deferred *next = utw_semaphore_acquire(s);

	(void)state;
	utw_deferred_cancel(gone);
	assert_int_equal(utw_semaphore_waiting(s), 1);
	utw_semaphore_release(s);
	assert_true(utw_deferred_fired(next));
	assert_failed(gone, &utw_domain_reason, UTW_CANCELLED);
	utw_deferred_unref(held);
	utw_deferred_unref(next);
	utw_semaphore_free(s);
}

static struct utw_result release_at_once(void *value, void *data)
{
	assert_int_equal(utw_semaphore_release(value), 0);
	++*(unsigned int *)data;
	return utw_result_pass();
}

static void *release(void *semaphore)
{
	utw_semaphore_release(semaphore);
	return NULL;
}

/* Each one that gets its turn gives the next one its turn. */
static void long_queue_is_served_in_constant_stack(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	pthread_attr_t attributes;
	unsigned int served = 0;
	pthread_t thread;
	int i;

	(void)state;
	utw_deferred_unref(utw_semaphore_acquire(s));
	for (i = 0; i < MANY; i++) {
		struct utw_deferred *d = utw_semaphore_acquire(s);

		utw_deferred_add_callback(d, release_at_once, &served);
		utw_deferred_unref(d);
	}
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SMALL_STACK);
	assert_int_equal(pthread_create(&thread, &attributes, release, s), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	assert_int_equal(served, MANY);
	assert_int_equal(utw_semaphore_tokens(s), 1);
	utw_semaphore_free(s);
}

/* One that asks while turns are given comes after those who asked before. */
struct asking {
	struct utw_semaphore *semaphore;
	struct utw_deferred *late;
	bool late_fired;
};

static struct utw_result ask_again(void *value, void *data)
{
	struct asking *asking = data;

	(void)value;
	utw_semaphore_release(asking->semaphore);
	asking->late = utw_semaphore_acquire(asking->semaphore);
	asking->late_fired = utw_deferred_fired(asking->late);
	return utw_result_pass();
}

static void acquire_inside_a_turn_waits_behind_the_others(void **state)
{
	struct asking asking = { .semaphore = semaphore_of(1) };
	struct utw_deferred *d[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		d[i] = utw_semaphore_acquire(asking.semaphore);
	utw_deferred_add_callback(d[1], ask_again, &asking);
	utw_semaphore_release(asking.semaphore);
	assert_false(asking.late_fired);
	assert_true(utw_deferred_fired(d[2]));
	assert_false(utw_deferred_fired(asking.late));
	utw_semaphore_release(asking.semaphore);
	assert_true(utw_deferred_fired(asking.late));
	for (i = 0; i < 3; i++)
		utw_deferred_unref(d[i]);
	utw_deferred_unref(asking.late);
	utw_semaphore_free(asking.semaphore);
}

static void free_fails_those_who_wait(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *held = utw_semaphore_acquire(s), *d = utw_semaphore_acquire(s);

	(void)state;
	utw_semaphore_free(s);
	utw_semaphore_free(NULL);
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	utw_deferred_unref(held);
}

static struct utw_result free_it(void *value, void *data)
{
	struct utw_deferred *refused;

	(void)data;
	utw_semaphore_free(value);
	assert_int_equal(utw_semaphore_release(value), -EPERM);
	refused = utw_semaphore_acquire(value);
	assert_failed(refused, &utw_domain_reason, UTW_CANCELLED);
	return utw_result_value(NULL);
}

static void free_inside_a_turn(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *held = utw_semaphore_acquire(s), *first = utw_semaphore_acquire(s);
	struct utw_deferred *second = utw_semaphore_acquire(s);

	(void)state;
	utw_deferred_add_callback(first, free_it, NULL);
	utw_semaphore_release(s);
	assert_failed(second, &utw_domain_reason, UTW_CANCELLED);
	utw_deferred_unref(first);
	utw_deferred_unref(held);
}

/* What run() calls: notes that it was, and returns what the test wants. */
struct job {
	struct utw_result result;
	unsigned int calls;
};

static struct utw_result job_start(void *data)
{
	struct job *job = data;

	job->calls++;
	return job->result;
}

static void run_releases_after_a_value(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct job job = { .result = utw_result_value(&job) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &job);
	struct utw_result result;

	(void)state;
	assert_int_equal(utw_semaphore_tokens(s), 1);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_ptr_equal(result.value.ptr, &job);
	utw_deferred_unref(d);
	utw_semaphore_free(s);
}

static void deferred_case_19_run_releases_after_a_failure(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct job job = { .result = utw_result_fail(
				   utw_failure_from_errno(-EIO, "test", "planned")) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &job);

	(void)state;
	assert_int_equal(utw_semaphore_tokens(s), 1);
	assert_failed(d, &utw_domain_errno, EIO);
	utw_semaphore_free(s);
}

static void run_holds_while_its_function_waits(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *inner = utw_deferred_new();
	struct job slow = { .result = utw_result_wait(utw_deferred_ref(inner)) };
	struct job next = { .result = utw_result_value(NULL) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &slow);
	struct utw_deferred *e = utw_semaphore_run(s, job_start, &next);

	(void)state;
	assert_int_equal(next.calls, 0);
	utw_deferred_callback(inner, NULL);
	assert_int_equal(next.calls, 1);
	assert_int_equal(utw_semaphore_tokens(s), 1);
	utw_deferred_unref(inner);
	utw_deferred_unref(d);
	utw_deferred_unref(e);
	utw_semaphore_free(s);
}

static void run_cancelled_in_the_queue_never_calls(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *held = utw_semaphore_acquire(s);
	struct job job = { .result = utw_result_value(NULL) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &job);

	(void)state;
	utw_deferred_cancel(d);
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	assert_int_equal(utw_semaphore_waiting(s), 0);
	assert_int_equal(utw_semaphore_tokens(s), 0);
	utw_semaphore_release(s);
	assert_int_equal(job.calls, 0);
	assert_int_equal(utw_semaphore_tokens(s), 1);
	utw_deferred_unref(held);
	utw_semaphore_free(s);
}

static void run_cancelled_while_it_holds_cancels_what_it_waits_for(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *inner = utw_deferred_new();
	struct job job = { .result = utw_result_wait(utw_deferred_ref(inner)) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &job);

	(void)state;
	utw_deferred_cancel(d);
	assert_true(utw_deferred_fired(inner));
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	assert_int_equal(utw_semaphore_tokens(s), 1);
	utw_deferred_unref(inner);
	utw_semaphore_free(s);
}

/* Nobody can fire what it waits for: the token must come back all the same. */
static void run_that_waits_for_one_that_dies_releases(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *inner = utw_deferred_new();
	struct job job = { .result = utw_result_wait(utw_deferred_ref(inner)) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &job);

	(void)state;
	utw_deferred_unref(inner);
	assert_int_equal(utw_semaphore_tokens(s), 1);
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	utw_semaphore_free(s);
}

static void run_goes_on_when_the_semaphore_is_freed(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *inner = utw_deferred_new();
	struct job job = { .result = utw_result_wait(utw_deferred_ref(inner)) };
	struct utw_deferred *d = utw_semaphore_run(s, job_start, &job);
	struct utw_result result;

	(void)state;
	utw_semaphore_free(s);
	utw_deferred_callback(inner, &job);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_ptr_equal(result.value.ptr, &job);
	utw_deferred_unref(inner);
	utw_deferred_unref(d);
}

static void run_survives_each_failed_allocation(void **state)
{
	struct utw_semaphore *s = semaphore_of(1);
	struct utw_deferred *held = utw_semaphore_acquire(s);
	struct job job = { .result = utw_result_value(NULL) };
	unsigned int nth;

	(void)state;
	/* The record, its deferred, and the place in the queue with one of its own. */
	for (nth = 1; nth <= 4; nth++) {
		alloc_fail_at(nth);
		assert_null(utw_semaphore_run(s, job_start, &job));
		assert_true(alloc_failed());
	}
	alloc_fail_at(1);
	assert_null(utw_semaphore_acquire(s));
	assert_int_equal(utw_semaphore_waiting(s), 0);
	utw_semaphore_release(s);
	alloc_fail_at(1);
	assert_null(utw_semaphore_acquire(s));
	assert_int_equal(utw_semaphore_tokens(s), 1);
	alloc_fail_at(1);
	assert_int_equal(utw_semaphore_new(NULL, 1), -ENOMEM);
	utw_deferred_unref(held);
	utw_semaphore_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_case_19_run_releases_after_a_failure),
		TEST(deferred_case_20_third_of_two_waits),
		TEST(deferred_case_20_no_tokens_are_refused),
		TEST(deferred_case_20_release_above_the_limit_is_refused),
		TEST(cancelled_waiter_leaves_the_queue),
		TEST(long_queue_is_served_in_constant_stack),
		TEST(acquire_inside_a_turn_waits_behind_the_others),
		TEST(free_fails_those_who_wait),
		TEST(free_inside_a_turn),
		TEST(run_releases_after_a_value),
		TEST(run_holds_while_its_function_waits),
		TEST(run_cancelled_in_the_queue_never_calls),
		TEST(run_cancelled_while_it_holds_cancels_what_it_waits_for),
		TEST(run_that_waits_for_one_that_dies_releases),
		TEST(run_goes_on_when_the_semaphore_is_freed),
		TEST(run_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests_name("semaphore", tests, NULL, NULL);
}
