/* SPDX-License-Identifier: MIT */
/*
 * Receiving datagrams, many with one system call.
 *
 * What was received but not yet told when the receiver pauses waits in the
 * batch: nothing that the kernel has handed over is lost.
 */
#include "datagram-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <untwist/transport.h>

struct slot {
	struct utw_address from;
	struct iovec iov;
	/* The count of drops, and whatever else a socket that was adopted may send along. */
	union {
		char bytes[64];
		struct cmsghdr align;
	} control;
};

struct utw_datagram_batch {
	struct mmsghdr headers[UTW_DATAGRAM_BATCH];
	struct slot slots[UTW_DATAGRAM_BATCH];
	unsigned int next; /* to be told */
	unsigned int count;
	/* Not touched, and so without memory behind it, before long datagrams come. */
	char data[UTW_DATAGRAM_BATCH][UTW_DATAGRAM_SIZE];
};

struct utw_datagram_batch *utw_datagram_batch_new(void)
{
	struct utw_datagram_batch *b = malloc(sizeof(*b));

	if (b)
		b->next = b->count = 0;
	return b;
}

bool utw_datagram_batch_waits(const struct utw_datagram *d)
{
	return d->batch->next < d->batch->count;
}

static void slot_prepare(struct utw_datagram_batch *b, unsigned int i)
{
	struct slot *slot = &b->slots[i];

	slot->iov.iov_base = b->data[i];
	slot->iov.iov_len = UTW_DATAGRAM_SIZE;
	memset(&slot->from.storage, 0, sizeof(sa_family_t));
	b->headers[i].msg_hdr = (struct msghdr){
		.msg_name = &slot->from.storage,
		.msg_namelen = sizeof(slot->from.storage),
		.msg_iov = &slot->iov,
		.msg_iovlen = 1,
		.msg_control = slot->control.bytes,
		.msg_controllen = sizeof(slot->control),
	};
}

/* Returns 0 with at least one datagram in the batch, or -errno. */
static int batch_fill(struct utw_datagram *d)
{
	struct utw_datagram_batch *b = d->batch;
	int got;

	for (unsigned int i = 0; i < UTW_DATAGRAM_BATCH; i++)
		slot_prepare(b, i);
	do {
		got = recvmmsg(d->fd, b->headers, UTW_DATAGRAM_BATCH, MSG_DONTWAIT | MSG_TRUNC,
			       NULL);
	} while (got < 0 && errno == EINTR);
	b->next = 0;
	b->count = got > 0 ? (unsigned int)got : 0;
	return got < 0 ? -errno : 0;
}

static void tell_overflow(struct utw_datagram *d, struct msghdr *msg)
{
	uint32_t now = d->dropped;
	uint32_t more;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL)
			memcpy(&now, CMSG_DATA(h), sizeof(now));
	more = now - d->dropped;
	d->dropped = now;
	d->counts.overflowed += more;
	if (more && d->receiver->ops->overflow)
		d->receiver->ops->overflow(d->receiver, more);
}

static void tell_next(struct utw_datagram *d)
{
	struct utw_datagram_batch *b = d->batch;
	struct mmsghdr *header = &b->headers[b->next];
	struct slot *slot = &b->slots[b->next];
	size_t full_len = header->msg_len;
	size_t len = full_len < UTW_DATAGRAM_SIZE ? full_len : UTW_DATAGRAM_SIZE;

	tell_overflow(d, &header->msg_hdr);
	if (d->closed || d->paused)
		return;
	slot->from.length = header->msg_hdr.msg_namelen;
	b->next++;
	d->counts.received++;
	d->counts.received_bytes += full_len;
	d->counts.truncated += full_len > len;
	d->receiver->ops->received(d->receiver, slot->iov.iov_base, len, full_len, &slot->from);
}

void utw_datagram_receive(struct utw_datagram *d)
{
	size_t told = 0;

	while (!d->closed && !d->paused && told < UTW_TURN_RECORDS) {
		int error = 0;

		if (!utw_datagram_batch_waits(d))
			error = batch_fill(d);
		if (error) {
			if (error != -EAGAIN)
				utw_datagram_tell_errors(d, error);
			return;
		}
		while (!d->closed && !d->paused && utw_datagram_batch_waits(d)) {
			tell_next(d);
			told++;
		}
		/* A batch that was not full has emptied the socket. */
		if (!d->closed && d->batch->count < UTW_DATAGRAM_BATCH)
			return;
	}
}
