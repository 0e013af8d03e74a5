// SPDX-License-Identifier: MIT
/* Pools: the end in good order, and the end at once. */
#include <untwist/pool.h>

#include <errno.h>
#include <pthread.h>

#include "pool-fixture.h"

#define VALUE(number) ((void *)(intptr_t)(number))

static struct utw_result nothing(struct utw_work *work, void *data)
{
	(void)work;
	return utw_result_value(data);
}

static void assert_now(struct utw_deferred *d, const struct utw_domain *domain, int code)
{
	struct utw_result result;

	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void stop_waits_for_all_that_was_taken(void **state)
{
	struct utw_deferred *running, *waiting, *stopped, *again;
	struct utw_result result;
	struct pool_fixture x;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	running = utw_pool_defer(x.pool, gate_pass, &gate);
	waiting = utw_pool_defer(x.pool, nothing, VALUE(7));
	sem_wait(&gate.entered);
	stopped = utw_pool_stop(x.pool);
	again = utw_pool_stop(x.pool);
	assert_now(utw_pool_defer(x.pool, nothing, NULL), &utw_domain_reason, UTW_CANCELLED);
	utw_reactor_run_once(x.reactor, 0);
	assert_false(utw_deferred_fired(stopped));
	sem_post(&gate.open);
	pool_fixture_value(&x, stopped);
	assert_true(utw_deferred_fired(again));
	assert_int_equal(utw_deferred_take(waiting, &result), 0);
	assert_ptr_equal(result.value.ptr, VALUE(7));
	assert_int_equal(utw_pool_threads(x.pool), 0);
	assert_false(gate.cancelled);
	pool_fixture_value(&x, utw_pool_stop(x.pool));
	utw_deferred_unref(running);
	utw_deferred_unref(waiting);
	utw_deferred_unref(again);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static void stop_of_a_pool_that_never_worked(void **state)
{
	struct pool_fixture x;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	pool_fixture_value(&x, utw_pool_stop(x.pool));
	pool_fixture_release(&x);
}

/* Again and again: the reactor may look before or after the thread has gone. */
static void stop_of_a_pool_at_rest(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		struct pool_fixture x;

		pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
		pool_fixture_value(&x, utw_pool_defer(x.pool, nothing, NULL));
		pool_fixture_value(&x, utw_pool_stop(x.pool));
		assert_int_equal(utw_pool_threads(x.pool), 0);
		pool_fixture_release(&x);
	}
}

/* Work that goes on until the pool has told it that it is unwanted. */
static struct utw_result run_until_cancelled(struct utw_work *work, void *data)
{
	sem_post(&((struct gate *)data)->entered);
	while (!utw_work_cancelled(work))
		sched_yield();
	return utw_result_value(VALUE(5));
}

static void free_refuses_what_waits_and_hears_what_runs(void **state)
{
	struct utw_deferred *running, *waiting;
	struct utw_result result;
	struct pool_fixture x;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	running = utw_pool_defer(x.pool, run_until_cancelled, &gate);
	sem_wait(&gate.entered);
	waiting = utw_pool_defer(x.pool, nothing, NULL);
	utw_pool_free(x.pool);
	x.pool = NULL;
	assert_now(waiting, &utw_domain_reason, UTW_CANCELLED);
	assert_int_equal(utw_deferred_take(running, &result), 0);
	assert_ptr_equal(result.value.ptr, VALUE(5));
	utw_deferred_unref(running);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static void free_ends_a_stop_that_is_under_way(void **state)
{
	struct utw_deferred *running, *stopped;
	struct pool_fixture x;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	running = utw_pool_defer(x.pool, run_until_cancelled, &gate);
	sem_wait(&gate.entered);
	stopped = utw_pool_stop(x.pool);
	utw_pool_free(x.pool);
	x.pool = NULL;
	assert_true(utw_deferred_fired(running));
	assert_true(utw_deferred_fired(stopped));
	utw_deferred_unref(running);
	utw_deferred_unref(stopped);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static struct utw_result free_pool(void *value, void *data)
{
	struct pool_fixture *x = data;

	(void)value;
	utw_pool_free(x->pool);
	x->pool = NULL;
	return utw_result_pass();
}

static void free_inside_a_callback_of_its_own(void **state)
{
	struct utw_deferred *first, *second;
	struct utw_result result;
	struct pool_fixture x;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	first = utw_pool_defer(x.pool, nothing, VALUE(1));
	second = utw_pool_defer(x.pool, nothing, VALUE(2));
	utw_deferred_add_callback(first, free_pool, &x);
	pool_fixture_value(&x, first);
	assert_null(x.pool);
	/* It ran or it did not: either way it was told. */
	assert_int_equal(utw_deferred_take(second, &result), 0);
	utw_result_drop(&result);
	utw_deferred_unref(second);
	pool_fixture_release(&x);
}

static void free_inside_the_callback_of_a_stop(void **state)
{
	struct utw_deferred *stopped;
	struct pool_fixture x;

	(void)state;
	pool_fixture_init(&x, 2, UTW_POOL_UNLIMITED);
	utw_deferred_unref(utw_pool_defer(x.pool, nothing, NULL));
	stopped = utw_pool_stop(x.pool);
	utw_deferred_add_callback(stopped, free_pool, &x);
	pool_fixture_value(&x, stopped);
	assert_null(x.pool);
	pool_fixture_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stop_waits_for_all_that_was_taken),
		TEST(stop_of_a_pool_that_never_worked),
		TEST(stop_of_a_pool_at_rest),
		TEST(free_refuses_what_waits_and_hears_what_runs),
		TEST(free_ends_a_stop_that_is_under_way),
		TEST(free_inside_a_callback_of_its_own),
		TEST(free_inside_the_callback_of_a_stop),
	};

	return cmocka_run_group_tests_name("pool-ending", tests, NULL, NULL);
}
