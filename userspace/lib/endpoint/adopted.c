/* SPDX-License-Identifier: MIT */
/* Listening with a socket that somebody else has bound: the type "systemd", and "fd". */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/address.h>
#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/fd.h>
#include <untwist/protocol.h>
#include <untwist/tcp.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "endpoint-private.h"

/* The first descriptor that systemd hands over: sd_listen_fds(3). */
#define FIRST_FD 3

/* How long to leave the kernel alone when it has no descriptor or memory for a connection. */
#define REST_NS UINT64_C(100000000)

struct adopted {
	struct utw_port port;
	struct utw_reactor *reactor;
	struct utw_factory *factory;
	struct utw_watch watch;
	struct utw_timer rest;
	char name[UTW_ADDRESS_TEXT];
	bool accepting;
	bool closed;
};

static void adopted_serve(struct adopted *a, int fd, const struct utw_address *peer)
{
	struct utw_protocol *p = utw_factory_build(a->factory, peer->length ? peer : NULL);
	struct utw_failure *reason;
	int error;

	if (!p) {
		close(fd);
		return;
	}
	error = utw_fd_transport_new(NULL, a->reactor, fd, fd, p);
	if (!error)
		return;
	close(fd);
	if (error == -EINVAL || error == -EBUSY)
		return;
	reason = utw_failure_new(&utw_domain_reason, UTW_LOST, "accept",
				 utw_failure_from_errno(error, "accept", "no transport"), "%s",
				 a->name);
	p->ops->lost(p, reason);
	utw_failure_unref(reason);
}

static void adopted_rested(struct utw_timer *t)
{
	struct adopted *a = utw_container_of(t, struct adopted, rest);

	utw_watch_set_events(&a->watch, EPOLLIN);
}

/* Polling would report the same connection again at once, and spin. */
static void adopted_rest(struct adopted *a)
{
	if (utw_timer_start(&a->rest, a->reactor, REST_NS) == 0)
		utw_watch_set_events(&a->watch, 0);
}

static void adopted_ready(struct utw_watch *w, uint32_t events)
{
	struct adopted *a = utw_container_of(w, struct adopted, watch);

	(void)events;
	a->accepting = true;
	for (int i = 0; i < UTW_TURN_ACCEPTS && !a->closed; i++) {
		struct utw_address peer = { .length = sizeof(peer.storage) };
		int fd = accept4(utw_watch_fd(w), (struct sockaddr *)&peer.storage, &peer.length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			adopted_serve(a, fd, &peer);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			adopted_rest(a);
			break;
		} else if (errno == EAGAIN) {
			break;
		}
	}
	a->accepting = false;
	if (a->closed)
		free(a);
}

static void adopted_close(struct utw_port *p)
{
	struct adopted *a = utw_container_of(p, struct adopted, port);
	struct utw_factory *f = a->factory;
	int fd = utw_watch_fd(&a->watch);

	a->closed = true;
	utw_watch_stop(&a->watch);
	utw_timer_cancel(&a->rest);
	close(fd);
	if (!a->accepting)
		free(a);
	utw_factory_stop(f);
}

static const char *adopted_name(const struct utw_port *p)
{
	return utw_container_of(p, struct adopted, port)->name;
}

static const struct utw_port_ops adopted_ops = { .close = adopted_close, .name = adopted_name };

/* It may be shared and blocking: a wait in accept() would stop the reactor. */
static int adopted_prepare(int fd)
{
	socklen_t size = sizeof(int);
	int listening = 0;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size))
		return -errno;
	if (!listening)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}

int utw_adopted_listen(struct utw_port **ret, struct utw_reactor *r, int fd, struct utw_factory *f)
{
	struct utw_address host = { .length = sizeof(host.storage) };
	struct adopted *a;
	int error = adopted_prepare(fd);

	if (error)
		return error;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->port.ops = &adopted_ops;
	a->reactor = r;
	a->factory = f;
	utw_watch_init(&a->watch, adopted_ready);
	utw_timer_init(&a->rest, adopted_rested);
	if (getsockname(fd, (struct sockaddr *)&host.storage, &host.length) == 0)
		utw_address_format(&host, a->name, sizeof(a->name));
	error = utw_watch_start(&a->watch, r, fd, EPOLLIN);
	if (error) {
		free(a);
		return error;
	}
	utw_factory_start(f);
	*ret = &a->port;
	return 0;
}

static struct utw_failure *systemd_check(const struct utw_endpoint *e)
{
	uint64_t index;

	if (!utw_endpoint_value(e, "index") == !utw_endpoint_value(e, "name"))
		return utw_endpoint_complain(e, NULL, "systemd needs an index or a name, not both");
	return utw_endpoint_number(e, "index", INT_MAX - FIRST_FD, &index);
}

/* Which of the names, joined by colons, is `name`? -ENOENT: none. */
static int name_index(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (int index = 0; names; index++) {
		size_t this_len = strcspn(names, ":");

		if (this_len == len && memcmp(names, name, len) == 0)
			return index;
		names = names[this_len] ? names + this_len + 1 : NULL;
	}
	return -ENOENT;
}

/* The environment is read, not cleared: other endpoints have their sockets there, too. */
static int systemd_fd(const struct utw_endpoint *e)
{
	const char *pid = secure_getenv("LISTEN_PID");
	const char *count = secure_getenv("LISTEN_FDS");
	const char *name = utw_endpoint_value(e, "name");
	uint64_t index = 0;
	int named;

	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return -ESRCH;
	utw_failure_unref(utw_endpoint_number(e, "index", INT_MAX - FIRST_FD, &index));
	if (name) {
		named = name_index(secure_getenv("LISTEN_FDNAMES"), name);
		if (named < 0)
			return named;
		index = (uint64_t)named;
	}
	if (index >= strtoul(count, NULL, 10))
		return -ENOENT;
	return FIRST_FD + (int)index;
}

static int systemd_listen(struct utw_port **ret, const struct utw_endpoint *e,
			  struct utw_reactor *r, struct utw_factory *f, struct utw_failure **why)
{
	int fd = systemd_fd(e);

	(void)why;
	return fd < 0 ? fd : utw_adopted_listen(ret, r, fd, f);
}

const struct utw_endpoint_type utw_endpoint_systemd_server = {
	.name = "systemd",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { .name = "index" },
						   { .name = "name" },
						   { .name = NULL } },
	.check = systemd_check,
	.listen = systemd_listen,
};
