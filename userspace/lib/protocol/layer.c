/* SPDX-License-Identifier: MIT */
/*
 * Layer: see untwist/layer.h.
 *
 * Two things hold it: the transport below, until it has told lost, and the
 * transport above, until nobody refers to it. The latter is made when the
 * former is ready, so the layer goes with the transport above; only when that
 * could not be made does it go with the one below.
 */
#include <untwist/layer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <untwist/failure.h>
#include <untwist/transport.h>

#include "base/buffer.h"

/* In front of each record that is held. */
struct record_header {
	size_t len;
	size_t full_len;
};

static struct utw_layer *layer_below(struct utw_protocol *p)
{
	return utw_container_of(p, struct utw_layer, below);
}

static struct utw_layer *layer_of(struct utw_custom *c)
{
	return utw_container_of(c, struct utw_layer, custom);
}

static size_t held_length(const struct utw_layer *l)
{
	return l->held ? utw_buffer_length(l->held) : 0;
}

static size_t may_read(struct utw_layer *l)
{
	return l->ops->may_read ? l->ops->may_read(l) : SIZE_MAX;
}

static size_t may_write(struct utw_layer *l)
{
	return l->ops->may_write ? l->ops->may_write(l) : SIZE_MAX;
}

void utw_layer_update(struct utw_layer *l)
{
	bool over = l->ended || l->reason;
	uint32_t events = 0;

	/* An end behind what may not be read yet is not told, or the reactor would spin. */
	if (held_length(l) ? may_read(l) > 0 : over)
		events = over ? EPOLLIN | EPOLLRDHUP : EPOLLIN;
	if (l->below.transport && !l->choked && may_write(l))
		events |= EPOLLOUT;
	utw_custom_set_ready(&l->custom, events);
}

/* What was allowed a moment ago is not any more: another connection may have had it. */
static ssize_t layer_wait(struct utw_layer *l)
{
	utw_layer_update(l);
	return -EAGAIN;
}

/* Something was read: there may be room for more from below. */
static void layer_drained(struct utw_layer *l)
{
	if (l->full && held_length(l) <= UTW_LAYER_ROOM / 2) {
		l->full = false;
		utw_transport_resume(l->below.transport);
	}
	utw_layer_update(l);
}

/* Nothing is left to read: this is the end, if there is one. The loss comes behind it. */
static ssize_t layer_read_end(struct utw_layer *l)
{
	if (l->ended) {
		l->told = true;
		if (l->reason)
			utw_call_start(&l->later, utw_transport_reactor(l->custom.transport));
		return 0;
	}
	if (l->reason)
		utw_custom_lose(&l->custom, utw_failure_ref(l->reason));
	return -EAGAIN;
}

static void layer_later(struct utw_call *c)
{
	struct utw_layer *l = utw_container_of(c, struct utw_layer, later);

	utw_custom_lose(&l->custom, utw_failure_ref(l->reason));
}

static ssize_t layer_read(struct utw_custom *c, void *data, size_t size)
{
	struct utw_layer *l = layer_of(c);
	size_t len = held_length(l);
	size_t allowed = may_read(l);

	if (!len)
		return layer_read_end(l);
	if (!allowed)
		return layer_wait(l);
	len = len < allowed ? len : allowed;
	len = len < size ? len : size;
	memcpy(data, utw_buffer_data(l->held), len);
	utw_buffer_consume(l->held, len);
	if (l->ops->read)
		l->ops->read(l, data, len);
	layer_drained(l);
	return (ssize_t)len;
}

/* The record before was pointed at where it lies, and is done with now. */
static ssize_t layer_read_record(struct utw_custom *c, const void **data, size_t *full_len,
				 bool *end)
{
	struct utw_layer *l = layer_of(c);
	struct record_header header;

	if (l->record_len) {
		utw_buffer_consume(l->held, l->record_len);
		l->record_len = 0;
		layer_drained(l);
	}
	if (!held_length(l)) {
		ssize_t got = layer_read_end(l);

		*end = got == 0;
		return got;
	}
	if (!may_read(l))
		return layer_wait(l);
	memcpy(&header, utw_buffer_data(l->held), sizeof(header));
	*data = (const char *)utw_buffer_data(l->held) + sizeof(header);
	*full_len = header.full_len;
	l->record_len = sizeof(header) + header.len;
	if (l->ops->read)
		l->ops->read(l, *data, header.len);
	return (ssize_t)header.len;
}

static ssize_t layer_write(struct utw_custom *c, const void *data, size_t len)
{
	struct utw_layer *l = layer_of(c);
	size_t allowed = may_write(l);
	int status;

	if (l->choked || !allowed)
		return layer_wait(l);
	if (!utw_transport_is_record(l->below.transport) && len > allowed)
		len = allowed;
	status = utw_transport_write(l->below.transport, data, len);
	if (status == -ENOBUFS)
		return -EAGAIN;
	if (status < 0)
		return status;
	l->choked = status == UTW_WRITE_OVER;
	if (l->ops->written)
		l->ops->written(l, data, len);
	utw_layer_update(l);
	return (ssize_t)len;
}

static void layer_shut_write(struct utw_custom *c)
{
	utw_transport_close_write(layer_of(c)->below.transport);
}

static void layer_close(struct utw_custom *c, bool abort)
{
	utw_transport_close(layer_of(c)->below.transport, abort ? UTW_CLOSE_ABORT : UTW_CLOSE_FLUSH,
			    UTW_LAYER_CLOSE_TIMEOUT);
}

