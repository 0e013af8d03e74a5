/* SPDX-License-Identifier: MIT */
/* How a transport is ended by its own side: the three modes, and one direction alone. */
#include "transport-private.h"

#include <errno.h>

#include <untwist/reactor.h>

static void close_abort(struct utw_transport *t)
{
	t->rude = true;
	utw_transport_lose(t,
			   utw_failure_new(&utw_domain_reason, UTW_ABORTED, "close", NULL,
					   "%s: aborted by this side, %zu bytes unsent",
					   utw_transport_name(t), utw_transport_waiting(t)));
}

/* Without memory for the deadline it is not kept open: it might stay so for ever. */
static void close_deadline(struct utw_transport *t, uint64_t timeout)
{
	int error = -ENOMEM;

	if (t->annex)
		utw_timer_cancel(&t->annex->deadline);
	if (timeout == UTW_FOREVER)
		return;
	if (utw_annex_make(t))
		error = utw_timer_start(&t->annex->deadline, t->reactor, timeout);
	if (error)
		utw_transport_lose(t, utw_transport_failure(t, error, "close"));
}

void utw_transport_close(struct utw_transport *t, enum utw_close_mode mode, uint64_t timeout)
{
	bool patient = mode == UTW_CLOSE_AFTER_PRODUCER;

	if (utw_transport_lost(t))
		return;
	if (mode == UTW_CLOSE_ABORT) {
		close_abort(t);
		return;
	}
	if (t->closing && patient && !t->await_producer)
		return;

	t->closing = true;
	t->await_producer = patient && utw_annex(t)->producer;
	t->read_side = UTW_READ_CLOSED;
	t->hung_up = false;
	if (!t->await_producer)
		utw_transport_producer_drop(t);
	close_deadline(t, timeout);
	utw_transport_update(t);
	utw_transport_schedule(t);
}

int utw_transport_close_write(struct utw_transport *t)
{
	if (utw_transport_lost(t) || t->closing || utw_transport_draining(t) ||
	    t->write_side != UTW_WRITE_ON)
		return -EPIPE;
	if (!t->carrier->shut_write)
		return -EOPNOTSUPP;
	t->write_side = UTW_WRITE_ENDING;
	utw_transport_producer_drop(t);
	utw_transport_schedule(t);
	return 0;
}

bool utw_transport_closing(const struct utw_transport *t)
{
	return utw_transport_lost(t) || t->closing;
}
