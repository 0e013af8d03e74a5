/* SPDX-License-Identifier: MIT */
/* Endpoints that are one connection, there from the beginning: no waiting, no accepting. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/call.h>
#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/protocol.h>
#include <untwist/transport.h>

#include "endpoint-private.h"

/* Build a protocol and give it the connection. A reference to the transport in *ret. */
static int single_make(struct utw_transport **ret, const struct utw_endpoint *e,
		       struct utw_reactor *r, struct utw_factory *f, utw_single_fn make)
{
	struct utw_protocol *p = utw_factory_build(f, NULL);
	struct utw_failure *reason;
	int error;

	if (!p)
		return -ECONNABORTED;
	error = make(ret, e, r, p);
	if (!error || error == -EINVAL || error == -EBUSY)
		return error;
	/* It owns itself, and so must hear of its end. */
	reason = utw_failure_new(&utw_domain_reason, UTW_LOST, "open",
				 utw_failure_from_errno(error, "open", "%s", utw_endpoint_text(e)),
				 "%s", utw_endpoint_text(e));
	p->ops->lost(p, reason);
	utw_failure_unref(reason);
	return error;
}

/* Tells in a later turn what is known already: by then the protocol was told made. */
struct single {
	struct utw_call later;
	struct utw_factory *factory;
	struct utw_deferred *deferred;
	struct utw_transport *transport; /* NULL: it failed */
	struct utw_failure *failure;
};

/* Let go of all but the deferred, which is returned. */
static struct utw_deferred *single_end(struct single *s)
{
	struct utw_deferred *d = s->deferred;

	utw_deferred_set_canceller(d, NULL, NULL);
	utw_call_stop(&s->later);
	utw_transport_unref(s->transport);
	utw_failure_unref(s->failure);
	utw_factory_stop(s->factory);
	free(s);
	return d;
}

static void single_tell(struct utw_call *c)
{
	struct single *s = utw_container_of(c, struct single, later);
	struct utw_protocol *p = utw_transport_protocol(s->transport);
	struct utw_failure *failure = utw_failure_ref(s->failure);
	struct utw_deferred *d;

	if (!p && !failure)
		failure = utw_failure_new(&utw_domain_reason, UTW_LOST, "connect", NULL,
					  "%s ended at once", utw_transport_name(s->transport));
	d = single_end(s);
	if (failure)
		utw_deferred_errback(d, failure);
	else
		utw_deferred_callback(d, p);
	utw_deferred_unref(d);
}

static enum utw_cancel single_cancel(struct utw_deferred *d, void *data)
{
	struct single *s = data;

	(void)d;
	utw_transport_close(s->transport, UTW_CLOSE_ABORT, 0);
	utw_deferred_unref(single_end(s));
	return UTW_CANCEL_NOW;
}

struct utw_deferred *utw_single_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f, utw_single_fn make)
{
	struct single *s = calloc(1, sizeof(*s));
	struct utw_deferred *d = utw_deferred_new();
	int error;

	if (!s || !d) {
		free(s);
		utw_deferred_unref(d);
		return NULL;
	}
	utw_call_init(&s->later, single_tell);
	s->factory = f;
	s->deferred = utw_deferred_ref(d);
	utw_factory_start(f);
	error = single_make(&s->transport, e, r, f, make);
	if (error)
		s->failure = utw_failure_from_errno(error, "connect", "%s", utw_endpoint_text(e));
	utw_deferred_set_canceller(d, single_cancel, s);
	utw_call_start(&s->later, r);
	return d;
}

struct single_port {
	struct utw_port port;
	struct utw_factory *factory;
	char name[];
};

static void single_port_close(struct utw_port *p)
{
	struct single_port *port = utw_container_of(p, struct single_port, port);
	struct utw_factory *f = port->factory;

	free(port);
	utw_factory_stop(f);
}

static const char *single_port_name(const struct utw_port *p)
{
	return utw_container_of(p, struct single_port, port)->name;
}

static const struct utw_port_ops single_port_ops = { .close = single_port_close,
						     .name = single_port_name };

int utw_single_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		      struct utw_factory *f, utw_single_fn make)
{
	size_t len = strlen(utw_endpoint_text(e)) + 1;
	struct single_port *port = malloc(sizeof(*port) + len);
	struct utw_transport *t;
	int error;

	if (!port)
		return -ENOMEM;
	port->port.ops = &single_port_ops;
	port->factory = f;
	memcpy(port->name, utw_endpoint_text(e), len);
	utw_factory_start(f);
	error = single_make(&t, e, r, f, make);
	if (error) {
		single_port_close(&port->port);
		return error;
	}
	utw_transport_unref(t);
	*ret = &port->port;
	return 0;
}
