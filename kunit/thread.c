// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that end with their test, and races of two. Nothing here sleeps to
 * let something happen: who waits, waits for a state, and gives up with a
 * failure after TEST_LIMIT.
 */
#include <kunit/resource.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "context.h"
#include "thread.h"

struct test_thread {
	int (*fn)(void *arg);
	void *arg;
	struct task_struct *task;
	struct completion ended;
	int ret;
};

static int thread_main(void *arg)
{
	struct test_thread *thread = arg;

	allow_signal(SIGUSR1);
	thread->ret = thread->fn(thread->arg);
	complete(&thread->ended);
	return 0;
}

static void thread_stop(void *arg)
{
	struct test_thread *thread = arg;

	/* A test that failed may have left it asleep for ever. */
	test_thread_interrupt(thread);
	kthread_stop(thread->task);
	put_task_struct(thread->task);
}

/**
 * test_thread_start() - start a thread
 * @test: test that it ends with
 * @fn: what it does; it ends by itself
 * @arg: its argument
 *
 * Return: the thread.
 */
struct test_thread *test_thread_start(struct kunit *test, int (*fn)(void *arg), void *arg)
{
	struct test_thread *thread = kunit_kzalloc(test, sizeof(*thread), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, thread);
	thread->fn = fn;
	thread->arg = arg;
	init_completion(&thread->ended);
	thread->task = kthread_create(thread_main, thread, "%s", test->name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread->task);
	get_task_struct(thread->task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, thread_stop, thread));
	wake_up_process(thread->task);
	return thread;
}
EXPORT_SYMBOL_GPL(test_thread_start);

/**
 * test_thread_join() - wait for the end of a thread
 * @test: test, which fails if there is no end
 * @thread: thread
 *
 * Return: what its function returned.
 */
int test_thread_join(struct kunit *test, struct test_thread *thread)
{
	unsigned long left = wait_for_completion_timeout(&thread->ended, TEST_LIMIT);

	KUNIT_ASSERT_NE_MSG(test, left, 0ul, "the thread did not end");
	return thread->ret;
}
EXPORT_SYMBOL_GPL(test_thread_join);

/**
 * test_thread_interrupt() - send a signal to a thread
 * @thread: thread
 */
void test_thread_interrupt(struct test_thread *thread)
{
	send_sig(SIGUSR1, thread->task, 1);
}
EXPORT_SYMBOL_GPL(test_thread_interrupt);

/* The two sides meet before and after each round. */
struct meeting {
	const struct test_race *race;
	unsigned int rounds;
	struct completion started; /* by the left */
	struct completion finished; /* by the right */
	bool over;
};

/**
 * test_race_step() - come to a step at about the same time as the other side
 * @mine: which step this side is at
 * @others: which step the other side is at
 * @step: the step that is to come, from 1 on
 *
 * Waits for the other side, but not for long: where it does not run at all,
 * because the host is busy elsewhere, to wait is to lose time. One side is
 * shifted a little against the other, so that they meet in many ways.
 */
void test_race_step(unsigned int *mine, const unsigned int *others, unsigned int step)
{
	unsigned int patience = 1000;
	unsigned int shift = step * 7 % 16;

	/* Without cpu_relax(), which takes an emulated CPU longer than a step. */
	WRITE_ONCE(*mine, step);
	while (READ_ONCE(*others) < step && --patience)
		;
	while (shift--)
		barrier();
}
EXPORT_SYMBOL_GPL(test_race_step);

static int race_right(void *arg)
{
	struct meeting *m = arg;
	unsigned int round;

	for (round = 0; round < m->rounds; round++) {
		wait_for_completion(&m->started);
		if (READ_ONCE(m->over))
			break;
		m->race->right(m->race->arg);
		complete(&m->finished);
	}
	return 0;
}

static void race_round(struct kunit *test, struct meeting *m)
{
	const struct test_race *race = m->race;

	if (race->before)
		race->before(race->arg);
	complete(&m->started);
	race->left(race->arg);
	KUNIT_ASSERT_NE_MSG(test, wait_for_completion_timeout(&m->finished, TEST_LIMIT), 0ul,
			    "the right side did not finish");
	if (race->after)
		race->after(race->arg);
}

static void race_abandon(void *arg)
{
	struct meeting *m = arg;

	WRITE_ONCE(m->over, true);
	complete(&m->started);
}

/**
 * test_race_run() - let two functions race
 * @test: test; it is skipped on one CPU, and a failure ends the race
 * @race: what races
 * @rounds: how often
 */
void test_race_run(struct kunit *test, const struct test_race *race, unsigned int rounds)
{
	struct meeting *m;
	struct test_thread *right;
	unsigned int round;

	if (num_online_cpus() < 2)
		kunit_skip(test, "a race takes two CPUs");
	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	m->race = race;
	m->rounds = rounds;
	init_completion(&m->started);
	init_completion(&m->finished);
	right = test_thread_start(test, race_right, m);
	/* Runs before the thread is stopped, whatever ends the test. */
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, race_abandon, m));

	for (round = 0; round < rounds && test->status != KUNIT_FAILURE; round++)
		race_round(test, m);
	if (test->status == KUNIT_FAILURE)
		kunit_info(test, "failed in round %u\n", round);
	race_abandon(m);
	test_thread_join(test, right);
}
EXPORT_SYMBOL_GPL(test_race_run);
