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

static void end_always(struct utw_call *c)
{
	struct utw_end *end = utw_container_of(c, struct utw_end, always);

	utw_call_start(&end->always, end->reactor);
	end->ready(end, end->wanted & end->available);
}

void utw_end_init(struct utw_end *end, utw_end_fn ready)
{
	end->ready = ready;
	end->reactor = NULL;
	end->fd = -1;
	end->inner = false;
	end->pollable = true;
	end->wanted = 0;
	end->available = EPOLLIN | EPOLLOUT;
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

static void end_update_always(struct utw_end *end)
{
	if (!(end->wanted & end->available))
		utw_call_stop(&end->always);
	else if (!utw_call_active(&end->always))
		utw_call_start(&end->always, end->reactor);
}

void utw_end_open_inner(struct utw_end *end, struct utw_reactor *r)
{
	end->inner = true;
	end->pollable = false;
	end->available = 0;
	end->reactor = r;
}

void utw_end_offer(struct utw_end *end, uint32_t events)
{
	end->available = events;
	end_update_always(end);
}

int utw_end_want(struct utw_end *end, uint32_t events)
{
	end->wanted = events;
	if (end->pollable && utw_watch_active(&end->watch))
		return utw_watch_set_events(&end->watch, events);
	if (end->pollable)
		return utw_watch_start(&end->watch, end->reactor, end->fd, events);

	end_update_always(end);
	return 0;
}

void utw_end_silence(struct utw_end *end)
{
	end->wanted = 0;
	utw_watch_stop(&end->watch);
	utw_call_stop(&end->always);
}

int utw_end_take(struct utw_end *end)
{
	int fd = end->fd;

	utw_end_silence(end);
	end->fd = -1;
	end->inner = false;
	return fd;
}

void utw_end_close(struct utw_end *end)
{
	int fd = utw_end_take(end);

	if (fd >= 0)
		close(fd);
}