void utw_layer_release(struct utw_layer *l)
{
	if (l->held)
		utw_buffer_release(l->held);
	free(l->held);
	l->held = NULL;
	utw_failure_unref(l->reason);
	l->reason = NULL;
}

/* Both sides have let go of it. */
static void layer_free_if_over(struct utw_layer *l)
{
	if (l->below.transport || l->custom.transport)
		return;
	utw_call_stop(&l->later);
	utw_layer_release(l);
	l->ops->free(l);
}

static void layer_free(struct utw_custom *c)
{
	layer_free_if_over(layer_of(c));
}

static const struct utw_custom_ops layer_custom = { .read = layer_read,
						    .read_record = layer_read_record,
						    .write = layer_write,
						    .shut_write = layer_shut_write,
						    .close = layer_close,
						    .free = layer_free };

/* The protocol above owns itself, and so must hear of its end. */
static void layer_refuse(struct utw_layer *l, int error)
{
	struct utw_protocol *p = l->protocol;
	struct utw_failure *reason =
		utw_failure_new(&utw_domain_reason, UTW_LOST, "layer",
				utw_failure_from_errno(error, "layer", "no transport"), "%s",
				utw_transport_name(l->below.transport));

	utw_transport_close(l->below.transport, UTW_CLOSE_ABORT, 0);
	if (p->ops && p->ops->lost && !p->transport)
		p->ops->lost(p, reason);
	utw_failure_unref(reason);
}

static void layer_made(struct utw_protocol *p)
{
	struct utw_layer *l = layer_below(p);
	struct utw_transport *below = p->transport;
	struct utw_custom_options options = {
		.name = utw_transport_name(below),
		.record = utw_transport_is_record(below),
		.peer = l->peer ? l->peer : utw_transport_peer(below),
		.host = l->peer ? l->host : utw_transport_host(below),
	};
	int error = utw_custom_transport_new(NULL, utw_transport_reactor(below), &l->custom,
					     &layer_custom, &options, l->protocol);

	if (error) {
		layer_refuse(l, error);
		return;
	}
	if (l->ops->begin)
		l->ops->begin(l);
	utw_layer_update(l);
}

/* Without memory for it the connection cannot go on. */
static void layer_hold(struct utw_layer *l, const void *data, size_t len)
{
	if (!l->held)
		l->held = calloc(1, sizeof(*l->held));
	if (!l->held || utw_buffer_append(l->held, data, len))
		utw_layer_lose(l,
			       utw_failure_new(&utw_domain_reason, UTW_LOST, "layer",
					       utw_failure_from_errno(-ENOMEM, "layer", "hold"),
					       "%s", utw_transport_name(l->below.transport)));
	if (!l->full && held_length(l) >= UTW_LAYER_ROOM) {
		l->full = true;
		utw_transport_pause(l->below.transport);
	}
}

static void layer_data(struct utw_protocol *p, const void *data, size_t len)
{
	struct utw_layer *l = layer_below(p);

	layer_hold(l, data, len);
	utw_layer_update(l);
}

static void layer_record(struct utw_protocol *p, const void *data, size_t len, size_t full_len)
{
	struct utw_layer *l = layer_below(p);
	struct record_header header = { .len = len, .full_len = full_len };

	layer_hold(l, &header, sizeof(header));
	if (len)
		layer_hold(l, data, len);
	utw_layer_update(l);
}

static void layer_overflow(struct utw_protocol *p, uint64_t bytes, uint64_t records)
{
	struct utw_protocol *above = utw_transport_protocol(layer_below(p)->custom.transport);

	if (above && above->ops->overflow)
		above->ops->overflow(above, bytes, records);
}

static void layer_eof(struct utw_protocol *p)
{
	layer_below(p)->ended = true;
	utw_layer_update(layer_below(p));
}

static void layer_pause(struct utw_protocol *p)
{
	layer_below(p)->choked = true;
}

static void layer_resume(struct utw_protocol *p)
{
	layer_below(p)->choked = false;
	utw_layer_update(layer_below(p));
}

static void layer_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct utw_layer *l = layer_below(p);

	if (l->ops->lost)
		l->ops->lost(l, reason);
	if (!l->reason)
		l->reason = utw_failure_ref(reason);
	if (!held_length(l) && (l->told || !l->ended))
		utw_custom_lose(&l->custom, utw_failure_ref(l->reason));
	else
		utw_layer_update(l);
	layer_free_if_over(l);
}

static const struct utw_protocol_ops layer_ops = { .made = layer_made,
						   .data = layer_data,
						   .record = layer_record,
						   .overflow = layer_overflow,
						   .eof = layer_eof,
						   .pause = layer_pause,
						   .resume = layer_resume,
						   .lost = layer_lost };

void utw_layer_init(struct utw_layer *l, const struct utw_layer_ops *ops,
		    struct utw_protocol *above)
{
	memset(l, 0, sizeof(*l));
	utw_protocol_init(&l->below, &layer_ops);
	utw_call_init(&l->later, layer_later);
	l->ops = ops;
	l->protocol = above;
}

void utw_layer_set_addresses(struct utw_layer *l, const struct utw_address *peer,
			     const struct utw_address *host)
{
	l->peer = peer;
	l->host = host;
}

void utw_layer_preload(struct utw_layer *l, const void *data, size_t len)
{
	if (len)
		layer_hold(l, data, len);
}

void utw_layer_lose(struct utw_layer *l, struct utw_failure *reason)
{
	utw_custom_lose(&l->custom, reason);
	utw_transport_close(l->below.transport, UTW_CLOSE_ABORT, 0);
}
