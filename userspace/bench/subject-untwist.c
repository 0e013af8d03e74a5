// SPDX-License-Identifier: MIT
/*
 * libuntwist, on each of its back ends. An echo goes through a factory, protocols and
 * transports, as in any program that uses it.
 */
#include "subject.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <sys/socket.h>

#include <untwist/untwist.h>

struct link {
	struct utw_watch watch;
	unsigned int number;
};

static enum utw_backend backend;
static struct utw_reactor *reactors[2];
static struct utw_timer *timers;
static bool over[2];

static void untwist_open(int side)
{
	const struct utw_reactor_options options = { .backend = backend };

	errno = -utw_reactor_new_with(&reactors[side], &options);
	die_if(errno, "utw_reactor_new");
	die_if(backend == UTW_BACKEND_IO_URING &&
		       strcmp(utw_reactor_backend(reactors[side]), "io_uring") != 0,
	       "no io_uring here");
}

static void epoll_open(int side)
{
	backend = UTW_BACKEND_EPOLL;
	untwist_open(side);
}

static void uring_open(int side)
{
	backend = UTW_BACKEND_IO_URING;
	untwist_open(side);
}

static void untwist_run(int side)
{
	over[side] = false;
	while (!over[side])
		utw_reactor_run_once(reactors[side], UTW_FOREVER);
}

static void chain_readable(struct utw_watch *w, uint32_t events)
{
	(void)events;
	if (chain_step(utw_container_of(w, struct link, watch)->number))
		over[0] = true;
}

static void watch_all(const int *fds, unsigned int count, uint32_t events)
{
	struct link *links = allocate(count, sizeof(*links));
	unsigned int i;

	for (i = 0; i < count; i++) {
		links[i].number = i;
		utw_watch_init(&links[i].watch, chain_readable);
		die_if(utw_watch_start(&links[i].watch, reactors[0], fds[i], events), "watch");
	}
}

static void level_watch(const int *fds, unsigned int count)
{
	watch_all(fds, count, EPOLLIN);
}

/* What suits io_uring, and does here: a byte is read for each one that is told. */
static void edge_watch(const int *fds, unsigned int count)
{
	watch_all(fds, count, EPOLLIN | (uint32_t)EPOLLET);
}

static void timer_due(struct utw_timer *timer)
{
	(void)timer;
	if (timer_fired())
		over[0] = true;
}

struct arming {
	const unsigned int *delays;
	unsigned int count;
};

/* In a turn, as most timers are: all sides then go by the turn's time. */
static void arm_in_turn(void *data)
{
	const struct arming *arming = data;
	unsigned int i;

	for (i = 0; i < arming->count; i++)
		die_if(utw_timer_start(&timers[i], reactors[0],
				       arming->delays[i] * UINT64_C(1000000)),
		       "utw_timer_start");
}

static void untwist_make_timers(unsigned int count)
{
	unsigned int i;

	timers = allocate(count, sizeof(*timers));
	for (i = 0; i < count; i++)
		utw_timer_init(&timers[i], timer_due);
}

static void untwist_arm(const unsigned int *delays, unsigned int count)
{
	struct arming arming = { .delays = delays, .count = count };

	die_if(utw_reactor_call_soon(reactors[0], arm_in_turn, &arming), "utw_reactor_call_soon");
	utw_reactor_run_once(reactors[0], 0);
}

static void untwist_cancel(unsigned int number)
{
	utw_timer_cancel(&timers[number]);
}

static void untwist_listen(int side)
{
	(void)side;
}

static void be_woken(void *side)
{
	if (woken((int)(size_t)side))
		over[(size_t)side] = true;
}

static void untwist_wake(int side)
{
	die_if(utw_reactor_call_from_thread(reactors[side], be_woken, (void *)(size_t)side),
	       "utw_reactor_call_from_thread");
}

static void echo_data(struct utw_protocol *p, const void *data, size_t len)
{
	utw_transport_write(p->transport, data, len);
}

static void echo_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	(void)reason;
	free(p);
}

static const struct utw_protocol_ops echo_protocol = { .data = echo_data, .lost = echo_lost };

static struct utw_protocol *echo_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_protocol *p = allocate(1, sizeof(*p));

	(void)f;
	(void)peer;
	utw_protocol_init(p, &echo_protocol);
	return p;
}

static const struct utw_factory_ops echo_factory = { .build = echo_build };

/* It makes its own listening socket: the one given only tells where. */
static void untwist_echo(int fd)
{
	struct utw_address at = { .length = sizeof(at.storage) };
	struct utw_tcp_listener *listener;
	struct utw_factory factory;

	getsockname(fd, (struct sockaddr *)&at.storage, &at.length);
	close(fd);
	utw_factory_init(&factory, &echo_factory);
	errno = -utw_tcp_listen(&listener, reactors[0], &at, &factory);
	die_if(errno, "utw_tcp_listen");
	echo_served();
	utw_reactor_run(reactors[0]);
}

static void whole_line(struct utw_line *l, const char *line, size_t len)
{
	(void)l;
	line_cut(line, len);
}

static void line_lost(struct utw_line *l, struct utw_failure *reason)
{
	(void)l;
	(void)reason;
}

static const struct utw_line_ops line_ops = { .line = whole_line, .lost = line_lost };

/* A protocol delivers while it has a transport; this one never has anything to say. */
static struct utw_protocol *line_open(void)
{
	static struct utw_line line;
	static struct utw_protocol silent;
	struct utw_protocol *both[2] = { &line.protocol, &silent };

	utw_line_init(&line, &line_ops);
	utw_line_set_delimiter(&line, "\n", 1);
	utw_line_set_max(&line, SIZE_MAX);
	utw_protocol_init(&silent, &echo_protocol);
	errno = -utw_memory_transport_pair(NULL, reactors[0], UTW_MEMORY_STREAM, both);
	die_if(errno, "utw_memory_transport_pair");
	utw_reactor_run_once(reactors[0], 0);
	return &line.protocol;
}

/* The protocol alone, fed as a transport feeds it. */
static void untwist_feed(const char *data, size_t len)
{
	static struct utw_protocol *p;

	if (!p)
		p = line_open();
	p->ops->data(p, data, len);
}

#define UNTWIST_COMMON                                                                    \
	.timer_size = sizeof(struct utw_timer), .run = untwist_run,                       \
	.make_timers = untwist_make_timers, .arm = untwist_arm, .cancel = untwist_cancel, \
	.keeps = true, .listen = untwist_listen, .wake = untwist_wake, .echo = untwist_echo

const struct subject subjects[] = {
	{ UNTWIST_COMMON, .name = "untwist", .open = epoll_open, .watch = level_watch,
	  .feed = untwist_feed },
	{ UNTWIST_COMMON, .name = "untwist-uring", .open = uring_open, .watch = edge_watch },
	{ 0 },
};
