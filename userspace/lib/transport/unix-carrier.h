/* SPDX-License-Identifier: MIT */
/* The carrier for UNIX stream sockets: bytes, and the descriptors that ride with them. */
#ifndef UTW_TRANSPORT_UNIX_CARRIER_H
#define UTW_TRANSPORT_UNIX_CARRIER_H

#include "transport-private.h"

/* As utw_fd_carrier_new() for one socket, with `ends`, which are taken if it succeeds, or NULL. */
int utw_unix_carrier_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			 struct utw_protocol *p, const char *name, struct utw_ends_addresses *ends);

#endif
