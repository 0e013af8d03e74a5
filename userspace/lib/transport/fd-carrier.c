/* SPDX-License-Identifier: MIT */
/* The carrier for descriptors: see fd-carrier.h. */
#include "fd-carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "silent-write.h"
#include "socket.h"

/* Longest record read from a socket. */
#define RECORD_SIZE 65536

static struct utw_fd_carrier *carrier_of(const struct utw_transport *t)
{
	return utw_container_of(t, struct utw_fd_carrier, transport);
}

ssize_t utw_fd_carrier_read(struct utw_transport *t, void *data, size_t size)
{
	return utw_descriptor_read(&carrier_of(t)->in, utw_end_fd(&t->in), data, size);
}

static ssize_t fd_read_record(struct utw_transport *t, const void **data, size_t *full_len,
			      bool *end)
{
	struct utw_fd_carrier *c = carrier_of(t);
	ssize_t got =
		utw_descriptor_read_record(utw_end_fd(&t->in), c->record, RECORD_SIZE, full_len);

	*data = c->record;
	*end = got == 0 && c->in.sequenced;
	return got;
}

static struct utw_end *fd_write_end(struct utw_transport *t)
{
	struct utw_end *out = utw_transport_out(t);

	return out ? out : &t->in;
}

ssize_t utw_fd_carrier_write(struct utw_transport *t, const void *data, size_t len)
{
	return utw_descriptor_write(&carrier_of(t)->out, utw_end_fd(fd_write_end(t)), data, len);
}

/* To sockets alone: what else there is may block in it, or keeps records. */
static ssize_t fd_send_file(struct utw_transport *t, int file, size_t len)
{
	const struct utw_descriptor *out = &carrier_of(t)->out;

	if (out->kind != UTW_DESCRIPTOR_SOCKET || out->record || out->borrowed)
		return -EOPNOTSUPP;
	return utw_silent_sendfile(utw_end_fd(fd_write_end(t)), file, len);
}

/* A socket may be shared with the read side, or with another process: close() would not do. */
void utw_fd_carrier_shut_write(struct utw_transport *t)
{
	if (carrier_of(t)->out.kind == UTW_DESCRIPTOR_SOCKET)
		shutdown(utw_end_fd(fd_write_end(t)), SHUT_WR);
	if (utw_transport_out(t))
		utw_end_close(utw_transport_out(t));
}

int utw_fd_carrier_hangup(struct utw_transport *t)
{
	if (carrier_of(t)->in.kind != UTW_DESCRIPTOR_SOCKET)
		return 0;
	return utw_socket_error(utw_end_fd(&t->in));
}

void utw_fd_carrier_close(struct utw_transport *t, bool abort)
{
	struct utw_fd_carrier *c = carrier_of(t);
	int fd = utw_end_fd(fd_write_end(t));

	if (fd >= 0 && c->out.kind == UTW_DESCRIPTOR_SOCKET && !c->out.borrowed)
		utw_socket_end(fd, abort);
	utw_end_close(&t->in);
	if (utw_transport_out(t))
		utw_end_close(utw_transport_out(t));
}

void utw_fd_carrier_free(struct utw_transport *t)
{
	struct utw_fd_carrier *c = carrier_of(t);

	free(c->record);
	free(c);
}

#define FD_CARRIER_COMMON                                                                          \
	.read = utw_fd_carrier_read, .read_record = fd_read_record, .write = utw_fd_carrier_write, \
	.send_file = fd_send_file, .hangup = utw_fd_carrier_hangup, .close = utw_fd_carrier_close, \
	.free = utw_fd_carrier_free

static const struct utw_carrier_ops apart_ops = { FD_CARRIER_COMMON,
						  .shut_write = utw_fd_carrier_shut_write };
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
		error = utw_end_open(&t->annex->out, t->reactor, out->fd);
	if (out->fd < 0)
		t->write_side = UTW_WRITE_SHUT;
	return error;
}

int utw_fd_carrier_init(struct utw_fd_carrier *c, const struct utw_carrier_ops *ops,
			struct utw_reactor *r, const struct utw_fd_side *in,
			const struct utw_fd_side *out, struct utw_protocol *p, const char *name)
{
	struct utw_transport *t = &c->transport;
	int error = 0;

	if (!ops)
		ops = fd_joined(in, out) ? &joined_ops : &apart_ops;
	t->carrier = ops;
	c->in = in->how;
	c->out = out->how;
	t->record = in->how.record || out->how.record;
	if (in->how.record) {
		c->record = malloc(RECORD_SIZE);
		error = c->record ? 0 : -ENOMEM;
	}
	if (!error)
		error = utw_transport_init(t, ops, r, p, name);
	if (error) {
		ops->free(t);
		return error;
	}
	error = fd_open_ends(t, in, out);
	if (error)
		utw_transport_discard(t);
	return error;
}

int utw_fd_carrier_new(struct utw_transport **ret, struct utw_reactor *r,
		       const struct utw_fd_side *in, const struct utw_fd_side *out,
		       struct utw_protocol *p, const char *name)
{
	struct utw_fd_carrier *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	error = utw_fd_carrier_init(c, NULL, r, in, out, p, name);
	if (!error)
		*ret = &c->transport;
	return error;
}

/* Every carrier that embeds this one hangs up through it. */
static bool is_fd_carrier(const struct utw_transport *t)
{
	return t->carrier->hangup == utw_fd_carrier_hangup;
}

int utw_fd_carrier_socket(const struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	if (!is_fd_carrier(t) || carrier_of(t)->in.kind != UTW_DESCRIPTOR_SOCKET)
		return -EOPNOTSUPP;
	return utw_end_fd(&t->in);
}
