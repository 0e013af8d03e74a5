/* SPDX-License-Identifier: MIT */
/* Ports over UNIX datagram sockets: see untwist/unix.h. */
#include <untwist/unix.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram-private.h"

int utw_unix_datagram_open(struct utw_datagram **ret, struct utw_reactor *r,
			   const struct utw_address *at, mode_t mode,
			   struct utw_datagram_receiver *receiver)
{
	struct utw_unix_path path = { .lock = -1 };
	int error = 0;
	int fd;

	if (at && at->storage.ss_family != AF_UNIX)
		return -EINVAL;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (at)
		error = utw_unix_path_bind(&path, fd, at, mode);
	if (!error) {
		error = utw_datagram_new(ret, r, fd, NULL, &path, receiver);
		if (error)
			utw_unix_path_release(&path);
	}
	if (error)
		close(fd);
	return error;
}
