// SPDX-License-Identifier: MIT
/*
 * libevent, twice: with its bare events, and for streams with its bufferevents, which
 * are what compares to a transport.
 */
#include "subject.h"

#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

static struct event_base *bases[2];
static struct event *bells[2];
static struct event *timers;
static struct evbuffer *stream;

static void libevent_open(int side)
{
	evthread_use_pthreads();
	bases[side] = event_base_new();
	stream = evbuffer_new();
	die_if(!bases[side] || !stream, "event_base_new");
}

static void libevent_run(int side)
{
	event_base_loop(bases[side], EVLOOP_NO_EXIT_ON_EMPTY);
}

static void chain_readable(evutil_socket_t fd, short events, void *number)
{
	(void)fd;
	(void)events;
	if (chain_step((unsigned int)(size_t)number))
		event_base_loopbreak(bases[0]);
}

static void libevent_watch(const int *fds, unsigned int count)
{
	struct event *events = allocate(count, sizeof(*events));
	unsigned int i;

	for (i = 0; i < count; i++) {
		event_assign(&events[i], bases[0], fds[i], EV_READ | EV_PERSIST, chain_readable,
			     (void *)(size_t)i);
		event_add(&events[i], NULL);
	}
}

static void timer_due(evutil_socket_t fd, short events, void *unused)
{
	(void)fd;
	(void)events;
	(void)unused;
	if (timer_fired())
		event_base_loopbreak(bases[0]);
}

static void libevent_make_timers(unsigned int count)
{
	unsigned int i;

	timers = allocate(count, sizeof(*timers));
	for (i = 0; i < count; i++)
		evtimer_assign(&timers[i], bases[0], timer_due, NULL);
}

static void libevent_arm(const unsigned int *delays, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct timeval delay = { delays[i] / 1000, delays[i] % 1000 * 1000 };

		evtimer_add(&timers[i], &delay);
	}
}

static void libevent_cancel(unsigned int number)
{
	evtimer_del(&timers[number]);
}

static void bell_rung(evutil_socket_t fd, short events, void *side)
{
	(void)fd;
	(void)events;
	if (woken((int)(size_t)side))
		event_base_loopbreak(bases[(size_t)side]);
}

static void libevent_listen(int side)
{
	bells[side] = event_new(bases[side], -1, EV_PERSIST, bell_rung, (void *)(size_t)side);
	event_add(bells[side], NULL);
}

static void libevent_wake(int side)
{
	event_active(bells[side], EV_READ, 0);
}

static void echo_readable(evutil_socket_t fd, short events, void *data)
{
	struct event *connection = data;

	(void)events;
	if (echo_once(fd))
		return;
	event_del(connection);
	free(connection);
}

static void listener_readable(evutil_socket_t listener, short events, void *unused)
{
	struct event *connection;
	int fd = accept_one(listener);

	(void)events;
	(void)unused;
	if (fd < 0)
		return;
	connection = allocate(1, sizeof(*connection));
	event_assign(connection, bases[0], fd, EV_READ | EV_PERSIST, echo_readable, connection);
	event_add(connection, NULL);
}

static void buffer_readable(struct bufferevent *buffer, void *unused)
{
	(void)unused;
	bufferevent_write_buffer(buffer, bufferevent_get_input(buffer));
}

static void buffer_over(struct bufferevent *buffer, short events, void *unused)
{
	(void)events;
	(void)unused;
	bufferevent_free(buffer);
}

static void buffer_listener_readable(evutil_socket_t listener, short events, void *unused)
{
	struct bufferevent *buffer;
	int fd = accept_one(listener);

	(void)events;
	(void)unused;
	if (fd < 0)
		return;
	buffer = bufferevent_socket_new(bases[0], fd, BEV_OPT_CLOSE_ON_FREE);
	die_if(!buffer, "bufferevent_socket_new");
	bufferevent_setcb(buffer, buffer_readable, NULL, buffer_over, NULL);
	bufferevent_enable(buffer, EV_READ | EV_WRITE);
}

static void serve(int fd, event_callback_fn ready)
{
	struct event *listener = event_new(bases[0], fd, EV_READ | EV_PERSIST, ready, NULL);

	event_add(listener, NULL);
	echo_served();
	event_base_dispatch(bases[0]);
}

static void libevent_echo(int fd)
{
	serve(fd, listener_readable);
}

static void buffer_echo(int fd)
{
	serve(fd, buffer_listener_readable);
}

static void buffer_feed(const char *data, size_t len)
{
	size_t line_len;
	char *line;

	evbuffer_add(stream, data, len);
	while ((line = evbuffer_readln(stream, &line_len, EVBUFFER_EOL_LF))) {
		line_cut(line, line_len);
		free(line);
	}
}

const struct subject subjects[] = {
	{
		.name = "libevent",
		.timer_size = sizeof(struct event),
		.open = libevent_open,
		.run = libevent_run,
		.watch = libevent_watch,
		.make_timers = libevent_make_timers,
		.arm = libevent_arm,
		.cancel = libevent_cancel,
		.listen = libevent_listen,
		.wake = libevent_wake,
		.echo = libevent_echo,
	},
	{
		.name = "libevent-buffer",
		.open = libevent_open,
		.echo = buffer_echo,
		.feed = buffer_feed,
	},
	{ 0 },
};
