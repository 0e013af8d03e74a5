// SPDX-License-Identifier: MIT
/* Tasks: straight-line code that awaits deferreds. */
#include <untwist/task.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "harness-clock.h"
#include "notes.h"
#include "reactor/reactor-private.h"

#define VALUE(number) ((void *)(intptr_t)(number))
#define DEPTH	      200
#define MANY	      500

/* A task that awaits what it is given, one after the other, and adds up. */
struct adder {
	struct utw_deferred *terms[4];
	unsigned int count;
	struct notes notes;
};

static struct utw_result add_up(struct utw_task *task, void *data)
{
	struct adder *adder = data;
	intptr_t sum = 0;
	unsigned int i;

	note(&adder->notes, 'b');
	for (i = 0; i < adder->count; i++) {
		struct utw_result r = utw_task_await(task, utw_deferred_ref(adder->terms[i]));

		note(&adder->notes, r.kind == UTW_RESULT_VALUE ? 'v' : 'f');
		if (r.kind == UTW_RESULT_FAILURE)
			return r;
		sum += (intptr_t)r.value.ptr;
	}
	note(&adder->notes, 'e');
	return utw_result_value(VALUE(sum));
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

static intptr_t value_of(struct utw_deferred *d)
{
	struct utw_result result = result_of(d);

	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	return (intptr_t)result.value.ptr;
}

static void assert_failed(struct utw_deferred *d, const struct utw_domain *domain, int code)
{
	struct utw_result result = result_of(d);

	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
}

static void task_goes_on_when_the_result_comes(void **state)
{
	struct adder adder = { .terms = { utw_deferred_new(), utw_deferred_new() }, .count = 2 };
	struct utw_deferred *d = utw_task_start(add_up, &adder);

	(void)state;
	assert_noted(&adder.notes, "b");
	utw_deferred_callback(adder.terms[0], VALUE(1));
	assert_noted(&adder.notes, "v");
	assert_false(utw_deferred_fired(d));
	utw_deferred_callback(adder.terms[1], VALUE(2));
	assert_noted(&adder.notes, "ve");
	assert_int_equal(value_of(d), 3);
	utw_deferred_unref(adder.terms[0]);
	utw_deferred_unref(adder.terms[1]);
}

static void task_is_not_suspended_for_what_is_there(void **state)
{
	struct adder adder = { .terms = { utw_deferred_succeed(VALUE(4)),
					  utw_deferred_succeed(VALUE(5)) },
			       .count = 2 };
	struct utw_deferred *d = utw_task_start(add_up, &adder);

	(void)state;
	assert_noted(&adder.notes, "bvve");
	assert_int_equal(value_of(d), 9);
	utw_deferred_unref(adder.terms[0]);
	utw_deferred_unref(adder.terms[1]);
}

static void task_ends_with_the_failure_it_returns(void **state)
{
	struct adder adder = { .terms = { utw_deferred_new() }, .count = 1 };
	struct utw_deferred *d = utw_task_start(add_up, &adder);

	(void)state;
	utw_deferred_errback(adder.terms[0], utw_failure_from_errno(-EIO, "test", "planned"));
	assert_noted(&adder.notes, "bf");
	assert_failed(d, &utw_domain_errno, EIO);
	utw_deferred_unref(adder.terms[0]);
	assert_int_equal(harness_take_unhandled(), 0);
}

static void failure_of_a_task_that_nobody_hears_is_reported(void **state)
{
	struct adder adder = { .terms = { utw_deferred_new() }, .count = 1 };

	(void)state;
	utw_deferred_unref(utw_task_start(add_up, &adder));
	utw_deferred_errback(adder.terms[0], utw_failure_from_errno(-EIO, "test", "planned"));
	utw_deferred_unref(adder.terms[0]);
	assert_int_equal(harness_take_unhandled(), 1);
}

static struct utw_result return_what_it_is_given(struct utw_task *task, void *data)
{
	(void)task;
	return *(struct utw_result *)data;
}

static void task_may_return_any_result(void **state)
{
	struct utw_deferred *inner = utw_deferred_new(), *d;
	struct utw_result result = utw_result_pass();

	(void)state;
	assert_int_equal(value_of(utw_task_start(return_what_it_is_given, &result)), 0);
	result = utw_result_wait(utw_deferred_ref(inner));
	d = utw_task_start(return_what_it_is_given, &result);
	assert_false(utw_deferred_fired(d));
	utw_deferred_callback(inner, VALUE(6));
	assert_int_equal(value_of(d), 6);
	utw_deferred_unref(inner);
}

static void cancel_reaches_what_is_awaited(void **state)
{
	struct adder adder = { .terms = { utw_deferred_new() }, .count = 1 };
	struct utw_deferred *d = utw_task_start(add_up, &adder);

	(void)state;
	utw_deferred_cancel(d);
	assert_noted(&adder.notes, "bf");
	assert_true(utw_deferred_fired(adder.terms[0]));
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	utw_deferred_unref(adder.terms[0]);
}

/* Awaits one more thing after it was cancelled, as tidying up may need. */
static struct utw_result tidy_up(struct utw_task *task, void *data)
{
	struct adder *adder = data;
	struct utw_result first = utw_task_await(task, utw_deferred_ref(adder->terms[0]));
	struct utw_result second = utw_task_await(task, utw_deferred_ref(adder->terms[1]));

