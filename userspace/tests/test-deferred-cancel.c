// SPDX-License-Identifier: MIT
/* Deferreds that end early: cancelling and timeouts. */
#include <untwist/deferred.h>

#include <errno.h>

#include <untwist/reactor.h>

#include "harness-alloc.h"
#include "harness-clock.h"
#include "harness.h"
#include "reactor/reactor-private.h"

struct ending {
	unsigned int values;
	unsigned int failures;
	int code;
	bool timeout_caused_by_cancel;
};

static struct utw_result note_value(void *value, void *data)
{
	(void)value;
	((struct ending *)data)->values++;
	return utw_result_pass();
}

static struct utw_result note_failure(struct utw_failure *failure, void *data)
{
	struct ending *ending = data;

	ending->failures++;
	ending->code = utw_failure_code(failure);
	ending->timeout_caused_by_cancel =
		utw_failure_is(failure, &utw_domain_reason, UTW_TIMEOUT) &&
		utw_failure_has(failure, &utw_domain_reason, UTW_CANCELLED);
	return utw_result_value(NULL);
}

static struct utw_result wait_for(void *value, void *data)
{
	(void)value;
	return utw_result_wait(utw_deferred_ref(data));
}

/* Cancellers count their calls in what they are given. */
static enum utw_cancel cancel_now(struct utw_deferred *d, void *calls)
{
	(void)d;
	++*(unsigned int *)calls;
	return UTW_CANCEL_NOW;
}

static enum utw_cancel cancel_later(struct utw_deferred *d, void *calls)
{
	(void)d;
	++*(unsigned int *)calls;
	return UTW_CANCEL_LATER;
}

static enum utw_cancel cancel_by_value(struct utw_deferred *d, void *calls)
{
	++*(unsigned int *)calls;
	utw_deferred_callback(d, NULL);
	return UTW_CANCEL_NOW;
}

static struct utw_deferred *deferred_watched(struct ending *ending)
{
	struct utw_deferred *d = utw_deferred_new();

	utw_deferred_add_callbacks(d, note_value, note_failure, ending);
	return d;
}

static void deferred_case_09_cancel_swallows_one_late_result(void **state)
{
	struct ending ending = { 0 };
	struct utw_deferred *d = deferred_watched(&ending);

	(void)state;
	utw_deferred_cancel(d);
	assert_int_equal(ending.failures, 1);
	assert_int_equal(ending.code, UTW_CANCELLED);
	assert_int_equal(utw_deferred_callback(d, NULL), 0);
	assert_int_equal(utw_deferred_callback(d, NULL), -EALREADY);
	assert_int_equal(ending.values, 0);
	utw_deferred_unref(d);
}

static void deferred_case_11_cancel_after_fire_is_a_no_op(void **state)
{
	struct ending ending = { 0 };
	struct utw_deferred *d = deferred_watched(&ending);

	(void)state;
	utw_deferred_callback(d, NULL);
	utw_deferred_cancel(d);
	assert_int_equal(ending.values, 1);
	assert_int_equal(ending.failures, 0);
	assert_int_equal(utw_deferred_callback(d, NULL), -EALREADY);
	utw_deferred_unref(d);
}

static void deferred_case_11_cancel_while_waiting_reaches_the_inner_only(void **state)
{
	struct utw_deferred *outer = utw_deferred_new();
	struct utw_deferred *inner = utw_deferred_new();
	unsigned int outer_calls = 0, inner_calls = 0;
	struct ending ending = { 0 };

	(void)state;
	utw_deferred_set_canceller(outer, cancel_now, &outer_calls);
	utw_deferred_set_canceller(inner, cancel_now, &inner_calls);
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_callbacks(outer, note_value, note_failure, &ending);
	utw_deferred_callback(outer, NULL);
	utw_deferred_cancel(outer);
	assert_int_equal(outer_calls, 0);
	assert_int_equal(inner_calls, 1);
	assert_int_equal(ending.code, UTW_CANCELLED);
	utw_deferred_unref(inner);
	utw_deferred_unref(outer);
}

static void canceller_now_runs_once_and_no_late_result_is_swallowed(void **state)
{
	struct ending ending = { 0 };
	struct utw_deferred *d = deferred_watched(&ending);
	unsigned int calls = 0;

	(void)state;
	utw_deferred_set_canceller(d, cancel_now, &calls);
	utw_deferred_cancel(d);
	utw_deferred_cancel(d);
	assert_int_equal(calls, 1);
	assert_int_equal(ending.failures, 1);
	assert_int_equal(utw_deferred_callback(d, NULL), -EALREADY);
	utw_deferred_unref(d);
}

