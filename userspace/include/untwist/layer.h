/* SPDX-License-Identifier: MIT */
/*
 * Layer: protocol to the transport below, transport to the protocol above.
 *
 * Embed a struct utw_layer in a structure of your own to see, delay or count
 * what a connection carries, with any protocol above and any transport below.
 * The policies of policy.h are layers.
 *
 * What comes from below waits in the layer until the protocol above wants it,
 * up to UTW_LAYER_ROOM bytes; then the transport below is paused. What the
 * protocol above writes waits in its own transport, with marks of its own, as
 * long as the transport below is over its mark.
 *
 * A loss below is told above with its reason, after what has come is read. A
 * close from above that flushes is done when all was handed to the transport
 * below, which then has UTW_LAYER_CLOSE_TIMEOUT to send it.
 */
#ifndef UNTWIST_LAYER_H
#define UNTWIST_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/call.h>
#include <untwist/custom.h>
#include <untwist/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_buffer;
struct utw_failure;
struct utw_layer;
struct utw_transport;

/** Bytes that wait in a layer before the transport below is paused. */
#define UTW_LAYER_ROOM 65536

/** How long the transport below may take to send what it was given, in nanoseconds. */
#define UTW_LAYER_CLOSE_TIMEOUT UINT64_C(30000000000)

/**
 * struct utw_layer_ops - what a layer does; all may be NULL but @free
 * @begin: the transport below is ready; the protocol above is told made later
 * @may_read: how many bytes may be handed up now; a record counts as one byte
 *	if any may. Call utw_layer_update() when the answer grows
 * @may_write: how many bytes may be handed down now
 * @read: these were handed up
 * @written: these were handed down
 * @lost: the transport below is no more, for this reason (borrowed)
 * @free: nobody holds the layer: the last call
 *
 * All are called from the reactor's turn.
 */
struct utw_layer_ops {
	void (*begin)(struct utw_layer *l);
	size_t (*may_read)(struct utw_layer *l);
	size_t (*may_write)(struct utw_layer *l);
	void (*read)(struct utw_layer *l, const void *data, size_t len);
	void (*written)(struct utw_layer *l, const void *data, size_t len);
	void (*lost)(struct utw_layer *l, struct utw_failure *reason);
	void (*free)(struct utw_layer *l);
};

/**
 * struct utw_layer - to be embedded in your structure
 * @below: hand this protocol to the maker of a transport, or return it from
 *	build
 *
 * All other members are the library's.
 */
struct utw_layer {
	struct utw_protocol below;
	struct utw_custom custom;
	const struct utw_layer_ops *ops;
	struct utw_protocol *protocol;
	const struct utw_address *peer;
	const struct utw_address *host;
	struct utw_buffer *held;
	struct utw_failure *reason;
	size_t record_len;
	bool full;
	bool ended;
	bool told;
	bool choked;
	struct utw_call later;
};

/**
 * utw_layer_init() - prepare a layer
 * @l: storage of the caller, which stays until @free
 * @ops: its operations, which outlive it
 * @above: the protocol above. It is told made when the transport below was;
 *	and lost in any case from then on
 */
UTW_API void utw_layer_init(struct utw_layer *l, const struct utw_layer_ops *ops,
			    struct utw_protocol *above);

/**
 * utw_layer_set_addresses() - tell other addresses than the transport below
 * @l: a layer whose transport below is not ready yet
 * @peer: of the other side, NULL for none; stays until @begin
 * @host: of this side; likewise
 */
UTW_API void utw_layer_set_addresses(struct utw_layer *l, const struct utw_address *peer,
				     const struct utw_address *host);

/**
 * utw_layer_preload() - let bytes come before those of the transport below
 * @l: a layer over a stream that has a transport below
 * @data: what somebody else has read of it already; copied
 * @len: how many bytes
 *
 * Without memory for them the connection is ended.
 */
UTW_API void utw_layer_preload(struct utw_layer *l, const void *data, size_t len);

/**
 * utw_layer_release() - free what a layer holds that never had a transport
 * @l: the layer
 */
UTW_API void utw_layer_release(struct utw_layer *l);

/**
 * utw_layer_update() - more may be read or written than before
 * @l: the layer
 */
UTW_API void utw_layer_update(struct utw_layer *l);

/**
 * utw_layer_lose() - end both sides, for a reason of the layer's own
 * @l: the layer
 * @reason: told to the protocol above; taken
 *
 * The transport below is aborted.
 */
UTW_API void utw_layer_lose(struct utw_layer *l, struct utw_failure *reason);

/**
 * utw_layer_switch() - go on with another protocol in the middle of a stream
 * @t: a stream transport; its protocol is left without one and hears nothing
 *	more, as by utw_transport_set_protocol()
 * @p: the new protocol, told made in a later callback, before anything else
 * @rest: what the old protocol has received and made no use of; copied. With
 *	utw_line it is utw_line_held()
 * @len: how many bytes; 0: none
 *
 * For what begins in one protocol and goes on in another: "Upgrade:" of HTTP,
 * CONNECT of a proxy, a mode switch of a device. The
 * rest comes first. With a rest, @p has a transport of its own over @t, which
 * is paused while more than UTW_LAYER_ROOM bytes wait; without, it has @t.
 * Bytes in clear that come before TLS are not for this: see utw_tls_start().
 *
 * Return: 0; -EPIPE after a close or loss, -EBUSY when @p has a transport,
 * -EINVAL when it lacks lost or @t keeps records, -ENOMEM. After an error the
 * old protocol has @t as before.
 */
UTW_API int utw_layer_switch(struct utw_transport *t, struct utw_protocol *p, const void *rest,
			     size_t len);

#ifdef __cplusplus
}
#endif

#endif
