/* SPDX-License-Identifier: MIT */
/* Listener: accepts in turns, survives want of descriptors: see listener.h. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/tcp.h>

#include "base/open.h"
#include "connection.h"

/* How long to leave the kernel alone when it has no memory for a connection. */
#define REST_NS UINT64_C(100000000)

static void listener_free(struct utw_listener *l)
{
	if (l->reserve >= 0)
		close(l->reserve);
	l->free(l);
}

static int reserve_open(void)
{
	return utw_open("/dev/null", O_RDONLY);
}

/* Polling would report the same connection again at once, and spin. */
static void listener_rest(struct utw_listener *l)
{
	if (utw_timer_start(&l->rest, l->reactor, REST_NS) == 0)
		utw_watch_stop(&l->watch);
}

static void listener_rested(struct utw_timer *t)
{
	struct utw_listener *l = utw_container_of(t, struct utw_listener, rest);

	if (l->reserve < 0)
		l->reserve = reserve_open();
	if (utw_watch_start(&l->watch, l->reactor, l->fd, EPOLLIN))
		listener_rest(l);
}

/* Spend the reserve on one connection, to close it: its client is told, the poller is quiet. */
static bool listener_turn_away(struct utw_listener *l)
{
	int fd;

	if (l->reserve < 0)
		return false;
	close(l->reserve);
	do {
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd >= 0)
		close(fd);
	l->reserve = reserve_open();
	return fd >= 0;
}

/* A flood of connections in vain is one trouble. */
static void tell_trouble(struct utw_listener *l, int error)
{
	char name[UTW_ADDRESS_TEXT];
	struct utw_failure *why;

	if (l->troubled)
		return;
	l->troubled = true;
	utw_address_format(&l->host, name, sizeof(name));
	why = utw_failure_from_errno(error, "accept", "%s %s", l->kind->name, name);
	utw_factory_trouble(l->factory, why);
	utw_failure_unref(why);
}

/* Is there a point in trying the next connection? */
static bool accept_failed(struct utw_listener *l, int error)
{
	bool turned_away = false;

	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
		turned_away = listener_turn_away(l);
		break;
	case ENOBUFS:
	case ENOMEM:
		break;
	default:
		/* accept(2): what befell that one connection before it was taken. */
		return true;
	}
	/* Before the factory may close it. */
	if (!turned_away)
		listener_rest(l);
	tell_trouble(l, error);
	return turned_away;
}

static void listener_serve(struct utw_listener *l, int fd, const struct utw_address *peer)
{
	l->troubled = false;
	utw_connection_serve(l->kind, l->reactor, fd, peer, l->factory, NULL);
}

static void listener_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_listener *l = utw_container_of(w, struct utw_listener, watch);

	(void)events;
	l->accepting = true;
	for (int i = 0; i < UTW_TURN_ACCEPTS && !l->closed; i++) {
		struct utw_address peer = { .length = sizeof(peer.storage) };
		int fd = accept4(l->fd, (struct sockaddr *)&peer.storage, &peer.length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			listener_serve(l, fd, &peer);
		else if (!accept_failed(l, errno))
			break;
	}
	l->accepting = false;
	if (l->closed)
		listener_free(l);
}

int utw_listener_open(struct utw_listener *l, const struct utw_connection_kind *kind,
		      struct utw_reactor *r, int fd, struct utw_factory *f,
		      void (*free)(struct utw_listener *l))
{
	int error;

	l->kind = kind;
	l->reactor = r;
	l->factory = f;
	l->free = free;
	l->fd = fd;
	utw_watch_init(&l->watch, listener_ready);
	utw_timer_init(&l->rest, listener_rested);
	error = utw_connection_host(fd, &l->host);
	if (error)
		return error;
	l->reserve = reserve_open();
	if (l->reserve < 0)
		return l->reserve;
	error = utw_watch_start(&l->watch, r, fd, EPOLLIN);
	if (error) {
		close(l->reserve);
		return error;
	}
	utw_factory_start(f);
	return 0;
}

void utw_listener_close(struct utw_listener *l)
{
	struct utw_factory *f = l->factory;

	if (l->closed)
		return;
	l->closed = true;
	utw_watch_stop(&l->watch);
	utw_timer_cancel(&l->rest);
	close(l->fd);
	if (!l->accepting)
		listener_free(l);
	utw_factory_stop(f);
}
