/* SPDX-License-Identifier: MIT */
/* A connected TCP socket as a transport: what listening and connecting both end in. */
#ifndef UTW_TRANSPORT_TCP_PRIVATE_H
#define UTW_TRANSPORT_TCP_PRIVATE_H

#include <untwist/address.h>

struct utw_factory;
struct utw_reactor;

/*
 * Build a protocol for the connected socket `fd`, which is taken in any case,
 * and launch the two; the protocol is told made, or lost, from inside.
 * Returns 0 with the protocol in *ret (not if it was lost at once), or -errno:
 * -ECONNABORTED when the factory refused.
 */
int utw_tcp_serve(struct utw_reactor *r, int fd, const struct utw_address *peer,
		  struct utw_factory *f, struct utw_protocol **ret);

/* The address that a socket is bound to. */
int utw_tcp_host(int fd, struct utw_address *ret);

#endif
