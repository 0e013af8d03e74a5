// SPDX-License-Identifier: MIT
/* The looping call: a timer that is set to the next point of a grid of integers. */
#include <untwist/looping_call.h>

#include <errno.h>
#include <string.h>

#include <untwist/reactor.h>

#define NOT_RUN UINT64_MAX

enum looping_state {
	LOOPING_IDLE,
	LOOPING_WAITING, /* for its time */
	LOOPING_IN_BODY,
	LOOPING_PENDING,
	LOOPING_ENDING, /* `ended` is queued */
};

/* The body, or what is left of it, runs, and was told to be the last. */
#define STOPPING 0x100u

static enum looping_state looping_state(const struct utw_looping_call *l)
{
	return (enum looping_state)(l->state & ~STOPPING);
}

/* The last point of the grid up to now. */
static uint64_t looping_point(const struct utw_looping_call *l)
{
	uint64_t passed = utw_reactor_now(l->reactor) - l->origin;

	return l->interval ? passed / l->interval : l->point + 1;
}

static void looping_end(struct utw_looping_call *l, int error)
{
	l->error = error;
	l->state = LOOPING_ENDING;
	utw_call_start(&l->end, l->reactor);
}

static void looping_ended(struct utw_call *c)
{
	struct utw_looping_call *l = utw_container_of(c, struct utw_looping_call, end);

	l->state = LOOPING_IDLE;
	if (l->ops->ended)
		l->ops->ended(l, l->error);
}

static int looping_wait(struct utw_looping_call *l)
{
	uint64_t passed = utw_reactor_now(l->reactor) - l->origin;
	uint64_t delay = l->interval ? l->interval - passed % l->interval : 0;

	l->state = LOOPING_WAITING;
	return utw_timer_start(&l->timer, l->reactor, delay);
}

/* After the body. */
static void looping_go_on(struct utw_looping_call *l, int result)
{
	bool stopping = l->state & STOPPING;

	if (result < 0 || stopping) {
		looping_end(l, result);
		return;
	}
	result = looping_wait(l);
	if (result < 0)
		looping_end(l, result);
}

static void looping_due(struct utw_timer *t)
{
	struct utw_looping_call *l = utw_container_of(t, struct utw_looping_call, timer);
	uint64_t point = looping_point(l);
	uint64_t steps = point - l->point; /* before a first run at the origin: to -1 */
	int result;

	l->point = point;
	l->state = LOOPING_IN_BODY;
	result = l->ops->run(l, steps);
	if (result == UTW_LOOPING_PENDING)
		l->state = LOOPING_PENDING | (l->state & STOPPING);
	else
		looping_go_on(l, result);
}

void utw_looping_call_init(struct utw_looping_call *l, const struct utw_looping_call_ops *ops)
{
	memset(l, 0, sizeof(*l));
	l->ops = ops;
	utw_timer_init(&l->timer, looping_due);
	utw_call_init(&l->end, looping_ended);
}

static int looping_start(struct utw_looping_call *l, struct utw_reactor *r, uint64_t interval,
			 uint64_t delay)
{
	int err;

	if (utw_timer_active(&l->timer) || utw_call_active(&l->end) ||
	    looping_state(l) == LOOPING_IN_BODY || looping_state(l) == LOOPING_PENDING)
		return -EBUSY;
	err = utw_timer_start(&l->timer, r, delay);
	if (err < 0)
		return err;
	l->reactor = r;
	l->origin = utw_reactor_now(r);
	l->interval = interval;
	l->point = delay || !interval ? 0 : NOT_RUN;
	l->state = LOOPING_WAITING;
	return 0;
}

int utw_looping_call_start(struct utw_looping_call *l, struct utw_reactor *r, uint64_t interval)
{
	return looping_start(l, r, interval, interval);
}

int utw_looping_call_start_now(struct utw_looping_call *l, struct utw_reactor *r, uint64_t interval)
{
	return looping_start(l, r, interval, 0);
}

int utw_looping_call_stop(struct utw_looping_call *l)
{
	if (!utw_looping_call_running(l))
		return -EINVAL;
	if (looping_state(l) == LOOPING_WAITING) {
		utw_timer_cancel(&l->timer);
		looping_end(l, 0);
	} else {
		l->state |= STOPPING;
	}
	return 0;
}

int utw_looping_call_reset(struct utw_looping_call *l)
{
	if (!utw_looping_call_running(l))
		return -EINVAL;
	l->origin = utw_reactor_now(l->reactor);
	l->point = 0;
	if (looping_state(l) == LOOPING_WAITING)
		return utw_timer_reset(&l->timer, l->interval);
	return 0;
}

int utw_looping_call_resume(struct utw_looping_call *l, int result)
{
	if (looping_state(l) != LOOPING_PENDING)
		return -EINVAL;
	looping_go_on(l, result);
	return 0;
}

bool utw_looping_call_running(const struct utw_looping_call *l)
{
	if (l->state & STOPPING)
		return false;
	switch (looping_state(l)) {
	case LOOPING_WAITING:
		return utw_timer_active(&l->timer);
	case LOOPING_IN_BODY:
	case LOOPING_PENDING:
		return true;
	case LOOPING_IDLE:
	case LOOPING_ENDING:
		break;
	}
	return false;
}
