// SPDX-License-Identifier: MIT
/*
 * Nesting: making the reactor's descriptor tell of timers and queued calls too.
 *
 * The kernel knows our descriptors but not our heap and queues. Once somebody has
 * asked for the descriptor, a timer fd among them stands for both: it is set to
 * the next deadline, or to the distant past while calls are queued. It is never
 * read; setting it anew silences it.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "reactor/reactor-private.h"

#define LONG_AGO 1 /* 0 would disarm */
/* No time_t of 32 bits holds more. What is later is looked at again when this has come. */
#define LATEST (UINT64_C(0x7fffffff) * UTW_NSEC_PER_SEC)

void utw_nest_init(struct utw_reactor *r)
{
	r->nest.timer = -1;
	r->nest.armed = UTW_FOREVER;
}

void utw_nest_release(struct utw_reactor *r)
{
	if (r->nest.timer >= 0)
		close(r->nest.timer);
}

static uint64_t nest_deadline(struct utw_reactor *r)
{
	uint64_t next = utw_timers_next(r);

	if (utw_calls_pending(r) || next == 0)
		return LONG_AGO;
	/* The kernel knows nothing of another clock: it is told when that has come. */
	if (r->poller.ops->now)
		return next <= utw_reactor_clock(r) ? LONG_AGO : UTW_FOREVER;
	return next;
}

static void nest_arm(struct utw_nest *nest, uint64_t deadline)
{
	struct itimerspec setting = { 0 };

	if (deadline != UTW_FOREVER) {
		uint64_t when = deadline < LATEST ? deadline : LATEST;

		setting.it_value.tv_sec = (time_t)(when / UTW_NSEC_PER_SEC);
		setting.it_value.tv_nsec = (long)(when % UTW_NSEC_PER_SEC);
	}
	timerfd_settime(nest->timer, TFD_TIMER_ABSTIME, &setting, NULL);
	nest->armed = deadline;
}

void utw_nest_update(struct utw_reactor *r)
{
	uint64_t deadline;

	if (r->nest.timer < 0 || r->in_turn)
		return;
	deadline = nest_deadline(r);
	if (deadline != r->nest.armed)
		nest_arm(&r->nest, deadline);
	/* Whoever nests us sleeps for us. */
	if (utw_inbox_sleep(&r->inbox))
		utw_inbox_ring(&r->inbox);
	utw_poller_flush(&r->poller);
}

int utw_reactor_get_fd(struct utw_reactor *r)
{
	int timer, err;

	if (r->nest.timer >= 0)
		return utw_poller_get_fd(&r->poller);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer < 0)
		return -errno;
	err = utw_poller_add(&r->poller, timer, EPOLLIN, UTW_TAG_NEST);
	if (err < 0) {
		close(timer);
		return err;
	}
	r->nest.timer = timer;
	err = utw_poller_get_fd(&r->poller);
	utw_nest_update(r);
	return err;
}
