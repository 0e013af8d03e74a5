/* SPDX-License-Identifier: MIT */
/* One of those who have sent something to a UDP port: a connection made of datagrams. */
#ifndef UTW_ENDPOINT_UDP_PEER_H
#define UTW_ENDPOINT_UDP_PEER_H

#include <stdbool.h>

#include <untwist/address.h>
#include <untwist/custom.h>
#include <untwist/datagram.h>
#include <untwist/endpoint.h>
#include <untwist/timer.h>
#include <untwist/transport.h>

/* Lists of peers, by their port. */
#define UTW_UDP_BUCKETS 64

struct utw_udp_peer;

/* It stays until it is closed and its last peer has gone: they speak through its socket. */
struct utw_udp_port {
	struct utw_port port;
	struct utw_datagram_receiver receiver;
	struct utw_datagram *socket;
	struct utw_reactor *reactor;
	struct utw_factory *factory;
	struct utw_udp_peer *buckets[UTW_UDP_BUCKETS];
	size_t transports; /* that refer to it */
	size_t count; /* of the peers that are in the lists */
	size_t most;
	uint64_t idle; /* nanoseconds */
	bool closed;
};

struct utw_udp_peer {
	struct utw_custom custom;
	struct utw_udp_port *port;
	struct utw_udp_peer *next; /* in its bucket */
	struct utw_address address;
	struct utw_timer silence;
	struct utw_udp_record *first;
	struct utw_udp_record **end;
	struct utw_udp_record *told; /* borrowed by the transport until the next read */
	size_t held; /* bytes that wait to be read */
	bool listed;
	bool choked; /* the socket has no room */
};

/* udp-peer.c */

/* The peer with this address, made if there is none yet; NULL: it is not to be had. */
struct utw_udp_peer *utw_udp_peer_get(struct utw_udp_port *port, const struct utw_address *from);
struct utw_udp_peer *utw_udp_peer_find(struct utw_udp_port *port, const struct utw_address *from);

/* A datagram has come from it. */
void utw_udp_peer_receive(struct utw_udp_peer *peer, const void *data, size_t len, size_t full_len);

/* What was choked may try again. */
void utw_udp_peers_writable(struct utw_udp_port *port);

/* udp.c: a transport refers to it no more. */
void utw_udp_port_release(struct utw_udp_port *port);

#endif
