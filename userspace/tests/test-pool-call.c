// SPDX-License-Identifier: MIT
/* Pools: calls from a thread into the reactor's thread. */
#include <untwist/pool.h>

#include <errno.h>
#include <pthread.h>

#include "harness-alloc.h"
#include "pool-fixture.h"

#define VALUE(number) ((void *)(intptr_t)(number))
#define CALLS	      500
#define CALLERS	      4

/* What a thread wants done, and who did it. */
struct errand {
	struct utw_pool *pool;
	utw_start_fn fn;
	pthread_t done_by;
	struct utw_deferred *hold; /* made by the test */
	sem_t begun;
};

static struct utw_result run_errand(struct utw_work *work, void *data)
{
	struct errand *errand = data;

	(void)work;
	return utw_pool_call(errand->pool, errand->fn, errand);
}

static struct utw_result note_thread(void *data)
{
	((struct errand *)data)->done_by = pthread_self();
	return utw_result_value(VALUE(4));
}

static struct utw_result wait_for_hold(void *data)
{
	struct errand *errand = data;

	sem_post(&errand->begun);
	return utw_result_wait(utw_deferred_ref(errand->hold));
}

static struct utw_result fail_as_planned(void *data)
{
	(void)data;
	return utw_result_fail(utw_failure_from_errno(-EIO, "test", "as planned"));
}

static void errand_init(struct errand *errand, struct pool_fixture *x, utw_start_fn fn)
{
	*errand = (struct errand){ .pool = x->pool, .fn = fn, .hold = utw_deferred_new() };
	sem_init(&errand->begun, 0, 0);
}

static void errand_release(struct errand *errand)
{
	utw_deferred_unref(errand->hold);
	sem_destroy(&errand->begun);
}

static void call_is_made_in_the_reactors_thread(void **state)
{
	struct pool_fixture x;
	struct errand errand;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, note_thread);
	assert_int_equal(pool_fixture_value(&x, utw_pool_defer(x.pool, run_errand, &errand)), 4);
	assert_true(pthread_equal(errand.done_by, pthread_self()));
	errand_release(&errand);
	pool_fixture_release(&x);
}

static void call_brings_back_a_failure(void **state)
{
	struct pool_fixture x;
	struct errand errand;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, fail_as_planned);
	pool_fixture_failure(&x, utw_pool_defer(x.pool, run_errand, &errand), &utw_domain_errno,
			     EIO);
	errand_release(&errand);
	pool_fixture_release(&x);
}

/* Take turns until the call has been begun. */
static void run_until_begun(struct pool_fixture *x, struct errand *errand)
{
	while (sem_trywait(&errand->begun) < 0)
		assert_true(utw_reactor_run_once(x->reactor, UTW_FOREVER) >= 0);
}

static void call_waits_for_a_deferred(void **state)
{
	struct pool_fixture x;
	struct errand errand;
	struct utw_deferred *d;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, wait_for_hold);
	d = utw_pool_defer(x.pool, run_errand, &errand);
	run_until_begun(&x, &errand);
	assert_false(utw_deferred_fired(d));
	utw_deferred_callback(errand.hold, VALUE(6));
	assert_int_equal(pool_fixture_value(&x, d), 6);
	errand_release(&errand);
	pool_fixture_release(&x);
}

static void call_that_waits_for_one_that_dies_ends(void **state)
{
	struct pool_fixture x;
	struct errand errand;
	struct utw_deferred *d;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, wait_for_hold);
	d = utw_pool_defer(x.pool, run_errand, &errand);
	run_until_begun(&x, &errand);
	utw_deferred_unref(errand.hold);
	errand.hold = NULL;
	pool_fixture_failure(&x, d, &utw_domain_reason, UTW_CANCELLED);
	errand_release(&errand);
	pool_fixture_release(&x);
}

static void call_from_the_reactors_thread_is_refused(void **state)
{
	struct utw_result result;
	struct pool_fixture x;
	struct errand errand;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, note_thread);
	result = utw_pool_call(x.pool, note_thread, &errand);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, &utw_domain_errno, EDEADLK));
	utw_result_drop(&result);
	errand_release(&errand);
	pool_fixture_release(&x);
}

