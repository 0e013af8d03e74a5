/* SPDX-License-Identifier: MIT */
/* The carrier for descriptors of every kind; pipes, standard streams and TCP are made of it. */
#ifndef UTW_TRANSPORT_FD_CARRIER_H
#define UTW_TRANSPORT_FD_CARRIER_H

#include "descriptor.h"
#include "transport-private.h"

/* One direction: a descriptor and what it is. fd -1: there is none. */
struct utw_fd_side {
	int fd;
	struct utw_descriptor how;
};

/*
 * Make a transport, not yet launched. It owns the descriptors from here on;
 * both sides may name the same one. On error they are still the caller's.
 */
int utw_fd_carrier_new(struct utw_transport **ret, struct utw_reactor *r,
		       const struct utw_fd_side *in, const struct utw_fd_side *out,
		       struct utw_protocol *p, const char *name);

/* The socket of a transport made of one, or -EOPNOTSUPP; -EPIPE when it is lost. */
int utw_fd_carrier_socket(const struct utw_transport *t);

#endif
