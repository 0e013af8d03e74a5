// SPDX-License-Identifier: MIT
/* Pools: work goes out to threads, and its results come back. */
#include <untwist/pool.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "harness-alloc.h"
#include "pool-fixture.h"

#define VALUE(number) ((void *)(intptr_t)(number))
#define MANY	      2000

/* The linker sends the library's calls here. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*fn)(void *data), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*fn)(void *data), void *data);

static bool no_more_threads;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*fn)(void *data), void *data)
{
	return no_more_threads ? EAGAIN : __real_pthread_create(thread, attributes, fn, data);
}

static struct utw_result is_this_the_same_thread(struct utw_work *work, void *data)
{
	(void)work;
	return utw_result_value(VALUE(pthread_equal(*(pthread_t *)data, pthread_self()) ? 1 : 2));
}

static struct utw_result note_thread(void *value, void *data)
{
	*(pthread_t *)data = pthread_self();
	return utw_result_value(value);
}

static void work_runs_in_a_thread_and_fires_in_the_reactors(void **state)
{
	pthread_t here = pthread_self(), fired_in;
	struct pool_fixture x;
	struct utw_deferred *d;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	d = utw_pool_defer(x.pool, is_this_the_same_thread, &here);
	assert_false(utw_deferred_fired(d));
	utw_deferred_add_callback(d, note_thread, &fired_in);
	assert_int_equal(pool_fixture_value(&x, d), 2);
	assert_true(pthread_equal(fired_in, here));
	pool_fixture_release(&x);
}

static struct utw_result return_result(struct utw_work *work, void *data)
{
	(void)work;
	return *(struct utw_result *)data;
}

static void results_of_every_kind(void **state)
{
	struct utw_result result = utw_result_pass();
	struct pool_fixture x;

	(void)state;
	pool_fixture_init(&x, 2, UTW_POOL_UNLIMITED);
	assert_int_equal(pool_fixture_value(&x, utw_pool_defer(x.pool, return_result, &result)), 0);
	result = utw_result_fail(utw_failure_from_errno(-EIO, "test", "as planned"));
	pool_fixture_failure(&x, utw_pool_defer(x.pool, return_result, &result), &utw_domain_errno,
			     EIO);
	result = utw_result_wait(utw_deferred_new());
	pool_fixture_failure(&x, utw_pool_defer(x.pool, return_result, &result), &utw_domain_errno,
			     EINVAL);
	pool_fixture_release(&x);
}

static void threads_are_started_when_there_is_work_for_them(void **state)
{
	struct utw_deferred *d[3];
	struct pool_fixture x;
	struct gate gate;
	int i;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 2, UTW_POOL_UNLIMITED);
	assert_int_equal(utw_pool_threads(x.pool), 0);
	d[0] = utw_pool_defer(x.pool, gate_pass, &gate);
	sem_wait(&gate.entered);
	assert_int_equal(utw_pool_threads(x.pool), 1);
	d[1] = utw_pool_defer(x.pool, gate_pass, &gate);
	sem_wait(&gate.entered);
	d[2] = utw_pool_defer(x.pool, gate_pass, &gate);
	assert_int_equal(utw_pool_threads(x.pool), 2);
	assert_int_equal(utw_pool_queued(x.pool), 1);
	for (i = 0; i < 3; i++) {
		sem_post(&gate.open);
		if (i == 0)
			sem_wait(&gate.entered);
	}
	for (i = 0; i < 3; i++)
		assert_in_range(pool_fixture_value(&x, d[i]), 1, 3);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static struct utw_result append_number(struct utw_work *work, void *data)
{
	static unsigned int next;
	unsigned int *at = data;

	(void)work;
	*at = next++;
	return utw_result_value(data);
}

static void one_thread_keeps_the_order(void **state)
{
	static unsigned int numbers[MANY];
	static struct utw_deferred *d[MANY];
	struct pool_fixture x;
	unsigned int i;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	for (i = 0; i < MANY; i++)
		d[i] = utw_pool_defer(x.pool, append_number, &numbers[i]);
	for (i = 0; i < MANY; i++) {
		pool_fixture_value(&x, d[i]);
		assert_int_equal(numbers[i], i);
	}
	pool_fixture_release(&x);
}

static struct utw_result count_one(void *value, void *data)
{
	(void)value;
	++*(unsigned int *)data;
	return utw_result_pass();
}

static struct utw_result nothing(struct utw_work *work, void *data)
{
	(void)work;
	return utw_result_value(data);
}

static void much_work_for_many_threads_all_comes_back(void **state)
{
	unsigned int count = 0, i;
	struct pool_fixture x;

	(void)state;
	pool_fixture_init(&x, 4, UTW_POOL_UNLIMITED);
	for (i = 0; i < MANY; i++) {
		struct utw_deferred *d = utw_pool_defer(x.pool, nothing, NULL);

		utw_deferred_add_callback(d, count_one, &count);
		utw_deferred_unref(d);
	}
	while (count < MANY)
		assert_true(utw_reactor_run_once(x.reactor, UTW_FOREVER) >= 0);
	pool_fixture_release(&x);
}

static void free_thread_is_used_again(void **state)
{
	struct pool_fixture x;
	int i;

	(void)state;
	pool_fixture_init(&x, 4, UTW_POOL_UNLIMITED);
	for (i = 0; i < 100; i++)
		pool_fixture_value(&x, utw_pool_defer(x.pool, nothing, NULL));
	assert_int_equal(utw_pool_threads(x.pool), 1);
	pool_fixture_release(&x);
}

static void cancel_takes_back_what_waits(void **state)
{
	struct utw_deferred *first, *second, *third;
	struct pool_fixture x;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	first = utw_pool_defer(x.pool, gate_pass, &gate);
	sem_wait(&gate.entered);
	second = utw_pool_defer(x.pool, gate_pass, &gate);
	third = utw_pool_defer(x.pool, nothing, VALUE(3));
	utw_deferred_cancel(second);
	assert_true(utw_deferred_fired(second));
	assert_int_equal(utw_pool_queued(x.pool), 1);
	pool_fixture_failure(&x, second, &utw_domain_reason, UTW_CANCELLED);
	sem_post(&gate.open);
	assert_int_equal(pool_fixture_value(&x, first), 1);
	assert_int_equal(pool_fixture_value(&x, third), 3);
	assert_int_equal(gate.passed, 1);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static void cancel_of_what_runs_only_tells_it(void **state)
{
	struct pool_fixture x;
	struct utw_deferred *d;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	d = utw_pool_defer(x.pool, gate_pass, &gate);
	sem_wait(&gate.entered);
	utw_deferred_cancel(d);
	assert_false(utw_deferred_fired(d));
	sem_post(&gate.open);
	assert_int_equal(pool_fixture_value(&x, d), 1);
	assert_true(gate.cancelled);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static void backlog_is_limited(void **state)
{
	struct utw_deferred *first, *second;
	struct pool_fixture x;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 1, 1);
	first = utw_pool_defer(x.pool, gate_pass, &gate);
	sem_wait(&gate.entered);
	second = utw_pool_defer(x.pool, nothing, VALUE(2));
	pool_fixture_failure(&x, utw_pool_defer(x.pool, nothing, NULL), &utw_domain_reason,
			     UTW_LIMIT);
	sem_post(&gate.open);
	assert_int_equal(pool_fixture_value(&x, first), 1);
	assert_int_equal(pool_fixture_value(&x, second), 2);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static void no_backlog_still_lets_free_threads_work(void **state)
{
	struct pool_fixture x;

	(void)state;
	pool_fixture_init(&x, 1, 0);
	assert_int_equal(pool_fixture_value(&x, utw_pool_defer(x.pool, nothing, VALUE(1))), 1);
	pool_fixture_release(&x);
}

static struct utw_result signals_blocked(struct utw_work *work, void *data)
{
	sigset_t set;

	(void)work;
	(void)data;
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	return utw_result_value(VALUE(sigismember(&set, SIGINT) + sigismember(&set, SIGTERM)));
}

static void threads_take_no_signals_and_the_starter_keeps_its_own(void **state)
{
	struct pool_fixture x;
	sigset_t set;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	assert_int_equal(pool_fixture_value(&x, utw_pool_defer(x.pool, signals_blocked, NULL)), 2);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	assert_false(sigismember(&set, SIGINT));
	pool_fixture_release(&x);
}

static struct utw_result own_name(struct utw_work *work, void *data)
{
	(void)work;
	pthread_getname_np(pthread_self(), data, 16);
	return utw_result_value(NULL);
}

static void options_are_heeded_or_refused(void **state)
{
	struct utw_pool_options options = { .threads = 1,
					    .backlog = 1,
					    .name = "a-long-name-is-cut" };
	struct pool_fixture x;
	char name[16];

	(void)state;
	assert_int_equal(utw_reactor_new(&x.reactor), 0);
	assert_int_equal(utw_pool_new(&x.pool, x.reactor, &options), 0);
	pool_fixture_value(&x, utw_pool_defer(x.pool, own_name, name));
	assert_string_equal(name, "a-long-name-is-");
	utw_pool_free(x.pool);
	options.reserved = 1;
	assert_int_equal(utw_pool_new(&x.pool, x.reactor, &options), -EINVAL);
	options.reserved = 0;
	options.threads = 5000;
	assert_int_equal(utw_pool_new(&x.pool, x.reactor, &options), -EINVAL);
	assert_int_equal(utw_pool_new(&x.pool, x.reactor, NULL), 0);
	pool_fixture_value(&x, utw_pool_defer(x.pool, own_name, name));
	assert_string_equal(name, "untwist");
	pool_fixture_release(&x);
}

static void threads_that_cannot_be_started(void **state)
{
	struct utw_deferred *first, *second;
	struct pool_fixture x;
	struct gate gate;

	(void)state;
	gate_init(&gate);
	pool_fixture_init(&x, 4, UTW_POOL_UNLIMITED);
	no_more_threads = true;
	pool_fixture_failure(&x, utw_pool_defer(x.pool, nothing, NULL), &utw_domain_errno, EAGAIN);
	assert_int_equal(utw_pool_queued(x.pool), 0);
	/* With one that is busy, work waits for that. */
	no_more_threads = false;
	first = utw_pool_defer(x.pool, gate_pass, &gate);
	sem_wait(&gate.entered);
	no_more_threads = true;
	second = utw_pool_defer(x.pool, nothing, VALUE(2));
	no_more_threads = false;
	assert_int_equal(utw_pool_threads(x.pool), 1);
	sem_post(&gate.open);
	assert_int_equal(pool_fixture_value(&x, first), 1);
	assert_int_equal(pool_fixture_value(&x, second), 2);
	pool_fixture_release(&x);
	gate_release(&gate);
}

