/* SPDX-License-Identifier: MIT */
/* UNIX stream sockets: listening and connecting: see untwist/unix.h. */
#include <untwist/unix.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "connector.h"
#include "listener.h"
#include "unix-carrier.h"
#include "unix-path.h"

static int unix_connection_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			       const struct utw_address *peer, struct utw_protocol *p)
{
	struct utw_ends_addresses *ends = calloc(1, sizeof(*ends));
	char name[UTW_ADDRESS_TEXT + 8];
	int error;

	if (!ends)
		return -ENOMEM;
	ends->peer = *peer;
	error = utw_connection_host(fd, &ends->host);
	if (!error) {
		utw_connection_name(name, sizeof(name), utw_connection_unix.name, ends);
		error = utw_unix_carrier_new(ret, r, fd, p, name, ends);
	}
	if (error)
		free(ends);
	return error;
}

const struct utw_connection_kind utw_connection_unix = {
	.name = "unix",
	.carrier_new = unix_connection_new,
};

struct utw_unix_listener {
	struct utw_listener listener;
	struct utw_unix_path path;
};

static void unix_listener_free(struct utw_listener *l)
{
	free(utw_container_of(l, struct utw_unix_listener, listener));
}

static int unix_listen_socket(struct utw_unix_path *path, const struct utw_address *at, mode_t mode,
			      int *ret)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = utw_unix_path_bind(path, fd, at, mode);
	if (!error && listen(fd, UTW_UNIX_BACKLOG)) {
		error = -errno;
		utw_unix_path_release(path);
	}
	if (error)
		close(fd);
	else
		*ret = fd;
	return error;
}

int utw_unix_listen(struct utw_unix_listener **ret, struct utw_reactor *r,
		    const struct utw_address *at, mode_t mode, struct utw_factory *f)
{
	struct utw_unix_listener *l;
	int fd = -1;
	int error;

	if (at->storage.ss_family != AF_UNIX)
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	error = unix_listen_socket(&l->path, at, mode, &fd);
	if (!error) {
		error = utw_listener_open(&l->listener, &utw_connection_unix, r, fd, f,
					  unix_listener_free);
		if (error) {
			utw_unix_path_release(&l->path);
			close(fd);
		}
	}
	if (error)
		free(l);
	else
		*ret = l;
	return error;
}

void utw_unix_listener_close(struct utw_unix_listener *l)
{
	if (!l)
		return;
	utw_unix_path_release(&l->path);
	utw_listener_close(&l->listener);
}

struct utw_deferred *utw_unix_connect(struct utw_reactor *r, const struct utw_address *to,
				      struct utw_factory *f, uint64_t timeout)
{
	return utw_connector_start(&utw_connection_unix, r, to, f,
				   timeout ? timeout : UTW_UNIX_CONNECT_TIMEOUT);
}

int utw_unix_transport_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			   struct utw_protocol *p)
{
	struct utw_transport *t;
	socklen_t size = sizeof(int);
	int domain, type;
	int error;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
		return errno == ENOTSOCK ? -EINVAL : -errno;
	if (domain != AF_UNIX || type != SOCK_STREAM)
		return -EINVAL;
	error = utw_unix_carrier_new(&t, r, fd, p, "unix", NULL);
	if (!error)
		utw_transport_launch(t, ret);
	return error;
}
