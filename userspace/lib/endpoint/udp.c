/* SPDX-License-Identifier: MIT */
/* The endpoint type "udp": connections that are made of datagrams. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/fd.h>
#include <untwist/udp.h>

#include "base/clock.h"
#include "endpoint-private.h"
#include "udp-peer.h"

/* A day: a longer silence is a mistake. */
#define IDLE_MAX     86400
#define IDLE_DEFAULT 60

#define PEERS_DEFAULT 1000

static struct utw_failure *udp_client_check(const struct utw_endpoint *e)
{
	struct utw_address address;
	uint64_t port = 0;
	struct utw_failure *failure = utw_endpoint_number(e, "port", UINT16_MAX, &port);

	if (failure)
		return failure;
	if (!port)
		return utw_endpoint_complain(e, "port", "nobody can be reached there");
	if (!*utw_endpoint_value(e, "host") ||
	    utw_endpoint_address(utw_endpoint_value(e, "host"), (unsigned int)port, &address))
		return utw_endpoint_complain(e, "host",
					     "host is neither an IP address nor \"localhost\"");
	return NULL;
}

static int udp_make(struct utw_transport **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		    struct utw_protocol *p)
{
	struct utw_address to = { .length = 0 };
	uint64_t port = 0;
	int error = 0;
	int fd;

	/* Checked when the endpoint was read. */
	utw_failure_unref(utw_endpoint_number(e, "port", UINT16_MAX, &port));
	utw_endpoint_address(utw_endpoint_value(e, "host"), (unsigned int)port, &to);
	fd = socket(to.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to.storage, to.length))
		error = -errno;
	if (!error)
		error = utw_fd_transport_new(ret, r, fd, fd, p);
	if (error)
		close(fd);
	return error;
}

static struct utw_deferred *udp_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f)
{
	return utw_single_connect(e, r, f, udp_make);
}

static struct utw_udp_port *port_of(struct utw_port *p)
{
	return utw_container_of(p, struct utw_udp_port, port);
}

static struct utw_udp_port *port_of_receiver(struct utw_datagram_receiver *r)
{
	return utw_container_of(r, struct utw_udp_port, receiver);
}

static void port_received(struct utw_datagram_receiver *r, const void *data, size_t len,
			  size_t full_len, const struct utw_address *from)
{
	struct utw_udp_peer *peer = utw_udp_peer_get(port_of_receiver(r), from);

	if (peer)
		utw_udp_peer_receive(peer, data, len, full_len);
}

static void port_writable(struct utw_datagram_receiver *r)
{
	utw_udp_peers_writable(port_of_receiver(r));
}

/* Nobody is there any more, as the network says of what was sent. */
static void port_error(struct utw_datagram_receiver *r, struct utw_failure *failure,
		       const struct utw_address *to)
{
	struct utw_udp_peer *peer = to ? utw_udp_peer_find(port_of_receiver(r), to) : NULL;

	if (peer)
		utw_custom_lose(&peer->custom,
				utw_failure_new(&utw_domain_reason, UTW_LOST, "write",
						utw_failure_ref(failure), "%s",
						utw_transport_name(peer->custom.transport)));
}

static const struct utw_datagram_ops receiver_ops = { .received = port_received,
						      .writable = port_writable,
						      .error = port_error };

static void port_free(struct utw_udp_port *port)
{
	utw_datagram_close(port->socket);
	free(port);
}

void utw_udp_port_release(struct utw_udp_port *port)
{
	if (--port->transports == 0 && port->closed)
		port_free(port);
}

static void port_close(struct utw_port *p)
{
	struct utw_udp_port *port = port_of(p);
	struct utw_factory *f = port->factory;

	port->closed = true;
	if (!port->transports)
		port_free(port);
	utw_factory_stop(f);
}

static const char *port_name(const struct utw_port *p)
{
	return utw_datagram_name(utw_container_of(p, struct utw_udp_port, port)->socket) + 4;
}

static const struct utw_port_ops port_ops = { .close = port_close, .name = port_name };

static struct utw_failure *udp_server_check(const struct utw_endpoint *e)
{
	struct utw_address address;
	uint64_t idle = 1, peers = 1;
	struct utw_failure *failure = utw_endpoint_interface(e, &address);

	if (!failure)
		failure = utw_endpoint_number(e, "idle", IDLE_MAX, &idle);
	if (!failure)
		failure = utw_endpoint_number(e, "peers", UINT_MAX, &peers);
	if (!failure && (!idle || !peers))
		failure = utw_endpoint_complain(e, idle ? "peers" : "idle", "%s is less than 1",
						idle ? "peers" : "idle");
	return failure;
}

static int udp_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		      struct utw_factory *f, struct utw_failure **why)
{
	struct utw_udp_port *port = calloc(1, sizeof(*port));
	struct utw_address at = { .length = 0 };
	uint64_t idle = IDLE_DEFAULT, peers = PEERS_DEFAULT;
	int error;

	(void)why;
	if (!port)
		return -ENOMEM;
	/* Checked when the endpoint was read. */
	utw_failure_unref(utw_endpoint_interface(e, &at));
	utw_failure_unref(utw_endpoint_number(e, "idle", IDLE_MAX, &idle));
	utw_failure_unref(utw_endpoint_number(e, "peers", UINT_MAX, &peers));
	port->port.ops = &port_ops;
	port->reactor = r;
	port->factory = f;
	port->idle = idle * UTW_NSEC_PER_SEC;
	port->most = (size_t)peers;
	utw_datagram_receiver_init(&port->receiver, &receiver_ops);
	error = utw_udp_open(&port->socket, r, &at, 0, &port->receiver);
	if (error) {
		free(port);
		return error;
	}
	utw_factory_start(f);
	*ret = &port->port;
	return 0;
}

const struct utw_endpoint_type utw_endpoint_udp_client = {
	.name = "udp",
	.role = UTW_ENDPOINT_CLIENT,
	.keys = (const struct utw_endpoint_key[]){ { .name = "host", .required = true },
						   { .name = "port", .required = true },
						   { .name = NULL } },
	.check = udp_client_check,
	.connect = udp_connect,
};
const struct utw_endpoint_type utw_endpoint_udp_server = {
	.name = "udp",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { .name = "port", .required = true },
						   { .name = "interface" },
						   { .name = "peers" },
						   { .name = "idle" },
						   { .name = NULL } },
	.check = udp_server_check,
	.listen = udp_listen,
};
