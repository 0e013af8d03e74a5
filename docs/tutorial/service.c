// SPDX-License-Identifier: MIT
/* Steps 10 and 11: the relay as a service. service [OPTION]... SOURCE ENDPOINT */
#include <stdio.h>

#include "relay.h"

/* Ten minutes without a word, and how many may come: in all, and from one address. */
#define SILENCE UINT64_C(600000000000)
#define CLIENTS 1000
#define BY_PEER 50

static struct {
	struct relay relay;
	struct utw_endpoint *source;
	struct utw_endpoint *at;
	struct utw_limit_policy limit;
	struct utw_timeout_policy patience;
	struct utw_client client;
	struct utw_port_service port;
	struct utw_service last;
} service;

/* The first to be stopped: the connections go while all that they stand on is there. */
static struct utw_deferred *last_stop(struct utw_service *s)
{
	(void)s;
	relay_end(&service.relay);
	return NULL;
}

static const struct utw_service_ops last_ops = { .stop = last_stop };

static int service_add_all(struct utw_run *run, struct utw_failure **why)
{
	struct utw_reactor *r = utw_run_reactor(run);
	struct utw_service *root = utw_run_root(run);
	int error;

	relay_init(&service.relay);
	utw_timeout_policy_init(&service.patience, &service.relay.clients, SILENCE);
	utw_limit_policy_init(&service.limit, &service.patience.policy.factory, CLIENTS, BY_PEER);
	utw_port_service_init(&service.port, r, service.at, &service.limit.policy.factory);
	utw_client_init(&service.client, r, service.source, &service.relay.sources, NULL);
	utw_service_init(&service.last, &last_ops, "connections");
	error = utw_service_add(root, &service.port.service, why);
	if (!error)
		error = utw_service_add(root, &service.client.service, why);
	if (!error)
		error = utw_service_add(root, &service.last, why);
	return error;
}

static int service_setup(struct utw_run *run, int argc, char **argv, struct utw_failure **why)
{
	int error;

	if (argc != 2) {
		fprintf(stderr, "service: SOURCE and ENDPOINT are needed\n");
		return UTW_EXIT_USAGE;
	}
	error = utw_endpoint_parse(&service.source, UTW_ENDPOINT_CLIENT, argv[0], NULL, why);
	if (!error)
		error = utw_endpoint_parse(&service.at, UTW_ENDPOINT_SERVER, argv[1], NULL, why);
	return error ? error : service_add_all(run, why);
}

static void service_teardown(struct utw_run *run)
{
	(void)run;
	utw_endpoint_free(service.source);
	utw_endpoint_free(service.at);
}

int main(int argc, char **argv)
{
	static const struct utw_program program = {
		.name = "service",
		.help = "SOURCE ENDPOINT\nPass on what SOURCE says to who comes to ENDPOINT.",
		.setup = service_setup,
		.teardown = service_teardown,
	};

	return utw_main(&program, argc, argv);
}