	assert_int_equal(first.kind, UTW_RESULT_FAILURE);
	utw_result_drop(&first);
	return second;
}

static void cancelled_task_may_go_on(void **state)
{
	struct adder adder = { .terms = { utw_deferred_new(), utw_deferred_new() } };
	struct utw_deferred *d = utw_task_start(tidy_up, &adder);

	(void)state;
	utw_deferred_cancel(d);
	assert_false(utw_deferred_fired(d));
	utw_deferred_cancel(d);
	assert_false(utw_deferred_fired(adder.terms[1]));
	utw_deferred_callback(adder.terms[1], VALUE(7));
	assert_int_equal(value_of(d), 7);
	utw_deferred_unref(adder.terms[0]);
	utw_deferred_unref(adder.terms[1]);
}

/* Cancelled by something that the task itself has set off. */
struct suicidal {
	struct utw_deferred *whole;
	struct utw_deferred *trigger;
	struct utw_deferred *next;
};

static struct utw_result cancel_whole(void *value, void *data)
{
	(void)value;
	utw_deferred_cancel(((struct suicidal *)data)->whole);
	return utw_result_pass();
}

static struct utw_result pull_trigger(struct utw_task *task, void *data)
{
	struct suicidal *s = data;
	struct utw_result r = utw_task_await(task, utw_deferred_ref(s->next));

	utw_deferred_callback(s->trigger, NULL);
	utw_result_drop(&r);
	s->next = utw_deferred_new();
	return utw_task_await(task, utw_deferred_ref(s->next));
}

static void cancel_while_it_runs_meets_the_next_await(void **state)
{
	struct suicidal s = { .trigger = utw_deferred_new(), .next = utw_deferred_new() };
	struct utw_deferred *first = s.next;

	(void)state;
	utw_deferred_add_callback(s.trigger, cancel_whole, &s);
	s.whole = utw_task_start(pull_trigger, &s);
	utw_deferred_callback(first, NULL);
	assert_true(utw_deferred_fired(s.next));
	assert_failed(s.whole, &utw_domain_reason, UTW_CANCELLED);
	utw_deferred_unref(first);
	utw_deferred_unref(s.next);
	utw_deferred_unref(s.trigger);
}

static struct utw_result await_one(struct utw_task *task, void *data)
{
	return utw_task_await(task, data);
}

static void tasks_that_await_tasks_end_from_the_inside_out(void **state)
{
	struct utw_deferred *leaf = utw_deferred_new(), *d = utw_deferred_ref(leaf);
	int i;

	(void)state;
	for (i = 0; i < DEPTH; i++)
		d = utw_task_start_sized(await_one, d, 64 << 10);
	utw_deferred_callback(leaf, VALUE(8));
	assert_int_equal(value_of(d), 8);
	utw_deferred_unref(leaf);
}

/* One that fires what another one awaits runs that on its own stack, and comes back. */
static struct utw_result fire_another(struct utw_task *task, void *data)
{
	(void)task;
	utw_deferred_callback(data, VALUE(9));
	return utw_result_value(VALUE(10));
}

static void task_may_fire_what_another_one_awaits(void **state)
{
	struct utw_deferred *ball = utw_deferred_new();
	struct utw_deferred *catcher = utw_task_start(await_one, utw_deferred_ref(ball));
	struct utw_deferred *thrower = utw_task_start(fire_another, ball);

	(void)state;
	assert_int_equal(value_of(catcher), 9);
	assert_int_equal(value_of(thrower), 10);
	utw_deferred_unref(ball);
}

static struct utw_result sleep_twice(struct utw_task *task, void *data)
{
	assert_null(utw_task_sleep(task, data, SECONDS));
	return utw_result_fail(utw_task_sleep(task, data, SECONDS));
}

static void sleep_ends_on_time_or_with_a_cancel(void **state)
{
	struct utw_reactor *r = NULL;
	struct utw_deferred *d;

	(void)state;
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&r), 0);
	d = utw_task_start(sleep_twice, r);
	clock_advance(SECONDS);
	utw_reactor_run_once(r, 0);
	assert_int_not_equal(utw_timers_next(r), UTW_FOREVER);
	utw_deferred_cancel(d);
	assert_int_equal(utw_timers_next(r), UTW_FOREVER);
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	utw_reactor_free(r);
}

