/* SPDX-License-Identifier: MIT */
/* Files and transports: see send-file.h. */
#include "send-file.h"

#include <errno.h>

#include "transport-private.h"

/* It goes past the queue, and so only when that is empty: bytes stay in order. */
ssize_t utw_transport_send_file(struct utw_transport *t, int file, size_t len)
{
	ssize_t put;

	if (utw_transport_lost(t) || utw_transport_draining(t) || t->write_side != UTW_WRITE_ON)
		return -EPIPE;
	if (!t->carrier->send_file)
		return -EOPNOTSUPP;
	if (t->queue)
		return -EAGAIN;
	put = t->carrier->send_file(t, file, len);
	if (put > 0)
		utw_transport_schedule(t);
	return put;
}
