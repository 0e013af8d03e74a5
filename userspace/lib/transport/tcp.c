/* SPDX-License-Identifier: MIT */
/* TCP connections as transports, and their options: see untwist/tcp.h. */
#include <untwist/tcp.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/factory.h>

#include "fd-carrier.h"
#include "tcp-private.h"

int utw_tcp_host(int fd, struct utw_address *ret)
{
	struct utw_address a = { .length = sizeof(a.storage) };

	if (getsockname(fd, (struct sockaddr *)&a.storage, &a.length))
		return -errno;
	*ret = a;
	return 0;
}

static int tcp_transport_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			     const struct utw_address *peer, struct utw_protocol *p)
{
	struct utw_fd_side side = { .fd = fd, .how = { .kind = UTW_DESCRIPTOR_SOCKET } };
	char name[UTW_ADDRESS_TEXT + 4] = "tcp ";
	struct utw_ends_addresses *addresses = calloc(1, sizeof(*addresses));
	int error;

	if (!addresses)
		return -ENOMEM;
	addresses->peer = *peer;
	error = utw_tcp_host(fd, &addresses->host);
	if (!error) {
		utw_address_format(peer, name + 4, sizeof(name) - 4);
		error = utw_fd_carrier_new(ret, r, &side, &side, p, name);
	}
	if (error)
		free(addresses);
	else
		(*ret)->addresses = addresses;
	return error;
}

/*
 * A protocol that was built owns itself, and so must hear of its end; except one
 * that cannot hear, or that has another transport to live on.
 */
static void tell_lost(struct utw_protocol *p, int error)
{
	struct utw_failure *reason;

	if (error == -EINVAL || error == -EBUSY)
		return;
	reason = utw_failure_new(&utw_domain_reason, UTW_LOST, "accept",
				 utw_failure_from_errno(error, "accept", "no transport"), "tcp");
	p->ops->lost(p, reason);
	utw_failure_unref(reason);
}

int utw_tcp_serve(struct utw_reactor *r, int fd, const struct utw_address *peer,
		  struct utw_factory *f, struct utw_protocol **ret)
{
	struct utw_protocol *p = utw_factory_build(f, peer);
	struct utw_transport *t;
	int error;

	if (!p) {
		close(fd);
		return -ECONNABORTED;
	}
	error = tcp_transport_new(&t, r, fd, peer, p);
	if (error) {
		close(fd);
		tell_lost(p, error);
		return error;
	}
	utw_transport_launch_now(t);
	if (ret)
		*ret = p;
	return 0;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

int utw_tcp_set_nodelay(struct utw_transport *t, int on)
{
	int fd = utw_fd_carrier_socket(t);

	return fd < 0 ? fd : set_option(fd, IPPROTO_TCP, TCP_NODELAY, !!on);
}

int utw_tcp_set_keepalive(struct utw_transport *t, unsigned int idle)
{
	int fd = utw_fd_carrier_socket(t);
	int error;

	if (fd < 0)
		return fd;
	if (!idle)
		return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (idle > INT_MAX)
		return -EINVAL;
	error = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle);
	return error ? error : set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}
