/* SPDX-License-Identifier: MIT */
/* Listening with a socket that somebody else has bound: see untwist/fd.h. */
#include <untwist/fd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "connection.h"
#include "fd-carrier.h"
#include "listener.h"

struct utw_fd_listener {
	struct utw_listener listener;
};

static void fd_listener_free(struct utw_listener *l)
{
	free(utw_container_of(l, struct utw_fd_listener, listener));
}

#define SOCKET_KIND "socket"

/* A socket of a family that has no transport of its own; it may keep boundaries. */
static int socket_carrier_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			      const struct utw_address *peer, struct utw_protocol *p)
{
	struct utw_ends_addresses ends = { .peer = *peer };
	struct utw_fd_side side = { .fd = fd };
	char name[UTW_ADDRESS_TEXT + 8];
	int error = utw_descriptor_probe(fd, &side.how);

	if (!error)
		error = utw_connection_host(fd, &ends.host);
	if (error)
		return error;
	utw_connection_name(name, sizeof(name), SOCKET_KIND, &ends);
	return utw_fd_carrier_new(ret, r, &side, &side, p, name);
}

static const struct utw_connection_kind connection_socket = {
	.name = SOCKET_KIND,
	.carrier_new = socket_carrier_new,
};

static int option_of(int fd, int name, int *ret)
{
	socklen_t size = sizeof(*ret);

	return getsockopt(fd, SOL_SOCKET, name, ret, &size) ? -errno : 0;
}

static int kind_of(int fd, const struct utw_connection_kind **ret)
{
	int domain = 0, type = 0;
	int error = option_of(fd, SO_DOMAIN, &domain);

	if (!error)
		error = option_of(fd, SO_TYPE, &type);
	*ret = &connection_socket;
	if (type == SOCK_STREAM && domain == AF_UNIX)
		*ret = &utw_connection_unix;
	else if (type == SOCK_STREAM && (domain == AF_INET || domain == AF_INET6))
		*ret = &utw_connection_tcp;
	return error;
}

/* It may be shared and blocking: a wait in accept() would stop the reactor. */
static int listening_prepare(int fd)
{
	int listening = 0;
	int error = option_of(fd, SO_ACCEPTCONN, &listening);
	int flags;

	if (error)
		return error;
	if (!listening)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}

int utw_fd_listen(struct utw_fd_listener **ret, struct utw_reactor *r, int fd,
		  struct utw_factory *f)
{
	const struct utw_connection_kind *kind;
	struct utw_fd_listener *l;
	int error = listening_prepare(fd);

	if (!error)
		error = kind_of(fd, &kind);
	if (error)
		return error;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	error = utw_listener_open(&l->listener, kind, r, fd, f, fd_listener_free);
	if (error)
		free(l);
	else
		*ret = l;
	return error;
}

void utw_fd_listener_close(struct utw_fd_listener *l)
{
	if (l)
		utw_listener_close(&l->listener);
}

const struct utw_address *utw_fd_listener_host(const struct utw_fd_listener *l)
{
	return &l->listener.host;
}
