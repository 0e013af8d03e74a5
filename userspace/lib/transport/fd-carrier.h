/* SPDX-License-Identifier: MIT */
/* The carrier for descriptors of every kind; pipes and standard streams are made of it. */
#ifndef UTW_TRANSPORT_FD_CARRIER_H
#define UTW_TRANSPORT_FD_CARRIER_H

#include "descriptor.h"
#include "transport-private.h"

/* One direction: a descriptor and what it is. fd -1: there is none. */
struct utw_fd_side {
	int fd;
	struct utw_descriptor how;
};

/* Carriers that do more with the same descriptors embed this as their first member. */
struct utw_fd_carrier {
	struct utw_transport transport;
	struct utw_descriptor in;
	struct utw_descriptor out;
	void *record; /* room for one, of record sockets */
};

/*
 * Make a transport, not yet launched. It owns the descriptors from here on;
 * both sides may name the same one. On error they are still the caller's.
 */
int utw_fd_carrier_new(struct utw_transport **ret, struct utw_reactor *r,
		       const struct utw_fd_side *in, const struct utw_fd_side *out,
		       struct utw_protocol *p, const char *name);

/*
 * What the above are made of: prepare a zeroed carrier. `ops` are its own, or
 * NULL for those that suit the descriptors. On error the carrier was freed, by
 * its own operation if it has one, and the descriptors are still the caller's.
 */
int utw_fd_carrier_init(struct utw_fd_carrier *c, const struct utw_carrier_ops *ops,
			struct utw_reactor *r, const struct utw_fd_side *in,
			const struct utw_fd_side *out, struct utw_protocol *p, const char *name);

/* The operations, for carriers that replace some of them. */
ssize_t utw_fd_carrier_read(struct utw_transport *t, void *data, size_t size);
ssize_t utw_fd_carrier_write(struct utw_transport *t, const void *data, size_t len);
void utw_fd_carrier_shut_write(struct utw_transport *t);
int utw_fd_carrier_hangup(struct utw_transport *t);
void utw_fd_carrier_close(struct utw_transport *t, bool abort);
void utw_fd_carrier_free(struct utw_transport *t);

/* The socket of a transport made of one, or -EOPNOTSUPP; -EPIPE when it is lost. */
int utw_fd_carrier_socket(const struct utw_transport *t);

#endif
