// SPDX-License-Identifier: MIT
/* The poller over epoll. */
#include "reactor/poller.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "base/clock.h"

/* Waits are cut to this, which any time_t can hold; the reactor simply waits again. */
#define LONGEST_WAIT (UINT64_C(1) << 30) /* seconds */

int utw_poller_init(struct utw_poller *p)
{
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	p->precise = true;
	return p->fd < 0 ? -errno : 0;
}

void utw_poller_release(struct utw_poller *p)
{
	close(p->fd);
	p->fd = -1;
}

static int poller_control(struct utw_poller *p, int how, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event = { .events = events, .data.u64 = tag };

	return epoll_ctl(p->fd, how, fd, &event) < 0 ? -errno : 0;
}

int utw_poller_add(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	return poller_control(p, EPOLL_CTL_ADD, fd, events, tag);
}

int utw_poller_modify(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	return poller_control(p, EPOLL_CTL_MOD, fd, events, tag);
}

int utw_poller_remove(struct utw_poller *p, int fd)
{
	return poller_control(p, EPOLL_CTL_DEL, fd, 0, 0);
}

static int poller_wait_precise(struct utw_poller *p, uint64_t timeout, struct epoll_event *events)
{
	struct timespec wait = { .tv_sec = LONGEST_WAIT };
	int count;

	if (timeout / UTW_NSEC_PER_SEC < LONGEST_WAIT) {
		wait.tv_sec = (time_t)(timeout / UTW_NSEC_PER_SEC);
		wait.tv_nsec = (long)(timeout % UTW_NSEC_PER_SEC);
	}
	count = epoll_pwait2(p->fd, events, UTW_POLLER_BATCH, &wait, NULL);
	return count < 0 ? -errno : count;
}

/* Whole milliseconds, rounded up: late by less than one, but never early and never spinning. */
static int poller_wait_coarse(struct utw_poller *p, uint64_t timeout, struct epoll_event *events)
{
	uint64_t milliseconds = timeout / UTW_NSEC_PER_MSEC + !!(timeout % UTW_NSEC_PER_MSEC);
	int wait = milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
	int count = epoll_wait(p->fd, events, UTW_POLLER_BATCH, wait);

	return count < 0 ? -errno : count;
}

static int poller_wait_raw(struct utw_poller *p, uint64_t timeout, struct epoll_event *events)
{
	int count;

	/* Only these two cost the kernel no look at the clock. */
	if (timeout == 0 || timeout == UTW_FOREVER) {
		count = epoll_wait(p->fd, events, UTW_POLLER_BATCH, timeout ? -1 : 0);
		return count < 0 ? -errno : count;
	}
	if (p->precise) {
		count = poller_wait_precise(p, timeout, events);
		/* Older kernels do not know the call, older containers forbid it. */
		if (count != -ENOSYS && count != -EPERM)
			return count;
		p->precise = false;
	}
	return poller_wait_coarse(p, timeout, events);
}

int utw_poller_wait(struct utw_poller *p, uint64_t timeout, struct utw_poller_event *events)
{
	struct epoll_event raw[UTW_POLLER_BATCH];
	int count = poller_wait_raw(p, timeout, raw);
	int i;

	for (i = 0; i < count; i++) {
		events[i].tag = raw[i].data.u64;
		events[i].events = raw[i].events;
	}
	return count;
}
