/* SPDX-License-Identifier: MIT */
/*
 * Datagram port: a socket that sends and receives messages, each whole or not
 * at all, with no connection that could end.
 *
 * Ports are made by udp.h and unix.h and then obey this one contract. Nothing
 * is queued behind the caller's back: every send tells at once what became of
 * the message, and "writable" is told when one that found no room may be tried
 * again. What the network says later of a message that was sent is told with
 * "error"; it ends nothing.
 *
 * Ownership: the caller owns the port and ends it with utw_datagram_close().
 * Errors: functions return 0 or positive, or -errno.
 * Threads: a port belongs to the thread of its reactor.
 */
#ifndef UNTWIST_DATAGRAM_H
#define UNTWIST_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_datagram;
struct utw_datagram_receiver;
struct utw_failure;

/** Longest datagram that is received whole, in bytes: no UDP datagram is longer. */
#define UTW_DATAGRAM_SIZE 65536

/** Datagrams that one system call takes from the kernel, or gives to it, at most. */
#define UTW_DATAGRAM_BATCH 16

/**
 * struct utw_datagram_ops - what the receiver of a port does; only @received must be there
 * @received: a datagram has come; data and address are borrowed for the call.
 *	@full_len > @len tells that its end was cut off. @from has length 0
 *	where the sender has no address
 * @writable: a send returned -EAGAIN since this was told last; there is room now
 * @error: the network reports of a datagram that was sent before: errno domain,
 *	as ECONNREFUSED; @to (NULL: unknown) is where that one was going
 * @overflow: the kernel dropped so many datagrams since it said so last,
 *	because nobody took them in time; told before the next one that comes
 *
 * All are called from the reactor's turn, never from inside a call that you
 * make; none is called after a close. Every one may call every function.
 */
struct utw_datagram_ops {
	void (*received)(struct utw_datagram_receiver *r, const void *data, size_t len,
			 size_t full_len, const struct utw_address *from);
	void (*writable)(struct utw_datagram_receiver *r);
	void (*error)(struct utw_datagram_receiver *r, struct utw_failure *failure,
		      const struct utw_address *to);
	void (*overflow)(struct utw_datagram_receiver *r, uint64_t datagrams);
};

/**
 * struct utw_datagram_receiver - to be embedded in your structure
 * @ops: set with utw_datagram_receiver_init()
 * @port: the port, borrowed; NULL before there is one and after its close
 */
struct utw_datagram_receiver {
	const struct utw_datagram_ops *ops;
	struct utw_datagram *port;
};

/**
 * utw_datagram_receiver_init() - prepare a receiver
 * @r: the receiver, storage of the caller
 * @ops: its operations, which outlive it
 */
static inline void utw_datagram_receiver_init(struct utw_datagram_receiver *r,
					      const struct utw_datagram_ops *ops)
{
	r->ops = ops;
	r->port = NULL;
}

/**
 * struct utw_datagram_message - one of several datagrams to be sent
 * @data: its bytes, borrowed for the call
 * @len: their number; 0 is a datagram too
 * @to: where to; NULL for the address that the port is connected to
 * @status: receives what utw_datagram_send() would have returned
 */
struct utw_datagram_message {
	const void *data;
	size_t len;
	const struct utw_address *to;
	int status;
};

/** What a port has seen since it was opened. */
struct utw_datagram_counts {
	uint64_t received;
	uint64_t received_bytes; /* as sent, be it that some were cut off */
	uint64_t truncated;
	uint64_t overflowed; /* dropped by the kernel before they were received */
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t unsent; /* sends that failed, -EAGAIN included */
	uint64_t errors; /* told by the network afterwards */
};

/**
 * utw_datagram_send() - send one datagram now
 * @d: the port
 * @data: its bytes
 * @len: their number; 0 is a datagram too
 * @to: where to; NULL for the address that the port is connected to
 *
 * Return: 0 when the kernel took it; -EAGAIN when there is no room (nothing
 * was queued; wait for writable); -EMSGSIZE when it is too long;
 * -EDESTADDRREQ without a destination; -ECONNREFUSED, -ENETUNREACH and others
 * when it is known at once that it cannot arrive; -EPIPE for NULL as the port.
 */
UTW_API int utw_datagram_send(struct utw_datagram *d, const void *data, size_t len,
			      const struct utw_address *to);

/**
 * utw_datagram_send_many() - send several with as few system calls as can be
 * @d: the port
 * @messages: each receives its own status
 * @count: how many
 *
 * A message that cannot be sent does not keep the others from being sent; but
 * from the first that finds no room, all get -EAGAIN, so that they stay in order.
 *
 * Return: how many were taken by the kernel; -EPIPE for NULL as the port.
 */
UTW_API int utw_datagram_send_many(struct utw_datagram *d, struct utw_datagram_message *messages,
				   unsigned int count);

/**
 * utw_datagram_connect() - speak with one address only
 * @d: the port
 * @to: the address; NULL to speak with all again
 *
 * From then on datagrams from others are not received. May be called again.
 *
 * Return: 0, or -errno of connect(); -EPIPE.
 */
UTW_API int utw_datagram_connect(struct utw_datagram *d, const struct utw_address *to);

/**
 * utw_datagram_pause() - receive nothing from now on
 * @d: the port
 *
 * Datagrams wait in the kernel, which drops those it has no room for.
 */
UTW_API void utw_datagram_pause(struct utw_datagram *d);

/**
 * utw_datagram_resume() - receive again
 * @d: the port
 */
UTW_API void utw_datagram_resume(struct utw_datagram *d);

/**
 * utw_datagram_close() - end the port
 * @d: the port or NULL; gone when this returns
 *
 * Legal from any callback, and the receiver hears nothing any more.
 */
UTW_API void utw_datagram_close(struct utw_datagram *d);

/**
 * utw_datagram_host() - the address of the port
 * @d: the port
 *
 * Return: the address with its true port number, borrowed from @d. One that was
 * opened on all interfaces and connected keeps the address it was opened with.
 */
UTW_API const struct utw_address *utw_datagram_host(const struct utw_datagram *d);

/**
 * utw_datagram_name() - what to call this port in messages
 * @d: the port
 *
 * Return: a short text, such as "udp 127.0.0.1:4000", that lives as long as @d.
 */
UTW_API const char *utw_datagram_name(const struct utw_datagram *d);

/**
 * utw_datagram_counts() - what it has seen
 * @d: the port
 *
 * Return: the counts, borrowed from @d, where they go on counting.
 */
UTW_API const struct utw_datagram_counts *utw_datagram_counts(const struct utw_datagram *d);

#ifdef __cplusplus
}
#endif

#endif
