/* SPDX-License-Identifier: MIT */
/* Transports in memory: see untwist/memory.h. Each side keeps what it has yet to read. */
#include <untwist/memory.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "transport-private.h"

struct memory_carrier {
	struct utw_transport transport;
	struct utw_end_unpolled unpolled;
	struct memory_carrier *peer; /* NULL: closed */
	struct utw_buffer inbox; /* records: each behind its length, a uint32_t */
	void *record; /* the one being told, out of reach of writes meanwhile */
	bool ended; /* the peer writes no more */
	bool reset; /* because it has aborted */
};

static struct memory_carrier *carrier_of(struct utw_transport *t)
{
	return utw_container_of(t, struct memory_carrier, transport);
}

static bool has_room(const struct memory_carrier *c)
{
	return utw_buffer_length(&c->inbox) < UTW_MEMORY_ROOM;
}

/* What a poller would say of a socket in the same state. */
static void memory_update(struct memory_carrier *c)
{
	uint32_t state = 0;

	if (!c)
		return;
	if (!utw_buffer_empty(&c->inbox) || c->ended)
		state |= EPOLLIN;
	if (!c->peer || has_room(c->peer))
		state |= EPOLLOUT;
	if (c->ended)
		state |= EPOLLRDHUP;
	if (!c->peer)
		state |= EPOLLHUP;
	utw_end_set_state(&c->transport.in, state);
}

static ssize_t memory_ended(const struct memory_carrier *c)
{
	if (c->reset)
		return -ECONNRESET;
	return c->ended ? 0 : -EAGAIN;
}

static void memory_consume(struct memory_carrier *c, size_t len)
{
	utw_buffer_consume(&c->inbox, len);
	if (utw_buffer_empty(&c->inbox))
		utw_buffer_release(&c->inbox);
	memory_update(c);
	memory_update(c->peer);
}

static ssize_t memory_read(struct utw_transport *t, void *data, size_t size)
{
	struct memory_carrier *c = carrier_of(t);
	size_t len = utw_buffer_length(&c->inbox);

	if (!len)
		return memory_ended(c);
	if (len > size)
		len = size;
	memcpy(data, utw_buffer_data(&c->inbox), len);
	memory_consume(c, len);
	return (ssize_t)len;
}

static ssize_t memory_read_record(struct utw_transport *t, const void **data, size_t *full_len,
				  bool *end)
{
	struct memory_carrier *c = carrier_of(t);
	const char *waiting = utw_buffer_data(&c->inbox);
	uint32_t len;
	void *record;

	if (utw_buffer_empty(&c->inbox)) {
		*end = c->ended && !c->reset;
		return memory_ended(c);
	}
	memcpy(&len, waiting, sizeof(len));
	record = realloc(c->record, len);
	if (!record)
		return -ENOMEM;
	memcpy(record, waiting + sizeof(len), len);
	c->record = record;
	memory_consume(c, sizeof(len) + len);
	*data = record;
	*full_len = len;
	return (ssize_t)len;
}

/* A stream takes what there is room for, a record goes whole. */
static ssize_t memory_write(struct utw_transport *t, const void *data, size_t len)
{
	struct memory_carrier *c = carrier_of(t);
	uint32_t record_len = (uint32_t)len;
	size_t header = t->record ? sizeof(record_len) : 0;
	struct utw_buffer *to;
	char *room;

	if (!c->peer)
		return -EPIPE;
	to = &c->peer->inbox;
	if (!has_room(c->peer))
		return -EAGAIN;
	if (!t->record && len > UTW_MEMORY_ROOM - utw_buffer_length(to))
		len = UTW_MEMORY_ROOM - utw_buffer_length(to);
	room = utw_buffer_reserve(to, header + len);
	if (!room)
		return -ENOMEM;
	memcpy(room, &record_len, header);
	memcpy(room + header, data, len);
	utw_buffer_commit(to, header + len);
	memory_update(c->peer);
	memory_update(c);
	return (ssize_t)len;
}

static void memory_shut_write(struct utw_transport *t)
{
	struct memory_carrier *peer = carrier_of(t)->peer;

	if (peer)
		peer->ended = true;
	memory_update(peer);
}

static int memory_hangup(struct utw_transport *t)
{
	return carrier_of(t)->reset ? -ECONNRESET : 0;
}

static void memory_close(struct utw_transport *t, bool abort)
{
	struct memory_carrier *c = carrier_of(t);
	struct memory_carrier *peer = c->peer;

	c->peer = NULL;
	if (peer) {
		peer->peer = NULL;
		peer->reset = abort && !peer->ended;
		peer->ended = true;
		memory_update(peer);
	}
	utw_end_close(&t->in);
	utw_buffer_release(&c->inbox);
}

static void memory_free(struct utw_transport *t)
{
	free(carrier_of(t)->record);
	free(carrier_of(t));
}

static const struct utw_carrier_ops memory_ops = {
	.read = memory_read,
	.read_record = memory_read_record,
	.write = memory_write,
	.shut_write = memory_shut_write,
	.hangup = memory_hangup,
	.close = memory_close,
	.free = memory_free,
};

static struct memory_carrier *memory_new(struct utw_reactor *r, enum utw_memory_kind kind,
					 struct utw_protocol *p, int *error)
{
	struct memory_carrier *c = calloc(1, sizeof(*c));

	*error = -ENOMEM;
	if (!c)
		return NULL;
	*error = utw_transport_init(&c->transport, &memory_ops, r, p, "memory");
	if (*error) {
		free(c);
		return NULL;
	}
	c->transport.record = kind == UTW_MEMORY_RECORD;
	utw_end_open_virtual(&c->transport.in, r, &c->unpolled);
	return c;
}

int utw_memory_transport_pair(struct utw_transport *ret[2], struct utw_reactor *r,
			      enum utw_memory_kind kind, struct utw_protocol *p[2])
{
	struct memory_carrier *c[2];
	int error;

	if (p[0] == p[1])
		return -EBUSY;
	c[0] = memory_new(r, kind, p[0], &error);
	if (!c[0])
		return error;
	c[1] = memory_new(r, kind, p[1], &error);
	if (!c[1]) {
		utw_transport_discard(&c[0]->transport);
		return error;
	}
	for (int i = 0; i < 2; i++)
		c[i]->peer = c[1 - i];
	for (int i = 0; i < 2; i++) {
		memory_update(c[i]);
		utw_transport_launch(&c[i]->transport, ret ? &ret[i] : NULL);
	}
	return 0;
}
