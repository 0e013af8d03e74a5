/* SPDX-License-Identifier: MIT */
/* Transport over inherited descriptors, which are never made non-blocking: see untwist/stdio.h. */
#include <untwist/stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/open.h"
#include "fd-carrier.h"

/* Opening this one anew gives another pair of terminals, not the same again. */
static bool is_ptmx(int fd)
{
	struct stat st;

	return fstat(fd, &st) || (major(st.st_rdev) == 5 && minor(st.st_rdev) == 2);
}

/* A description of our own for the same pipe or terminal, or -1. */
static int reopen(int fd, int access_mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return utw_open(path, access_mode | O_NONBLOCK | O_NOCTTY);
}

static bool may_reopen(int fd, const struct utw_descriptor *how)
{
	return how->kind == UTW_DESCRIPTOR_PIPE ||
		(how->kind == UTW_DESCRIPTOR_TERMINAL && !is_ptmx(fd));
}

static bool may_block(int fd, const struct utw_descriptor *how)
{
	if (how->kind == UTW_DESCRIPTOR_SOCKET || how->kind == UTW_DESCRIPTOR_FILE)
		return false;
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* Give `side` a descriptor of its own for what `fd` names. */
static int side_borrow(struct utw_fd_side *side, int fd, int access_mode)
{
	int error;

	side->fd = -1;
	side->how = (struct utw_descriptor){ .kind = UTW_DESCRIPTOR_PLAIN };
	if (fd < 0)
		return 0;
	error = utw_descriptor_probe(fd, &side->how);
	if (error)
		return error;
	if (may_reopen(fd, &side->how))
		side->fd = reopen(fd, access_mode);
	if (side->fd >= 0)
		return 0;
	side->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (side->fd < 0)
		return -errno;
	side->how.polled = may_block(fd, &side->how);
	side->how.borrowed = true;
	return 0;
}

int utw_stdio_transport_from(struct utw_transport **ret, struct utw_reactor *r, int in, int out,
			     struct utw_protocol *p)
{
	struct utw_fd_side from = { .fd = -1 }, to = { .fd = -1 };
	struct utw_transport *t;
	int error;

	if (in < 0 && out < 0)
		return -EINVAL;
	error = side_borrow(&from, in, O_RDONLY);
	if (!error)
		error = side_borrow(&to, out, O_WRONLY);
	if (!error)
		error = utw_fd_carrier_new(&t, r, &from, &to, p, "stdio");
	if (error) {
		if (from.fd >= 0)
			close(from.fd);
		if (to.fd >= 0)
			close(to.fd);
		return error;
	}
	utw_transport_launch(t, ret);
	return 0;
}

int utw_stdio_transport_new(struct utw_transport **ret, struct utw_reactor *r,
			    struct utw_protocol *p)
{
	return utw_stdio_transport_from(ret, r, STDIN_FILENO, STDOUT_FILENO, p);
}
