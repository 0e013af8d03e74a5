// SPDX-License-Identifier: MIT
/* libev: a watcher for each thing; it has no streams, so an echo is recv() and send(). */
#include "subject.h"

#include <stdlib.h>

#include <ev.h>

static struct ev_loop *loops[2];
static ev_async bells[2];
static ev_timer *timers;

static void libev_open(int side)
{
	loops[side] = ev_loop_new(EVBACKEND_EPOLL);
	die_if(!loops[side], "ev_loop_new");
}

static void libev_run(int side)
{
	ev_run(loops[side], 0);
}

static void chain_readable(struct ev_loop *loop, ev_io *w, int events)
{
	(void)events;
	if (chain_step((unsigned int)(size_t)w->data))
		ev_break(loop, EVBREAK_ALL);
}

static void libev_watch(const int *fds, unsigned int count)
{
	ev_io *watchers = allocate(count, sizeof(*watchers));
	unsigned int i;

	for (i = 0; i < count; i++) {
		ev_io_init(&watchers[i], chain_readable, fds[i], EV_READ);
		watchers[i].data = (void *)(size_t)i;
		ev_io_start(loops[0], &watchers[i]);
	}
}

static void timer_due(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	if (timer_fired())
		ev_break(loop, EVBREAK_ALL);
}

static void libev_make_timers(unsigned int count)
{
	unsigned int i;

	timers = allocate(count, sizeof(*timers));
	for (i = 0; i < count; i++)
		ev_timer_init(&timers[i], timer_due, 0, 0);
}

static void libev_arm(const unsigned int *delays, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		ev_timer_set(&timers[i], delays[i] / 1000.0, 0);
		ev_timer_start(loops[0], &timers[i]);
	}
}

static void libev_cancel(unsigned int number)
{
	ev_timer_stop(loops[0], &timers[number]);
}

static void bell_rung(struct ev_loop *loop, ev_async *bell, int events)
{
	(void)events;
	if (woken((int)(bell - bells)))
		ev_break(loop, EVBREAK_ALL);
}

static void libev_listen(int side)
{
	ev_async_init(&bells[side], bell_rung);
	ev_async_start(loops[side], &bells[side]);
}

static void libev_wake(int side)
{
	ev_async_send(loops[side], &bells[side]);
}

static void echo_readable(struct ev_loop *loop, ev_io *w, int events)
{
	int fd = w->fd;

	(void)events;
	if (echo_once(fd))
		return;
	ev_io_stop(loop, w);
	free(w);
}

static void listener_readable(struct ev_loop *loop, ev_io *w, int events)
{
	int fd = accept_one(w->fd);
	ev_io *connection;

	(void)events;
	if (fd < 0)
		return;
	connection = allocate(1, sizeof(*connection));
	ev_io_init(connection, echo_readable, fd, EV_READ);
	ev_io_start(loop, connection);
}

static void libev_echo(int fd)
{
	ev_io listener;

	ev_io_init(&listener, listener_readable, fd, EV_READ);
	ev_io_start(loops[0], &listener);
	echo_served();
	ev_run(loops[0], 0);
}

const struct subject subjects[] = {
	{
		.name = "libev",
		.timer_size = sizeof(ev_timer),
		.open = libev_open,
		.run = libev_run,
		.watch = libev_watch,
		.make_timers = libev_make_timers,
		.arm = libev_arm,
		.cancel = libev_cancel,
		.listen = libev_listen,
		.wake = libev_wake,
		.echo = libev_echo,
	},
	{ 0 },
};
