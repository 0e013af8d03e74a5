/* SPDX-License-Identifier: MIT */
/* The data plane of a device node as a transport: see untwist/device.h. */
#include <untwist/device.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device-node.h"
#include "transport-private.h"

/* Most records are small; room for the largest is taken when one comes. */
#define RECORD_ROOM 1024

struct device_carrier {
	struct utw_transport transport;
	size_t deliver_max; /* of a record */
	char *record;
	size_t room;
};

static struct device_carrier *carrier_of(const struct utw_transport *t)
{
	return utw_container_of(t, struct device_carrier, transport);
}

static ssize_t node_read(int fd, void *data, size_t size)
{
	ssize_t got;

	do {
		got = read(fd, data, size);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static ssize_t device_read(struct utw_transport *t, void *data, size_t size)
{
	return node_read(utw_end_fd(&t->in), data, size);
}

/* The next record did not fit, and waits: make room for it. */
static int record_grow(struct device_carrier *c)
{
	char *bigger;
	int next;

	if (ioctl(utw_end_fd(&c->transport.in), FIONREAD, &next))
		return -errno;
	/* It said that this was not enough. */
	if (next < 0 || (size_t)next <= c->room)
		return -EPROTO;
	bigger = realloc(c->record, (size_t)next);
	if (!bigger)
		return -ENOMEM;
	c->record = bigger;
	c->room = (size_t)next;
	return 0;
}

static ssize_t device_read_record(struct utw_transport *t, const void **data, size_t *full_len,
				  bool *end)
{
	struct device_carrier *c = carrier_of(t);
	ssize_t got;

	while ((got = node_read(utw_end_fd(&t->in), c->record, c->room)) == -EMSGSIZE) {
		int error = record_grow(c);

		if (error)
			return error;
	}
	if (got < 0)
		return got;
	*data = c->record;
	*full_len = (size_t)got;
	*end = got == 0;
	return (size_t)got < c->deliver_max ? got : (ssize_t)c->deliver_max;
}

static ssize_t device_write(struct utw_transport *t, const void *data, size_t len)
{
	ssize_t put;

	do {
		put = write(utw_end_fd(&t->in), data, len);
	} while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

static void device_priority(struct utw_transport *t)
{
	struct untwist_lost lost = { .bytes = 0 };

	if (utw_device_ioctl(utw_end_fd(&t->in), UNTWIST_IOC_GET_LOST, &lost))
		return;
	if ((lost.bytes || lost.records) && t->protocol->ops->overflow)
		t->protocol->ops->overflow(t->protocol, lost.bytes, lost.records);
}

/* A device hangs up when it is unplugged, and then only. */
static int device_hangup(struct utw_transport *t)
{
	(void)t;
	return -ENODEV;
}

static void device_close(struct utw_transport *t, bool abort)
{
	(void)abort;
	utw_end_close(&t->in);
}

static void device_free(struct utw_transport *t)
{
	struct device_carrier *c = carrier_of(t);

	free(c->record);
	free(c);
}

static const struct utw_carrier_ops device_ops = {
	.read = device_read,
	.read_record = device_read_record,
	.write = device_write,
	.priority = device_priority,
	.hangup = device_hangup,
	.close = device_close,
	.free = device_free,
};

static int device_carrier_setup(struct device_carrier *c, const struct untwist_info *info,
				const struct utw_device_options *options)
{
	struct utw_transport *t = &c->transport;

	t->record = info->kind == UNTWIST_KIND_RECORD;
	if (!t->record)
		return 0;
	t->annex->record_max = info->record_max;
	c->deliver_max = options && options->record_max ? options->record_max : SIZE_MAX / 2;
	c->room = info->record_max < RECORD_ROOM ? info->record_max : RECORD_ROOM;
	if (!c->room)
		c->room = 1;
	c->record = malloc(c->room);
	return c->record ? 0 : -ENOMEM;
}

static int device_carrier_new(struct utw_transport **ret, struct utw_reactor *r, const char *path,
			      const struct utw_device_options *options, struct utw_protocol *p)
{
	struct device_carrier *c = calloc(1, sizeof(*c));
	struct untwist_info info;
	int error;
	int fd;

	if (!c)
		return -ENOMEM;
	error = utw_transport_init(&c->transport, &device_ops, r, p, path);
	if (error) {
		device_free(&c->transport);
		return error;
	}
	fd = utw_device_node_open(path, UNTWIST_PLANE_DATA, &info);
	error = fd < 0 ? fd : device_carrier_setup(c, &info, options);
	if (!error)
		error = utw_end_open(&c->transport.in, r, fd);
	if (error) {
		if (fd >= 0)
			close(fd);
		utw_transport_discard(&c->transport);
		return error;
	}
	*ret = &c->transport;
	return 0;
}

int utw_device_transport_open(struct utw_transport **ret, struct utw_reactor *r, const char *path,
			      const struct utw_device_options *options, struct utw_protocol *p)
{
	struct utw_transport *t;
	int error = device_carrier_new(&t, r, path, options, p);

	if (error)
		return error;
	utw_transport_launch(t, ret);
	return 0;
}
