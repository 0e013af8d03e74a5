// SPDX-License-Identifier: MIT
/* The back end over epoll. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "reactor/always-ready.h"
#include "reactor/poller-epoll.h"

/* Waits are cut to this, which any time_t can hold; the reactor simply waits again. */
#define LONGEST_WAIT (UINT64_C(1) << 30) /* seconds */

/* Of a batch, what the always ready may take from the others. */
#define ALWAYS_SHARE (UTW_POLLER_BATCH / 4)

static int epoll_open(struct utw_poller *p)
{
	struct utw_poller_epoll_state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->fd = epoll_create1(EPOLL_CLOEXEC);
	if (state->fd < 0) {
		int error = -errno;

		free(state);
		return error;
	}
	state->precise = true;
	utw_always_ready_init(&state->always);
	p->state = state;
	return 0;
}

static void epoll_shut(struct utw_poller *p)
{
	struct utw_poller_epoll_state *state = p->state;

	close(state->fd);
	utw_always_ready_release(&state->always);
	free(state);
}

static int epoll_control(struct utw_poller *p, int how, int fd, uint32_t events, uint64_t tag)
{
	const struct utw_poller_epoll_state *state = p->state;
	struct epoll_event event = { .events = events, .data.u64 = tag };

	return epoll_ctl(state->fd, how, fd, &event) < 0 ? -errno : 0;
}

static int epoll_add(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	struct utw_poller_epoll_state *state = p->state;
	int error = epoll_control(p, EPOLL_CTL_ADD, fd, events, tag);

	if (error != -EPERM)
		return error;
	return utw_always_ready_add(&state->always, fd, events, tag);
}

static int epoll_modify(struct utw_poller *p, int fd, uint32_t events, uint64_t tag)
{
	struct utw_poller_epoll_state *state = p->state;

	if (state->always.count && utw_always_ready_modify(&state->always, fd, events, tag) == 0)
		return 0;
	return epoll_control(p, EPOLL_CTL_MOD, fd, events, tag);
}

static int epoll_remove(struct utw_poller *p, int fd)
{
	struct utw_poller_epoll_state *state = p->state;

	if (state->always.count && utw_always_ready_remove(&state->always, fd) == 0)
		return 0;
	return epoll_control(p, EPOLL_CTL_DEL, fd, 0, 0);
}

static int wait_precise(int epoll, uint64_t timeout, struct epoll_event *events, int room)
{
	struct timespec wait = { .tv_sec = LONGEST_WAIT };
	int count;

	if (timeout / UTW_NSEC_PER_SEC < LONGEST_WAIT) {
		wait.tv_sec = (time_t)(timeout / UTW_NSEC_PER_SEC);
		wait.tv_nsec = (long)(timeout % UTW_NSEC_PER_SEC);
	}
	count = epoll_pwait2(epoll, events, room, &wait, NULL);
	return count < 0 ? -errno : count;
}

/* Whole milliseconds, rounded up: late by less than one, but never early and never spinning. */
static int wait_coarse(int epoll, uint64_t timeout, struct epoll_event *events, int room)
{
	uint64_t milliseconds = timeout / UTW_NSEC_PER_MSEC + !!(timeout % UTW_NSEC_PER_MSEC);
	int wait = milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
	int count = epoll_wait(epoll, events, room, wait);

	return count < 0 ? -errno : count;
}

static int wait_raw(struct utw_poller *p, uint64_t timeout, struct epoll_event *events, int room)
{
	struct utw_poller_epoll_state *state = p->state;
	int count;

	/* Only these two cost the kernel no look at the clock. */
	if (timeout == 0 || timeout == UTW_FOREVER) {
		count = epoll_wait(state->fd, events, room, timeout ? -1 : 0);
		return count < 0 ? -errno : count;
	}
	if (state->precise) {
		count = wait_precise(state->fd, timeout, events, room);
		/* Older kernels do not know the call, older containers forbid it. */
		if (count != -ENOSYS && count != -EPERM)
			return count;
		state->precise = false;
	}
	return wait_coarse(state->fd, timeout, events, room);
}

static int epoll_take(struct utw_poller *p, uint64_t timeout, struct utw_poller_event *events)
{
	struct utw_poller_epoll_state *state = p->state;
	unsigned int share = state->always.armed < ALWAYS_SHARE ? state->always.armed
								: ALWAYS_SHARE;
	struct epoll_event raw[UTW_POLLER_BATCH];
	int count, i;

	count = wait_raw(p, share ? 0 : timeout, raw, (int)(UTW_POLLER_BATCH - share));
	for (i = 0; i < count; i++) {
		events[i].tag = raw[i].data.u64;
		events[i].events = raw[i].events;
	}
	if (share && count >= 0)
		count += (int)utw_always_ready_take(&state->always, &events[count],
						    UTW_POLLER_BATCH - (unsigned int)count);
	return count;
}

static int epoll_get_fd(struct utw_poller *p)
{
	const struct utw_poller_epoll_state *state = p->state;

	return state->fd;
}

const struct utw_poller_ops utw_poller_epoll = {
	.name = "epoll",
	.open = epoll_open,
	.close = epoll_shut,
	.add = epoll_add,
	.modify = epoll_modify,
	.remove = epoll_remove,
	.wait = epoll_take,
	.get_fd = epoll_get_fd,
};
