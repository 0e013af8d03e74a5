/* SPDX-License-Identifier: MIT */
/* The endpoint type "serial": a port is one connection, whoever begins. */
#include <limits.h>
#include <string.h>

#include <untwist/failure.h>
#include <untwist/serial.h>

#include "endpoint-private.h"

/* Which of the words, ended by NULL, is the value of a key? Absent: 0; none: -1. */
static int serial_word(const struct utw_endpoint *e, const char *key, const char *const *words)
{
	const char *value = utw_endpoint_value(e, key);

	if (!value)
		return 0;
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

static struct utw_failure *serial_number(const struct utw_endpoint *e, const char *key,
					 uint64_t min, uint64_t max, unsigned int *ret)
{
	uint64_t number = *ret;
	struct utw_failure *failure = utw_endpoint_number(e, key, max, &number);

	if (!failure && number < min)
		failure =
			utw_endpoint_complain(e, key, "%s is less than %u", key, (unsigned int)min);
	*ret = (unsigned int)number;
	return failure;
}

static struct utw_failure *serial_settings(const struct utw_endpoint *e,
					   struct utw_serial_settings *ret)
{
	static const char *const parities[] = { "none", "odd", "even", "mark", "space", NULL };
	static const char *const flows[] = { "none", "rtscts", "xonxoff", NULL };
	struct utw_serial_settings s = UTW_SERIAL_DEFAULTS;
	int parity = serial_word(e, "parity", parities);
	int flow = serial_word(e, "flow", flows);
	struct utw_failure *failure = serial_number(e, "baud", 1, UINT_MAX, &s.baud);

	if (!failure)
		failure = serial_number(e, "data", 5, 8, &s.data_bits);
	if (!failure)
		failure = serial_number(e, "stop", 1, 2, &s.stop_bits);
	if (!failure && parity < 0)
		failure = utw_endpoint_complain(e, "parity",
						"parity is none, odd, even, mark or space");
	if (!failure && flow < 0)
		failure = utw_endpoint_complain(e, "flow", "flow is none, rtscts or xonxoff");
	if (failure)
		return failure;
	s.parity = (enum utw_parity)parity;
	s.flow = (enum utw_flow_control)flow;
	*ret = s;
	return NULL;
}

static struct utw_failure *serial_check(const struct utw_endpoint *e)
{
	struct utw_serial_settings settings;

	return serial_settings(e, &settings);
}

static int serial_make(struct utw_transport **ret, const struct utw_endpoint *e,
		       struct utw_reactor *r, struct utw_protocol *p)
{
	struct utw_serial_settings settings = UTW_SERIAL_DEFAULTS;

	/* Checked when the endpoint was read. */
	utw_failure_unref(serial_settings(e, &settings));
	return utw_serial_open(ret, r, utw_endpoint_value(e, "path"), &settings, p);
}

static struct utw_deferred *serial_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					   struct utw_factory *f)
{
	return utw_single_connect(e, r, f, serial_make);
}

static int serial_listen(struct utw_port **ret, const struct utw_endpoint *e, struct utw_reactor *r,
			 struct utw_factory *f, struct utw_failure **why)
{
	(void)why;
	return utw_single_listen(ret, e, r, f, serial_make);
}

static const struct utw_endpoint_key serial_keys[] = {
	{ .name = "path", .required = true },
	{ .name = "baud" },
	{ .name = "data" },
	{ .name = "parity" },
	{ .name = "stop" },
	{ .name = "flow" },
	{ .name = NULL },
};

const struct utw_endpoint_type utw_endpoint_serial_client = { .name = "serial",
							      .role = UTW_ENDPOINT_CLIENT,
							      .keys = serial_keys,
							      .check = serial_check,
							      .connect = serial_connect };
const struct utw_endpoint_type utw_endpoint_serial_server = { .name = "serial",
							      .role = UTW_ENDPOINT_SERVER,
							      .keys = serial_keys,
							      .check = serial_check,
							      .listen = serial_listen };
