/* SPDX-License-Identifier: MIT */
/* Transport: life from launch to loss, and who watches what meanwhile. */
#include "transport-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static void transport_begin(struct utw_transport *t)
{
	t->made = true;
	if (t->protocol->ops->made)
		t->protocol->ops->made(t->protocol);
}

/* The end of everything: nothing here may touch `t` after the last unref. */
static void transport_finish(struct utw_transport *t)
{
	struct utw_protocol *p = t->protocol;

	utw_call_stop(&t->later);
	t->carrier->close(t, t->rude);
	utw_transport_producer_drop(t);
	utw_transport_producer_tell(t);
	utw_call_stop(&t->later);
	t->protocol = NULL;
	p->transport = NULL;
	p->ops->lost(p, t->reason);
	utw_transport_unref(t);
}

static void transport_turn(struct utw_transport *t)
{
	if (!t->made)
		transport_begin(t);
	/* Handed on to another protocol, which is told made in the next turn. */
	if (!t->made)
		return;
	if (!t->reason && t->draining)
		utw_transport_drain(t);
	if (!t->reason && !t->want_out)
		utw_transport_flush(t);
	if (t->made)
		utw_transport_settle(t);
	if (t->reason)
		transport_finish(t);
	else
		utw_transport_update(t);
}

static void transport_later(struct utw_call *c)
{
	transport_turn(utw_container_of(c, struct utw_transport, later));
}

static void transport_deadline(struct utw_timer *timer)
{
	struct utw_transport *t = utw_container_of(timer, struct utw_transport, deadline);

	/* One that comes before the end of the turn still sends what the kernel takes. */
	utw_transport_flush(t);
	if (utw_transport_sent(t) && !t->await_producer) {
		utw_transport_schedule(t);
		return;
	}
	t->rude = true;
	utw_transport_lose(t,
			   utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "close", NULL,
					   "%s: %zu bytes still unsent at the deadline", t->name,
					   t->queued));
}

/* Any callback may end the transport, or hand it to a protocol that has yet to be told made. */
static bool transport_speaks(const struct utw_transport *t)
{
	return t->made && !t->reason;
}

/* A hang-up is told unasked, perhaps before made: it will be told again. */
static void transport_in_ready(struct utw_end *end, uint32_t events)
{
	struct utw_transport *t = utw_container_of(end, struct utw_transport, in);

	if (transport_speaks(t) && (events & EPOLLPRI) && t->carrier->priority)
		t->carrier->priority(t);
	if (transport_speaks(t) && (events & ~(uint32_t)(EPOLLOUT | EPOLLPRI)))
		utw_transport_read_ready(t, events);
	if (transport_speaks(t) && (events & EPOLLOUT)) {
		utw_transport_flush(t);
		utw_transport_settle(t);
	}
	utw_transport_update(t);
}

static void transport_out_ready(struct utw_end *end, uint32_t events)
{
	struct utw_transport *t = utw_container_of(end, struct utw_transport, out);

	if (!transport_speaks(t))
		return;
	utw_transport_flush(t);
	/* A reader that has gone is noticed even when there is nothing to write. */
	if (!t->reason && !t->draining && (events & (EPOLLERR | EPOLLHUP)))
		utw_transport_write_broken(t, -EPIPE);
	utw_transport_settle(t);
	utw_transport_update(t);
}

int utw_transport_init(struct utw_transport *t, const struct utw_carrier_ops *carrier,
		       struct utw_reactor *r, struct utw_protocol *p, const char *name)
{
	if (!p->ops || !p->ops->lost)
		return -EINVAL;
	if (p->transport)
		return -EBUSY;
	t->name = strdup(name);
	if (!t->name)
		return -ENOMEM;

	t->carrier = carrier;
	t->reactor = r;
	t->protocol = p;
	t->refs = 1;
	t->low = UTW_LOW_MARK;
	t->high = UTW_HIGH_MARK;
	t->cap = UTW_CAP;
	utw_end_init(&t->in, transport_in_ready);
	utw_end_init(&t->out, transport_out_ready);
	utw_buffer_init(&t->queue);
	utw_call_init(&t->later, transport_later);
	utw_timer_init(&t->deadline, transport_deadline);
	return 0;
}

void utw_transport_discard(struct utw_transport *t)
{
	utw_end_take(&t->in);
	utw_end_take(&t->out);
	free(t->name);
	free(t->addresses);
	t->carrier->free(t);
}

