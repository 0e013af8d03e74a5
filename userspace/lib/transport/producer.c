/* SPDX-License-Identifier: MIT */
/* The producer of a transport: registered, asked and paused, let go of once. */
#include "transport-private.h"

#include <errno.h>

#include <untwist/producer.h>

int utw_transport_register_producer(struct utw_transport *t, struct utw_producer *p,
				    enum utw_producer_kind kind)
{
	if (utw_transport_lost(t) || t->closing || t->draining || t->write_side != UTW_WRITE_ON)
		return -EPIPE;
	if (t->producer)
		return -EBUSY;
	t->producer = p;
	t->producer_kind = kind;
	if (kind == UTW_PRODUCER_PULL)
		utw_transport_schedule(t);
	else if (t->over)
		p->ops->pause(p);
	return 0;
}

void utw_transport_unregister_producer(struct utw_transport *t)
{
	if (!t)
		return;
	t->producer = NULL;
	t->stopped = NULL;
	if (t->reason || !t->await_producer)
		return;
	t->await_producer = false;
	utw_transport_schedule(t);
}

void utw_transport_producer_pause(struct utw_transport *t)
{
	if (t->producer && t->producer_kind == UTW_PRODUCER_PUSH)
		t->producer->ops->pause(t->producer);
}

void utw_transport_producer_resume(struct utw_transport *t)
{
	if (t->producer)
		t->producer->ops->resume(t->producer);
}

void utw_transport_producer_drop(struct utw_transport *t)
{
	if (!t->producer)
		return;
	t->stopped = t->producer;
	t->producer = NULL;
}

void utw_transport_producer_tell(struct utw_transport *t)
{
	struct utw_producer *p = t->stopped;

	t->stopped = NULL;
	if (p)
		p->ops->stop(p);
}
