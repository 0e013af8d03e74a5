/* SPDX-License-Identifier: MIT */
/* The carrier for what the program itself carries: see untwist/custom.h. */
#include <untwist/custom.h>

#include <errno.h>
#include <stdlib.h>

#include "transport-private.h"

struct custom_carrier {
	struct utw_transport transport;
	struct utw_end_unpolled unpolled;
	struct utw_custom *custom;
};

static struct utw_custom *custom_of(struct utw_transport *t)
{
	return utw_container_of(t, struct custom_carrier, transport)->custom;
}

static ssize_t custom_read(struct utw_transport *t, void *data, size_t size)
{
	return custom_of(t)->ops->read(custom_of(t), data, size);
}

static ssize_t custom_read_record(struct utw_transport *t, const void **data, size_t *full_len,
				  bool *end)
{
	return custom_of(t)->ops->read_record(custom_of(t), data, full_len, end);
}

static ssize_t custom_write(struct utw_transport *t, const void *data, size_t len)
{
	return custom_of(t)->ops->write(custom_of(t), data, len);
}

static void custom_shut_write(struct utw_transport *t)
{
	custom_of(t)->ops->shut_write(custom_of(t));
}

static int custom_hangup(struct utw_transport *t)
{
	(void)t;
	return 0;
}

static void custom_close(struct utw_transport *t, bool abort)
{
	utw_end_close(&t->in);
	custom_of(t)->ops->close(custom_of(t), abort);
}

static void custom_free(struct utw_transport *t)
{
	struct utw_custom *c = custom_of(t);

	free(utw_container_of(t, struct custom_carrier, transport));
	c->transport = NULL;
	c->ops->free(c);
}

#define CUSTOM_CARRIER_COMMON                                                          \
	.read = custom_read, .read_record = custom_read_record, .write = custom_write, \
	.hangup = custom_hangup, .close = custom_close, .free = custom_free

static const struct utw_carrier_ops apart_ops = { CUSTOM_CARRIER_COMMON,
						  .shut_write = custom_shut_write };
static const struct utw_carrier_ops joined_ops = { CUSTOM_CARRIER_COMMON };

static int custom_addresses(const struct utw_custom_options *options,
			    struct utw_ends_addresses **ret)
{
	struct utw_ends_addresses *ends;

	if (!options || !options->peer)
		return 0;
	ends = calloc(1, sizeof(*ends));
	if (!ends)
		return -ENOMEM;
	ends->peer = *options->peer;
	if (options->host)
		ends->host = *options->host;
	*ret = ends;
	return 0;
}

static int custom_carrier_init(struct utw_transport *t, struct utw_reactor *r,
			       const struct utw_custom_ops *ops,
			       const struct utw_custom_options *options, struct utw_protocol *p)
{
	struct utw_ends_addresses *ends = NULL;
	int error = custom_addresses(options, &ends);

	if (error)
		return error;
	t->record = options && options->record;
	error = utw_transport_init(t, ops->shut_write ? &apart_ops : &joined_ops, r, p,
				   options && options->name ? options->name : "custom");
	if (error)
		free(ends);
	else
		t->annex->addresses = ends;
	return error;
}

int utw_custom_transport_new(struct utw_transport **ret, struct utw_reactor *r,
			     struct utw_custom *c, const struct utw_custom_ops *ops,
			     const struct utw_custom_options *options, struct utw_protocol *p)
{
	struct custom_carrier *carrier = calloc(1, sizeof(*carrier));
	int error;

	if (!carrier)
		return -ENOMEM;
	carrier->custom = c;
	error = custom_carrier_init(&carrier->transport, r, ops, options, p);
	if (error) {
		free(carrier);
		return error;
	}
	c->ops = ops;
	c->transport = &carrier->transport;
	utw_end_open_virtual(&carrier->transport.in, r, &carrier->unpolled);
	utw_transport_launch(&carrier->transport, ret);
	return 0;
}

void utw_custom_set_ready(struct utw_custom *c, uint32_t events)
{
	if (!utw_transport_lost(c->transport))
		utw_end_set_state(&c->transport->in, events);
}

void utw_custom_lose(struct utw_custom *c, struct utw_failure *reason)
{
	if (c->transport)
		utw_transport_lose(c->transport, reason);
	else
		utw_failure_unref(reason);
}
