/* SPDX-License-Identifier: MIT */
/* End: see end.h. */
#include "end.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What there is to be told now of an end that no poller watches. */
static uint32_t unpolled_events(const struct utw_end_unpolled *u)
{
	if (!u->virtual)
		return u->wanted & (EPOLLIN | EPOLLOUT);
	return u->silent ? 0 : u->state & (u->wanted | EPOLLHUP | EPOLLERR);
}

static void unpolled_update(struct utw_end_unpolled *u)
{
	if (!unpolled_events(u))
		utw_call_stop(&u->always);
	else if (!utw_call_active(&u->always))
		utw_call_start(&u->always, u->reactor);
}

static void unpolled_always(struct utw_call *c)
{
	struct utw_end_unpolled *u = utw_container_of(c, struct utw_end_unpolled, always);
	struct utw_watch *w = &u->end->watch;

	utw_call_start(&u->always, u->reactor);
	w->fn(w, unpolled_events(u));
}

static void unpolled_begin(struct utw_end *end, struct utw_reactor *r, struct utw_end_unpolled *u)
{
	*u = (struct utw_end_unpolled){ .end = end, .reactor = r };
	utw_call_init(&u->always, unpolled_always);
	end->unpolled = u;
}

void utw_end_init(struct utw_end *end, utw_watch_fn ready)
{
	utw_watch_init(&end->watch, ready);
	end->unpolled = NULL;
}

int utw_end_open(struct utw_end *end, struct utw_reactor *r, int fd)
{
	struct utw_end_unpolled *u;
	int error = utw_watch_start(&end->watch, r, fd, 0);

	if (error == -EPERM) {
		u = malloc(sizeof(*u));
		error = u ? 0 : -ENOMEM;
		if (u)
			unpolled_begin(end, r, u);
	}
	end->watch.fd = error ? -1 : fd;
	return error;
}

void utw_end_open_virtual(struct utw_end *end, struct utw_reactor *r, struct utw_end_unpolled *u)
{
	unpolled_begin(end, r, u);
	u->virtual = true;
}

void utw_end_set_state(struct utw_end *end, uint32_t state)
{
	if (!end->unpolled || !end->unpolled->virtual)
		return;
	end->unpolled->state = state;
	unpolled_update(end->unpolled);
}

int utw_end_want(struct utw_end *end, struct utw_reactor *r, uint32_t events)
{
	if (end->unpolled) {
		end->unpolled->wanted = events;
		end->unpolled->silent = false;
		unpolled_update(end->unpolled);
		return 0;
	}
	if (utw_watch_active(&end->watch))
		return utw_watch_set_events(&end->watch, events);
	return utw_watch_start(&end->watch, r, utw_end_fd(end), events);
}

void utw_end_silence(struct utw_end *end)
{
	if (!end->unpolled) {
		utw_watch_stop(&end->watch);
		return;
	}
	end->unpolled->wanted = 0;
	end->unpolled->silent = true;
	utw_call_stop(&end->unpolled->always);
}

int utw_end_take(struct utw_end *end)
{
	int fd = utw_end_fd(end);

	utw_end_silence(end);
	if (end->unpolled && !end->unpolled->virtual)
		free(end->unpolled);
	end->unpolled = NULL;
	end->watch.fd = -1;
	return fd;
}

void utw_end_close(struct utw_end *end)
{
	int fd = utw_end_take(end);

	if (fd >= 0)
		close(fd);
}
