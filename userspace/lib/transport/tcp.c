/* SPDX-License-Identifier: MIT */
/* TCP: listeners, connections and their options: see untwist/tcp.h. */
#include <untwist/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "connector.h"
#include "listener.h"
#include "tcp-carrier.h"

const struct utw_connection_kind utw_connection_tcp = {
	.name = "tcp",
	.carrier_new = utw_tcp_carrier_new,
};

struct utw_tcp_listener {
	struct utw_listener listener;
};

static void tcp_listener_free(struct utw_listener *l)
{
	free(utw_container_of(l, struct utw_tcp_listener, listener));
}

static int tcp_listen_socket(const struct utw_address *at, int *ret)
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

int utw_tcp_listen(struct utw_tcp_listener **ret, struct utw_reactor *r,
		   const struct utw_address *at, struct utw_factory *f)
{
	struct utw_tcp_listener *l;
	int fd = -1;
	int error;

	if (at->storage.ss_family != AF_INET && at->storage.ss_family != AF_INET6)
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	error = tcp_listen_socket(at, &fd);
	if (!error) {
		error = utw_listener_open(&l->listener, &utw_connection_tcp, r, fd, f,
					  tcp_listener_free);
		if (error)
			close(fd);
	}
	if (error)
		free(l);
	else
		*ret = l;
	return error;
}

void utw_tcp_listener_close(struct utw_tcp_listener *l)
{
	if (l)
		utw_listener_close(&l->listener);
}

const struct utw_address *utw_tcp_listener_host(const struct utw_tcp_listener *l)
{
	return &l->listener.host;
}

struct utw_deferred *utw_tcp_connect(struct utw_reactor *r, const struct utw_address *to,
				     struct utw_factory *f, uint64_t timeout)
{
	return utw_connector_start(&utw_connection_tcp, r, to, f,
				   timeout ? timeout : UTW_TCP_CONNECT_TIMEOUT);
}
