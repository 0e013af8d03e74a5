/* SPDX-License-Identifier: MIT */
/*
 * Connects to a host by its name, speaks TLS with it, and prints what it says to one line:
 * cc tls-fetch.c $(pkg-config --cflags --libs untwist); ./a.out HOST PORT [FILE-WITH-ROOTS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <untwist/untwist.h>

static struct utw_reactor *reactor;
static struct utw_tls_context *context;
static const char *host;

static void fetch_made(struct utw_protocol *p)
{
	struct utw_tls_facts facts;
	char line[300];

	/* The same protocol is told made twice: in clear, which it does not use, and under TLS. */
	if (utw_tls_facts(p->transport, &facts))
		return;
	fprintf(stderr, "%s, %s, peer %s\n", facts.version, facts.cipher, facts.peer);
	snprintf(line, sizeof(line), "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", host);
	utw_transport_write(p->transport, line, strlen(line));
}

static void fetch_data(struct utw_protocol *p, const void *data, size_t len)
{
	(void)p;
	fwrite(data, 1, len, stdout);
}

static void fetch_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	char story[256];

	(void)p;
	utw_failure_format(reason, story, sizeof(story));
	fprintf(stderr, "%s\n", story);
	utw_reactor_stop(reactor);
}

static const struct utw_protocol_ops fetch_ops = { .made = fetch_made,
						   .data = fetch_data,
						   .lost = fetch_lost };
static struct utw_protocol fetch;

static struct utw_protocol *fetch_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)f;
	(void)peer;
	return &fetch;
}

static const struct utw_factory_ops factory_ops = { .build = fetch_build };
static struct utw_factory factory;

/* Connected: what follows is another deferred, for whose result this chain waits. */
static struct utw_result begin_tls(void *value, void *data)
{
	struct utw_protocol *p = value;

	(void)data;
	return utw_result_wait(utw_tls_start(p->transport, context, host, &factory, 0, 0));
}

static struct utw_result say_why(struct utw_failure *failure, void *data)
{
	char story[256];

	(void)data;
	utw_failure_format(failure, story, sizeof(story));
	fprintf(stderr, "tls-fetch: %s\n", story);
	utw_reactor_stop(reactor);
	return utw_result_value(NULL);
}

int main(int argc, char **argv)
{
	struct utw_tls_options options = { .trust = argc > 3 ? argv[3] : NULL };
	struct utw_dns *dns;
	struct utw_deferred *d;

	if (argc < 3) {
		fprintf(stderr, "usage: tls-fetch HOST PORT [FILE-WITH-ROOTS]\n");
		return 2;
	}
	host = argv[1];
	utw_protocol_init(&fetch, &fetch_ops);
	utw_factory_init(&factory, &factory_ops);
	if (utw_reactor_new(&reactor) || utw_dns_new(&dns, reactor, NULL) ||
	    utw_tls_context_new(&context, UTW_TLS_CLIENT, &options, NULL)) {
		fprintf(stderr, "tls-fetch: cannot be set up\n");
		return 1;
	}
	d = utw_tcp_connect_host(reactor, utw_dns_resolver(dns), host,
				 (unsigned int)strtoul(argv[2], NULL, 10), &factory, 0);
	utw_deferred_add_callback(d, begin_tls, NULL);
	utw_deferred_add_errback(d, say_why, NULL);
	utw_deferred_unref(d);
	utw_reactor_run(reactor);
	utw_tls_context_unref(context);
	utw_dns_free(dns);
	utw_reactor_free(reactor);
	return 0;
}
