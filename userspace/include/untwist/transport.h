/* SPDX-License-Identifier: MIT */
/*
 * Transport: a pollable thing that bytes or records are sent to and come from.
 *
 * Every kind of transport (TCP, pipe, standard streams, device node) is made
 * by a function of its own header and then obeys this one contract.
 *
 * Ownership: a maker gives its caller one reference, to be dropped with
 * utw_transport_unref(), and none if the caller passes NULL for it. The
 * transport holds one on itself until it has told its protocol lost. So a
 * protocol's transport pointer needs no reference. To end a transport, close
 * it and let the reactor turn until lost has come; a reactor that is freed
 * before leaves its transports without any end.
 *
 * Threads: a transport belongs to the thread of its reactor, all of it.
 *
 * Errors: functions return 0 or positive, or -errno. NULL is accepted for a
 * transport that is lost: such calls return -EPIPE, 0, NULL or nothing.
 *
 * No SIGPIPE is ever raised, and the process's signals are left as they are.
 */
#ifndef UNTWIST_TRANSPORT_H
#define UNTWIST_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <untwist/api.h>
#include <untwist/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_protocol;
struct utw_reactor;
struct utw_transport;

/** What a write that was accepted returns. */
enum utw_write_status {
	UTW_WRITE_OK = 0,
	UTW_WRITE_OVER = 1, /* accepted, but wait for resume before writing more */
};

enum utw_close_mode {
	UTW_CLOSE_FLUSH, /* send what waits, then end */
	UTW_CLOSE_AFTER_PRODUCER, /* let the registered producer finish, then flush */
	UTW_CLOSE_ABORT, /* drop what waits; TCP: the peer sees a reset */
};

/** What happens to a write that would make more wait than the cap. */
enum utw_cap_policy {
	UTW_CAP_FAIL, /* it is refused with -ENOBUFS */
	UTW_CAP_ABORT, /* so too, and the transport is lost: UTW_LOST, cause ENOBUFS */
};

/** Marks of a new transport, in bytes. */
#define UTW_LOW_MARK  0
#define UTW_HIGH_MARK 65536
#define UTW_CAP	      16777216

/** Limits of one turn of the reactor for one transport, in each direction. */
#define UTW_TURN_BYTES	 262144
#define UTW_TURN_RECORDS 64

/** Bytes that may wait within a turn before they are sent without its end. */
#define UTW_COALESCE 131072

/**
 * utw_transport_ref() - take a reference
 * @t: the transport or NULL
 *
 * Return: @t.
 */
UTW_API struct utw_transport *utw_transport_ref(struct utw_transport *t);

/**
 * utw_transport_unref() - drop a reference
 * @t: the transport or NULL
 *
 * Does not close it: a transport lives until it is lost.
 */
UTW_API void utw_transport_unref(struct utw_transport *t);

/**
 * utw_transport_write() - send bytes, or one record
 * @t: the transport
 * @data: what to send; copied
 * @len: its length in bytes; nothing happens for 0
 *
 * Never waits. What is written within a turn of the reactor goes out in one
 * system call at the end of the turn (records: one call each), or as soon as
 * UTW_COALESCE bytes wait.
 *
 * Return: UTW_WRITE_OK; UTW_WRITE_OVER once more than the high mark waits and
 * until no more than the low mark does; -EPIPE after a close or loss;
 * -ENOBUFS if more than the cap would wait; -EMSGSIZE for a record that the
 * device cannot take; -ENOMEM. After an error nothing was taken.
 */
UTW_API int utw_transport_write(struct utw_transport *t, const void *data, size_t len);

/**
 * utw_transport_writev() - send bytes, or one record, gathered from pieces
 * @t: the transport
 * @iov: the pieces; copied
 * @count: how many, 0 or more
 *
 * Return: as utw_transport_write(); -EINVAL for a negative @count.
 */
UTW_API int utw_transport_writev(struct utw_transport *t, const struct iovec *iov, int count);

/**
 * utw_transport_queued() - how much waits to be sent
 * @t: the transport
 *
 * Return: bytes accepted and not yet taken by the kernel.
 */
UTW_API size_t utw_transport_queued(const struct utw_transport *t);

/**
 * utw_transport_set_watermarks() - say how much may wait to be sent
 * @t: the transport
 * @low: resume when no more than this waits, in bytes
 * @high: pause when more than this waits, in bytes; at least @low
 * @cap: refuse writes beyond this, in bytes; at least @high
 * @policy: what else happens then
 *
 * Applies from the next write or drain on.
 *
 * Return: 0, -EINVAL when the three are out of order, -EPIPE.
 */
UTW_API int utw_transport_set_watermarks(struct utw_transport *t, size_t low, size_t high,
					 size_t cap, enum utw_cap_policy policy);

