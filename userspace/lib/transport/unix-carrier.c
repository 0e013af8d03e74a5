/* SPDX-License-Identifier: MIT */
/*
 * The carrier for UNIX stream sockets: see unix-carrier.h.
 *
 * Descriptors wait in parcels, each tied to the place in the stream of the
 * byte with which it is to be sent. A write therefore never reaches across the
 * beginning of a parcel, unless it is there that it starts.
 */
#include "unix-carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <untwist/unix.h>

#include "fd-carrier.h"

#define CONTROL_SIZE CMSG_SPACE(UTW_UNIX_FDS * sizeof(int))

struct parcel {
	struct parcel *next;
	uint64_t at; /* bytes of the stream before it */
	unsigned int count;
	int fds[];
};

struct unix_carrier {
	struct utw_fd_carrier fd;
	uint64_t sent;
	struct parcel *first;
	struct parcel **last; /* where the next one goes */
	int *held; /* received, oldest first */
	unsigned int held_count;
	unsigned int held_most;
};

static struct unix_carrier *carrier_of(const struct utw_transport *t)
{
	return utw_container_of(t, struct unix_carrier, fd.transport);
}

static void fds_close(const int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(fds[i]);
}

static void parcel_done(struct unix_carrier *c)
{
	struct parcel *parcel = c->first;

	fds_close(parcel->fds, parcel->count);
	c->first = parcel->next;
	if (!c->first)
		c->last = &c->first;
	free(parcel);
}

static ssize_t send_parcel(int fd, const void *data, size_t len, const struct parcel *parcel)
{
	union {
		char bytes[CONTROL_SIZE];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
	size_t size = parcel->count * sizeof(int);
	struct cmsghdr *header;
	ssize_t put;

	msg.msg_controllen = CMSG_SPACE(size);
	header = CMSG_FIRSTHDR(&msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), parcel->fds, size);
	do {
		put = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

static ssize_t unix_write(struct utw_transport *t, const void *data, size_t len)
{
	struct unix_carrier *c = carrier_of(t);
	bool now = c->first && c->first->at == c->sent;
	const struct parcel *stop = now ? c->first->next : c->first;
	ssize_t put;

	if (stop && len > stop->at - c->sent)
		len = (size_t)(stop->at - c->sent);
	put = now ? send_parcel(utw_end_fd(&t->in), data, len, c->first)
		  : utw_fd_carrier_write(t, data, len);
	if (put <= 0)
		return put;
	if (now)
		parcel_done(c);
	c->sent += (uint64_t)put;
	return put;
}

/* Take charge of those that came; -ENOBUFS when they are too many. */
static int hold_fds(struct unix_carrier *c, const int *fds, unsigned int count)
{
	if (count > c->held_most - c->held_count) {
		fds_close(fds, count);
		return -ENOBUFS;
	}
	memcpy(c->held + c->held_count, fds, count * sizeof(int));
	c->held_count += count;
	return 0;
}

static int hold_received(struct unix_carrier *c, struct msghdr *msg)
{
	int error = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		int fds[UTW_UNIX_FDS];
		size_t size = h->cmsg_len - CMSG_LEN(0);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS || size > sizeof(fds))
			continue;
		memcpy(fds, CMSG_DATA(h), size);
		error = hold_fds(c, fds, (unsigned int)(size / sizeof(int)));
	}
	/* The room was enough for any: the process has no descriptor left for them. */
	if (!error && (msg->msg_flags & MSG_CTRUNC))
		error = -EMFILE;
	return error;
}

static ssize_t unix_read(struct utw_transport *t, void *data, size_t size)
{
	struct unix_carrier *c = carrier_of(t);
	union {
		char bytes[CONTROL_SIZE];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
	ssize_t got;
	int error;

	if (!c->held_most)
		return utw_fd_carrier_read(t, data, size);
	msg.msg_controllen = sizeof(control);
	do {
		got = recvmsg(utw_end_fd(&t->in), &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	error = hold_received(c, &msg);
	return error ? error : got;
}

static void unix_close(struct utw_transport *t, bool abort)
{
	struct unix_carrier *c = carrier_of(t);

	while (c->first)
		parcel_done(c);
	fds_close(c->held, c->held_count);
	c->held_count = 0;
	utw_fd_carrier_close(t, abort);
}

static void unix_free(struct utw_transport *t)
{
	free(carrier_of(t)->held);
	utw_fd_carrier_free(t);
}

static const struct utw_carrier_ops unix_ops = {
	.read = unix_read,
	.write = unix_write,
	.shut_write = utw_fd_carrier_shut_write,
	.hangup = utw_fd_carrier_hangup,
	.close = unix_close,
	.free = unix_free,
};

int utw_unix_carrier_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
			 struct utw_protocol *p, const char *name, struct utw_ends_addresses *ends)
{
	struct utw_fd_side side = { .fd = fd, .how = { .kind = UTW_DESCRIPTOR_SOCKET } };
	struct unix_carrier *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	c->last = &c->first;
	error = utw_fd_carrier_init(&c->fd, &unix_ops, r, &side, &side, p, name);
	if (error)
		return error;
	c->fd.transport.annex->addresses = ends;
	*ret = &c->fd.transport;
	return 0;
}

static int unix_check(const struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	return t->carrier == &unix_ops ? 0 : -EOPNOTSUPP;
}

int utw_unix_peer_credentials(const struct utw_transport *t, struct utw_unix_credentials *ret)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	int error = unix_check(t);

	if (error)
		return error;
	if (getsockopt(utw_end_fd(&t->in), SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return -errno;
	ret->pid = cred.pid;
	ret->uid = cred.uid;
	ret->gid = cred.gid;
	return 0;
}

/*
 * The parcel is in its place before the write, which may send at once. One that
 * was refused is the last one still.
 */
int utw_unix_write_fds(struct utw_transport *t, const void *data, size_t len, const int *fds,
		       unsigned int count)
{
	struct parcel *parcel, **place;
	struct unix_carrier *c;
	int status = unix_check(t);

	if (status)
		return status;
	if (!len || !count || count > UTW_UNIX_FDS)
		return -EINVAL;
	parcel = malloc(sizeof(*parcel) + count * sizeof(int));
	if (!parcel)
		return -ENOMEM;
	c = carrier_of(t);
	parcel->next = NULL;
	parcel->at = c->sent + utw_transport_waiting(t);
	parcel->count = count;
	memcpy(parcel->fds, fds, count * sizeof(int));
	place = c->last;
	*place = parcel;
	c->last = &parcel->next;

	status = utw_transport_write(t, data, len);
	if (status < 0) {
		*place = NULL;
		c->last = place;
		free(parcel);
	}
	return status;
}

int utw_unix_accept_fds(struct utw_transport *t, unsigned int most)
{
	struct unix_carrier *c;
	int error = unix_check(t);
	int *held;

	if (error)
		return error;
	c = carrier_of(t);
	if (most < c->held_count)
		return -EBUSY;
	held = reallocarray(c->held, most ? most : 1, sizeof(int));
	if (!held)
		return -ENOMEM;
	c->held = held;
	c->held_most = most;
	return 0;
}

int utw_unix_take_fd(struct utw_transport *t)
{
	struct unix_carrier *c;
	int error = unix_check(t);
	int fd;

	if (error)
		return error;
	c = carrier_of(t);
	if (!c->held_count)
		return -EAGAIN;
	fd = c->held[0];
	c->held_count--;
	memmove(c->held, c->held + 1, c->held_count * sizeof(int));
	return fd;
}
