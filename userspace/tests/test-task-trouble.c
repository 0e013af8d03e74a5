// SPDX-License-Identifier: MIT
/* Tasks: misuse, want of memory, the end of the stack, and what a debugger sees. */
#include <untwist/task.h>

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness-alloc.h"
#include "harness.h"
#include "task/coroutine.h"

static const int await_line = __LINE__ + 4;

static struct utw_result await_one(struct utw_task *task, void *data)
{
	return utw_task_await(task, data);
}

static void assert_failed(struct utw_deferred *d, const struct utw_domain *domain, int code)
{
	struct utw_result result;

	assert_non_null(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void await_of_nothing_is_want_of_memory(void **state)
{
	(void)state;
	assert_failed(utw_task_start(await_one, NULL), &utw_domain_errno, ENOMEM);
}

/* Hands itself out, and then waits. */
struct leak {
	struct utw_task *task;
	struct utw_deferred *whole;
	struct utw_deferred *hold;
};

static struct utw_result hand_itself_out(struct utw_task *task, void *data)
{
	struct leak *leak = data;

	leak->task = task;
	return utw_task_await(task, utw_deferred_ref(leak->hold));
}

static void await_from_outside_is_refused(void **state)
{
	struct leak leak = { .hold = utw_deferred_new() };
	struct utw_deferred *d = utw_task_start(hand_itself_out, &leak);
	struct utw_result result = utw_task_await(leak.task, utw_deferred_new());

	(void)state;
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, &utw_domain_errno, EPERM));
	utw_result_drop(&result);
	utw_deferred_callback(leak.hold, NULL);
	assert_true(utw_deferred_fired(d));
	utw_deferred_unref(d);
	utw_deferred_unref(leak.hold);
}

static struct utw_result await_itself(struct utw_task *task, void *data)
{
	struct leak *leak = data;
	struct utw_result r = utw_task_await(task, utw_deferred_ref(leak->hold));

	utw_result_drop(&r);
	return utw_task_await(task, utw_deferred_ref(leak->whole));
}

static void await_of_ones_own_end_is_refused(void **state)
{
	struct leak leak = { .hold = utw_deferred_new() };

	(void)state;
	leak.whole = utw_task_start(await_itself, &leak);
	utw_deferred_callback(leak.hold, NULL);
	assert_failed(leak.whole, &utw_domain_errno, EDEADLK);
	utw_deferred_unref(leak.hold);
}

static struct utw_result await_the_other(struct utw_task *task, void *data)
{
	struct leak *other = data;

	return utw_task_await(task, utw_deferred_ref(other->whole));
}

static struct utw_result wait_for(void *value, void *data)
{
	(void)value;
	return utw_result_wait(utw_deferred_ref(data));
}

/* The first awaits a deferred that waits for the second, which awaits the first. */
static void tasks_that_await_each_other_are_refused(void **state)
{
	struct leak first = { .hold = utw_deferred_new() };
	struct utw_deferred *second, *between;

	(void)state;
	first.whole = utw_task_start(await_itself, &first);
	second = utw_task_start(await_the_other, &first);
	between = utw_deferred_succeed(NULL);
	utw_deferred_add_callback(between, wait_for, second);
	utw_deferred_unref(second);
	second = first.whole;
	first.whole = between;
	utw_deferred_callback(first.hold, NULL);
	/* All three have that failure now, and only the last of them is to be heard. */
	assert_failed(between, &utw_domain_errno, EDEADLK);
	assert_true(utw_deferred_fired(second));
	utw_deferred_unref(second);
	utw_deferred_unref(first.hold);
}

static void await_of_one_that_dies_unfired_ends(void **state)
{
	struct utw_deferred *lost = utw_deferred_new();
	struct utw_deferred *d = utw_task_start(await_one, utw_deferred_ref(lost));

	(void)state;
	assert_false(utw_deferred_fired(d));
	utw_deferred_unref(lost);
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	/* One whose only reference is the task's own dies inside the await. */
	assert_failed(utw_task_start(await_one, utw_deferred_new()), &utw_domain_reason,
		      UTW_CANCELLED);
}

static void start_survives_each_failed_allocation(void **state)
{
	unsigned int nth;

	(void)state;
	for (nth = 1; nth <= 2; nth++) {
		alloc_fail_at(nth);
		assert_null(utw_task_start(await_one, NULL));
		assert_true(alloc_failed());
	}
	alloc_fail_at(0);
	assert_null(utw_task_start_sized(await_one, NULL, SIZE_MAX / 4));
	assert_null(utw_task_start_sized(await_one, NULL, SIZE_MAX));
}

static void await_without_memory_fails_and_goes_on(void **state)
{
	struct utw_deferred *full = utw_deferred_new();
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		utw_deferred_add_callback(full, NULL, NULL);
	/* The task and its deferred; then the place in the queue. */
	alloc_fail_at(3);
	assert_failed(utw_task_start(await_one, utw_deferred_ref(full)), &utw_domain_errno, ENOMEM);
	utw_deferred_unref(full);
}

