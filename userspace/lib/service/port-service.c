/* SPDX-License-Identifier: MIT */
/* The port service: see untwist/service.h. */
#include <untwist/endpoint.h>
#include <untwist/service.h>

static struct utw_port_service *port_of(struct utw_service *s)
{
	return utw_container_of(s, struct utw_port_service, service);
}

static int port_prepare(struct utw_service *s, struct utw_failure **why)
{
	struct utw_port_service *p = port_of(s);

	return utw_endpoint_listen(&p->port, p->endpoint, p->reactor, p->factory, why);
}

static struct utw_deferred *port_stop(struct utw_service *s)
{
	utw_port_close(port_of(s)->port);
	port_of(s)->port = NULL;
	return NULL;
}

static const struct utw_service_ops port_ops = { .prepare = port_prepare, .stop = port_stop };

void utw_port_service_init(struct utw_port_service *p, struct utw_reactor *r,
			   const struct utw_endpoint *e, struct utw_factory *f)
{
	utw_service_init(&p->service, &port_ops, NULL);
	p->reactor = r;
	p->endpoint = e;
	p->factory = f;
	p->port = NULL;
}
