/* SPDX-License-Identifier: MIT */
/* The contract of transports, over TLS: on memory, where nothing else differs, and on TCP. */
#include <string.h>

#include <untwist/fd.h>
#include <untwist/memory.h>
#include <untwist/tls.h>

#include "contract.h"
#include "tls-certificates.h"
#include "tls-pair.h"

static struct certificates certs;
static struct utw_tls_context *contexts[2];

/* Of a handshake under way, whose protocols only stand in for the pair's. */
static struct tls_side sides[2];

static struct utw_protocol *side_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return &utw_container_of(f, struct tls_side, factory)->sealed.protocol;
}

static const struct utw_factory_ops side_ops = { .build = side_build };

static struct utw_transport *hand_over(struct tls_side *s, struct recorder *to)
{
	struct utw_transport *t = utw_transport_ref(s->sealed.protocol.transport);

	assert_int_equal(utw_transport_set_protocol(t, &to->protocol), 0);
	recorder_release(&s->sealed);
	recorder_release(&s->clear);
	utw_deferred_unref(s->deferred);
	return t;
}

/* The pair begins when the handshakes are over, as one of any other kind does. */
static void pair_seal(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		utw_factory_init(&sides[i].factory, &side_ops);
		recorder_init(&sides[i].sealed, true);
		sides[i].context = contexts[i];
		tls_side_start(&sides[i], i ? NULL : CERTIFICATE_HOST, 0);
	}
	turn_until(pair->reactor, sides[0].fired && sides[1].fired);
	/* Tickets for later sessions: they are no part of the conversation. */
	turn_all(pair->reactor);
	pair->near_transport = hand_over(&sides[0], &pair->near);
	pair->far_transport = hand_over(&sides[1], &pair->far);
}

static void sides_clear(void)
{
	memset(sides, 0, sizeof(sides));
	for (int i = 0; i < 2; i++)
		recorder_init(&sides[i].clear, true);
}

static void open_tls_memory(struct pair *pair)
{
	struct utw_protocol *clear[] = { &sides[0].clear.protocol, &sides[1].clear.protocol };

	sides_clear();
	assert_int_equal(utw_memory_transport_pair(NULL, pair->reactor, UTW_MEMORY_STREAM, clear),
			 0);
	pair_seal(pair);
}

static void open_tls_tcp(struct pair *pair)
{
	int fd[2];

	sides_clear();
	tcp_socketpair(fd);
	for (int i = 0; i < 2; i++)
		assert_int_equal(utw_fd_transport_new(NULL, pair->reactor, fd[i], fd[i],
						      &sides[i].clear.protocol),
				 0);
	pair_seal(pair);
}

int main(void)
{
	static const struct pair_kind kinds[] = {
		{ .name = "tls on memory", .half_close = true, .open = open_tls_memory },
		{ .name = "tls on tcp", .half_close = true, .open = open_tls_tcp },
	};
	struct utw_tls_options client = { .trust = certs.root };
	struct utw_tls_options server = { .certificate = certs.server };
	int failed = 0;

	certificates_make(&certs);
	assert_int_equal(utw_tls_context_new(&contexts[0], UTW_TLS_CLIENT, &client, NULL), 0);
	assert_int_equal(utw_tls_context_new(&contexts[1], UTW_TLS_SERVER, &server, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		failed += contract_run(&kinds[i]);
	utw_tls_context_unref(contexts[0]);
	utw_tls_context_unref(contexts[1]);
	certificates_remove(&certs);
	return failed ? 1 : 0;
}
