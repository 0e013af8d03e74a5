/* SPDX-License-Identifier: MIT */
/* A peer of a UDP port: see udp-peer.h. */
#include "udp-peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/protocol.h>

/* Bytes that wait for a peer that is not read from, its own memory included. */
#define ROOM 262144

struct utw_udp_record {
	struct utw_udp_record *next;
	size_t len;
	size_t full_len;
	char data[];
};

static struct utw_udp_peer *peer_of(struct utw_custom *c)
{
	return utw_container_of(c, struct utw_udp_peer, custom);
}

static struct utw_udp_peer **peer_place(struct utw_udp_port *port, const struct utw_address *from)
{
	struct utw_udp_peer **at = &port->buckets[utw_address_port(from) % UTW_UDP_BUCKETS];

	while (*at && !utw_address_equal(&(*at)->address, from))
		at = &(*at)->next;
	return at;
}

struct utw_udp_peer *utw_udp_peer_find(struct utw_udp_port *port, const struct utw_address *from)
{
	return *peer_place(port, from);
}

static void peer_update(struct utw_udp_peer *peer)
{
	utw_custom_set_ready(&peer->custom,
			     (peer->first ? EPOLLIN : 0) | (peer->choked ? 0 : EPOLLOUT));
}

static ssize_t peer_read(struct utw_custom *c, const void **data, size_t *full_len, bool *end)
{
	struct utw_udp_peer *peer = peer_of(c);
	struct utw_udp_record *record = peer->first;

	*end = false;
	free(peer->told);
	peer->told = record;
	if (!record)
		return -EAGAIN;
	peer->first = record->next;
	if (!peer->first)
		peer->end = &peer->first;
	peer->held -= sizeof(*record) + record->len;
	peer_update(peer);
	*data = record->data;
	*full_len = record->full_len;
	return (ssize_t)record->len;
}

static ssize_t peer_write(struct utw_custom *c, const void *data, size_t len)
{
	struct utw_udp_peer *peer = peer_of(c);
	int error = utw_datagram_send(peer->port->socket, data, len, &peer->address);

	if (error == -EAGAIN) {
		peer->choked = true;
		peer_update(peer);
	}
	return error ? error : (ssize_t)len;
}

/* From here on the same address is another peer. */
static void peer_close(struct utw_custom *c, bool abort)
{
	struct utw_udp_peer *peer = peer_of(c);

	(void)abort;
	utw_timer_cancel(&peer->silence);
	if (!peer->listed)
		return;
	*peer_place(peer->port, &peer->address) = peer->next;
	peer->port->count--;
	peer->listed = false;
}

static void records_free(struct utw_udp_record *record)
{
	while (record) {
		struct utw_udp_record *next = record->next;

		free(record);
		record = next;
	}
}

static void peer_free(struct utw_custom *c)
{
	struct utw_udp_peer *peer = peer_of(c);
	struct utw_udp_port *port = peer->port;

	records_free(peer->first);
	free(peer->told);
	free(peer);
	utw_udp_port_release(port);
}

static const struct utw_custom_ops peer_ops = {
	.read_record = peer_read, .write = peer_write, .close = peer_close, .free = peer_free
};

static void peer_silent(struct utw_timer *t)
{
	struct utw_udp_peer *peer = utw_container_of(t, struct utw_udp_peer, silence);

	utw_custom_lose(&peer->custom,
			utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "read", NULL,
					"%s is silent",
					utw_transport_name(peer->custom.transport)));
}

/* The protocol owns itself, and so must hear of its end, be it that it had no beginning. */
static void tell_lost(struct utw_protocol *p, int error)
{
	struct utw_failure *reason;

	if (error == -EINVAL || error == -EBUSY)
		return;
	reason = utw_failure_new(&utw_domain_reason, UTW_LOST, "accept",
				 utw_failure_from_errno(error, "accept", "no transport"), "udp");
	p->ops->lost(p, reason);
	utw_failure_unref(reason);
}

static int peer_launch(struct utw_udp_peer *peer, struct utw_protocol *p)
{
	char text[UTW_ADDRESS_TEXT], name[UTW_ADDRESS_TEXT + 4];
	struct utw_custom_options options = { .name = name,
					      .record = true,
					      .peer = &peer->address,
					      .host = utw_datagram_host(peer->port->socket) };
	int error = utw_timer_start(&peer->silence, peer->port->reactor, peer->port->idle);

	if (error)
		return error;
	utw_address_format(&peer->address, text, sizeof(text));
	snprintf(name, sizeof(name), "udp %s", text);
	error = utw_custom_transport_new(NULL, peer->port->reactor, &peer->custom, &peer_ops,
					 &options, p);
	if (error)
		utw_timer_cancel(&peer->silence);
	return error;
}

struct utw_udp_peer *utw_udp_peer_get(struct utw_udp_port *port, const struct utw_address *from)
{
	struct utw_udp_peer **at = peer_place(port, from);
	struct utw_udp_peer *peer = *at;
	struct utw_protocol *p;
	int error;

	if (peer || port->closed || port->count >= port->most)
		return peer;
	peer = calloc(1, sizeof(*peer));
	p = peer ? utw_factory_build(port->factory, from) : NULL;
	if (!p) {
		free(peer);
		return NULL;
	}
	peer->port = port;
	peer->address = *from;
	peer->end = &peer->first;
	utw_timer_init(&peer->silence, peer_silent);
	error = peer_launch(peer, p);
	if (error) {
		free(peer);
		tell_lost(p, error);
		return NULL;
	}
	/* The factory may have had any of the others closed. */
	at = peer_place(port, from);
	*at = peer;
	peer->listed = true;
	port->count++;
	port->transports++;
	peer_update(peer);
	return peer;
}

void utw_udp_peer_receive(struct utw_udp_peer *peer, const void *data, size_t len, size_t full_len)
{
	struct utw_udp_record *record;

	utw_timer_reset(&peer->silence, peer->port->idle);
	if (peer->held + sizeof(*record) + len > ROOM)
		return;
	record = malloc(sizeof(*record) + len);
	if (!record)
		return;
	record->next = NULL;
	record->len = len;
	record->full_len = full_len;
	memcpy(record->data, data, len);
	*peer->end = record;
	peer->end = &record->next;
	peer->held += sizeof(*record) + len;
	peer_update(peer);
}

void utw_udp_peers_writable(struct utw_udp_port *port)
{
	for (unsigned int i = 0; i < UTW_UDP_BUCKETS; i++) {
		for (struct utw_udp_peer *peer = port->buckets[i]; peer; peer = peer->next) {
			peer->choked = false;
			peer_update(peer);
		}
	}
}
