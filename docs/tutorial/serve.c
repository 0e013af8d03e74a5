// SPDX-License-Identifier: MIT
/* Step 8: pass on what a source says, as long as it does. serve SOURCE ENDPOINT */
#include <stdio.h>

#include "relay.h"

/* Connected or not, what there is to say about it is said at the end. */
static struct utw_result source_failed(struct utw_failure *failure, void *data)
{
	fprintf(stderr, "serve: %s\n", utw_failure_message(failure));
	utw_reactor_stop(data);
	return utw_result_value(NULL);
}

static int serve(struct relay *relay, const struct utw_endpoint *source,
		 const struct utw_endpoint *at)
{
	struct utw_failure *why = NULL;
	struct utw_reactor *reactor;
	struct utw_deferred *d;
	struct utw_port *port;

	if (utw_reactor_new(&reactor))
		return 1;
	if (utw_endpoint_listen(&port, at, reactor, &relay->clients, &why)) {
		fprintf(stderr, "serve: %s\n", utw_failure_message(why));
		return 1;
	}
	printf("listening at %s\n", utw_port_name(port));
	fflush(stdout);
	d = utw_endpoint_connect(source, reactor, &relay->sources);
	utw_deferred_add_errback(d, source_failed, reactor);
	utw_deferred_unref(d);
	return utw_reactor_run(reactor) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct utw_endpoint *source, *at;
	struct relay relay;

	if (argc != 3 || utw_endpoint_parse(&source, UTW_ENDPOINT_CLIENT, argv[1], NULL, NULL) ||
	    utw_endpoint_parse(&at, UTW_ENDPOINT_SERVER, argv[2], NULL, NULL)) {
		fprintf(stderr, "usage: serve SOURCE ENDPOINT\n");
		return 2;
	}
	relay_init(&relay);
	return serve(&relay, source, at);
}
