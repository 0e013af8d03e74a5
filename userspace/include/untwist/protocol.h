/* SPDX-License-Identifier: MIT */
/*
 * Protocol: what is done with the bytes or records of one transport.
 *
 * Embed a struct utw_protocol in a structure of your own, point it at a
 * constant table of operations, and hand it to whatever makes a transport.
 * Your operations find your structure again with utw_container_of().
 *
 * The life of a protocol on a transport is always
 *
 *	made, (data | record | overflow | hangup | pause | resume)*, eof?, lost
 *
 * where lost comes exactly once, whatever happened, and nothing comes after
 * it. All operations run in the thread of the reactor. They are called from
 * the reactor's turn, never from inside a call that you make, with one
 * exception: pause is called from inside the write that went over the high
 * mark. Every operation may call every function of the transport.
 */
#ifndef UNTWIST_PROTOCOL_H
#define UNTWIST_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_failure;
struct utw_protocol;
struct utw_transport;

/**
 * struct utw_protocol_ops - what a protocol does; only @lost must be there
 * @made: the transport is ready: first of all calls
 * @data: bytes have arrived (stream transports), cut anywhere; they are
 *	borrowed for the length of the call
 * @record: a record has arrived (record transports), borrowed likewise;
 *	@full_len > @len tells that its end was cut off
 * @overflow: the kernel dropped received data because nobody read it in time
 * @eof: the other side sends no more; writing is still possible, until the
 *	transport is closed. Without this operation, and where the directions
 *	cannot end apart (devices, terminals), the end of the other side ends
 *	the transport: one attempt is made to send what waits, then comes @lost
 * @hangup: while reading was paused, the other side ended. What it sent
 *	before is still there: resume to get it, or close. Told once
 * @pause: more than the high mark waits to be sent: stop writing
 * @resume: no more than the low mark waits to be sent: go on writing
 * @lost: the transport is no more, and @reason (borrowed) says why:
 *	UTW_DONE, UTW_LOST, UTW_ABORTED, UTW_GONE or UTW_TIMEOUT. The
 *	protocol's transport pointer is NULL already; the protocol may free
 *	itself
 */
struct utw_protocol_ops {
	void (*made)(struct utw_protocol *p);
	void (*data)(struct utw_protocol *p, const void *data, size_t len);
	void (*record)(struct utw_protocol *p, const void *data, size_t len, size_t full_len);
	void (*overflow)(struct utw_protocol *p, uint64_t bytes, uint64_t records);
	void (*eof)(struct utw_protocol *p);
	void (*hangup)(struct utw_protocol *p);
	void (*pause)(struct utw_protocol *p);
	void (*resume)(struct utw_protocol *p);
	void (*lost)(struct utw_protocol *p, struct utw_failure *reason);
};

/**
 * struct utw_protocol - to be embedded in your structure
 * @ops: set with utw_protocol_init()
 * @transport: the transport, borrowed; NULL before there is one and from
 *	@lost on. Every function of the transport accepts NULL
 */
struct utw_protocol {
	const struct utw_protocol_ops *ops;
	struct utw_transport *transport;
};

/**
 * utw_protocol_init() - prepare a protocol for its first or next transport
 * @p: the protocol, storage of the caller
 * @ops: its operations, which outlive it; @lost must be set
 */
static inline void utw_protocol_init(struct utw_protocol *p, const struct utw_protocol_ops *ops)
{
	p->ops = ops;
	p->transport = NULL;
}

#ifdef __cplusplus
}
#endif

#endif
