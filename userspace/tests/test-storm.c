/* SPDX-License-Identifier: MIT */
/*
 * Storm: connections by the thousand, each of which ends as chance has it, from either
 * side and at any moment: in the end all were told, and nothing is left.
 *
 * The seed is printed; UNTWIST_SEED=N takes that one again.
 */
#include <untwist/tcp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/failure.h>
#include <untwist/protocol.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "backends.h"
#include "harness.h"
#include "recorder.h"

/* Without address and port of a connection that has just ended, there are too few. */
#define HOSTS	    200
#define CONNECTIONS 10000
#define AT_ONCE	    200
#define MOST_BYTES  40000

struct storm {
	struct utw_reactor *reactor;
	struct utw_tcp_listener *listener;
	struct utw_factory servers, clients;
	struct utw_address at;
	uint64_t chance; /* state of the generator */
	unsigned int started, ended; /* attempts */
	unsigned int refused; /* attempts that failed, as they were reset or taken back */
	unsigned int built, lost; /* protocols, of both sides */
	unsigned int aborted, served; /* of the protocols: how they were told lost */
};

struct end {
	struct utw_protocol protocol;
	struct storm *storm;
	bool client;
};

/* xorshift: the same everywhere. */
static unsigned int dice(struct storm *s, unsigned int sides)
{
	s->chance ^= s->chance << 13;
	s->chance ^= s->chance >> 7;
	s->chance ^= s->chance << 17;
	return (unsigned int)(s->chance >> 33) % sides;
}

static void send_some(struct end *e)
{
	static const char bytes[MOST_BYTES];
	unsigned int len = 1 + dice(e->storm, MOST_BYTES);

	assert_true(utw_transport_write(e->protocol.transport, bytes, len) >= 0);
}

static void client_begins(struct end *e)
{
	struct utw_transport *t = e->protocol.transport;
	unsigned int face = dice(e->storm, 6);

	if (face > 1)
		send_some(e);
	switch (face) {
	case 0:
	case 2:
		utw_transport_close(t, UTW_CLOSE_ABORT, 0);
		break;
	case 1:
	case 3:
		utw_transport_close(t, UTW_CLOSE_FLUSH, UTW_FOREVER);
		break;
	case 4:
		utw_transport_close_write(t);
		break;
	default: /* it goes on with the answer */
		break;
	}
}

static void end_made(struct utw_protocol *p)
{
	struct end *e = utw_container_of(p, struct end, protocol);

	if (e->client)
		client_begins(e);
	else if (dice(e->storm, 8) == 0)
		utw_transport_close(p->transport,
				    dice(e->storm, 2) ? UTW_CLOSE_ABORT : UTW_CLOSE_FLUSH,
				    UTW_FOREVER);
}

/* The server answers with the same; the client ends with the first answer. */
static void end_data(struct utw_protocol *p, const void *data, size_t len)
{
	struct end *e = utw_container_of(p, struct end, protocol);

	if (e->client || dice(e->storm, 16) == 0)
		utw_transport_close(p->transport,
				    dice(e->storm, 2) ? UTW_CLOSE_ABORT : UTW_CLOSE_FLUSH,
				    UTW_FOREVER);
	else
		utw_transport_write(p->transport, data, len);
}

static void end_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct end *e = utw_container_of(p, struct end, protocol);

	assert_non_null(reason);
	if (utw_failure_is(reason, &utw_domain_reason, UTW_ABORTED))
		e->storm->aborted++;
	else
		e->storm->served++;
	e->storm->lost++;
	free(e);
}

static const struct utw_protocol_ops end_ops = {
	.made = end_made,
	.data = end_data,
	.lost = end_lost,
};

static struct utw_protocol *end_build(struct storm *s, bool client)
{
	struct end *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	utw_protocol_init(&e->protocol, &end_ops);
	e->storm = s;
	e->client = client;
	s->built++;
	return &e->protocol;
}

static struct utw_protocol *server_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return end_build(utw_container_of(f, struct storm, servers), false);
}

static struct utw_protocol *client_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)peer;
	return end_build(utw_container_of(f, struct storm, clients), true);
}

static const struct utw_factory_ops servers_ops = { .build = server_build };
static const struct utw_factory_ops clients_ops = { .build = client_build };

static struct utw_result attempt_ended(void *value, struct utw_failure *failure, void *data)
{
	struct storm *s = data;

	(void)value;
	s->ended++;
	s->refused += !!failure;
	return utw_result_value(NULL);
}

static void attempt(struct storm *s)
{
	struct utw_address to;
	struct utw_deferred *d;
	char text[32];

	snprintf(text, sizeof(text), "127.0.0.%u:%u", 1 + s->started % HOSTS,
		 utw_address_port(&s->at));
	assert_int_equal(utw_address_parse(&to, text), 0);
	d = utw_tcp_connect(s->reactor, &to, &s->clients, UTW_FOREVER);
	assert_non_null(d);
	utw_deferred_add_both(d, attempt_ended, s);
	s->started++;
	if (dice(s, 16) == 0)
		utw_deferred_cancel(d);
	utw_deferred_unref(d);
}

static uint64_t seed_of_today(void)
{
	const char *given = getenv("UNTWIST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("# seed %llu\n", (unsigned long long)seed);
	return seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void storm_open(struct storm *s)
{
	memset(s, 0, sizeof(*s));
	s->chance = seed_of_today();
	assert_int_equal(utw_reactor_new(&s->reactor), 0);
	utw_factory_init(&s->servers, &servers_ops);
	utw_factory_init(&s->clients, &clients_ops);
	assert_int_equal(utw_address_parse(&s->at, "0.0.0.0:0"), 0);
	assert_int_equal(utw_tcp_listen(&s->listener, s->reactor, &s->at, &s->servers), 0);
	s->at = *utw_tcp_listener_host(s->listener);
}

static void ten_thousand_connections_leave_nothing(void **state)
{
	struct storm s;

	(void)state;
	storm_open(&s);
	while (s.lost < s.built || s.ended < CONNECTIONS) {
		while (s.started < CONNECTIONS && s.started - s.ended + s.built - s.lost < AT_ONCE)
			attempt(&s);
		turn_once(s.reactor, "an end", __FILE__, __LINE__);
	}
	assert_int_equal(s.ended, CONNECTIONS);
	assert_true(s.aborted > 0 && s.served > 0 && s.refused > 0);
	print_message("# %u protocols, %u aborted; %u attempts came to nothing\n", s.built,
		      s.aborted, s.refused);
	utw_tcp_listener_close(s.listener);
	assert_int_equal(s.servers.users, 0);
	assert_int_equal(s.clients.users, 0);
	/* What the kernel had taken, and nobody here. */
	turn_all(s.reactor);
	assert_int_equal(s.lost, s.built);
	utw_reactor_free(s.reactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_thousand_connections_leave_nothing),
	};

	return RUN_ON_REAL_BACKENDS(tests);
}
