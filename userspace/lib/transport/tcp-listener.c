/* SPDX-License-Identifier: MIT */
/* TCP listener: accepts in turns, survives want of descriptors: see untwist/tcp.h. */
#include <untwist/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/factory.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "tcp-private.h"

/* How long to leave the kernel alone when it has no memory for a connection. */
#define REST_NS UINT64_C(100000000)

struct utw_tcp_listener {
	struct utw_reactor *reactor;
	struct utw_factory *factory;
	struct utw_address host;
	struct utw_watch watch;
	struct utw_timer rest;
	int fd;
	int reserve; /* given up for a moment when descriptors run out; -1: lost */
	bool accepting; /* inside the loop that calls the factory */
	bool closed;
};

static void listener_free(struct utw_tcp_listener *l)
{
	if (l->reserve >= 0)
		close(l->reserve);
	free(l);
}

static int reserve_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Polling would report the same connection again at once, and spin. */
static void listener_rest(struct utw_tcp_listener *l)
{
	if (utw_timer_start(&l->rest, l->reactor, REST_NS) == 0)
		utw_watch_stop(&l->watch);
}

static void listener_rested(struct utw_timer *t)
{
	struct utw_tcp_listener *l = utw_container_of(t, struct utw_tcp_listener, rest);

	if (l->reserve < 0)
		l->reserve = reserve_open();
	if (utw_watch_start(&l->watch, l->reactor, l->fd, EPOLLIN))
		listener_rest(l);
}

/* Spend the reserve on one connection, to close it: its client is told, the poller is quiet. */
static bool listener_turn_away(struct utw_tcp_listener *l)
{
	int fd;

	if (l->reserve < 0)
		return false;
	close(l->reserve);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	l->reserve = reserve_open();
	return fd >= 0;
}

/* Is there a point in trying the next connection? */
static bool accept_failed(struct utw_tcp_listener *l, int error)
{
	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
		if (listener_turn_away(l))
			return true;
		break;
	case ENOBUFS:
	case ENOMEM:
		break;
	default:
		/* accept(2): what befell that one connection before it was taken. */
		return true;
	}
	listener_rest(l);
	return false;
}

static void listener_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_tcp_listener *l = utw_container_of(w, struct utw_tcp_listener, watch);

	(void)events;
	l->accepting = true;
	for (int i = 0; i < UTW_TURN_ACCEPTS && !l->closed; i++) {
		struct utw_address peer = { .length = sizeof(peer.storage) };
		int fd = accept4(l->fd, (struct sockaddr *)&peer.storage, &peer.length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			utw_tcp_serve(l->reactor, fd, &peer, l->factory, NULL);
		else if (!accept_failed(l, errno))
			break;
	}
	l->accepting = false;
	if (l->closed)
		listener_free(l);
}

static int listen_socket(const struct utw_address *at, int *ret)
{
	int on = 1;
	int error;
	int fd = socket(at->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at->storage, at->length) ||
	    listen(fd, UTW_TCP_BACKLOG)) {
		error = -errno;
		close(fd);
		return error;
	}
	*ret = fd;
	return 0;
}

static int listener_open(struct utw_tcp_listener *l, const struct utw_address *at)
{
	int error = listen_socket(at, &l->fd);

	if (error)
		return error;
	error = utw_tcp_host(l->fd, &l->host);
	if (!error)
		error = utw_watch_start(&l->watch, l->reactor, l->fd, EPOLLIN);
	if (error)
		close(l->fd);
	return error;
}

int utw_tcp_listen(struct utw_tcp_listener **ret, struct utw_reactor *r,
		   const struct utw_address *at, struct utw_factory *f)
{
	struct utw_tcp_listener *l;
	int error;

	if (at->storage.ss_family != AF_INET && at->storage.ss_family != AF_INET6)
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->reactor = r;
	l->factory = f;
	utw_watch_init(&l->watch, listener_ready);
	utw_timer_init(&l->rest, listener_rested);
	l->reserve = reserve_open();
	error = l->reserve < 0 ? -errno : listener_open(l, at);
	if (error) {
		listener_free(l);
		return error;
	}
	utw_factory_start(f);
	*ret = l;
	return 0;
}

void utw_tcp_listener_close(struct utw_tcp_listener *l)
{
	struct utw_factory *f;

	if (!l || l->closed)
		return;
	f = l->factory;
	l->closed = true;
	utw_watch_stop(&l->watch);
	utw_timer_cancel(&l->rest);
	close(l->fd);
	if (!l->accepting)
		listener_free(l);
	utw_factory_stop(f);
}

const struct utw_address *utw_tcp_listener_host(const struct utw_tcp_listener *l)
{
	return &l->host;
}
