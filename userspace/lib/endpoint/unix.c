/* SPDX-License-Identifier: MIT */
/* The endpoint type "unix". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/address.h>
#include <untwist/failure.h>
#include <untwist/unix.h>

#include "base/clock.h"
#include "endpoint-private.h"

/* A day: a longer timeout is a mistake. */
#define TIMEOUT_MAX 86400

static struct utw_failure *unix_address(const struct utw_endpoint *e, struct utw_address *ret)
{
	int error = utw_address_unix(ret, utw_endpoint_value(e, "path"));

	if (!error)
		return NULL;
	return utw_endpoint_complain(e, "path",
				     error == -ENAMETOOLONG ? "path is too long" : "path is empty");
}

static struct utw_failure *unix_client_check(const struct utw_endpoint *e)
{
	struct utw_address address;
	struct utw_failure *failure = unix_address(e, &address);
	uint64_t seconds;

	return failure ? failure : utw_endpoint_number(e, "timeout", TIMEOUT_MAX, &seconds);
}

static struct utw_deferred *unix_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					 struct utw_factory *f)
{
	struct utw_address address = { .length = 0 };
	uint64_t seconds = 0;

	/* Checked when the endpoint was read. */
	utw_failure_unref(unix_address(e, &address));
	utw_failure_unref(utw_endpoint_number(e, "timeout", TIMEOUT_MAX, &seconds));
	return utw_unix_connect(r, &address, f, seconds * UTW_NSEC_PER_SEC);
}

/* Octal, as for chmod. */
static struct utw_failure *unix_mode(const struct utw_endpoint *e, mode_t *ret)
{
	const char *text = utw_endpoint_value(e, "mode");
	size_t len = text ? strlen(text) : 0;

	*ret = 0;
	if (!text)
		return NULL;
	if (!len || len > 4 || strspn(text, "01234567") != len || strtoul(text, NULL, 8) > 0777)
		return utw_endpoint_complain(e, "mode", "mode is not an octal number up to 777");
	*ret = (mode_t)strtoul(text, NULL, 8);
	return NULL;
}

static struct utw_failure *unix_server_check(const struct utw_endpoint *e)
{
	struct utw_address address;
	struct utw_failure *failure = unix_address(e, &address);
	mode_t mode;

	return failure ? failure : unix_mode(e, &mode);
}

struct unix_port {
	struct utw_port port;
	struct utw_unix_listener *listener;
	char name[UTW_ADDRESS_TEXT];
};

static void unix_port_close(struct utw_port *p)
{
	struct unix_port *port = utw_container_of(p, struct unix_port, port);

	utw_unix_listener_close(port->listener);
	free(port);
}

static const char *unix_port_name(const struct utw_port *p)
{
	return utw_container_of(p, struct unix_port, port)->name;
}

static const struct utw_port_ops unix_port_ops = { .close = unix_port_close,
						   .name = unix_port_name };

static int unix_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		       struct utw_factory *f, struct utw_failure **why)
{
	struct unix_port *port = calloc(1, sizeof(*port));
	struct utw_address address = { .length = 0 };
	mode_t mode = 0;
	int error;

	(void)why;
	if (!port)
		return -ENOMEM;
	utw_failure_unref(unix_address(e, &address));
	utw_failure_unref(unix_mode(e, &mode));
	error = utw_unix_listen(&port->listener, r, &address, mode, f);
	if (error) {
		free(port);
		return error;
	}
	port->port.ops = &unix_port_ops;
	utw_address_format(&address, port->name, sizeof(port->name));
	*ret = &port->port;
	return 0;
}

const struct utw_endpoint_type utw_endpoint_unix_client = {
	.name = "unix",
	.role = UTW_ENDPOINT_CLIENT,
	.keys = (const struct utw_endpoint_key[]){ { .name = "path", .required = true },
						   { .name = "timeout" },
						   { .name = NULL } },
	.check = unix_client_check,
	.connect = unix_connect,
};
const struct utw_endpoint_type utw_endpoint_unix_server = {
	.name = "unix",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { .name = "path", .required = true },
						   { .name = "mode" },
						   { .name = NULL } },
	.check = unix_server_check,
	.listen = unix_listen,
};
