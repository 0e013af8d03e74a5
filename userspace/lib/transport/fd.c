/* SPDX-License-Identifier: MIT */
/* Transport over descriptors that the program owns: see untwist/fd.h. */
#include <untwist/fd.h>

#include <errno.h>
#include <fcntl.h>

#include "fd-carrier.h"

static const char *fd_name(const struct utw_descriptor *how)
{
	switch (how->kind) {
	case UTW_DESCRIPTOR_FILE:
		return "file";
	case UTW_DESCRIPTOR_PIPE:
		return "pipe";
	case UTW_DESCRIPTOR_TERMINAL:
		return "terminal";
	case UTW_DESCRIPTOR_SOCKET:
		return "socket";
	case UTW_DESCRIPTOR_PLAIN:
		break;
	}
	return "descriptor";
}

static int side_probe(struct utw_fd_side *side, int fd)
{
	side->fd = fd;
	side->how = (struct utw_descriptor){ .kind = UTW_DESCRIPTOR_PLAIN };
	return fd < 0 ? 0 : utw_descriptor_probe(fd, &side->how);
}

static int side_unblock(const struct utw_fd_side *side)
{
	int flags;

	if (side->fd < 0)
		return 0;
	flags = fcntl(side->fd, F_GETFL);
	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK) && fcntl(side->fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

/* Records one way and bytes the other: that is no transport of either kind. */
static bool sides_differ(const struct utw_fd_side *from, const struct utw_fd_side *to)
{
	return from->fd >= 0 && to->fd >= 0 && from->how.record != to->how.record;
}

int utw_fd_transport_new(struct utw_transport **ret, struct utw_reactor *r, int in, int out,
			 struct utw_protocol *p)
{
	struct utw_fd_side from, to;
	struct utw_transport *t;
	int error;

	if (in < 0 && out < 0)
		return -EINVAL;
	error = side_probe(&from, in);
	if (!error)
		error = side_probe(&to, out);
	if (!error && sides_differ(&from, &to))
		error = -EINVAL;
	if (!error)
		error = side_unblock(&from);
	if (!error)
		error = side_unblock(&to);
	if (!error)
		error = utw_fd_carrier_new(&t, r, &from, &to, p,
					   fd_name(in >= 0 ? &from.how : &to.how));
	if (error)
		return error;
	utw_transport_launch(t, ret);
	return 0;
}
