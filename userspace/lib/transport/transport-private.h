/* SPDX-License-Identifier: MIT */
/*
 * The core that all transports share: two small state machines, one for each
 * direction, a close that joins them, and one place where the loss is told.
 *
 * The invariant: once `reason` is set, the transport is silent (its ends are
 * not watched, its queue is empty), and the call `later` is on its way to tell
 * the protocol lost and to drop the transport's reference on itself.
 *
 * A carrier is the part that differs: how to read and to write. It embeds the
 * transport as its first member.
 */
#ifndef UTW_TRANSPORT_PRIVATE_H
#define UTW_TRANSPORT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <untwist/address.h>
#include <untwist/call.h>
#include <untwist/failure.h>
#include <untwist/protocol.h>
#include <untwist/timer.h>
#include <untwist/transport.h>

#include "base/buffer.h"
#include "end.h"

struct utw_ends_addresses {
	struct utw_address peer;
	struct utw_address host;
};

/*
 * All results are those of the system call, or -errno. Reads and writes never
 * block: -EAGAIN says that they would have.
 */
struct utw_carrier_ops {
	/*
	 * It may be told of each arrival once: a read that brings less than was asked
	 * for leaves nothing behind but what will be told, and so does a write.
	 */
	bool edge;
	/* Stream: read some bytes; 0 at the end. */
	ssize_t (*read)(struct utw_transport *t, void *data, size_t size);
	/* Record: point at the next one, or at as much of it as is wanted; sets *end at the end. */
	ssize_t (*read_record)(struct utw_transport *t, const void **data, size_t *full_len,
			       bool *end);
	ssize_t (*write)(struct utw_transport *t, const void *data, size_t len);
	/* Some bytes from where a file stands, as sendfile(); NULL: not possible. */
	ssize_t (*send_file)(struct utw_transport *t, int file, size_t len);
	/* Tell the other side that no more is coming; NULL if that ends both directions. */
	void (*shut_write)(struct utw_transport *t);
	/*
	 * Is what was written still on its way, so that a close must wait? The
	 * carrier then schedules the transport when that has changed. NULL: never.
	 */
	bool (*busy)(struct utw_transport *t);
	/* EPOLLPRI; NULL: not asked for. */
	void (*priority)(struct utw_transport *t);
	/* Why a hang-up was told: -errno, or 0 for an orderly end. */
	int (*hangup)(struct utw_transport *t);
	/* Fill in name and addresses. NULL: they were told to utw_transport_init(), or are none. */
	void (*describe)(struct utw_transport *t, char *name, size_t size,
			 struct utw_ends_addresses *ends);
	/* The transport is over: close descriptors; with `abort`, rudely. */
	void (*close)(struct utw_transport *t, bool abort);
	/* The last reference has gone: free the carrier, which holds the transport. */
	void (*free)(struct utw_transport *t);
};

enum utw_read_side {
	UTW_READ_ON,
	UTW_READ_PAUSED,
	UTW_READ_ENDED, /* by the other side, or there never was any */
	UTW_READ_CLOSED, /* by this side */
};

enum utw_write_side {
	UTW_WRITE_ON,
	UTW_WRITE_ENDING, /* no more is accepted; shut when the queue is empty */
	UTW_WRITE_SHUT, /* or there never was any */
};

/* What was written and waits for the kernel; it exists only meanwhile. */
struct utw_transport_queue {
	struct utw_buffer bytes; /* records: each behind its length, a uint32_t */
	size_t payload; /* bytes of it */
};

/* What few of many connections ever need. It is made when the first of it is. */
struct utw_transport_annex {
	struct utw_transport *transport;
	char *name;
	struct utw_ends_addresses *addresses; /* NULL: none, or not asked for yet */
	size_t record_max; /* longest that may be written; 0: any */
	size_t low;
	size_t high;
	size_t cap;
	enum utw_cap_policy policy;
	enum utw_producer_kind producer_kind;
	struct utw_producer *producer;
	struct utw_producer *stopped; /* to be told so */
	struct utw_failure *draining; /* writing failed: read what has come, then this is the end */
	struct utw_timer deadline;
	struct utw_end out; /* writes, where they have a descriptor of their own */
};

/* Every byte of this is there once for each connection. */
struct utw_transport {
	const struct utw_carrier_ops *carrier;
	struct utw_reactor *reactor;
	struct utw_protocol *protocol;
	struct utw_transport_annex *annex; /* NULL: all of it is as it was at first */
	struct utw_transport_queue *queue; /* NULL: empty */
	struct utw_failure *reason;
	unsigned int refs;
	enum utw_read_side read_side : 8;
	enum utw_write_side write_side : 8;
	bool record : 1;
	bool made : 1;
	bool closing : 1;
	bool await_producer : 1; /* the close lets the producer finish first */
	bool hung_up : 1; /* noticed while paused */
	bool over : 1; /* above the high mark, until at the low one */
	bool want_out : 1; /* the kernel would not take more */
	bool unsent : 1; /* something was lost when writing failed */
	bool rude : 1; /* close as an abort */
	bool left : 1; /* more could be read or written, which will not be told again */
	struct utw_end in; /* reads, and writes where `out` does not exist */
	struct utw_call later;
};

