// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a function in another thread, in a soft or in a hard interrupt: timers
 * give the interrupts, so that no hardware is needed.
 */
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/workqueue.h>

#include "context.h"

const char *const test_context_names[TEST_NR_CONTEXTS] = {
	[TEST_HERE] = "here",
	[TEST_THREAD] = "thread",
	[TEST_SOFTIRQ] = "softirq",
	[TEST_HARDIRQ] = "hardirq",
};
EXPORT_SYMBOL_GPL(test_context_names);

struct call {
	void (*fn)(void *arg);
	void *arg;
	struct work_struct work;
	struct hrtimer timer;
	struct completion done;
};

static void call_work(struct work_struct *work)
{
	struct call *call = container_of(work, struct call, work);

	call->fn(call->arg);
}

static enum hrtimer_restart call_expired(struct hrtimer *timer)
{
	struct call *call = container_of(timer, struct call, timer);

	call->fn(call->arg);
	complete(&call->done);
	return HRTIMER_NORESTART;
}

static void call_in_thread(struct call *call)
{
	INIT_WORK_ONSTACK(&call->work, call_work);
	queue_work(system_unbound_wq, &call->work);
	flush_work(&call->work);
	destroy_work_on_stack(&call->work);
}

static void call_in_interrupt(struct call *call, enum hrtimer_mode mode)
{
	init_completion(&call->done);
	hrtimer_init_on_stack(&call->timer, CLOCK_MONOTONIC, mode);
	call->timer.function = call_expired;
	hrtimer_start(&call->timer, 0, mode);
	wait_for_completion(&call->done);
	/* The core of the timers looks at it once more after its function. */
	hrtimer_cancel(&call->timer);
	destroy_hrtimer_on_stack(&call->timer);
}

/**
 * test_call_in() - run a function in a context, and wait until it has run
 * @context: where
 * @fn: function
 * @arg: its argument
 *
 * Context: process, may sleep.
 */
void test_call_in(enum test_context context, void (*fn)(void *arg), void *arg)
{
	struct call call = { .fn = fn, .arg = arg };

	if (context == TEST_THREAD)
		call_in_thread(&call);
	else if (context == TEST_SOFTIRQ)
		call_in_interrupt(&call, HRTIMER_MODE_REL_SOFT);
	else if (context == TEST_HARDIRQ)
		call_in_interrupt(&call, HRTIMER_MODE_REL_HARD);
	else
		fn(arg);
}
EXPORT_SYMBOL_GPL(test_call_in);