static int eat_stack(int depth)
{
	volatile char page[4096];

	page[0] = (char)depth;
	return depth ? eat_stack(depth - 1) + page[0] : 0;
}

static struct utw_result overflow(struct utw_task *task, void *data)
{
	(void)task;
	(void)data;
	return utw_result_value(eat_stack(1000) ? NULL : "x");
}

static void end_of_the_stack_is_a_segmentation_fault(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		utw_deferred_unref(utw_task_start(overflow, NULL));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void page_below_the_stack_cannot_be_touched(void **state)
{
	struct utw_coroutine c;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(utw_coroutine_init(&c, 64 << 10, NULL, NULL), 0);
	assert_int_equal(write(ends[1], c.notes.memory, 1), 1);
	assert_int_equal(write(ends[1], (char *)c.notes.memory - 1, 1), -1);
	assert_int_equal(errno, EFAULT);
	utw_coroutine_release(&c);
	close(ends[0]);
	close(ends[1]);
}

/* Who called whom, as an unwinder finds it and as the functions know it. */
struct frames {
	void *found[32];
	int count;
	void *expected[2];
};

static __attribute__((noinline)) int look_back(struct frames *frames)
{
	frames->count = backtrace(frames->found, (int)ARRAY_SIZE(frames->found));
	frames->expected[0] = __builtin_return_address(0);
	return frames->count;
}

static __attribute__((noinline)) int look_back_from_further_down(struct frames *frames)
{
	int count = look_back(frames);

	frames->expected[1] = __builtin_return_address(0);
	return count;
}

static struct utw_result take_backtrace(struct utw_task *task, void *data)
{
	struct utw_result r = utw_task_await(task, utw_deferred_succeed(NULL));

	utw_result_drop(&r);
	return utw_result_value(look_back_from_further_down(data) ? data : NULL);
}

static bool frames_contain(const struct frames *frames, const void *address)
{
	int i;

	for (i = 0; i < frames->count; i++)
		if (frames->found[i] == address)
			return true;
	return false;
}

static void unwinder_finds_its_way_and_its_end(void **state)
{
	struct frames frames = { .count = 0 };

	(void)state;
	utw_deferred_unref(utw_task_start(take_backtrace, &frames));
	assert_true(frames_contain(&frames, frames.expected[0]));
	assert_true(frames_contain(&frames, frames.expected[1]));
	/* It stops at the task's first function instead of walking into the void. */
	assert_in_range(frames.count, 4, 12);
}

static void backtrace_tells_what_waits_for_what(void **state)
{
	struct utw_deferred *leaf = utw_deferred_new_at("leaf.c", 1), *inner, *middle, *outer;
	char text[256], expected[256], small[8];
	int length;

	(void)state;
	inner = utw_task_start_at("inner.c", 2, await_one, utw_deferred_ref(leaf), 64 << 10);
	middle = utw_deferred_new_at("middle.c", 3);
	utw_deferred_add_callback(middle, wait_for, inner);
	utw_deferred_callback(middle, NULL);
	outer = utw_task_start_at("outer.c", 4, await_one, utw_deferred_ref(middle), 64 << 10);
	snprintf(expected, sizeof(expected),
		 "task made at outer.c:4, awaits at %s:%d\ndeferred made at middle.c:3\n"
		 "task made at inner.c:2, awaits at %s:%d\ndeferred made at leaf.c:1",
		 __FILE__, await_line, __FILE__, await_line);
	length = utw_task_backtrace(outer, text, sizeof(text));
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
	assert_int_equal(utw_task_backtrace(outer, small, sizeof(small)), length);
	assert_string_equal(small, "task ma");
	assert_int_equal(utw_task_backtrace(outer, NULL, 0), length);
	utw_deferred_callback(leaf, NULL);
	assert_true(utw_deferred_fired(outer));
	utw_deferred_unref(leaf);
	utw_deferred_unref(inner);
	utw_deferred_unref(middle);
	utw_deferred_unref(outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(await_of_nothing_is_want_of_memory),
		TEST(await_from_outside_is_refused),
		TEST(await_of_ones_own_end_is_refused),
		TEST(tasks_that_await_each_other_are_refused),
		TEST(await_of_one_that_dies_unfired_ends),
		TEST(start_survives_each_failed_allocation),
		TEST(await_without_memory_fails_and_goes_on),
		TEST(end_of_the_stack_is_a_segmentation_fault),
		TEST(page_below_the_stack_cannot_be_touched),
		TEST(unwinder_finds_its_way_and_its_end),
		TEST(backtrace_tells_what_waits_for_what),
	};

	return cmocka_run_group_tests_name("task-trouble", tests, NULL, NULL);
}
