/* SPDX-License-Identifier: MIT */
/* The carrier for descriptors: see fd-carrier.h. */
#include "fd-carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Longest record read from a socket. */
#define RECORD_SIZE 65536

struct fd_carrier {
	struct utw_transport transport;
	struct utw_descriptor in;
	struct utw_descriptor out;
	void *record; /* RECORD_SIZE bytes, for record sockets */
};

static struct fd_carrier *carrier_of(const struct utw_transport *t)
{
	return utw_container_of(t, struct fd_carrier, transport);
}

static ssize_t fd_read(struct utw_transport *t, void *data, size_t size)
{
	return utw_descriptor_read(&carrier_of(t)->in, t->in.fd, data, size);
}

static ssize_t fd_read_record(struct utw_transport *t, const void **data, size_t *full_len,
			      bool *end)
{
	struct fd_carrier *c = carrier_of(t);
	ssize_t got = utw_descriptor_read_record(t->in.fd, c->record, RECORD_SIZE, full_len);

	*data = c->record;
	*end = got == 0 && c->in.sequenced;
	return got;
}

static struct utw_end *fd_write_end(struct utw_transport *t)
{
	return utw_end_exists(&t->out) ? &t->out : &t->in;
}

static ssize_t fd_write(struct utw_transport *t, const void *data, size_t len)
{
	return utw_descriptor_write(&carrier_of(t)->out, fd_write_end(t)->fd, data, len);
}

/* A socket may be shared with the read side, or with another process: close() would not do. */
static void fd_shut_write(struct utw_transport *t)
{
	if (carrier_of(t)->out.kind == UTW_DESCRIPTOR_SOCKET)
		shutdown(fd_write_end(t)->fd, SHUT_WR);
	utw_end_close(&t->out);
}

static int fd_hangup(struct utw_transport *t)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (carrier_of(t)->in.kind == UTW_DESCRIPTOR_SOCKET)
		getsockopt(t->in.fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

static void close_rudely(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/*
 * Closing a TCP socket with unread bytes makes the kernel send a reset, which
 * destroys what the peer has not read yet. So they are read, within the budget
 * of a turn: a peer that never stops sending gets its reset.
 */
static void close_politely(int fd)
{
	char unread[4096];

	shutdown(fd, SHUT_WR);
	for (size_t left = UTW_TURN_BYTES; left >= sizeof(unread); left -= sizeof(unread))
		if (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) <= 0)
			break;
}

static void fd_close(struct utw_transport *t, bool abort)
{
	struct fd_carrier *c = carrier_of(t);
	int fd = fd_write_end(t)->fd;

	if (fd >= 0 && c->out.kind == UTW_DESCRIPTOR_SOCKET && !c->out.borrowed) {
		if (abort)
			close_rudely(fd);
		else
			close_politely(fd);
	}
	utw_end_close(&t->in);
	utw_end_close(&t->out);
}

static void fd_free(struct utw_transport *t)
{
	struct fd_carrier *c = carrier_of(t);

	free(c->record);
	free(c);
}

#define FD_CARRIER_COMMON                                                                       \
	.read = fd_read, .read_record = fd_read_record, .write = fd_write, .hangup = fd_hangup, \
	.close = fd_close, .free = fd_free

static const struct utw_carrier_ops apart_ops = { FD_CARRIER_COMMON, .shut_write = fd_shut_write };
static const struct utw_carrier_ops joined_ops = { FD_CARRIER_COMMON };

/* One descriptor both ways, which has no way to end one of them: a terminal, a device. */
static bool fd_joined(const struct utw_fd_side *in, const struct utw_fd_side *out)
{
	return in->fd == out->fd &&
		(in->how.kind != UTW_DESCRIPTOR_SOCKET || (in->how.record && !in->how.sequenced));
}

static int fd_open_ends(struct utw_transport *t, const struct utw_fd_side *in,
			const struct utw_fd_side *out)
{
	int error = 0;

	if (in->fd >= 0)
		error = utw_end_open(&t->in, t->reactor, in->fd);
	if (!error && out->fd >= 0 && out->fd != in->fd)
		error = utw_end_open(&t->out, t->reactor, out->fd);
	if (out->fd < 0)
		t->write_side = UTW_WRITE_SHUT;
	return error;
}

int utw_fd_carrier_new(struct utw_transport **ret, struct utw_reactor *r,
		       const struct utw_fd_side *in, const struct utw_fd_side *out,
		       struct utw_protocol *p, const char *name)
{
	struct fd_carrier *c = calloc(1, sizeof(*c));
	struct utw_transport *t;
	int error;

	if (!c)
		return -ENOMEM;
	t = &c->transport;
	c->in = in->how;
	c->out = out->how;
	t->record = in->how.record || out->how.record;
	if (in->how.record) {
		c->record = malloc(RECORD_SIZE);
		if (!c->record) {
			fd_free(t);
			return -ENOMEM;
		}
	}
	error = utw_transport_init(t, fd_joined(in, out) ? &joined_ops : &apart_ops, r, p, name);
	if (error) {
		fd_free(t);
		return error;
	}
	error = fd_open_ends(t, in, out);
	if (error) {
		utw_transport_discard(t);
		return error;
	}
	*ret = t;
	return 0;
}

int utw_fd_carrier_socket(const struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	if (t->carrier->free != fd_free || carrier_of(t)->in.kind != UTW_DESCRIPTOR_SOCKET)
		return -EOPNOTSUPP;
	return t->in.fd;
}
