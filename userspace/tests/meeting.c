/* SPDX-License-Identifier: MIT */
/* Meeting: see meeting.h. */
#include "meeting.h"

#include <string.h>

#include "harness.h"

static struct utw_result attempt_fired(void *value, struct utw_failure *failure, void *data)
{
	struct meeting *m = data;

	m->fired = true;
	m->protocol = value;
	m->failure = utw_failure_ref(failure);
	return utw_result_value(NULL);
}

void meeting_open(struct meeting *m)
{
	memset(m, 0, sizeof(*m));
	guests_open(&m->near);
	guests_open(&m->far);
	for (int i = 0; i < GUESTS_MAX; i++)
		m->near.fd[i] = m->far.fd[i] = -1;
	utw_reactor_free(m->far.reactor);
	m->far.reactor = m->near.reactor;
}

void meeting_close(struct meeting *m)
{
	utw_port_close(m->port);
	utw_failure_unref(m->failure);
	for (unsigned int i = 0; i < m->far.count; i++) {
		utw_transport_close(m->far.recorders[i].protocol.transport, UTW_CLOSE_ABORT, 0);
		turn_all(m->far.reactor);
		recorder_release(&m->far.recorders[i]);
	}
	guests_close(&m->near);
	assert_int_equal(m->near.factory.users, 0);
	assert_int_equal(m->far.factory.users, 0);
}

static struct utw_endpoint *endpoint(enum utw_endpoint_role role, const char *text)
{
	struct utw_failure *why = NULL;
	struct utw_endpoint *e;

	if (utw_endpoint_parse(&e, role, text, NULL, &why))
		fail_msg("%s", utw_failure_message(why));
	return e;
}

int meeting_listen(struct meeting *m, const char *text)
{
	struct utw_endpoint *e = endpoint(UTW_ENDPOINT_SERVER, text);
	int error = utw_endpoint_listen(&m->port, e, m->far.reactor, &m->far.factory, &m->failure);

	utw_endpoint_free(e);
	return error;
}

struct utw_deferred *meeting_connect(struct meeting *m, const char *text)
{
	struct utw_endpoint *e = endpoint(UTW_ENDPOINT_CLIENT, text);
	struct utw_deferred *d;

	utw_endpoint_set_resolver(e, m->resolver);
	d = utw_endpoint_connect(e, m->near.reactor, &m->near.factory);
	/* Nothing of it is needed any more. */
	utw_endpoint_free(e);
	assert_non_null(d);
	utw_deferred_add_both(d, attempt_fired, m);
	return d;
}
