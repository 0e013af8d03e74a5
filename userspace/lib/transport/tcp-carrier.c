/* SPDX-License-Identifier: MIT */
/* The carrier for a TCP connection: see tcp-carrier.h. */
#include "tcp-carrier.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "silent-write.h"
#include "socket.h"

struct tcp_carrier {
	struct utw_transport transport;
	union {
		struct {
			struct in_addr host;
			in_port_t port;
		} v4;
		struct sockaddr_in6 *v6;
	} peer; /* which it is the operations tell */
};

static struct tcp_carrier *carrier_of(struct utw_transport *t)
{
	return utw_container_of(t, struct tcp_carrier, transport);
}

static ssize_t tcp_read(struct utw_transport *t, void *data, size_t size)
{
	return utw_socket_read(utw_end_fd(&t->in), data, size);
}

static ssize_t tcp_write(struct utw_transport *t, const void *data, size_t len)
{
	return utw_socket_write(utw_end_fd(&t->in), data, len);
}

static ssize_t tcp_send_file(struct utw_transport *t, int file, size_t len)
{
	return utw_silent_sendfile(utw_end_fd(&t->in), file, len);
}

static void tcp_shut_write(struct utw_transport *t)
{
	shutdown(utw_end_fd(&t->in), SHUT_WR);
}

static int tcp_hangup(struct utw_transport *t)
{
	return utw_socket_error(utw_end_fd(&t->in));
}

/* Who keeps a reference may still ask for the addresses, which go with the socket. */
static void tcp_close(struct utw_transport *t, bool abort)
{
	if (utw_end_fd(&t->in) < 0)
		return;
	if (t->refs > 1)
		utw_annex_describe(t);
	utw_socket_end(utw_end_fd(&t->in), abort);
	utw_end_close(&t->in);
}

static void tcp_describe(struct utw_transport *t, char *name, size_t size,
			 struct utw_ends_addresses *ends)
{
	utw_connection_host(utw_end_fd(&t->in), &ends->host);
	utw_connection_name(name, size, utw_connection_tcp.name, ends);
}

static void tcp4_describe(struct utw_transport *t, char *name, size_t size,
			  struct utw_ends_addresses *ends)
{
	struct sockaddr_in *to = (struct sockaddr_in *)&ends->peer.storage;

	to->sin_family = AF_INET;
	to->sin_addr = carrier_of(t)->peer.v4.host;
	to->sin_port = carrier_of(t)->peer.v4.port;
	ends->peer.length = sizeof(*to);
	tcp_describe(t, name, size, ends);
}

static void tcp6_describe(struct utw_transport *t, char *name, size_t size,
			  struct utw_ends_addresses *ends)
{
	memcpy(&ends->peer.storage, carrier_of(t)->peer.v6, sizeof(struct sockaddr_in6));
	ends->peer.length = sizeof(struct sockaddr_in6);
	tcp_describe(t, name, size, ends);
}

static void tcp4_free(struct utw_transport *t)
{
	free(carrier_of(t));
}

static void tcp6_free(struct utw_transport *t)
{
	free(carrier_of(t)->peer.v6);
	free(carrier_of(t));
}

#define TCP_CARRIER_COMMON                                                              \
	.edge = true, .read = tcp_read, .write = tcp_write, .send_file = tcp_send_file, \
	.shut_write = tcp_shut_write, .hangup = tcp_hangup, .close = tcp_close

static const struct utw_carrier_ops tcp4_ops = { TCP_CARRIER_COMMON, .describe = tcp4_describe,
						 .free = tcp4_free };
static const struct utw_carrier_ops tcp6_ops = { TCP_CARRIER_COMMON, .describe = tcp6_describe,
						 .free = tcp6_free };

/* Returns the operations that go with this kind of address; NULL without memory. */
static const struct utw_carrier_ops *tcp_remember(struct tcp_carrier *c,
						  const struct utw_address *peer)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&peer->storage;

	if (peer->storage.ss_family == AF_INET) {
		c->peer.v4.host = v4->sin_addr;
		c->peer.v4.port = v4->sin_port;
		return &tcp4_ops;
	}
	c->peer.v6 = malloc(sizeof(*c->peer.v6));
	if (!c->peer.v6)
		return NULL;
	memcpy(c->peer.v6, &peer->storage, sizeof(*c->peer.v6));
	return &tcp6_ops;
}

int utw_tcp_carrier_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			const struct utw_address *peer, struct utw_protocol *p)
{
	struct tcp_carrier *c = calloc(1, sizeof(*c));
	const struct utw_carrier_ops *ops = c ? tcp_remember(c, peer) : NULL;
	int error;

	if (!ops) {
		free(c);
		return -ENOMEM;
	}
	error = utw_transport_init(&c->transport, ops, r, p, NULL);
	if (error) {
		ops->free(&c->transport);
		return error;
	}
	error = utw_end_open(&c->transport.in, r, fd);
	if (error)
		utw_transport_discard(&c->transport);
	else
		*ret = &c->transport;
	return error;
}

int utw_tcp_carrier_socket(const struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	if (t->carrier != &tcp4_ops && t->carrier != &tcp6_ops)
		return -EOPNOTSUPP;
	return utw_end_fd(&t->in);
}
