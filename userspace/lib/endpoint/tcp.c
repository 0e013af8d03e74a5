/* SPDX-License-Identifier: MIT */
/* The endpoint type "tcp". */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>
#include <untwist/resolver.h>
#include <untwist/tcp.h>

#include "base/clock.h"
#include "endpoint-private.h"

/* Longest host that is an address; the rest of UTW_ADDRESS_TEXT is for the port. */
#define HOST_MAX (UTW_ADDRESS_TEXT - 16)

/* Longest name that can be asked for. */
#define NAME_LONGEST 253

/* A day: a longer timeout is a mistake. */
#define TIMEOUT_MAX 86400

/* "unix:80" would be an address, too, of another family. */
int utw_endpoint_address(const char *host, unsigned int port, struct utw_address *ret)
{
	char text[UTW_ADDRESS_TEXT];
	bool bare = strchr(host, ':') && *host != '[';

	if (strlen(host) > HOST_MAX)
		return -EINVAL;
	snprintf(text, sizeof(text), bare ? "[%s]:%u" : "%s:%u", host, port);
	if (utw_address_parse(ret, text) || ret->storage.ss_family == AF_UNIX)
		return -EINVAL;
	return 0;
}

/* Letters, digits and what a resolver may be asked for besides; not what only looks like a number. */
static bool tcp_is_name(const char *host)
{
	size_t len = strlen(host);
	bool letter = false;

	for (const char *c = host; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			return false;
		letter |= !isdigit((unsigned char)*c) && *c != '.';
	}
	return letter && len <= NAME_LONGEST && *host != '.' && *host != '-';
}

static struct utw_failure *tcp_port(const struct utw_endpoint *e, unsigned int *ret)
{
	uint64_t port = 0;
	struct utw_failure *failure = utw_endpoint_number(e, "port", UINT16_MAX, &port);

	*ret = (unsigned int)port;
	return failure;
}

static struct utw_failure *tcp_client_check(const struct utw_endpoint *e)
{
	const char *host = utw_endpoint_value(e, "host");
	struct utw_failure *failure;
	struct utw_address address;
	unsigned int port;
	uint64_t seconds;

	failure = tcp_port(e, &port);
	if (failure)
		return failure;
	if (!*host || !port)
		return utw_endpoint_complain(e, port ? "host" : "port",
					     "nobody can be reached there");
	if (utw_endpoint_address(host, port, &address) && !tcp_is_name(host))
		return utw_endpoint_complain(e, "host", "host is neither an IP address nor a name");
	return utw_endpoint_number(e, "timeout", TIMEOUT_MAX, &seconds);
}

static struct utw_deferred *tcp_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					struct utw_factory *f)
{
	const char *host = utw_endpoint_value(e, "host");
	struct utw_resolver *resolver = utw_endpoint_resolver(e);
	struct utw_address address = { .length = 0 };
	uint64_t seconds = 0;
	unsigned int port;

	/* Checked when the endpoint was read. */
	utw_failure_unref(tcp_port(e, &port));
	utw_failure_unref(utw_endpoint_number(e, "timeout", TIMEOUT_MAX, &seconds));
	if (utw_endpoint_address(host, port, &address) == 0)
		return utw_tcp_connect(r, &address, f, seconds * UTW_NSEC_PER_SEC);
	if (resolver)
		return utw_tcp_connect_host(r, resolver, host, port, f, seconds * UTW_NSEC_PER_SEC);
	return utw_deferred_fail(
		utw_failure_from_errno(-EDESTADDRREQ, "connect",
				       "%s: \"%s\" is a name, and the endpoint has no resolver",
				       utw_endpoint_text(e), host));
}

struct utw_failure *utw_endpoint_interface(const struct utw_endpoint *e, struct utw_address *ret)
{
	const char *interface = utw_endpoint_value(e, "interface");
	struct utw_failure *failure;
	unsigned int port;

	failure = tcp_port(e, &port);
	if (!failure && utw_endpoint_address(interface ? interface : "*", port, ret))
		failure =
			utw_endpoint_complain(e, "interface",
					      "interface is neither an IP address nor \"localhost\"");
	return failure;
}

static struct utw_failure *tcp_server_check(const struct utw_endpoint *e)
{
	struct utw_address address;

	return utw_endpoint_interface(e, &address);
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
		      struct utw_factory *f, struct utw_failure **why)
{
	struct tcp_port *port = calloc(1, sizeof(*port));
	struct utw_address address = { .length = 0 };
	int error;

	(void)why;
	if (!port)
		return -ENOMEM;
	utw_failure_unref(utw_endpoint_interface(e, &address));
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
	.keys = (const struct utw_endpoint_key[]){ { .name = "host", .required = true },
						   { .name = "port", .required = true },
						   { .name = "timeout" },
						   { .name = NULL } },
	.check = tcp_client_check,
	.connect = tcp_connect,
};
const struct utw_endpoint_type utw_endpoint_tcp_server = {
	.name = "tcp",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { .name = "port", .required = true },
						   { .name = "interface" },
						   { .name = NULL } },
	.check = tcp_server_check,
	.listen = tcp_listen,
};
