/* SPDX-License-Identifier: MIT */
/* Service: see service.h. */
#include "service.h"

#include "session.h"
#include "unit.h"

static struct utw_protocol *service_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct service *service = utw_container_of(f, struct service, factory);
	struct session *s = session_new(service->unit, NULL);

	(void)peer;
	return s ? &s->line.protocol : NULL;
}

static const struct utw_factory_ops service_ops = { .build = service_build };

int service_open(struct service *s, struct unit *u, const struct utw_address *at)
{
	int error;

	utw_factory_init(&s->factory, &service_ops);
	s->unit = u;
	s->listener = NULL;
	error = utw_tcp_listen(&s->listener, u->reactor, at, &s->factory);
	if (!error)
		u->listening = true;
	return error;
}

void service_close(struct service *s)
{
	if (!s->listener)
		return;
	utw_tcp_listener_close(s->listener);
	s->listener = NULL;
	unit_stop_listening(s->unit);
}
