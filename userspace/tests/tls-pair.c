/* SPDX-License-Identifier: MIT */
/* TLS pairs: see tls-pair.h. */
#include "tls-pair.h"

#include <string.h>

#include <untwist/memory.h>

#include "harness.h"

static struct utw_protocol *side_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct tls_side *s = utw_container_of(f, struct tls_side, factory);

	(void)peer;
	return s->refuse ? NULL : &s->sealed.protocol;
}

static void side_stop(struct utw_factory *f)
{
	utw_container_of(f, struct tls_side, factory)->stops++;
}

static const struct utw_factory_ops side_ops = { .build = side_build, .stop = side_stop };

static struct utw_result side_both(void *value, struct utw_failure *failure, void *data)
{
	struct tls_side *s = data;

	s->fired = true;
	s->got = value;
	s->failure = failure ? utw_failure_ref(failure) : NULL;
	return utw_result_value(NULL);
}

static void side_init(struct tls_side *s, struct utw_tls_context *context)
{
	s->context = context;
	recorder_init(&s->clear, true);
	recorder_init(&s->sealed, true);
	utw_factory_init(&s->factory, &side_ops);
}

void tls_pair_open_with(struct tls_pair *p, struct utw_tls_context *client,
			struct utw_tls_context *server)
{
	struct utw_protocol *clear[] = { &p->client.clear.protocol, &p->server.clear.protocol };

	memset(p, 0, sizeof(*p));
	side_init(&p->client, client);
	side_init(&p->server, server);
	assert_int_equal(utw_reactor_new(&p->reactor), 0);
	assert_int_equal(utw_memory_transport_pair(NULL, p->reactor, UTW_MEMORY_STREAM, clear), 0);
}

void tls_pair_open(struct tls_pair *p, const struct utw_tls_options *client,
		   const struct utw_tls_options *server)
{
	struct utw_tls_context *c, *s;

	assert_int_equal(utw_tls_context_new(&c, UTW_TLS_CLIENT, client, NULL), 0);
	assert_int_equal(utw_tls_context_new(&s, UTW_TLS_SERVER, server, NULL), 0);
	tls_pair_open_with(p, c, s);
}

void tls_side_start(struct tls_side *s, const char *host, uint64_t timeout)
{
	s->deferred = utw_tls_start(s->clear.protocol.transport, s->context, host, &s->factory, 0,
				    timeout);
	assert_non_null(s->deferred);
	utw_deferred_add_both(s->deferred, side_both, s);
}

void tls_pair_shake(struct tls_pair *p, const char *host)
{
	tls_side_start(&p->client, host, 0);
	tls_side_start(&p->server, NULL, 0);
	turn_until(p->reactor, p->client.fired && p->server.fired);
}

static void side_close(struct tls_side *s)
{
	utw_transport_close(s->clear.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(s->sealed.protocol.transport, UTW_CLOSE_ABORT, 0);
}

static void side_release(struct tls_side *s)
{
	utw_deferred_unref(s->deferred);
	utw_failure_unref(s->failure);
	utw_tls_context_unref(s->context);
	recorder_release(&s->clear);
	recorder_release(&s->sealed);
}

void tls_pair_close(struct tls_pair *p)
{
	side_close(&p->client);
	side_close(&p->server);
	turn_all(p->reactor);
	assert_int_equal(p->client.factory.users, 0);
	assert_int_equal(p->server.factory.users, 0);
	side_release(&p->client);
	side_release(&p->server);
	utw_reactor_free(p->reactor);
}

void assert_failed(const struct tls_side *s, const struct utw_domain *domain, int code)
{
	char text[256];

	assert_true(s->fired);
	assert_non_null(s->failure);
	utw_failure_format(s->failure, text, sizeof(text));
	if (!utw_failure_is(s->failure, domain, code))
		fail_msg("failed for another reason: %s", text);
	assert_story(&s->sealed, "");
}
