// SPDX-License-Identifier: MIT
/* Step 9: the same, and the source is connected to anew when it is lost. keep SOURCE ENDPOINT */
#include <stdio.h>

#include "relay.h"

/* Begin with a fifth of a second, wait half as long again each time, up to ten seconds. */
static const struct utw_backoff backoff = { .initial = UINT64_C(200000000),
					    .max = UINT64_C(10000000000),
					    .factor = 1.5,
					    .jitter = UINT64_C(100000000) };

static int keep(struct relay *relay, const struct utw_endpoint *source,
		const struct utw_endpoint *at)
{
	struct utw_port_service port;
	struct utw_service root;
	struct utw_client client;
	struct utw_failure *why = NULL;
	struct utw_reactor *reactor;

	if (utw_reactor_new(&reactor))
		return 1;
	utw_service_init(&root, NULL, "keep");
	utw_client_init(&client, reactor, source, &relay->sources, &backoff);
	utw_port_service_init(&port, reactor, at, &relay->clients);
	utw_service_add(&root, &port.service, NULL);
	utw_service_add(&root, &client.service, NULL);
	if (utw_service_start(&root, &why)) {
		fprintf(stderr, "keep: %s\n", utw_failure_message(why));
		return 1;
	}
	printf("listening at %s\n", utw_port_name(port.port));
	fflush(stdout);
	return utw_reactor_run(reactor) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct utw_endpoint *source, *at;
	struct relay relay;

	if (argc != 3 || utw_endpoint_parse(&source, UTW_ENDPOINT_CLIENT, argv[1], NULL, NULL) ||
	    utw_endpoint_parse(&at, UTW_ENDPOINT_SERVER, argv[2], NULL, NULL)) {
		fprintf(stderr, "usage: keep SOURCE ENDPOINT\n");
		return 2;
	}
	relay_init(&relay);
	return keep(&relay, source, at);
}
