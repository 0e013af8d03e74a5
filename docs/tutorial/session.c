// SPDX-License-Identifier: MIT
/* Step 5: see session.h. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

struct utw_deferred *session_ask(struct session *s, const char *text)
{
	struct utw_deferred *d = utw_deferred_new();
	struct utw_failure *failure = NULL;
	int error;

	if (!d)
		return NULL;
	if (s->count == SESSION_OPEN) {
		failure = utw_failure_new(&utw_domain_reason, UTW_LIMIT, "ask", NULL, "%s", text);
	} else {
		error = utw_line_send(&s->line, text, strlen(text));
		if (error < 0)
			failure = utw_failure_from_errno(error, "ask", "%s", text);
	}
	if (failure)
		utw_deferred_errback(d, failure);
	else
		s->open[(s->first + s->count++) % SESSION_OPEN] = utw_deferred_ref(d);
	return d;
}

static struct utw_deferred *session_take(struct session *s)
{
	struct utw_deferred *d = s->open[s->first];

	s->first = (s->first + 1) % SESSION_OPEN;
	s->count--;
	return d;
}

/* The oldest question is the one that is answered. */
static void session_line(struct utw_line *l, const char *line, size_t len)
{
	struct session *s = utw_container_of(l, struct session, line);
	struct utw_deferred *d;

	if (!s->count)
		return;
	d = session_take(s);
	utw_deferred_callback_owned(d, strndup(line, len), free);
	utw_deferred_unref(d);
}

static void session_lost(struct utw_line *l, struct utw_failure *reason)
{
	struct session *s = utw_container_of(l, struct session, line);

	while (s->count) {
		struct utw_deferred *d = session_take(s);

		utw_deferred_errback(d, utw_failure_ref(reason));
		utw_deferred_unref(d);
	}
	utw_reactor_stop(s->reactor);
}

static const struct utw_line_ops session_ops = { .line = session_line, .lost = session_lost };

static struct utw_protocol *session_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct session *s = utw_container_of(f, struct session, factory);

	(void)peer;
	utw_line_init(&s->line, &session_ops);
	utw_line_set_delimiter(&s->line, "\n", 1);
	return &s->line.protocol;
}

static const struct utw_factory_ops session_factory_ops = { .build = session_build };

void session_init(struct session *s, struct utw_reactor *r)
{
	memset(s, 0, sizeof(*s));
	utw_factory_init(&s->factory, &session_factory_ops);
	s->reactor = r;
}

void session_end(struct session *s)
{
	if (s->line.protocol.transport)
		utw_transport_close(s->line.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	else
		utw_reactor_stop(s->reactor);
}
