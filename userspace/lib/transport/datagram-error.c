/* SPDX-License-Identifier: MIT */
/*
 * What the network says of datagrams that were sent: told, and never an end.
 *
 * UDP ports ask the kernel to queue each report with the address of the datagram
 * that it is about. Other sockets keep only the last errno.
 */
#include "datagram-private.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <untwist/failure.h>

/* Reports told in one turn. */
#define REPORTS_MAX 64

static void tell_error(struct utw_datagram *d, int error, const struct utw_address *to)
{
	char text[UTW_ADDRESS_TEXT];
	struct utw_failure *f;

	d->counts.errors++;
	if (!d->receiver->ops->error)
		return;
	if (to)
		utw_address_format(to, text, sizeof(text));
	f = utw_failure_from_errno(error, "send", "%s%s%s", d->name, to ? " to " : "",
				   to ? text : "");
	d->receiver->ops->error(d->receiver, f, to);
	utw_failure_unref(f);
}

static int report_errno(struct msghdr *msg)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		const struct sock_extended_err *e = (const void *)CMSG_DATA(h);

		if ((h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_RECVERR) ||
		    (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_RECVERR))
			return (int)e->ee_errno;
	}
	return 0;
}

/* Tell the next report; false when there is none. */
static bool tell_report(struct utw_datagram *d)
{
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct utw_address to = { .length = 0 };
	struct msghdr msg = {
		.msg_name = &to.storage,
		.msg_namelen = sizeof(to.storage),
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;
	int error;

	do {
		got = recvmsg(d->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	to.length = msg.msg_namelen;
	error = report_errno(&msg);
	if (error)
		tell_error(d, -error, to.length ? &to : NULL);
	return true;
}

void utw_datagram_tell_errors(struct utw_datagram *d, int error)
{
	socklen_t size = sizeof(int);
	int last = 0;
	int reports = 0;

	while (!d->closed && reports < REPORTS_MAX && tell_report(d))
		reports++;
	if (d->closed)
		return;
	/* Taken in any case, or it would be given to the next call. */
	getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &last, &size);
	if (reports)
		return;
	if (error)
		last = -error;
	if (last)
		tell_error(d, -last, NULL);
}
