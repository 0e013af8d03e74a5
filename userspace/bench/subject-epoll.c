// SPDX-License-Identifier: MIT
/* epoll as one writes it by hand for the work in question: what all others are compared to. */
#include "subject.h"

#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 256
#define BELL  UINT64_MAX

static int loops[2], bells[2];

static void epoll_open(int side)
{
	loops[side] = epoll_create1(EPOLL_CLOEXEC);
	die_if(loops[side] < 0, "epoll_create1");
}

static void epoll_watch_fd(int side, int fd, uint64_t tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };

	die_if(epoll_ctl(loops[side], EPOLL_CTL_ADD, fd, &event) < 0, "epoll_ctl");
}

static void epoll_watch(const int *fds, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		epoll_watch_fd(0, fds[i], i);
}

static bool bell_rung(int side)
{
	uint64_t rings;

	die_if(read(bells[side], &rings, sizeof(rings)) < 0, "read");
	return woken(side);
}

static void epoll_run(int side)
{
	struct epoll_event events[BATCH];
	bool over = false;

	while (!over) {
		int count = epoll_wait(loops[side], events, BATCH, -1), i;

		for (i = 0; i < count; i++)
			if (events[i].data.u64 == BELL)
				over |= bell_rung(side);
			else
				over |= chain_step((unsigned int)events[i].data.u64);
	}
}

static void epoll_listen(int side)
{
	bells[side] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	die_if(bells[side] < 0, "eventfd");
	epoll_watch_fd(side, bells[side], BELL);
}

static void epoll_wake(int side)
{
	const uint64_t one = 1;

	die_if(write(bells[side], &one, sizeof(one)) < 0, "write");
}

static void epoll_accept(int listener)
{
	int fd = accept_one(listener);

	if (fd >= 0)
		epoll_watch_fd(0, fd, (uint64_t)fd);
}

static void epoll_echo(int listener)
{
	struct epoll_event events[BATCH];

	epoll_watch_fd(0, listener, (uint64_t)listener);
	echo_served();
	for (;;) {
		int count = epoll_wait(loops[0], events, BATCH, -1), i;

		for (i = 0; i < count; i++)
			if (events[i].data.u64 == (uint64_t)listener)
				epoll_accept(listener);
			else
				echo_once((int)events[i].data.u64);
	}
}

/* Lines that end within a piece are cut where they lie; the rest is put together. */
static void memchr_feed(const char *data, size_t len)
{
	static char held[2 << 20];
	static size_t held_len;
	const char *end;

	while ((end = memchr(data, '\n', len))) {
		size_t part = (size_t)(end - data);

		if (held_len) {
			memcpy(held + held_len, data, part);
			line_cut(held, held_len + part);
			held_len = 0;
		} else {
			line_cut(data, part);
		}
		data = end + 1;
		len -= part + 1;
	}
	die_if(len > sizeof(held) - held_len, "line too long");
	memcpy(held + held_len, data, len);
	held_len += len;
}

const struct subject subjects[] = {
	{
		.name = "epoll",
		.open = epoll_open,
		.run = epoll_run,
		.watch = epoll_watch,
		.listen = epoll_listen,
		.wake = epoll_wake,
		.echo = epoll_echo,
		.feed = memchr_feed,
	},
	{ 0 },
};
