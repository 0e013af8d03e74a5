/* SPDX-License-Identifier: MIT */
/*
 * The carrier for a TCP connection. There may be many of them, so it holds next to
 * nothing: of its addresses only what the kernel forgets when the peer goes.
 */
#ifndef UTW_TRANSPORT_TCP_CARRIER_H
#define UTW_TRANSPORT_TCP_CARRIER_H

#include "transport-private.h"

/* Make the transport of a connected socket with `peer`, as a struct utw_connection_kind does. */
int utw_tcp_carrier_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			const struct utw_address *peer, struct utw_protocol *p);

/* Its socket, or -EOPNOTSUPP for a transport that is none of these; -EPIPE when it is lost. */
int utw_tcp_carrier_socket(const struct utw_transport *t);

#endif
