/* SPDX-License-Identifier: MIT */
/*
 * Connection: a connected stream socket as a transport. Listening and
 * connecting both end in one, whatever the family of the socket is.
 */
#ifndef UTW_TRANSPORT_CONNECTION_H
#define UTW_TRANSPORT_CONNECTION_H

#include <stddef.h>

#include <untwist/address.h>

struct utw_ends_addresses;
struct utw_factory;
struct utw_protocol;
struct utw_reactor;
struct utw_transport;

/* What differs between the families. */
struct utw_connection_kind {
	const char *name; /* first word of the names of its transports */
	/* Make the transport, not launched. On error `fd` is still the caller's. */
	int (*carrier_new)(struct utw_transport **ret, struct utw_reactor *r, int fd,
			   const struct utw_address *peer, struct utw_protocol *p);
};

extern const struct utw_connection_kind utw_connection_tcp, utw_connection_unix;

/*
 * Build a protocol for the connected socket `fd`, which is taken in any case,
 * and launch the two; the protocol is told made, or lost, from inside.
 * Returns 0 with the protocol in *ret (not if it was lost at once), or -errno:
 * -ECONNABORTED when the factory refused.
 */
int utw_connection_serve(const struct utw_connection_kind *kind, struct utw_reactor *r, int fd,
			 const struct utw_address *peer, struct utw_factory *f,
			 struct utw_protocol **ret);

/* What to call a connection of a kind between these two. */
void utw_connection_name(char *buf, size_t size, const char *kind,
			 const struct utw_ends_addresses *ends);

/* The address that a socket is bound to. */
int utw_connection_host(int fd, struct utw_address *ret);

#endif