/* The thread's last word when the pool is freed while it waits. */
static void free_and_expect_cancelled(struct pool_fixture *x, struct utw_deferred *d)
{
	struct utw_result result;

	utw_pool_free(x->pool);
	x->pool = NULL;
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void free_cancels_what_a_call_waits_for(void **state)
{
	struct pool_fixture x;
	struct errand errand;
	struct utw_deferred *d;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, wait_for_hold);
	d = utw_pool_defer(x.pool, run_errand, &errand);
	run_until_begun(&x, &errand);
	free_and_expect_cancelled(&x, d);
	assert_true(utw_deferred_fired(errand.hold));
	errand_release(&errand);
	pool_fixture_release(&x);
}

static enum utw_cancel cancel_later(struct utw_deferred *d, void *data)
{
	(void)d;
	++*(unsigned int *)data;
	return UTW_CANCEL_LATER;
}

static void free_does_not_wait_for_what_is_cancelled_later(void **state)
{
	unsigned int asked = 0, freed = 0;
	struct pool_fixture x;
	struct errand errand;
	struct utw_deferred *d;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, wait_for_hold);
	utw_deferred_set_canceller(errand.hold, cancel_later, &asked);
	d = utw_pool_defer(x.pool, run_errand, &errand);
	run_until_begun(&x, &errand);
	free_and_expect_cancelled(&x, d);
	assert_int_equal(asked, 1);
	assert_int_equal(utw_deferred_callback(errand.hold, &freed), 0);
	errand_release(&errand);
	pool_fixture_release(&x);
}

static struct utw_result say_and_run_errand(struct utw_work *work, void *data)
{
	struct errand *errand = data;

	sem_post(&errand->begun);
	while (!utw_work_cancelled(work))
		sched_yield();
	return run_errand(work, data);
}

static void call_after_the_end_is_refused(void **state)
{
	struct pool_fixture x;
	struct errand errand;
	struct utw_deferred *d;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, note_thread);
	d = utw_pool_defer(x.pool, say_and_run_errand, &errand);
	sem_wait(&errand.begun);
	free_and_expect_cancelled(&x, d);
	errand_release(&errand);
	pool_fixture_release(&x);
}

/* Threads of the program's own may call as well. */
struct caller {
	pthread_t thread;
	struct utw_pool *pool;
	unsigned int *counter; /* the reactor's thread's */
	unsigned int done;
	sem_t *finished;
};

static struct utw_result count_in_reactor(void *data)
{
	++*((struct caller *)data)->counter;
	return utw_result_value(VALUE(1));
}

static void *call_often(void *data)
{
	struct caller *caller = data;
	unsigned int i;

	for (i = 0; i < CALLS; i++) {
		struct utw_result result = utw_pool_call(caller->pool, count_in_reactor, caller);

		caller->done += result.kind == UTW_RESULT_VALUE;
		utw_result_drop(&result);
	}
	return NULL;
}

static void many_threads_call_at_once(void **state)
{
	struct caller callers[CALLERS];
	unsigned int counter = 0;
	struct pool_fixture x;
	int i;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	for (i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){ .pool = x.pool, .counter = &counter };
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]),
				 0);
	}
	while (counter < CALLERS * CALLS)
		assert_true(utw_reactor_run_once(x.reactor, UTW_FOREVER) >= 0);
	for (i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].done, CALLS);
	}
	pool_fixture_release(&x);
}

static struct utw_result call_without_memory(struct utw_work *work, void *data)
{
	struct utw_result result;

	alloc_fail_at(1);
	result = run_errand(work, data);
	alloc_fail_at(0);
	return result;
}

static void call_without_memory_is_not_made(void **state)
{
	struct pool_fixture x;
	struct errand errand;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	errand_init(&errand, &x, note_thread);
	pool_fixture_failure(&x, utw_pool_defer(x.pool, call_without_memory, &errand),
			     &utw_domain_errno, ENOMEM);
	errand_release(&errand);
	pool_fixture_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(call_is_made_in_the_reactors_thread),
		TEST(call_brings_back_a_failure),
		TEST(call_waits_for_a_deferred),
		TEST(call_that_waits_for_one_that_dies_ends),
		TEST(call_from_the_reactors_thread_is_refused),
		TEST(free_cancels_what_a_call_waits_for),
		TEST(free_does_not_wait_for_what_is_cancelled_later),
		TEST(call_after_the_end_is_refused),
		TEST(many_threads_call_at_once),
		TEST(call_without_memory_is_not_made),
	};

	return cmocka_run_group_tests_name("pool-call", tests, NULL, NULL);
}
