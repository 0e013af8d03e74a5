/* SPDX-License-Identifier: MIT */
/*
 * Custom: a transport whose bytes or records come from the program itself, and
 * not from a descriptor. Layers over other transports are made of it, and the
 * doubles of tests.
 *
 * Embed a struct utw_custom in a structure of your own. The transport asks it
 * to read and to write, without ever waiting, and obeys the whole contract of
 * transport.h: queue, marks, close modes, reasons.
 */
#ifndef UNTWIST_CUSTOM_H
#define UNTWIST_CUSTOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_custom;
struct utw_failure;
struct utw_protocol;
struct utw_reactor;
struct utw_transport;

/**
 * struct utw_custom_ops - how it reads and writes
 * @read: streams: give at most @size bytes; 0 at the end
 * @read_record: records: point at the next one (borrowed until the next call)
 *	and set *full_len, more than what is returned if its end is cut off; sets
 *	*end at the end
 * @write: take some bytes, or a whole record; returns how many
 * @shut_write: no more will be written; NULL where the two directions cannot
 *	end apart
 * @close: the transport is over; @abort: in a hurry
 * @free: nobody holds the transport any more: the last call
 *
 * All are called from the reactor's turn. Reads and writes return -EAGAIN when
 * they would have to wait, and another -errno to end the transport. They may
 * not call functions of this transport but utw_custom_set_ready().
 */
struct utw_custom_ops {
	ssize_t (*read)(struct utw_custom *c, void *data, size_t size);
	ssize_t (*read_record)(struct utw_custom *c, const void **data, size_t *full_len,
			       bool *end);
	ssize_t (*write)(struct utw_custom *c, const void *data, size_t len);
	void (*shut_write)(struct utw_custom *c);
	void (*close)(struct utw_custom *c, bool abort);
	void (*free)(struct utw_custom *c);
};

/**
 * struct utw_custom - to be embedded in your structure
 * @ops: set with utw_custom_transport_new()
 * @transport: the transport, borrowed, from then on until @free
 */
struct utw_custom {
	const struct utw_custom_ops *ops;
	struct utw_transport *transport;
};

/**
 * struct utw_custom_options - what there is to say about it; all zero by default
 * @name: of the transport, for messages; copied; NULL: "custom"
 * @record: it keeps the boundaries of records
 * @peer: address of the other side, copied; NULL: none
 * @host: address of this side, copied; NULL: none; used with @peer only
 */
struct utw_custom_options {
	const char *name;
	bool record;
	const struct utw_address *peer;
	const struct utw_address *host;
};

/**
 * utw_custom_transport_new() - make a transport of it
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @c: storage of the caller, which stays until @free
 * @ops: its operations, which outlive it
 * @options: NULL for the default
 * @p: the protocol, told made in a later callback
 *
 * It is ready for nothing at first: see utw_custom_set_ready().
 *
 * Return: 0; -EBUSY when @p has a transport, -EINVAL when it lacks lost,
 * -ENOMEM. After an error no operation is called, not even @free.
 */
UTW_API int utw_custom_transport_new(struct utw_transport **ret, struct utw_reactor *r,
				     struct utw_custom *c, const struct utw_custom_ops *ops,
				     const struct utw_custom_options *options,
				     struct utw_protocol *p);

/**
 * utw_custom_set_ready() - say what it is ready for
 * @c: the custom part of a transport
 * @events: EPOLLIN: a read would not say -EAGAIN; EPOLLOUT: a write would not;
 *	EPOLLRDHUP: the end is behind what can be read
 *
 * Holds until it is called again. Never calls back from inside.
 */
UTW_API void utw_custom_set_ready(struct utw_custom *c, uint32_t events);

/**
 * utw_custom_lose() - end the transport
 * @c: the custom part of a transport
 * @reason: of the reason domain, what the protocol will be told; taken
 *
 * The protocol hears lost in a later callback. What was not read is dropped;
 * after a loss or an end for another reason this one is ignored.
 */
UTW_API void utw_custom_lose(struct utw_custom *c, struct utw_failure *reason);

#ifdef __cplusplus
}
#endif

#endif
