/* SPDX-License-Identifier: MIT */
/* A datagram port from the inside: what the makers of the families need. */
#ifndef UTW_TRANSPORT_DATAGRAM_PRIVATE_H
#define UTW_TRANSPORT_DATAGRAM_PRIVATE_H

#include <stdbool.h>

#include <untwist/address.h>
#include <untwist/call.h>
#include <untwist/datagram.h>
#include <untwist/watch.h>

#include "unix-path.h"

struct utw_datagram_batch;

struct utw_datagram {
	struct utw_reactor *reactor;
	struct utw_datagram_receiver *receiver;
	struct utw_address host;
	struct utw_unix_path path; /* of UNIX ports */
	struct utw_watch watch;
	struct utw_call later; /* delivers what a pause left in the batch */
	struct utw_datagram_batch *batch;
	struct utw_datagram_counts counts;
	int fd;
	uint32_t dropped; /* the kernel's count, which wraps */
	bool paused;
	bool want_out;
	bool busy; /* inside a callback */
	bool closed;
	char name[UTW_ADDRESS_TEXT + 8];
};

/*
 * Make a port of the bound socket `fd`, taken on success; `kind` is the first
 * word of its name, or NULL where the address says it. `path` (taken) may be
 * NULL. Errors as utw_udp_open(), with `fd` and `path` still the caller's.
 */
int utw_datagram_new(struct utw_datagram **ret, struct utw_reactor *r, int fd, const char *kind,
		     const struct utw_unix_path *path, struct utw_datagram_receiver *receiver);

/* datagram-receive.c */

struct utw_datagram_batch *utw_datagram_batch_new(void);

/* Something is there to be received, or was left over by a pause. */
void utw_datagram_receive(struct utw_datagram *d);

/* Did a pause leave datagrams that were received already? */
bool utw_datagram_batch_waits(const struct utw_datagram *d);

/* datagram-error.c */

/* Tell what the network reports; `error` is what a system call said of it, or 0. */
void utw_datagram_tell_errors(struct utw_datagram *d, int error);

#endif