static void canceller_later_leaves_the_end_to_the_producer(void **state)
{
	struct ending ending = { 0 };
	struct utw_deferred *d = deferred_watched(&ending);
	unsigned int calls = 0;

	(void)state;
	utw_deferred_set_canceller(d, cancel_later, &calls);
	utw_deferred_cancel(d);
	utw_deferred_cancel(d);
	assert_int_equal(calls, 1);
	assert_int_equal(ending.failures, 0);
	assert_int_equal(utw_deferred_callback(d, NULL), 0);
	assert_int_equal(ending.values, 1);
	utw_deferred_unref(d);
}

static void canceller_may_fire_with_a_value(void **state)
{
	struct ending ending = { 0 };
	struct utw_deferred *d = deferred_watched(&ending);
	unsigned int calls = 0;

	(void)state;
	utw_deferred_set_canceller(d, cancel_by_value, &calls);
	utw_deferred_cancel(d);
	assert_int_equal(ending.values, 1);
	assert_int_equal(ending.failures, 0);
	utw_deferred_unref(d);
}

static void cancel_frees_the_outer_of_an_inner_that_died_unfired(void **state)
{
	struct utw_deferred *outer = utw_deferred_succeed(NULL);
	struct utw_deferred *inner = utw_deferred_new();
	struct ending ending = { 0 };

	(void)state;
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_add_callbacks(outer, note_value, note_failure, &ending);
	utw_deferred_unref(inner);
	assert_int_equal(ending.values + ending.failures, 0);
	utw_deferred_cancel(outer);
	assert_int_equal(ending.code, UTW_CANCELLED);
	utw_deferred_unref(outer);
}

