/* SPDX-License-Identifier: MIT */
/*
 * The claim on the path of a UNIX socket: a lock beside it that lives as long
 * as its owner, by which a file that nobody serves any more is told from one in use.
 */
#ifndef UTW_TRANSPORT_UNIX_PATH_H
#define UTW_TRANSPORT_UNIX_PATH_H

#include <sys/types.h>

#include <untwist/address.h>

struct utw_unix_path {
	int lock; /* -1: an abstract name, or none at all */
	struct utw_address at;
	dev_t dev; /* of our socket file, so that no other is removed */
	ino_t ino;
};

/*
 * Claim the path and bind the socket `fd` to it, with these permissions (0: as
 * umask leaves them). -errno on error, with nothing to undo but the socket.
 */
int utw_unix_path_bind(struct utw_unix_path *u, int fd, const struct utw_address *at, mode_t mode);

/* Remove the socket file, if it is still ours, and the lock. */
void utw_unix_path_release(struct utw_unix_path *u);

#endif
