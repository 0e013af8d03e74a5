/* SPDX-License-Identifier: MIT */
/* The producer of a transport: registered, asked and paused, let go of once. */
#include "transport-private.h"

#include <errno.h>

#include <untwist/producer.h>

int utw_transport_register_producer(struct utw_transport *t, struct utw_producer *p,
				    enum utw_producer_kind kind)
{
	if (utw_transport_lost(t) || t->closing || utw_transport_draining(t) ||
	    t->write_side != UTW_WRITE_ON)
		return -EPIPE;
	if (utw_annex(t)->producer)
		return -EBUSY;
	if (!utw_annex_make(t))
		return -ENOMEM;
	t->annex->producer = p;
	t->annex->producer_kind = kind;
	if (kind == UTW_PRODUCER_PULL)
		utw_transport_schedule(t);
	else if (t->over)
		p->ops->pause(p);
	return 0;
}

void utw_transport_unregister_producer(struct utw_transport *t)
{
	if (!t || !t->annex)
		return;
	t->annex->producer = NULL;
	t->annex->stopped = NULL;
	if (t->reason || !t->await_producer)
		return;
	t->await_producer = false;
	utw_transport_schedule(t);
}

void utw_transport_producer_pause(struct utw_transport *t)
{
	struct utw_producer *p = utw_annex(t)->producer;

	if (p && t->annex->producer_kind == UTW_PRODUCER_PUSH)
		p->ops->pause(p);
}

void utw_transport_producer_resume(struct utw_transport *t)
{
	struct utw_producer *p = utw_annex(t)->producer;

	if (p)
		p->ops->resume(p);
}

void utw_transport_producer_drop(struct utw_transport *t)
{
	if (!utw_annex(t)->producer)
		return;
	t->annex->stopped = t->annex->producer;
	t->annex->producer = NULL;
}

void utw_transport_producer_tell(struct utw_transport *t)
{
	struct utw_producer *p = utw_annex(t)->stopped;

	if (!p)
		return;
	t->annex->stopped = NULL;
	p->ops->stop(p);
}
