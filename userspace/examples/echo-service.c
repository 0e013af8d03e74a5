/* SPDX-License-Identifier: MIT */
/* A service that says netstrings back, at an endpoint: cc echo-service.c $(pkg-config --cflags --libs untwist) */
#include <stdlib.h>
#include <untwist/untwist.h>

/* echo-service -d -p /run/echo.pid tcp:7000		or	echo-service unix:/tmp/echo */
struct echo_service {
	struct utw_factory factory;
	struct utw_timeout_policy patience;
	struct utw_port_service port;
	struct utw_endpoint *endpoint;
};

static void echo_frame(struct utw_framed *f, const void *data, size_t len)
{
	/* A client that does not read its answers is not read from either. */
	if (utw_framed_send(f, data, len) == UTW_WRITE_OVER)
		utw_framed_pause(f);
}

static void echo_lost(struct utw_framed *f, struct utw_failure *reason)
{
	(void)reason;
	free(f);
}

static const struct utw_framed_ops echo_ops = { .frame = echo_frame,
						.resume = utw_framed_resume,
						.lost = echo_lost };

static struct utw_protocol *echo_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_framed *echo = malloc(sizeof(*echo));

	(void)f;
	(void)peer;
	if (!echo)
		return NULL;
	utw_framed_init(echo, &echo_ops, &utw_netstring);
	return &echo->protocol;
}

static const struct utw_factory_ops echo_factory_ops = { .build = echo_build };

static struct echo_service service;

static int echo_setup(struct utw_run *run, int argc, char **argv, struct utw_failure **why)
{
	int error = utw_endpoint_parse(&service.endpoint, UTW_ENDPOINT_SERVER,
				       argc ? argv[0] : "tcp:7000:interface=localhost", NULL, why);

	if (error)
		return error;
	utw_factory_init(&service.factory, &echo_factory_ops);
	utw_timeout_policy_init(&service.patience, &service.factory, UINT64_C(60000000000));
	utw_port_service_init(&service.port, utw_run_reactor(run), service.endpoint,
			      &service.patience.policy.factory);
	return utw_service_add(utw_run_root(run), &service.port.service, why);
}

static void echo_teardown(struct utw_run *run)
{
	(void)run;
	utw_endpoint_free(service.endpoint);
}

int main(int argc, char **argv)
{
	static const struct utw_program program = {
		.name = "echo-service",
		.help = "[ENDPOINT]\nSay netstrings back to who comes to ENDPOINT.",
		.setup = echo_setup,
		.teardown = echo_teardown,
	};

	return utw_main(&program, argc, argv);
}
