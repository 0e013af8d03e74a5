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
	if (!t->reason && utw_transport_draining(t))
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
	struct utw_transport *t =
		utw_container_of(timer, struct utw_transport_annex, deadline)->transport;

	/* One that comes before the end of the turn still sends what the kernel takes. */
	utw_transport_flush(t);
	if (utw_transport_sent(t) && !t->await_producer) {
		utw_transport_schedule(t);
		return;
	}
	t->rude = true;
	utw_transport_lose(t,
			   utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "close", NULL,
					   "%s: %zu bytes still unsent at the deadline",
					   utw_transport_name(t), utw_transport_waiting(t)));
}

/* Any callback may end the transport, or hand it to a protocol that has yet to be told made. */
static bool transport_speaks(const struct utw_transport *t)
{
	return t->made && !t->reason;
}

/* A hang-up is told unasked, perhaps before made: it will be told again. */
static void transport_in_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_transport *t = utw_container_of(w, struct utw_transport, in.watch);

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

static void transport_out_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_transport *t =
		utw_container_of(w, struct utw_transport_annex, out.watch)->transport;

	if (!transport_speaks(t))
		return;
	utw_transport_flush(t);
	/* A reader that has gone is noticed even when there is nothing to write. */
	if (!t->reason && !utw_transport_draining(t) && (events & (EPOLLERR | EPOLLHUP)))
		utw_transport_write_broken(t, -EPIPE);
	utw_transport_settle(t);
	utw_transport_update(t);
}

void utw_transport_annex_init(struct utw_transport_annex *annex)
{
	utw_end_init(&annex->out, transport_out_ready);
	utw_timer_init(&annex->deadline, transport_deadline);
}

static int transport_call_it(struct utw_transport *t, const char *name)
{
	if (!name)
		return 0;
	if (!utw_annex_make(t))
		return -ENOMEM;
	t->annex->name = strdup(name);
	if (t->annex->name)
		return 0;
	utw_annex_free(t);
	return -ENOMEM;
}

int utw_transport_init(struct utw_transport *t, const struct utw_carrier_ops *carrier,
		       struct utw_reactor *r, struct utw_protocol *p, const char *name)
{
	int error;

	if (!p->ops || !p->ops->lost)
		return -EINVAL;
	if (p->transport)
		return -EBUSY;
	error = transport_call_it(t, name);
	if (error)
		return error;
	t->carrier = carrier;
	t->reactor = r;
	t->protocol = p;
	t->refs = 1;
	utw_end_init(&t->in, transport_in_ready);
	utw_call_init(&t->later, transport_later);
	return 0;
}

void utw_transport_discard(struct utw_transport *t)
{
	utw_end_take(&t->in);
	if (t->annex)
		utw_end_take(&t->annex->out);
	utw_annex_free(t);
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
	bool shared = !utw_transport_out(t);
	bool over = t->read_side == UTW_READ_ENDED || t->read_side == UTW_READ_CLOSED;

	if (shared && t->want_out)
		events |= EPOLLOUT;
	if (!events && (t->hung_up || (!shared && over))) {
		utw_end_silence(&t->in);
		return 0;
	}
	/* To ask for an edge again is a system call, and has it told again. */
	if (t->carrier->edge) {
		events |= (uint32_t)EPOLLET;
		if (!t->left && utw_end_wants(&t->in, events))
			return 0;
		t->left = false;
	}
	return utw_end_want(&t->in, t->reactor, events);
}

void utw_transport_update(struct utw_transport *t)
{
	int error = 0;

	if (t->reason || !t->made)
		return;
	if (utw_end_exists(&t->in))
		error = transport_update_in(t);
	if (!error && utw_transport_out(t) && !utw_transport_draining(t))
		error = utw_end_want(&t->annex->out, t->reactor, t->want_out ? EPOLLOUT : 0);
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
	utw_end_silence(&t->in);
	if (t->annex) {
		utw_failure_unref(t->annex->draining);
		t->annex->draining = NULL;
		utw_end_silence(&t->annex->out);
		utw_timer_cancel(&t->annex->deadline);
	}
	utw_transport_queue_drop(t);
	utw_transport_schedule(t);
}

struct utw_failure *utw_transport_failure(struct utw_transport *t, int error, const char *operation)
{
	int code = error == -ENODEV ? UTW_GONE : UTW_LOST;
	const char *name = utw_transport_name(t);

	return utw_failure_new(&utw_domain_reason, code, operation,
			       utw_failure_from_errno(error, operation, "%s", name), "%s", name);
}

struct utw_failure *utw_transport_done(struct utw_transport *t, const char *who)
{
	return utw_failure_new(&utw_domain_reason, UTW_DONE, "close", NULL, "%s: closed by %s",
			       utw_transport_name(t), who);
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
	utw_transport_queue_drop(t);
	utw_failure_unref(t->reason);
	utw_annex_free(t);
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

/*
 * The three are asked of what nobody may change, but they may still have to be found
 * out: who asks does not see the difference.
 */
static const struct utw_transport_annex *transport_described(const struct utw_transport *t)
{
	utw_annex_describe((struct utw_transport *)t);
	return utw_annex(t);
}

const char *utw_transport_name(const struct utw_transport *t)
{
	const char *name = t ? transport_described(t)->name : NULL;

	return t && !name ? "a transport" : name;
}

const struct utw_address *utw_transport_peer(const struct utw_transport *t)
{
	const struct utw_ends_addresses *ends = t ? transport_described(t)->addresses : NULL;

	return ends ? &ends->peer : NULL;
}

const struct utw_address *utw_transport_host(const struct utw_transport *t)
{
	const struct utw_ends_addresses *ends = t ? transport_described(t)->addresses : NULL;

	return ends ? &ends->host : NULL;
}
