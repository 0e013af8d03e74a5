/* SPDX-License-Identifier: MIT */
/*
 * Producer: something that writes a lot into a transport and can wait.
 *
 * A push producer writes when it likes, and is told when to stop and when to
 * go on. A pull producer writes once each time that it is asked, and is asked
 * again whenever all that it wrote is on its way.
 */
#ifndef UNTWIST_PRODUCER_H
#define UNTWIST_PRODUCER_H

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_producer;

enum utw_producer_kind {
	UTW_PRODUCER_PUSH,
	UTW_PRODUCER_PULL,
};

/**
 * struct utw_producer_ops - how a transport speaks to a producer
 * @pause: push only: more than the high mark waits; called from inside the
 *	write that went over it, once until @resume
 * @resume: push: no more than the low mark waits. Pull: write once now
 * @stop: the transport takes no more: last call, may free the producer
 *
 * @resume and @stop come from the reactor's turn, never from inside a call.
 */
struct utw_producer_ops {
	void (*pause)(struct utw_producer *p);
	void (*resume)(struct utw_producer *p);
	void (*stop)(struct utw_producer *p);
};

/**
 * struct utw_producer - to be embedded in your structure
 * @ops: its operations; @resume and @stop must be set, and @pause for push
 */
struct utw_producer {
	const struct utw_producer_ops *ops;
};

/**
 * utw_producer_init() - prepare a producer
 * @p: the producer, storage of the caller
 * @ops: its operations, which outlive it
 */
static inline void utw_producer_init(struct utw_producer *p, const struct utw_producer_ops *ops)
{
	p->ops = ops;
}

#ifdef __cplusplus
}
#endif

#endif