static struct utw_result sleep_once(struct utw_task *task, void *data)
{
	struct utw_failure *f = utw_task_sleep(task, data, SECONDS);

	return f ? utw_result_fail(f) : utw_result_value(VALUE(1));
}

static void many_tasks_at_once(void **state)
{
	static struct utw_deferred *tasks[MANY];
	struct utw_reactor *r = NULL;
	int i;

	(void)state;
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&r), 0);
	for (i = 0; i < MANY; i++)
		tasks[i] = utw_task_start_sized(sleep_once, r, 64 << 10);
	clock_advance(SECONDS);
	assert_int_equal(utw_reactor_run_once(r, 0), MANY);
	for (i = 0; i < MANY; i++)
		assert_int_equal(value_of(tasks[i]), 1);
	utw_reactor_free(r);
}

static void *run_tasks(void *data)
{
	int i;

	(void)data;
	for (i = 0; i < 200; i++) {
		struct utw_deferred *ball = utw_deferred_new();
		struct utw_deferred *d = utw_task_start(await_one, utw_deferred_ref(ball));

		utw_deferred_callback(ball, VALUE(i));
		assert_int_equal(value_of(d), i);
		utw_deferred_unref(ball);
	}
	return NULL;
}

static void each_thread_may_have_tasks_of_its_own(void **state)
{
	pthread_t threads[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_tasks, NULL), 0);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static struct utw_result note_stack(struct utw_task *task, void *data)
{
	(void)task;
	*(void **)data = __builtin_frame_address(0);
	return utw_result_pass();
}

static void *run_one_task(void *data)
{
	utw_deferred_unref(utw_task_start(note_stack, data));
	return NULL;
}

static void stack_is_used_again_and_goes_with_its_thread(void **state)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *first = NULL, *second = NULL;
	unsigned char resident;
	pthread_t thread;

	(void)state;
	run_one_task(&first);
	run_one_task(&second);
	assert_ptr_equal(first, second);
	first = (void *)((uintptr_t)first & ~(page - 1));
	assert_int_equal(mincore(first, page, &resident), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_one_task, &second), 0);
	pthread_join(thread, NULL);
	second = (void *)((uintptr_t)second & ~(page - 1));
	assert_int_equal(mincore(second, page, &resident), -1);
	assert_int_equal(errno, ENOMEM);
}

/* More at once than a thread keeps, of different sizes. */
static void stacks_of_many_sizes_come_and_go(void **state)
{
	struct utw_deferred *ball = utw_deferred_new(), *d[24];
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(d); i++)
			d[i] = utw_task_start_sized(await_one, utw_deferred_ref(ball),
						    (size_t)(64 + i % 3 * 16) << 10);
		utw_deferred_callback(ball, VALUE(round));
		for (i = 0; i < ARRAY_SIZE(d); i++)
			assert_int_equal(value_of(d[i]), i ? 0 : round);
		utw_deferred_unref(ball);
		ball = utw_deferred_new();
	}
	utw_deferred_unref(ball);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(task_goes_on_when_the_result_comes),
		TEST(task_is_not_suspended_for_what_is_there),
		TEST(task_ends_with_the_failure_it_returns),
		TEST(failure_of_a_task_that_nobody_hears_is_reported),
		TEST(task_may_return_any_result),
		TEST(cancel_reaches_what_is_awaited),
		TEST(cancelled_task_may_go_on),
		TEST(cancel_while_it_runs_meets_the_next_await),
		TEST(tasks_that_await_tasks_end_from_the_inside_out),
		TEST(task_may_fire_what_another_one_awaits),
		TEST(sleep_ends_on_time_or_with_a_cancel),
		TEST(many_tasks_at_once),
		TEST(stack_is_used_again_and_goes_with_its_thread),
		TEST(stacks_of_many_sizes_come_and_go),
		TEST(each_thread_may_have_tasks_of_its_own),
	};

	return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
