/* SPDX-License-Identifier: MIT */
/* The endpoint types of what is open already or opened by name: "fd", "stdio", "device". */
#include <limits.h>

#include <untwist/device.h>
#include <untwist/failure.h>
#include <untwist/fd.h>
#include <untwist/stdio.h>

#include "endpoint-private.h"

static struct utw_failure *fd_check(const struct utw_endpoint *e)
{
	uint64_t fd;

	return utw_endpoint_number(e, "number", INT_MAX, &fd);
}

static int fd_number(const struct utw_endpoint *e)
{
	uint64_t fd = 0;

	/* Checked when the endpoint was read. */
	utw_failure_unref(utw_endpoint_number(e, "number", INT_MAX, &fd));
	return (int)fd;
}

static int fd_make(struct utw_transport **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		   struct utw_protocol *p)
{
	return utw_fd_transport_new(ret, r, fd_number(e), fd_number(e), p);
}

static int stdio_make(struct utw_transport **ret, const struct utw_endpoint *e,
		      struct utw_reactor *r, struct utw_protocol *p)
{
	(void)e;
	return utw_stdio_transport_new(ret, r, p);
}

static int device_make(struct utw_transport **ret, const struct utw_endpoint *e,
		       struct utw_reactor *r, struct utw_protocol *p)
{
	return utw_device_transport_open(ret, r, utw_endpoint_value(e, "path"), NULL, p);
}

static struct utw_deferred *fd_connect(const struct utw_endpoint *e, struct utw_reactor *r,
				       struct utw_factory *f)
{
	return utw_single_connect(e, r, f, fd_make);
}

static int fd_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
		     struct utw_factory *f, struct utw_failure **why)
{
	(void)why;
	return utw_adopted_listen(ret, r, fd_number(e), f);
}

static struct utw_deferred *stdio_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					  struct utw_factory *f)
{
	return utw_single_connect(e, r, f, stdio_make);
}

static int stdio_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
			struct utw_factory *f, struct utw_failure **why)
{
	(void)why;
	return utw_single_listen(ret, e, r, f, stdio_make);
}

static struct utw_deferred *device_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					   struct utw_factory *f)
{
	return utw_single_connect(e, r, f, device_make);
}

static int device_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
			 struct utw_factory *f, struct utw_failure **why)
{
	(void)why;
	return utw_single_listen(ret, e, r, f, device_make);
}

static const struct utw_endpoint_key fd_keys[] = { { .name = "number", .required = true },
						   { .name = NULL } };
static const struct utw_endpoint_key stdio_keys[] = { { .name = NULL } };
static const struct utw_endpoint_key device_keys[] = { { .name = "path", .required = true },
						       { .name = NULL } };

const struct utw_endpoint_type utw_endpoint_fd_client = { .name = "fd",
							  .role = UTW_ENDPOINT_CLIENT,
							  .keys = fd_keys,
							  .check = fd_check,
							  .connect = fd_connect };
const struct utw_endpoint_type utw_endpoint_fd_server = { .name = "fd",
							  .role = UTW_ENDPOINT_SERVER,
							  .keys = fd_keys,
							  .check = fd_check,
							  .listen = fd_listen };
const struct utw_endpoint_type utw_endpoint_stdio_client = {
	.name = "stdio", .role = UTW_ENDPOINT_CLIENT, .keys = stdio_keys, .connect = stdio_connect
};
const struct utw_endpoint_type utw_endpoint_stdio_server = {
	.name = "stdio", .role = UTW_ENDPOINT_SERVER, .keys = stdio_keys, .listen = stdio_listen
};
const struct utw_endpoint_type utw_endpoint_device_client = { .name = "device",
							      .role = UTW_ENDPOINT_CLIENT,
							      .keys = device_keys,
							      .connect = device_connect };
const struct utw_endpoint_type utw_endpoint_device_server = {
	.name = "device", .role = UTW_ENDPOINT_SERVER, .keys = device_keys, .listen = device_listen
};
