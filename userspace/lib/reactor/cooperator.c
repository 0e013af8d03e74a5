// SPDX-License-Identifier: MIT
/* The cooperator: one queued call that steps its tasks and queues itself again. */
#include <untwist/cooperator.h>

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "reactor/reactor-private.h"

#define SLICE (10 * UTW_NSEC_PER_MSEC)

enum task_state {
	TASK_NEW,
	TASK_ADDED,
	TASK_STEPPING,
	TASK_ENDING, /* yet to be told so */
	TASK_OVER,
};

static struct utw_coop_task *task_of(struct utw_link *link)
{
	return utw_container_of(link, struct utw_coop_task, link);
}

static void cooperator_wake(struct utw_cooperator *c)
{
	if (!utw_call_active(&c->call))
		utw_call_start(&c->call, c->reactor);
}

static void task_end(struct utw_coop_task *t, int result)
{
	t->state = TASK_ENDING;
	t->result = result;
	utw_list_remove(&t->link);
	utw_list_append(&t->cooperator->ended, &t->link);
	cooperator_wake(t->cooperator);
}

static void task_step(struct utw_coop_task *t)
{
	int result;

	/* Behind the others, where it stays unless its step says something else. */
	utw_list_append(&t->cooperator->ready, &t->link);
	t->state = TASK_STEPPING;
	result = t->ops->step(t);
	if (t->state != TASK_STEPPING)
		return;
	t->state = TASK_ADDED;
	if (result <= 0)
		task_end(t, result);
}

/* Only those that ended before, so that nobody is told by the call that ended it. */
static void cooperator_tell_ended(struct utw_cooperator *c)
{
	struct utw_link told, *link;

	utw_list_init(&told);
	utw_list_splice(&told, &c->ended);
	while ((link = utw_list_pop(&told))) {
		struct utw_coop_task *t = task_of(link);

		t->state = TASK_OVER;
		if (t->ops->ended)
			t->ops->ended(t, t->result);
	}
}

static void cooperator_tick(struct utw_call *call)
{
	struct utw_cooperator *c = utw_container_of(call, struct utw_cooperator, call);
	uint64_t end = utw_clock_add(utw_reactor_clock(c->reactor), c->slice);
	unsigned int steps = 0;
	struct utw_link *link;

	cooperator_tell_ended(c);
	/* By number, too, for a clock that stands still. */
	while (steps++ < c->reactor->budget && (link = utw_list_pop(&c->ready))) {
		task_step(task_of(link));
		if (utw_reactor_clock(c->reactor) >= end)
			break;
	}
	if (!utw_list_empty(&c->ready) || !utw_list_empty(&c->ended))
		cooperator_wake(c);
}

void utw_cooperator_init(struct utw_cooperator *c, struct utw_reactor *r, uint64_t slice)
{
	c->reactor = r;
	c->slice = slice ? slice : SLICE;
	utw_call_init(&c->call, cooperator_tick);
	utw_list_init(&c->ready);
	utw_list_init(&c->paused);
	utw_list_init(&c->ended);
}

void utw_cooperator_release(struct utw_cooperator *c)
{
	struct utw_link *link;

	utw_call_stop(&c->call);
	utw_list_splice(&c->ready, &c->paused);
	utw_list_splice(&c->ready, &c->ended);
	while ((link = utw_list_pop(&c->ready)))
		task_of(link)->state = TASK_OVER;
}

void utw_coop_task_init(struct utw_coop_task *t, const struct utw_coop_task_ops *ops)
{
	memset(t, 0, sizeof(*t));
	utw_list_init(&t->link);
	t->ops = ops;
}

int utw_cooperator_add(struct utw_cooperator *c, struct utw_coop_task *t)
{
	if (t->state != TASK_NEW && t->state != TASK_OVER)
		return -EBUSY;
	t->cooperator = c;
	t->state = TASK_ADDED;
	t->pauses = 0;
	utw_list_append(&c->ready, &t->link);
	cooperator_wake(c);
	return 0;
}

static int task_check(const struct utw_coop_task *t)
{
	switch ((enum task_state)t->state) {
	case TASK_ADDED:
	case TASK_STEPPING:
		return 0;
	case TASK_ENDING:
	case TASK_OVER:
		return -EALREADY;
	case TASK_NEW:
		break;
	}
	return -EINVAL;
}

int utw_coop_task_stop(struct utw_coop_task *t)
{
	int err = task_check(t);

	if (err == 0)
		task_end(t, -ECANCELED);
	return err;
}

int utw_coop_task_pause(struct utw_coop_task *t)
{
	int err = task_check(t);

	if (err < 0)
		return err;
	if (t->pauses++ == 0) {
		utw_list_remove(&t->link);
		utw_list_append(&t->cooperator->paused, &t->link);
	}
	return 0;
}

int utw_coop_task_resume(struct utw_coop_task *t)
{
	int err = task_check(t);

	if (err < 0)
		return err;
	if (!t->pauses)
		return -EINVAL;
	if (--t->pauses == 0) {
		utw_list_remove(&t->link);
		utw_list_append(&t->cooperator->ready, &t->link);
		cooperator_wake(t->cooperator);
	}
	return 0;
}
