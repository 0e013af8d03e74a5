/* SPDX-License-Identifier: MIT */
/*
 * Client service: see untwist/client.h.
 *
 * The factory that is given to the endpoint puts a layer around each protocol:
 * that is how the loss of a connection is learnt, whoever made it.
 */
#include <untwist/client.h>

#include <errno.h>
#include <stdlib.h>

#include <untwist/deferred.h>
#include <untwist/endpoint.h>
#include <untwist/layer.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "base/clock.h"
#include "base/list.h"

/* How long the connection of a service that stops may take to be flushed. */
#define STOP_TIMEOUT (10 * UTW_NSEC_PER_SEC)

struct utw_client_layer {
	struct utw_layer layer;
	struct utw_client *client; /* NULL: no longer its connection */
};

struct utw_client_waiter {
	struct utw_link link;
	struct utw_deferred *deferred;
	unsigned int failures; /* left; 0: any number */
};

static void client_connect(struct utw_client *c);

static struct utw_client *client_of(struct utw_service *s)
{
	return utw_container_of(s, struct utw_client, service);
}

/* The protocol of the connection; NULL when that has been told lost, even if the layer is not. */
static struct utw_protocol *client_protocol(const struct utw_client *c)
{
	return c->layer ? utw_transport_protocol(c->layer->layer.custom.transport) : NULL;
}

/* Each is fired once, with the protocol or a reference to the failure. */
static void waiter_fire(struct utw_client_waiter *w, struct utw_protocol *p,
			struct utw_failure *failure)
{
	struct utw_deferred *d = w->deferred;

	utw_deferred_set_canceller(d, NULL, NULL);
	utw_list_remove(&w->link);
	free(w);
	if (failure)
		utw_deferred_errback(d, utw_failure_ref(failure));
	else
		utw_deferred_callback(d, p);
	utw_deferred_unref(d);
}

/* A callback may add another: those that are there now are told. */
static void waiters_fire(struct utw_client *c, struct utw_protocol *p, struct utw_failure *failure)
{
	struct utw_link now, *link;

	utw_list_init(&now);
	utw_list_splice(&now, &c->waiters);
	while ((link = utw_list_pop(&now)))
		waiter_fire(utw_container_of(link, struct utw_client_waiter, link), p, failure);
}

static void waiters_count(struct utw_client *c, struct utw_failure *failure)
{
	struct utw_link now, *link;

	utw_list_init(&now);
	utw_list_splice(&now, &c->waiters);
	while ((link = utw_list_pop(&now))) {
		struct utw_client_waiter *w =
			utw_container_of(link, struct utw_client_waiter, link);

		if (w->failures && --w->failures == 0)
			waiter_fire(w, NULL, failure);
		else
			utw_list_append(&c->waiters, &w->link);
	}
}

static void waiters_cancel(struct utw_client *c)
{
	struct utw_failure *failure = utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "connect",
						      NULL, "%s: the client service has stopped",
						      utw_endpoint_text(c->endpoint));

	waiters_fire(c, NULL, failure);
	utw_failure_unref(failure);
}

/* The wait cannot fail once there was one; before that, at once is better than never. */
static void client_wait(struct utw_client *c)
{
	uint64_t delay = utw_backoff_delay(&c->backoff, c->failures);

	c->state = UTW_CLIENT_WAITING;
	if (utw_timer_start(&c->timer, c->reactor, delay))
		client_connect(c);
}

static void client_due(struct utw_timer *timer)
{
	client_connect(utw_container_of(timer, struct utw_client, timer));
}

static void client_stopped(struct utw_client *c)
{
	struct utw_deferred *d = c->stopped;

	c->state = UTW_CLIENT_STOPPED;
	c->stopped = NULL;
	if (d)
		utw_deferred_callback(d, NULL);
	utw_deferred_unref(d);
}

static void layer_lost(struct utw_layer *l, struct utw_failure *reason)
{
	struct utw_client_layer *layer = utw_container_of(l, struct utw_client_layer, layer);
	struct utw_client *c = layer->client;

	(void)reason;
	layer->client = NULL;
	if (!c || c->layer != layer)
		return;
	c->layer = NULL;
	if (c->state == UTW_CLIENT_DISCONNECTING) {
		client_stopped(c);
	} else if (c->state == UTW_CLIENT_CONNECTED) {
		c->failures = 1;
		client_wait(c);
	}
}

static void layer_free(struct utw_layer *l)
{
	free(utw_container_of(l, struct utw_client_layer, layer));
}

static const struct utw_layer_ops layer_ops = { .lost = layer_lost, .free = layer_free };

static struct utw_client *client_of_factory(struct utw_factory *f)
{
	return utw_container_of(f, struct utw_client, factory);
}

static void factory_start(struct utw_factory *f)
{
	utw_factory_start(client_of_factory(f)->inner);
}

