/* SPDX-License-Identifier: MIT */
/* Sending datagrams: each with a status of its own, and none queued. */
#include "datagram-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/*
 * The kernel keeps what the network said of an earlier datagram, and gives it as
 * the result of whatever call comes next. It is told as an error of its own; this
 * datagram deserves another try.
 */
static bool may_be_of_another(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETUNREACH:
	case ENOPROTOOPT:
	case EPROTO:
	case EACCES:
		return true;
	}
	return false;
}

static int send_once(const struct utw_datagram *d, const void *data, size_t len,
		     const struct utw_address *to)
{
	const struct sockaddr *name = to ? (const struct sockaddr *)&to->storage : NULL;
	ssize_t put;

	do {
		put = sendto(d->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, name,
			     to ? to->length : 0);
	} while (put < 0 && errno == EINTR);
	if (put >= 0)
		return 0;
	/* UNIX ports say it with another word. */
	return errno == ENOTCONN ? -EDESTADDRREQ : -errno;
}

static void want_out(struct utw_datagram *d)
{
	if (d->want_out)
		return;
	d->want_out = true;
	if (!d->busy)
		utw_watch_set_events(&d->watch, d->watch.events | EPOLLOUT);
}

static int account(struct utw_datagram *d, size_t len, int error)
{
	if (error) {
		d->counts.unsent++;
		if (error == -EAGAIN)
			want_out(d);
	} else {
		d->counts.sent++;
		d->counts.sent_bytes += len;
	}
	return error;
}

int utw_datagram_send(struct utw_datagram *d, const void *data, size_t len,
		      const struct utw_address *to)
{
	int error;

	if (!d)
		return -EPIPE;
	error = send_once(d, data, len, to);
	if (error && may_be_of_another(-error))
		error = send_once(d, data, len, to);
	return account(d, len, error);
}

/* Returns how many of the first ones the kernel took; the next one is to be sent alone. */
static unsigned int send_batch(const struct utw_datagram *d,
			       const struct utw_datagram_message *messages, unsigned int count)
{
	struct mmsghdr headers[UTW_DATAGRAM_BATCH];
	struct iovec iov[UTW_DATAGRAM_BATCH];
	int put;

	if (count > UTW_DATAGRAM_BATCH)
		count = UTW_DATAGRAM_BATCH;
	for (unsigned int i = 0; i < count; i++) {
		const struct utw_datagram_message *m = &messages[i];

		iov[i] = (struct iovec){ .iov_base = (void *)m->data, .iov_len = m->len };
		headers[i].msg_hdr = (struct msghdr){
			.msg_name = m->to ? (void *)&m->to->storage : NULL,
			.msg_namelen = m->to ? m->to->length : 0,
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
		};
	}
	put = sendmmsg(d->fd, headers, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	return put < 0 ? 0 : (unsigned int)put;
}

int utw_datagram_send_many(struct utw_datagram *d, struct utw_datagram_message *messages,
			   unsigned int count)
{
	unsigned int taken = 0;
	unsigned int i = 0;
	int full = 0;

	if (!d)
		return -EPIPE;
	while (i < count) {
		unsigned int put = full ? 0 : send_batch(d, messages + i, count - i);

		for (unsigned int end = i + put; i < end; i++, taken++)
			messages[i].status = account(d, messages[i].len, 0);
		if (put || i == count)
			continue;
		if (full)
			messages[i].status = account(d, 0, full);
		else
			messages[i].status = utw_datagram_send(d, messages[i].data, messages[i].len,
							       messages[i].to);
		if (messages[i].status == -EAGAIN)
			full = -EAGAIN;
		taken += !messages[i].status;
		i++;
	}
	return (int)taken;
}
