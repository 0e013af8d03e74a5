/* SPDX-License-Identifier: MIT */
/* End: see end.h. */
#include "end.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static void end_watched(struct utw_watch *w, uint32_t events)
{
	struct utw_end *end = utw_container_of(w, struct utw_end, watch);

	end->ready(end, events);
}

/* What there is to be told now of an end that no poller watches. */
static uint32_t end_events(const struct utw_end *end)
{
	if (!end->virtual)
		return end->wanted & (EPOLLIN | EPOLLOUT);
	return end->silent ? 0 : end->state & (end->wanted | EPOLLHUP | EPOLLERR);
}

static void end_unpolled(struct utw_end *end)
{
	if (!end_events(end))
		utw_call_stop(&end->always);
	else if (!utw_call_active(&end->always))
		utw_call_start(&end->always, end->reactor);
}

static void end_always(struct utw_call *c)
{
	struct utw_end *end = utw_container_of(c, struct utw_end, always);

	utw_call_start(&end->always, end->reactor);
	end->ready(end, end_events(end));
}

void utw_end_init(struct utw_end *end, utw_end_fn ready)
{
	end->ready = ready;
	end->reactor = NULL;
	end->fd = -1;
	end->pollable = true;
	end->virtual = false;
	end->silent = false;
	end->wanted = 0;
	end->state = 0;
	utw_watch_init(&end->watch, end_watched);
	utw_call_init(&end->always, end_always);
}

int utw_end_open(struct utw_end *end, struct utw_reactor *r, int fd)
{
	int error = utw_watch_start(&end->watch, r, fd, 0);

	if (error && error != -EPERM)
		return error;
	end->pollable = !error;
	end->reactor = r;
	end->fd = fd;
	return 0;
}

void utw_end_open_virtual(struct utw_end *end, struct utw_reactor *r)
{
	end->pollable = false;
	end->virtual = true;
	end->reactor = r;
}

void utw_end_set_state(struct utw_end *end, uint32_t state)
{
	if (!end->virtual)
		return;
	end->state = state;
	end_unpolled(end);
}

int utw_end_want(struct utw_end *end, uint32_t events)
{
	end->wanted = events;
	end->silent = false;
	if (end->pollable && utw_watch_active(&end->watch))
		return utw_watch_set_events(&end->watch, events);
	if (end->pollable)
		return utw_watch_start(&end->watch, end->reactor, end->fd, events);

	end_unpolled(end);
	return 0;
}

void utw_end_silence(struct utw_end *end)
{
	end->wanted = 0;
	end->silent = true;
	utw_watch_stop(&end->watch);
	utw_call_stop(&end->always);
}

int utw_end_take(struct utw_end *end)
{
	int fd = end->fd;

	utw_end_silence(end);
	end->fd = -1;
	end->virtual = false;
	return fd;
}

void utw_end_close(struct utw_end *end)
{
	int fd = utw_end_take(end);

	if (fd >= 0)
		close(fd);
}