/**
 * utw_transport_pause() - stop reading
 * @t: the transport
 *
 * No data, record or eof comes from the moment that this returns, until
 * utw_transport_resume(). The end of the other side is still noticed: see
 * the protocol's hangup. Pausing twice is pausing once.
 *
 * Return: 0 or -EPIPE.
 */
UTW_API int utw_transport_pause(struct utw_transport *t);

/**
 * utw_transport_resume() - read again
 * @t: the transport
 *
 * Does nothing for one that is not paused or is being closed.
 *
 * Return: 0 or -EPIPE.
 */
UTW_API int utw_transport_resume(struct utw_transport *t);

/**
 * utw_transport_close() - end the transport
 * @t: the transport
 * @mode: what becomes of that which waits to be sent
 * @timeout: after how many nanoseconds what is left is aborted, with reason
 *	UTW_TIMEOUT; UTW_FOREVER to wait as long as it takes
 *
 * Reading stops now and for good; what the peer sends from here on is
 * dropped. The protocol hears lost in a later callback: UTW_DONE when all
 * was sent, UTW_ABORTED after an abort. A second close may only be harsher
 * (a milder one changes nothing), and its timeout replaces the first.
 */
UTW_API void utw_transport_close(struct utw_transport *t, enum utw_close_mode mode,
				 uint64_t timeout);

/**
 * utw_transport_close_write() - tell the other side that no more is coming
 * @t: the transport
 *
 * What waits is sent first. Reading goes on. When the other side has ended as
 * well, the transport is done.
 *
 * Return: 0, -EOPNOTSUPP where the two directions cannot be ended apart
 * (devices, terminals), -EPIPE when writing was ended before.
 */
UTW_API int utw_transport_close_write(struct utw_transport *t);

/**
 * utw_transport_closing() - is the end of this transport on its way?
 * @t: the transport
 *
 * Return: true from a close or a loss on, and for NULL.
 */
UTW_API bool utw_transport_closing(const struct utw_transport *t);

/**
 * utw_transport_register_producer() - let a producer follow the marks
 * @t: the transport
 * @p: the producer, which stays until it is unregistered or told stop
 * @kind: push or pull
 *
 * A pull producer is asked for the first time in a later callback. A push
 * producer registered while the transport is over its mark is paused at once.
 *
 * Return: 0, -EBUSY when there is one already, -EPIPE after a close or loss;
 * after an error the producer is never called.
 */
UTW_API int utw_transport_register_producer(struct utw_transport *t, struct utw_producer *p,
					    enum utw_producer_kind kind);

/**
 * utw_transport_unregister_producer() - the producer has finished
 * @t: the transport
 *
 * It is not called any more. A close that waited for it goes on.
 */
UTW_API void utw_transport_unregister_producer(struct utw_transport *t);

/**
 * utw_transport_set_protocol() - hand the transport to another protocol
 * @t: the transport
 * @p: the new protocol, told made in a later callback, before anything else
 *
 * The old one is left without a transport and hears nothing more, not even
 * lost. If this is called from its data operation, what is left of that chunk
 * is the old one's to hand over or to drop.
 *
 * Return: 0, -EPIPE after a close or loss, -EBUSY when @p has a transport,
 * -EINVAL when it lacks lost.
 */
UTW_API int utw_transport_set_protocol(struct utw_transport *t, struct utw_protocol *p);

/**
 * utw_transport_protocol() - the protocol of a transport
 * @t: the transport
 *
 * Return: the protocol, borrowed; NULL once the transport is lost.
 */
UTW_API struct utw_protocol *utw_transport_protocol(const struct utw_transport *t);

/**
 * utw_transport_reactor() - the reactor of a transport
 * @t: the transport
 *
 * Return: the reactor, borrowed.
 */
UTW_API struct utw_reactor *utw_transport_reactor(const struct utw_transport *t);

/**
 * utw_transport_is_record() - does it keep the boundaries of records?
 * @t: the transport
 *
 * Return: true if each write is one record and each read gives one.
 */
UTW_API bool utw_transport_is_record(const struct utw_transport *t);

/**
 * utw_transport_name() - what to call this transport in messages
 * @t: the transport
 *
 * Return: a short text, such as "tcp 127.0.0.1:4000" or "/dev/untwist/loop0",
 * that lives as long as the transport.
 */
UTW_API const char *utw_transport_name(const struct utw_transport *t);

/**
 * utw_transport_peer() - the address of the other side
 * @t: the transport
 *
 * Return: the address, borrowed; NULL where there is none, or no memory to keep it.
 */
UTW_API const struct utw_address *utw_transport_peer(const struct utw_transport *t);

/**
 * utw_transport_host() - the address of this side
 * @t: the transport
 *
 * Return: the address, borrowed; NULL where there is none, or no memory to keep it.
 */
UTW_API const struct utw_address *utw_transport_host(const struct utw_transport *t);

#ifdef __cplusplus
}
#endif

#endif
