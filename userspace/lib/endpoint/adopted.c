/* SPDX-License-Identifier: MIT */
/* Listening with a socket that somebody else has bound: the type "systemd", and "fd". */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/address.h>
#include <untwist/failure.h>
#include <untwist/fd.h>

#include "endpoint-private.h"

/* The first descriptor that systemd hands over: sd_listen_fds(3). */
#define FIRST_FD 3

struct adopted {
	struct utw_port port;
	struct utw_fd_listener *listener;
	char name[UTW_ADDRESS_TEXT];
};

static void adopted_close(struct utw_port *p)
{
	struct adopted *a = utw_container_of(p, struct adopted, port);

	utw_fd_listener_close(a->listener);
	free(a);
}

static const char *adopted_name(const struct utw_port *p)
{
	return utw_container_of(p, struct adopted, port)->name;
}

static const struct utw_port_ops adopted_ops = { .close = adopted_close, .name = adopted_name };

int utw_adopted_listen(struct utw_port **ret, struct utw_reactor *r, int fd, struct utw_factory *f)
{
	struct adopted *a = calloc(1, sizeof(*a));
	int error;

	if (!a)
		return -ENOMEM;
	a->port.ops = &adopted_ops;
	error = utw_fd_listen(&a->listener, r, fd, f);
	if (error) {
		free(a);
		return error;
	}
	utw_address_format(utw_fd_listener_host(a->listener), a->name, sizeof(a->name));
	*ret = &a->port;
	return 0;
}

static struct utw_failure *systemd_check(const struct utw_endpoint *e)
{
	uint64_t index;

	if (!utw_endpoint_value(e, "index") == !utw_endpoint_value(e, "name"))
		return utw_endpoint_complain(e, NULL, "systemd needs an index or a name, not both");
	return utw_endpoint_number(e, "index", INT_MAX - FIRST_FD, &index);
}

/* Which of the names, joined by colons, is `name`? -ENOENT: none. */
static int name_index(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (int index = 0; names; index++) {
		size_t this_len = strcspn(names, ":");

		if (this_len == len && memcmp(names, name, len) == 0)
			return index;
		names = names[this_len] ? names + this_len + 1 : NULL;
	}
	return -ENOENT;
}

/* The environment is read, not cleared: other endpoints have their sockets there, too. */
static int systemd_fd(const struct utw_endpoint *e)
{
	const char *pid = secure_getenv("LISTEN_PID");
	const char *count = secure_getenv("LISTEN_FDS");
	const char *name = utw_endpoint_value(e, "name");
	uint64_t index = 0;
	int named;

	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return -ESRCH;
	utw_failure_unref(utw_endpoint_number(e, "index", INT_MAX - FIRST_FD, &index));
	if (name) {
		named = name_index(secure_getenv("LISTEN_FDNAMES"), name);
		if (named < 0)
			return named;
		index = (uint64_t)named;
	}
	if (index >= strtoul(count, NULL, 10))
		return -ENOENT;
	return FIRST_FD + (int)index;
}

static int systemd_listen(struct utw_port **ret, const struct utw_endpoint *e,
			  struct utw_reactor *r, struct utw_factory *f, struct utw_failure **why)
{
	int fd = systemd_fd(e);

	(void)why;
	return fd < 0 ? fd : utw_adopted_listen(ret, r, fd, f);
}

const struct utw_endpoint_type utw_endpoint_systemd_server = {
	.name = "systemd",
	.role = UTW_ENDPOINT_SERVER,
	.keys = (const struct utw_endpoint_key[]){ { .name = "index" },
						   { .name = "name" },
						   { .name = NULL } },
	.check = systemd_check,
	.listen = systemd_listen,
};