static struct utw_protocol *factory_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_client *c = client_of_factory(f);
	struct utw_client_layer *layer = calloc(1, sizeof(*layer));
	struct utw_protocol *p = layer ? utw_factory_build(c->inner, peer) : NULL;

	if (!p) {
		free(layer);
		return NULL;
	}
	utw_layer_init(&layer->layer, &layer_ops, p);
	layer->client = c;
	c->layer = layer;
	return &layer->layer.below;
}

static void factory_stop(struct utw_factory *f)
{
	utw_factory_stop(client_of_factory(f)->inner);
}

static const struct utw_factory_ops factory_ops = { .start = factory_start,
						    .build = factory_build,
						    .stop = factory_stop };

/* The connection stands, or stood and is lost already: then it failed. */
static struct utw_result client_made(void *value, struct utw_failure *failure, void *data)
{
	struct utw_client *c = data;

	(void)value;
	utw_deferred_unref(c->attempt);
	c->attempt = NULL;
	if (c->state != UTW_CLIENT_CONNECTING)
		return utw_result_value(NULL);
	if (!failure && client_protocol(c)) {
		c->state = UTW_CLIENT_CONNECTED;
		c->failures = 0;
		waiters_fire(c, client_protocol(c), NULL);
		return utw_result_value(NULL);
	}
	c->failures++;
	client_wait(c);
	if (failure)
		waiters_count(c, failure);
	return utw_result_value(NULL);
}

static void client_connect(struct utw_client *c)
{
	c->state = UTW_CLIENT_CONNECTING;
	c->attempt = utw_endpoint_connect(c->endpoint, c->reactor, &c->factory);
	if (c->attempt && utw_deferred_add_both(c->attempt, client_made, c) == 0)
		return;
	/* No memory for an attempt is an attempt that failed. */
	utw_deferred_cancel(c->attempt);
	utw_deferred_unref(c->attempt);
	c->attempt = NULL;
	c->failures++;
	client_wait(c);
}

static int client_start(struct utw_service *s, struct utw_failure **why)
{
	(void)why;
	client_connect(client_of(s));
	return 0;
}

/* Without memory for a deferred the connection is closed without being waited for. */
static struct utw_deferred *client_disconnect(struct utw_client *c)
{
	struct utw_deferred *d = utw_deferred_new();

	c->stopped = utw_deferred_ref(d);
	c->state = d ? UTW_CLIENT_DISCONNECTING : UTW_CLIENT_STOPPED;
	if (!d)
		c->layer->client = NULL;
	utw_transport_close(c->layer->layer.custom.transport, UTW_CLOSE_FLUSH, STOP_TIMEOUT);
	return d;
}

static struct utw_deferred *client_stop(struct utw_service *s)
{
	struct utw_client *c = client_of(s);
	enum utw_client_state state = c->state;
	struct utw_deferred *d = NULL;

	c->failures = 0;
	c->state = UTW_CLIENT_STOPPED;
	utw_timer_cancel(&c->timer);
	if (state == UTW_CLIENT_CONNECTING)
		utw_deferred_cancel(c->attempt);
	else if (state == UTW_CLIENT_CONNECTED)
		d = client_disconnect(c);
	waiters_cancel(c);
	return d;
}

static const struct utw_service_ops client_ops = { .start = client_start, .stop = client_stop };

void utw_client_init(struct utw_client *c, struct utw_reactor *r, const struct utw_endpoint *e,
		     struct utw_factory *f, const struct utw_backoff *backoff)
{
	*c = (struct utw_client){
		.reactor = r, .endpoint = e, .inner = f, .backoff = UTW_BACKOFF_DEFAULT
	};
	if (backoff)
		c->backoff = *backoff;
	utw_service_init(&c->service, &client_ops, NULL);
	utw_factory_init(&c->factory, &factory_ops);
	utw_timer_init(&c->timer, client_due);
	utw_list_init(&c->waiters);
}

static enum utw_cancel waiter_cancel(struct utw_deferred *d, void *data)
{
	struct utw_client_waiter *w = data;

	utw_list_remove(&w->link);
	free(w);
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

struct utw_deferred *utw_client_when_connected(struct utw_client *c, unsigned int failures)
{
	struct utw_client_waiter *w;
	struct utw_deferred *d;

	if (c->state == UTW_CLIENT_CONNECTED && client_protocol(c))
		return utw_deferred_succeed(client_protocol(c));
	d = utw_deferred_new();
	w = d ? calloc(1, sizeof(*w)) : NULL;
	if (!w) {
		utw_deferred_unref(d);
		return NULL;
	}
	w->deferred = utw_deferred_ref(d);
	w->failures = failures;
	utw_list_append(&c->waiters, &w->link);
	utw_deferred_set_canceller(d, waiter_cancel, w);
	if (c->state == UTW_CLIENT_STOPPED || c->state == UTW_CLIENT_DISCONNECTING)
		waiters_cancel(c);
	return d;
}
