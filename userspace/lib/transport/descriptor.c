/* SPDX-License-Identifier: MIT */
/* Descriptor: see descriptor.h. */
#include "descriptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "silent-write.h"
#include "socket.h"

static int probe_socket(int fd, struct utw_descriptor *d)
{
	socklen_t size = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
		return -errno;
	d->kind = UTW_DESCRIPTOR_SOCKET;
	d->record = type != SOCK_STREAM;
	d->sequenced = type == SOCK_SEQPACKET;
	return 0;
}

int utw_descriptor_probe(int fd, struct utw_descriptor *ret)
{
	struct utw_descriptor d = { .kind = UTW_DESCRIPTOR_PLAIN };
	struct stat st;
	int error = 0;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISSOCK(st.st_mode))
		error = probe_socket(fd, &d);
	else if (S_ISREG(st.st_mode))
		d.kind = UTW_DESCRIPTOR_FILE;
	else if (S_ISFIFO(st.st_mode))
		d.kind = UTW_DESCRIPTOR_PIPE;
	else if (isatty(fd))
		d.kind = UTW_DESCRIPTOR_TERMINAL;
	if (!error)
		*ret = d;
	return error;
}

static bool ready_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 1;
}

static ssize_t read_some(const struct utw_descriptor *d, int fd, void *data, size_t size)
{
	ssize_t got;

	if (d->kind == UTW_DESCRIPTOR_SOCKET)
		return utw_socket_read(fd, data, size);
	got = read(fd, data, size);
	if (got >= 0)
		return got;
	/* This is how a terminal says that the other side has closed it. */
	if (errno == EIO && d->kind == UTW_DESCRIPTOR_TERMINAL)
		return 0;
	return -errno;
}

ssize_t utw_descriptor_read(const struct utw_descriptor *d, int fd, void *data, size_t size)
{
	ssize_t got;

	if (d->polled && !ready_now(fd, POLLIN))
		return -EAGAIN;
	do {
		got = read_some(d, fd, data, size);
	} while (got == -EINTR);
	return got;
}

static ssize_t write_some(const struct utw_descriptor *d, int fd, const void *data, size_t len)
{
	ssize_t put;

	if (d->kind == UTW_DESCRIPTOR_PIPE)
		return utw_silent_write(fd, data, len);
	if (d->kind == UTW_DESCRIPTOR_SOCKET)
		return utw_socket_write(fd, data, len);
	put = write(fd, data, len);
	return put < 0 ? -errno : put;
}

static ssize_t write_now(const struct utw_descriptor *d, int fd, const void *data, size_t len)
{
	ssize_t put;

	do {
		put = write_some(d, fd, data, len);
	} while (put == -EINTR);
	return put;
}

/* A terminal that polls writable has room for one byte; that it has more nobody can tell. */
static ssize_t write_bytewise(const struct utw_descriptor *d, int fd, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len && ready_now(fd, POLLOUT)) {
		ssize_t put = write_now(d, fd, data + done, 1);

		if (put <= 0 && !done)
			return put;
		if (put <= 0)
			break;
		done++;
	}
	return done ? (ssize_t)done : -EAGAIN;
}

ssize_t utw_descriptor_write(const struct utw_descriptor *d, int fd, const void *data, size_t len)
{
	if (!d->polled)
		return write_now(d, fd, data, len);
	if (d->kind == UTW_DESCRIPTOR_TERMINAL)
		return write_bytewise(d, fd, data, len);
	if (!ready_now(fd, POLLOUT))
		return -EAGAIN;
	/* What a pipe that polls writable has room for. */
	return write_now(d, fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

ssize_t utw_descriptor_read_record(int fd, void *data, size_t size, size_t *full_len)
{
	ssize_t got;

	do {
		got = recv(fd, data, size, MSG_DONTWAIT | MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*full_len = (size_t)got;
	return (size_t)got < size ? got : (ssize_t)size;
}