static void pool_survives_each_failed_allocation(void **state)
{
	struct pool_fixture x;
	struct utw_pool *p;

	(void)state;
	pool_fixture_init(&x, 1, UTW_POOL_UNLIMITED);
	alloc_fail_at(1);
	assert_int_equal(utw_pool_new(&p, x.reactor, NULL), -ENOMEM);
	alloc_fail_at(1);
	assert_null(utw_pool_defer(x.pool, nothing, NULL));
	alloc_fail_at(2);
	assert_null(utw_pool_defer(x.pool, nothing, NULL));
	alloc_fail_at(1);
	assert_null(utw_pool_stop(x.pool));
	alloc_fail_at(0);
	assert_int_equal(pool_fixture_value(&x, utw_pool_defer(x.pool, nothing, VALUE(1))), 1);
	pool_fixture_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(work_runs_in_a_thread_and_fires_in_the_reactors),
		TEST(results_of_every_kind),
		TEST(threads_are_started_when_there_is_work_for_them),
		TEST(one_thread_keeps_the_order),
		TEST(much_work_for_many_threads_all_comes_back),
		TEST(free_thread_is_used_again),
		TEST(cancel_takes_back_what_waits),
		TEST(cancel_of_what_runs_only_tells_it),
		TEST(backlog_is_limited),
		TEST(no_backlog_still_lets_free_threads_work),
		TEST(threads_take_no_signals_and_the_starter_keeps_its_own),
		TEST(options_are_heeded_or_refused),
		TEST(threads_that_cannot_be_started),
		TEST(pool_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