static struct utw_reactor *frozen_reactor(void)
{
	struct utw_reactor *r = NULL;

	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

static void deferred_case_22_timeout_comes_on_time(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();
	struct ending ending = { 0 };

	(void)state;
	assert_int_equal(utw_deferred_add_timeout(d, r, 10 * SECONDS), 0);
	utw_deferred_add_callbacks(d, note_value, note_failure, &ending);
	clock_advance(9990 * MILLISECONDS);
	utw_reactor_run_once(r, 0);
	assert_int_equal(ending.failures, 0);
	clock_advance(10 * MILLISECONDS);
	utw_reactor_run_once(r, 0);
	assert_int_equal(ending.code, UTW_TIMEOUT);
	assert_true(ending.timeout_caused_by_cancel);
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void deferred_case_22_timer_goes_when_the_result_comes(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct ending ending = { 0 };
	struct utw_deferred *d = deferred_watched(&ending);

	(void)state;
	utw_deferred_add_timeout(d, r, 10 * SECONDS);
	utw_deferred_callback(d, NULL);
	assert_int_equal(ending.values, 1);
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void timeout_covers_only_what_was_added_before(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();
	struct utw_deferred *inner = utw_deferred_new();

	(void)state;
	utw_deferred_add_timeout(d, r, 10 * SECONDS);
	utw_deferred_add_callback(d, wait_for, inner);
	utw_deferred_callback(d, NULL);
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	utw_deferred_callback(inner, NULL);
	utw_deferred_unref(inner);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void timeout_of_a_waiting_one_cancels_the_inner(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();
	struct utw_deferred *inner = utw_deferred_new();
	struct ending ending = { 0 };

	(void)state;
	utw_deferred_add_callback(d, wait_for, inner);
	utw_deferred_add_timeout(d, r, 10 * SECONDS);
	utw_deferred_add_callbacks(d, note_value, note_failure, &ending);
	utw_deferred_callback(d, NULL);
	clock_advance(10 * SECONDS);
	utw_reactor_run_once(r, 0);
	assert_int_equal(ending.code, UTW_TIMEOUT);
	assert_true(utw_deferred_fired(inner));
	utw_deferred_unref(inner);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void cancel_by_hand_is_not_told_as_a_timeout(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();
	struct ending ending = { 0 };

	(void)state;
	utw_deferred_add_timeout(d, r, 10 * SECONDS);
	utw_deferred_add_callbacks(d, note_value, note_failure, &ending);
	utw_deferred_cancel(d);
	assert_int_equal(ending.code, UTW_CANCELLED);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void timeout_with_a_canceller_that_needs_time(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();
	struct ending ending = { 0 };
	unsigned int calls = 0;

	(void)state;
	utw_deferred_set_canceller(d, cancel_later, &calls);
	utw_deferred_add_timeout(d, r, SECONDS);
	utw_deferred_add_callbacks(d, note_value, note_failure, &ending);
	clock_advance(SECONDS);
	utw_reactor_run_once(r, 0);
	assert_int_equal(calls, 1);
	assert_int_equal(ending.failures, 0);
	utw_deferred_errback(d,
			     utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "test", NULL,
					     "ended"));
	assert_int_equal(ending.code, UTW_TIMEOUT);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void unref_unfired_takes_its_timer_along(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_timeout(d, r, SECONDS);
	utw_deferred_add_timeout(d, r, 2 * SECONDS);
	utw_deferred_unref(d);
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	utw_reactor_free(r);
}

static void reactor_may_go_before_the_deferred_with_its_timeout(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_timeout(d, r, SECONDS);
	utw_reactor_free(r);
	assert_int_equal(utw_deferred_callback(d, NULL), 0);
	utw_deferred_unref(d);
}

/* Three allocations: the timeout, the heap of timers, and the fifth place of the chain. */
static void add_timeout_survives_each_failed_allocation(void **state)
{
	unsigned int nth;

	(void)state;
	for (nth = 1; nth <= 3; nth++) {
		struct utw_reactor *r = frozen_reactor();
		struct utw_deferred *d = utw_deferred_new();
		int i;

		for (i = 0; i < 4; i++)
			utw_deferred_add_callback(d, NULL, NULL);
		alloc_fail_at(nth);
		assert_int_equal(utw_deferred_add_timeout(d, r, SECONDS), -ENOMEM);
		assert_true(alloc_failed());
		assert_int_equal(utw_timers_next(r), UTW_FOREVER);
		utw_deferred_unref(d);
		utw_reactor_free(r);
	}
}

static void later_comes_on_time(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_later(r, SECONDS);
	struct ending ending = { 0 };

	(void)state;
	utw_deferred_add_callbacks(d, note_value, note_failure, &ending);
	utw_deferred_unref(d);
	clock_advance(SECONDS - 1);
	utw_reactor_run_once(r, 0);
	assert_int_equal(ending.values, 0);
	clock_advance(1);
	utw_reactor_run_once(r, 0);
	assert_int_equal(ending.values, 1);
	utw_reactor_free(r);
}

static void later_that_is_cancelled_leaves_no_timer(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct utw_deferred *d = utw_deferred_later(r, SECONDS);
	struct ending ending = { 0 };

	(void)state;
	utw_deferred_add_callbacks(d, note_value, note_failure, &ending);
	utw_deferred_cancel(d);
	assert_int_equal(ending.code, UTW_CANCELLED);
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	assert_int_equal(utw_deferred_callback(d, NULL), -EALREADY);
	utw_deferred_unref(d);
	utw_reactor_free(r);
}

static void later_survives_each_failed_allocation(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	unsigned int nth;

	(void)state;
	for (nth = 1; nth <= 3; nth++) {
		alloc_fail_at(nth);
		assert_null(utw_deferred_later(r, SECONDS));
		assert_true(alloc_failed());
	}
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_case_09_cancel_swallows_one_late_result),
		TEST(deferred_case_11_cancel_after_fire_is_a_no_op),
		TEST(deferred_case_11_cancel_while_waiting_reaches_the_inner_only),
		TEST(canceller_now_runs_once_and_no_late_result_is_swallowed),
		TEST(canceller_later_leaves_the_end_to_the_producer),
		TEST(canceller_may_fire_with_a_value),
		TEST(cancel_frees_the_outer_of_an_inner_that_died_unfired),
		TEST(deferred_case_22_timeout_comes_on_time),
		TEST(deferred_case_22_timer_goes_when_the_result_comes),
		TEST(timeout_covers_only_what_was_added_before),
		TEST(timeout_of_a_waiting_one_cancels_the_inner),
		TEST(cancel_by_hand_is_not_told_as_a_timeout),
		TEST(timeout_with_a_canceller_that_needs_time),
		TEST(unref_unfired_takes_its_timer_along),
		TEST(reactor_may_go_before_the_deferred_with_its_timeout),
		TEST(add_timeout_survives_each_failed_allocation),
		TEST(later_comes_on_time),
		TEST(later_that_is_cancelled_leaves_no_timer),
		TEST(later_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
