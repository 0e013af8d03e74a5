// SPDX-License-Identifier: MIT
/*
 * libuv, twice: with uv_try_write(), which is its fastest and never waits, and with
 * uv_write(), which is what copes with a peer that does not read.
 */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

static uv_loop_t loops[2];
static uv_async_t bells[2];
static uv_timer_t *timers;

static void libuv_open(int side)
{
	die_if(uv_loop_init(&loops[side]), "uv_loop_init");
}

static void libuv_run(int side)
{
	uv_run(&loops[side], UV_RUN_DEFAULT);
}

static void chain_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	if (chain_step((unsigned int)(size_t)poll->data))
		uv_stop(&loops[0]);
}

static void libuv_watch(const int *fds, unsigned int count)
{
	uv_poll_t *polls = allocate(count, sizeof(*polls));
	unsigned int i;

	for (i = 0; i < count; i++) {
		die_if(uv_poll_init(&loops[0], &polls[i], fds[i]), "uv_poll_init");
		polls[i].data = (void *)(size_t)i;
		uv_poll_start(&polls[i], UV_READABLE, chain_readable);
	}
}

static void timer_due(uv_timer_t *timer)
{
	(void)timer;
	if (timer_fired())
		uv_stop(&loops[0]);
}

static void libuv_make_timers(unsigned int count)
{
	unsigned int i;

	timers = allocate(count, sizeof(*timers));
	for (i = 0; i < count; i++)
		uv_timer_init(&loops[0], &timers[i]);
}

static void libuv_arm(const unsigned int *delays, unsigned int count)
{
	unsigned int i;

	uv_update_time(&loops[0]);
	for (i = 0; i < count; i++)
		uv_timer_start(&timers[i], timer_due, delays[i], 0);
}

static void libuv_cancel(unsigned int number)
{
	uv_timer_stop(&timers[number]);
}

static void bell_rung(uv_async_t *bell)
{
	if (woken((int)(bell - bells)))
		uv_stop(bell->loop);
}

static void libuv_listen(int side)
{
	die_if(uv_async_init(&loops[side], &bells[side], bell_rung), "uv_async_init");
}

static void libuv_wake(int side)
{
	uv_async_send(&bells[side]);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
	static char data[65536];

	(void)handle;
	(void)wanted;
	*room = uv_buf_init(data, sizeof(data));
}

static void connection_closed(uv_handle_t *handle)
{
	free(handle);
}

static void echo_try(uv_stream_t *connection, ssize_t got, const uv_buf_t *data)
{
	uv_buf_t answer = uv_buf_init(data->base, (unsigned int)got);

	if (got == 0 || (got > 0 && uv_try_write(connection, &answer, 1) == got))
		return;
	uv_close((uv_handle_t *)connection, connection_closed);
}

struct answer {
	uv_write_t request;
	char data[];
};

static void answer_written(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

static void echo_write(uv_stream_t *connection, ssize_t got, const uv_buf_t *data)
{
	struct answer *answer;
	uv_buf_t whole;

	if (got < 0)
		uv_close((uv_handle_t *)connection, connection_closed);
	if (got <= 0)
		return;
	answer = allocate(1, sizeof(*answer) + (size_t)got);
	memcpy(answer->data, data->base, (size_t)got);
	whole = uv_buf_init(answer->data, (unsigned int)got);
	uv_write(&answer->request, connection, &whole, 1, answer_written);
}

static void serve(uv_stream_t *listener, uv_read_cb answer)
{
	uv_tcp_t *connection = allocate(1, sizeof(*connection));

	uv_tcp_init(&loops[0], connection);
	if (uv_accept(listener, (uv_stream_t *)connection))
		uv_close((uv_handle_t *)connection, connection_closed);
	else
		uv_read_start((uv_stream_t *)connection, give_room, answer);
}

static void accept_try(uv_stream_t *listener, int status)
{
	if (!status)
		serve(listener, echo_try);
}

static void accept_write(uv_stream_t *listener, int status)
{
	if (!status)
		serve(listener, echo_write);
}

static void listen_at(int fd, uv_connection_cb on_connection)
{
	uv_tcp_t listener;

	uv_tcp_init(&loops[0], &listener);
	die_if(uv_tcp_open(&listener, fd), "uv_tcp_open");
	die_if(uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection), "uv_listen");
	echo_served();
	uv_run(&loops[0], UV_RUN_DEFAULT);
}

static void try_echo(int fd)
{
	listen_at(fd, accept_try);
}

static void write_echo(int fd)
{
	listen_at(fd, accept_write);
}

const struct subject subjects[] = {
	{
		.name = "libuv",
		.timer_size = sizeof(uv_timer_t),
		.open = libuv_open,
		.run = libuv_run,
		.watch = libuv_watch,
		.make_timers = libuv_make_timers,
		.arm = libuv_arm,
		.cancel = libuv_cancel,
		.listen = libuv_listen,
		.wake = libuv_wake,
		.echo = try_echo,
	},
	{
		.name = "libuv-write",
		.open = libuv_open,
		.echo = write_echo,
	},
	{ 0 },
};