/* annex.c */

/* What a transport has that has no annex. */
extern const struct utw_transport_annex utw_annex_of_most;

/* To look at. */
static inline const struct utw_transport_annex *utw_annex(const struct utw_transport *t)
{
	return t->annex ? t->annex : &utw_annex_of_most;
}

/* To write to; NULL without memory. */
struct utw_transport_annex *utw_annex_make(struct utw_transport *t);

/* Forget it, and all that is in it but open ends. */
void utw_annex_free(struct utw_transport *t);

/* transport.c: its timer and its end begin. */
void utw_transport_annex_init(struct utw_transport_annex *annex);

/* Learn the name and the addresses if that was put off; they may stay unknown without memory. */
void utw_annex_describe(struct utw_transport *t);

/* The end that writes, if that is not the one that reads; else NULL. */
static inline struct utw_end *utw_transport_out(struct utw_transport *t)
{
	return t->annex && utw_end_exists(&t->annex->out) ? &t->annex->out : NULL;
}

static inline bool utw_transport_draining(const struct utw_transport *t)
{
	return t->annex && t->annex->draining;
}

static inline size_t utw_transport_waiting(const struct utw_transport *t)
{
	return t->queue ? t->queue->payload : 0;
}

/* transport.c: life. */

/*
 * Prepare a zeroed transport and tie it to its protocol. `name` is copied; NULL: the
 * carrier describes itself when somebody asks.
 * Errors: -EINVAL, -EBUSY for the protocol, -ENOMEM; then there is nothing to undo.
 */
int utw_transport_init(struct utw_transport *t, const struct utw_carrier_ops *carrier,
		       struct utw_reactor *r, struct utw_protocol *p, const char *name);

/* Undo it, closing no descriptor; for makers that fail afterwards. */
void utw_transport_discard(struct utw_transport *t);

/*
 * Both ends are open: let it live. It is told made in a later callback. Gives
 * one reference to *ret, if ret is not NULL.
 */
void utw_transport_launch(struct utw_transport *t, struct utw_transport **ret);

/* The same where callbacks may run: made comes from inside this call. */
void utw_transport_launch_now(struct utw_transport *t);

/* Do what is due (flush, callbacks, loss) at the end of the turn. */
void utw_transport_schedule(struct utw_transport *t);

/* Watch for what the states ask for. */
void utw_transport_update(struct utw_transport *t);

/* It is over, for this reason (taken). The first reason stays. */
void utw_transport_lose(struct utw_transport *t, struct utw_failure *reason);

/* What -errno from `operation` means for the transport. */
struct utw_failure *utw_transport_failure(struct utw_transport *t, int error,
					  const char *operation);

/* The orderly end; `who` closed it. */
struct utw_failure *utw_transport_done(struct utw_transport *t, const char *who);

static inline bool utw_transport_lost(const struct utw_transport *t)
{
	return !t || t->reason;
}

/* reading.c */

/* The input has something to tell, or has hung up. */
void utw_transport_read_ready(struct utw_transport *t, uint32_t events);

/* The end was noticed while nobody reads: say so once. */
void utw_transport_hung_up_paused(struct utw_transport *t);

/* Read what has come, before `draining` becomes the reason. */
void utw_transport_drain(struct utw_transport *t);

/* Events to wait for on the input. */
uint32_t utw_transport_read_events(const struct utw_transport *t);

/* writing.c */

/* Has all that was written left this side? */
bool utw_transport_sent(struct utw_transport *t);

/* Hand the queue to the kernel, as far as it and the budget go. No callbacks. */
void utw_transport_flush(struct utw_transport *t);

/* Drop what waits. */
void utw_transport_queue_drop(struct utw_transport *t);

/* Writing has failed with this -errno, for good. */
void utw_transport_write_broken(struct utw_transport *t, int error);

/* Tell who waits for it that the queue has drained, and take the next step of a close. */
void utw_transport_settle(struct utw_transport *t);

/* producer.c */

void utw_transport_producer_pause(struct utw_transport *t);
void utw_transport_producer_resume(struct utw_transport *t);
/* Let go of the producer; it is told stop by utw_transport_producer_tell(). */
void utw_transport_producer_drop(struct utw_transport *t);
void utw_transport_producer_tell(struct utw_transport *t);

#endif