static void transport_tie(struct utw_transport *t)
{
	t->protocol->transport = t;
	if (!utw_end_exists(&t->in))
		t->read_side = UTW_READ_ENDED;
}

void utw_transport_launch(struct utw_transport *t, struct utw_transport **ret)
{
	transport_tie(t);
	if (ret)
		*ret = utw_transport_ref(t);
	utw_transport_schedule(t);
}

void utw_transport_launch_now(struct utw_transport *t)
{
	transport_tie(t);
	transport_begin(t);
	utw_transport_update(t);
}

void utw_transport_schedule(struct utw_transport *t)
{
	if (!utw_call_active(&t->later))
		utw_call_start_at_end(&t->later, t->reactor);
}

/*
 * A hang-up stays told for ever. An end of which nothing more is wanted but
 * that is therefore silenced, or the reactor would spin; and one that only
 * reads has no say any more once reading is over.
 */
static int transport_update_in(struct utw_transport *t)
{
	uint32_t events = utw_transport_read_events(t);
	bool shared = !utw_end_exists(&t->out);
	bool over = t->read_side == UTW_READ_ENDED || t->read_side == UTW_READ_CLOSED;

	if (shared && t->want_out)
		events |= EPOLLOUT;
	if (!events && (t->hung_up || (!shared && over))) {
		utw_end_silence(&t->in);
		return 0;
	}
	return utw_end_want(&t->in, events);
}

void utw_transport_update(struct utw_transport *t)
{
	int error = 0;

	if (t->reason || !t->made)
		return;
	if (utw_end_exists(&t->in))
		error = transport_update_in(t);
	if (!error && utw_end_exists(&t->out) && !t->draining)
		error = utw_end_want(&t->out, t->want_out ? EPOLLOUT : 0);
	if (error)
		utw_transport_lose(t, utw_transport_failure(t, error, "watch"));
}

void utw_transport_lose(struct utw_transport *t, struct utw_failure *reason)
{
	if (t->reason) {
		utw_failure_unref(reason);
		return;
	}
	t->reason = reason;
	utw_failure_unref(t->draining);
	t->draining = NULL;
	utw_end_silence(&t->in);
	utw_end_silence(&t->out);
	utw_timer_cancel(&t->deadline);
	utw_buffer_release(&t->queue);
	t->queued = 0;
	utw_transport_schedule(t);
}

struct utw_failure *utw_transport_failure(struct utw_transport *t, int error, const char *operation)
{
	int code = error == -ENODEV ? UTW_GONE : UTW_LOST;

	return utw_failure_new(&utw_domain_reason, code, operation,
			       utw_failure_from_errno(error, operation, "%s", t->name), "%s",
			       t->name);
}

struct utw_failure *utw_transport_done(struct utw_transport *t, const char *who)
{
	return utw_failure_new(&utw_domain_reason, UTW_DONE, "close", NULL, "%s: closed by %s",
			       t->name, who);
}

struct utw_transport *utw_transport_ref(struct utw_transport *t)
{
	if (t)
		t->refs++;
	return t;
}

void utw_transport_unref(struct utw_transport *t)
{
	if (!t || --t->refs)
		return;
	utw_buffer_release(&t->queue);
	utw_failure_unref(t->reason);
	free(t->name);
	free(t->addresses);
	t->carrier->free(t);
}

int utw_transport_set_protocol(struct utw_transport *t, struct utw_protocol *p)
{
	if (utw_transport_lost(t) || t->closing)
		return -EPIPE;
	if (!p->ops || !p->ops->lost)
		return -EINVAL;
	if (p->transport)
		return -EBUSY;
	t->protocol->transport = NULL;
	t->protocol = p;
	p->transport = t;
	t->made = false;
	utw_end_silence(&t->in);
	utw_transport_schedule(t);
	return 0;
}

struct utw_protocol *utw_transport_protocol(const struct utw_transport *t)
{
	return t ? t->protocol : NULL;
}

struct utw_reactor *utw_transport_reactor(const struct utw_transport *t)
{
	return t ? t->reactor : NULL;
}

bool utw_transport_is_record(const struct utw_transport *t)
{
	return t && t->record;
}

const char *utw_transport_name(const struct utw_transport *t)
{
	return t ? t->name : NULL;
}

const struct utw_address *utw_transport_peer(const struct utw_transport *t)
{
	return t && t->addresses ? &t->addresses->peer : NULL;
}

const struct utw_address *utw_transport_host(const struct utw_transport *t)
{
	return t && t->addresses ? &t->addresses->host : NULL;
}
