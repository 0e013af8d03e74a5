// SPDX-License-Identifier: MIT
/* The cooperator: whose step it is, for how long, and how a task ends. */
#include <untwist/cooperator.h>

#include <errno.h>

#include <untwist/fake.h>
#include <untwist/reactor.h>

#include "harness-clock.h"
#include "notes.h"

static struct notes notes;
static struct utw_reactor *reactor;
static struct utw_cooperator cooperator;

struct task {
	struct utw_coop_task task;
	char letter;
	unsigned int left; /* steps that are not its last */
	int last; /* what its last step returns */
	uint64_t takes; /* ns a step */
	bool stops; /* itself, in its step */
	int result;
};

static int task_step(struct utw_coop_task *t)
{
	struct task *task = utw_container_of(t, struct task, task);

	note(&notes, task->letter);
	utw_fake_advance(reactor, task->takes);
	if (task->stops)
		assert_int_equal(utw_coop_task_stop(t), 0);
	if (!task->left)
		return task->last;
	task->left--;
	return 1;
}

static void task_ended(struct utw_coop_task *t, int result)
{
	note(&notes, '.');
	utw_container_of(t, struct task, task)->result = result;
}

static const struct utw_coop_task_ops task_ops = { .step = task_step, .ended = task_ended };

static void task_add(struct task *task, char letter, unsigned int left)
{
	*task = (struct task){ .letter = letter, .left = left, .result = 99 };
	utw_coop_task_init(&task->task, &task_ops);
	assert_int_equal(utw_cooperator_add(&cooperator, &task->task), 0);
}

static void open_all(void)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE, .budget = 6 };

	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new_with(&reactor, &options), 0);
	utw_cooperator_init(&cooperator, reactor, 0);
}

static void close_all(void)
{
	utw_cooperator_release(&cooperator);
	utw_reactor_free(reactor);
}

static void turn(void)
{
	utw_reactor_run_once(reactor, 0);
}

static void cooperator_case_36_tasks_take_turns(void **state)
{
	struct task a, b;

	(void)state;
	open_all();
	task_add(&a, 'a', 1);
	task_add(&b, 'b', 1);
	assert_noted(&notes, "");
	turn();
	assert_noted(&notes, "abab");
	turn();
	assert_noted(&notes, "..");
	assert_int_equal(a.result, 0);
	close_all();
}

static void slice_ends_the_turn_of_all(void **state)
{
	struct task a, b;

	(void)state;
	open_all();
	task_add(&a, 'a', 9);
	task_add(&b, 'b', 9);
	a.takes = 4 * MILLISECONDS;
	b.takes = 4 * MILLISECONDS;
	turn();
	assert_noted(&notes, "aba");
	turn();
	assert_noted(&notes, "bab");
	close_all();
}

static void budget_ends_it_where_the_clock_stands_still(void **state)
{
	struct task a;

	(void)state;
	open_all();
	task_add(&a, 'a', 1000);
	turn();
	assert_noted(&notes, "aaaaaa");
	close_all();
}

static void cooperator_case_36_stop_ends_with_canceled(void **state)
{
	struct task a;

	(void)state;
	open_all();
	task_add(&a, 'a', 1000);
	assert_int_equal(utw_cooperator_add(&cooperator, &a.task), -EBUSY);
	assert_int_equal(utw_coop_task_stop(&a.task), 0);
	assert_int_equal(utw_coop_task_stop(&a.task), -EALREADY);
	assert_noted(&notes, "");
	turn();
	assert_noted(&notes, ".");
	assert_int_equal(a.result, -ECANCELED);
	assert_int_equal(utw_coop_task_pause(&a.task), -EALREADY);
	close_all();
}

static void stop_from_its_own_step_counts(void **state)
{
	struct task a;

	(void)state;
	open_all();
	task_add(&a, 'a', 1000);
	a.stops = true;
	turn();
	turn();
	assert_noted(&notes, "a.");
	assert_int_equal(a.result, -ECANCELED);
	close_all();
}

static void step_that_fails_ends_it(void **state)
{
	struct task a;

	(void)state;
	open_all();
	task_add(&a, 'a', 1);
	a.last = -EIO;
	turn();
	turn();
	assert_noted(&notes, "aa.");
	assert_int_equal(a.result, -EIO);
	assert_int_equal(utw_cooperator_add(&cooperator, &a.task), 0);
	close_all();
}

static void pauses_are_counted(void **state)
{
	struct task a;

	(void)state;
	open_all();
	task_add(&a, 'a', 1000);
	assert_int_equal(utw_coop_task_resume(&a.task), -EINVAL);
	assert_int_equal(utw_coop_task_pause(&a.task), 0);
	assert_int_equal(utw_coop_task_pause(&a.task), 0);
	turn();
	assert_int_equal(utw_coop_task_resume(&a.task), 0);
	turn();
	assert_noted(&notes, "");
	assert_int_equal(utw_coop_task_resume(&a.task), 0);
	turn();
	assert_noted(&notes, "aaaaaa");
	close_all();
}

static void call_on_one_never_added_says_so(void **state)
{
	struct utw_coop_task t;

	(void)state;
	utw_coop_task_init(&t, &task_ops);
	assert_int_equal(utw_coop_task_stop(&t), -EINVAL);
	assert_int_equal(utw_coop_task_pause(&t), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cooperator_case_36_tasks_take_turns),
		TEST(slice_ends_the_turn_of_all),
		TEST(budget_ends_it_where_the_clock_stands_still),
		TEST(cooperator_case_36_stop_ends_with_canceled),
		TEST(stop_from_its_own_step_counts),
		TEST(step_that_fails_ends_it),
		TEST(pauses_are_counted),
		TEST(call_on_one_never_added_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
