/* SPDX-License-Identifier: MIT */
/*
 * An echo for the open world: so many clients, so fast, not silent for long, and with a log of what
 * they do: cc policies.c $(pkg-config --cflags --libs untwist); ./a.out [ENDPOINT]
 */
#include <stdio.h>
#include <stdlib.h>
#include <untwist/untwist.h>

static void echo_data(struct utw_protocol *p, const void *data, size_t len)
{
	/* Who does not read what comes back is not read from either. */
	if (utw_transport_write(p->transport, data, len) == UTW_WRITE_OVER)
		utw_transport_pause(p->transport);
}

static void echo_resume(struct utw_protocol *p)
{
	utw_transport_resume(p->transport);
}

static void echo_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	(void)reason;
	free(p);
}

static const struct utw_protocol_ops echo_ops = { .data = echo_data,
						  .resume = echo_resume,
						  .lost = echo_lost };

static struct utw_protocol *echo_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_protocol *p = malloc(sizeof(*p));

	(void)f;
	(void)peer;
	if (p)
		utw_protocol_init(p, &echo_ops);
	return p;
}

static const struct utw_factory_ops echo_factory_ops = { .build = echo_build };

static void tell_traffic(const struct utw_traffic *t, void *data)
{
	static const char *const events[] = { "made", "read", "written", "lost" };

	(void)data;
	printf("%u %s %zu\n", (unsigned int)t->connection, events[t->event],
	       t->event == UTW_TRAFFIC_LOST ? 0 : t->len);
	fflush(stdout);
}

/* Each is a factory around the one before; a connection comes through them from the last. */
static struct utw_factory echo;
static struct utw_traffic_policy log_all;
static struct utw_throttle_policy slow;
static struct utw_timeout_policy patience;
static struct utw_limit_policy limit;

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "tcp:7000:interface=localhost";
	struct utw_failure *why = NULL;
	struct utw_endpoint *endpoint;
	struct utw_reactor *reactor;
	struct utw_port *port;

	utw_factory_init(&echo, &echo_factory_ops);
	utw_traffic_policy_init(&log_all, &echo, tell_traffic, NULL);
	utw_throttle_policy_init(&slow, &log_all.policy.factory, 100000, 100000);
	utw_timeout_policy_init(&patience, &slow.policy.factory, UINT64_C(60000000000));
	utw_limit_policy_init(&limit, &patience.policy.factory, 100, 1);
	if (utw_reactor_new(&reactor))
		return 1;
	if (utw_endpoint_parse(&endpoint, UTW_ENDPOINT_SERVER, text, NULL, &why) ||
	    utw_endpoint_listen(&port, endpoint, reactor, &limit.policy.factory, &why)) {
		fprintf(stderr, "policies: %s\n", utw_failure_message(why));
		return 1;
	}
	printf("listening at %s\n", utw_port_name(port));
	fflush(stdout);
	utw_reactor_run(reactor);
	return 0;
}
