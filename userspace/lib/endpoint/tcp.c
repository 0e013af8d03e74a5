/* SPDX-License-Identifier: MIT */
/* The endpoint type "tcp". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/failure.h>
#include <untwist/tcp.h>

#include "base/clock.h"
#include "endpoint-private.h"

/* Longest host that is an address; the rest of UTW_ADDRESS_TEXT is for the port. */
#define HOST_MAX (UTW_ADDRESS_TEXT - 16)

/* A day: a longer timeout is a mistake. */
#define TIMEOUT_MAX 86400

static struct utw_failure *tcp_address(const struct utw_endpoint *e, const char *host_key,
				       struct utw_address *ret)
{
	const char *host = utw_endpoint_value(e, host_key);
	struct utw_failure *failure;
	char text[UTW_ADDRESS_TEXT];
	uint64_t port = 0;
	bool bare;

	failure = utw_endpoint_number(e, "port", UINT16_MAX, &port);
	if (failure)
		return failure;
	if (!host)
		host = "*";
	if (strlen(host) > HOST_MAX)
		return utw_endpoint_complain(e, host_key, "%s is too long", host_key);
	bare = strchr(host, ':') && *host != '[';
	snprintf(text, sizeof(text), bare ? "[%s]:%u" : "%s:%u", host, (unsigned int)port);
	/* "unix:80" is an address as well. */
	if (utw_address_parse(ret, text) || ret->storage.ss_family == AF_UNIX)
		return utw_endpoint_complain(e, host_key,
					     "%s is neither an IP address nor \"localhost\"",
					     host_key);
	return NULL;
}

static struct utw_failure *tcp_client_check(const struct utw_endpoint *e)
{
	struct utw_failure *failure;
	struct utw_address address;
	uint64_t seconds;

	failure = tcp_address(e, "host", &address);
	if (!failure && (!*utw_endpoint_value(e, "host") || !utw_address_port(&address)))
		failure = utw_endpoint_complain(e, utw_address_port(&address) ? "host" : "port",
						"nobody can be reached there");
	return failure ? failure : utw_endpoint_number(e, "timeout", TIMEOUT_MAX, &seconds);
}

static struct utw_deferred *tcp_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f)
{
	struct utw_address address = { .length = 0 };
	uint64_t seconds = 0;

	/* Checked when the endpoint was read. */
	utw_failure_unref(tcp_address(e, "host", &address));
	utw_failure_unref(utw_endpoint_number(e, "timeout", TIMEOUT_MAX, &seconds));
	return utw_tcp_connect(r, &address, f, seconds * UTW_NSEC_PER_SEC);
}

static struct utw_failure *tcp_server_check(const struct utw_endpoint *e)
{
	struct utw_address address;

	return tcp_address(e, "interface", &address);
}

struct tcp_port {
	struct utw_port port;
	struct utw_tcp_listener *listener;
	char name[UTW_ADDRESS_TEXT];
};

static void tcp_port_close(struct utw_port *p)
{
	struct tcp_port *port = utw_container_of(p, struct tcp_port, port);

	utw_tcp_listener_close(port->listener);
	free(port);
}

static const char *tcp_port_name(const struct utw_port *p)
{
	return utw_container_of(p, struct tcp_port, port)->name;
}

static const struct utw_port_ops tcp_port_ops = { .close = tcp_port_close, .name = tcp_port_name };

static int tcp_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		      struct utw_factory *f)
{
	struct tcp_port *port = calloc(1, sizeof(*port));
	struct utw_address address = { .length = 0 };
	int error;

	if (!port)
		return -ENOMEM;
	utw_failure_unref(tcp_address(e, "interface", &address));
	error = utw_tcp_listen(&port->listener, r, &address, f);
	if (error) {
		free(port);
		return error;
	}
	port->port.ops = &tcp_port_ops;
	utw_address_format(utw_tcp_listener_host(port->listener), port->name, sizeof(port->name));
	*ret = &port->port;
	return 0;
}

const struct utw_endpoint_type utw_endpoint_tcp_client = {
	.name = "tcp",
	.role = UTW_ENDPOINT_CLIENT,
	.keys =
		(const struct utw_endpoint_key[]){
			{ "host", true }, { "port", true }, { "timeout", false }, { NULL, false } },
	.check = tcp_client_check,
	.connect = tcp_connect,
};
const struct utw_endpoint_type utw_endpoint_tcp_server = {
	.name = "tcp",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { "port", true },
						   { "interface", false },
						   { NULL, false } },
	.check = tcp_server_check,
	.listen = tcp_listen,
};
