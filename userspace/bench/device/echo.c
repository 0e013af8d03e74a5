// SPDX-License-Identifier: MIT
/*
 * One message at a time through whatever has descriptors: it is written, epoll
 * tells of it, it is read. Messages that do not fit go in pieces.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "echo.h"

#define PIPE_SIZE (1 << 16)

struct echo {
	int in;
	int out;
	int epoll;
	size_t size;
	char *sent;
	char *got;
};

static const char *echo_begin(struct work *work, int in, int out)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct echo *echo = calloc(1, sizeof(*echo));

	must(echo, "memory");
	echo->size = (size_t)work->argument;
	echo->sent = calloc(2, echo->size);
	must(echo->sent, "memory");
	echo->got = echo->sent + echo->size;
	/* An eventfd is a number, which is not to be 0. */
	echo->sent[0] = 1;
	echo->in = in;
	echo->out = out;
	echo->epoll = epoll_create1(EPOLL_CLOEXEC);
	must(echo->epoll >= 0, "epoll_create1");
	must(!epoll_ctl(echo->epoll, EPOLL_CTL_ADD, out, &event), "epoll_ctl");
	work->data = echo;
	return NULL;
}

const char *echo_eventfd_begin(struct work *work)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	must(fd >= 0, "eventfd");
	return echo_begin(work, fd, fd);
}

const char *echo_pipe_begin(struct work *work)
{
	int fds[2];

	must(!pipe2(fds, O_NONBLOCK), "pipe2");
	must(fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE) >= 0, "F_SETPIPE_SZ");
	return echo_begin(work, fds[1], fds[0]);
}

const char *echo_socket_begin(struct work *work)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds)) {
		must(errno == EAFNOSUPPORT, "socketpair");
		return "this kernel has no UNIX sockets";
	}
	return echo_begin(work, fds[0], fds[1]);
}

const char *echo_node_begin(struct work *work)
{
	int fd = open(work->data, O_RDWR | O_NONBLOCK);

	if (fd < 0) {
		must(errno == ENOENT, work->data);
		return "there is no such device";
	}
	return echo_begin(work, fd, fd);
}

static size_t passed(ssize_t n, const char *what)
{
	must(n > 0 || errno == EAGAIN, what);
	return n > 0 ? (size_t)n : 0;
}

void echo_run(struct work *work, unsigned int count)
{
	struct echo *echo = work->data;
	struct epoll_event event;

	while (count--) {
		size_t sent = 0, got = 0;

		while (got < echo->size) {
			if (sent < echo->size)
				sent += passed(write(echo->in, echo->sent + sent,
						     echo->size - sent),
					       "write");
			must(epoll_wait(echo->epoll, &event, 1, -1) == 1, "epoll_wait");
			got += passed(read(echo->out, echo->got + got, echo->size - got), "read");
		}
	}
}

const char *getppid_begin(struct work *work)
{
	(void)work;
	return NULL;
}

void getppid_run(struct work *work, unsigned int count)
{
	(void)work;
	while (count--)
		syscall(SYS_getppid);
}
