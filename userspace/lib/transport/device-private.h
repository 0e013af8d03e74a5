/* SPDX-License-Identifier: MIT */
/*
 * The request plane inside: the device (device.c), and what it knows of a call,
 * be that a request with one answer or a subscription with many.
 *
 * Every call is in one of two lists: waiting (the kernel does not know it) or
 * issued (it will end it once, and names it by its address). Whoever ends a call
 * takes it from its list first. Ending one runs code of the program, which may
 * close the device: look at that after each of them.
 */
#ifndef UTW_TRANSPORT_DEVICE_PRIVATE_H
#define UTW_TRANSPORT_DEVICE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/call.h>
#include <untwist/device.h>
#include <untwist/failure.h>
#include <untwist/watch.h>

#include "device-door.h"

struct utw_device {
	unsigned int refs; /* the owner's, and one while it calls back */
	bool closed;
	bool refusing; /* the kernel takes no more requests; what it has, it answers */
	bool gone; /* and it has answered all */
	struct utw_reactor *reactor;
	struct utw_watch watch;
	struct utw_call submit;
	struct utw_call reap; /* more completions than one turn may bring */
	struct utw_link waiting;
	struct utw_link issued;
	struct utw_link ended; /* and not told yet */
	size_t waiting_count;
	size_t issued_count;
	utw_device_gone_fn gone_fn;
	void *gone_data;
	struct utw_door door;
};

struct utw_device_call;

/* complete and fail end the call, which is in no list any more and theirs to free. */
struct utw_device_call_ops {
	/* One of many completions; NULL for a call that has but one. */
	void (*shot)(struct utw_device_call *c, const struct untwist_cqe *cqe);
	/* So many were lost before the next completion, the last included. */
	void (*lost)(struct utw_device_call *c, uint32_t count);
	void (*complete)(struct utw_device_call *c, const struct untwist_cqe *cqe);
	/* The failure is taken. */
	void (*fail)(struct utw_device_call *c, struct utw_failure *failure);
	/* The device is being closed, and the call's end was not told: it is in the list of those. */
	void (*closed)(struct utw_device_call *c);
};

struct utw_device_call {
	struct utw_link link;
	const struct utw_device_call_ops *ops;
	struct utw_device *dev;
	void *payload;
	uint32_t place; /* of the payload in the arena */
	bool issued;
	struct untwist_sqe sqe;
};

/* Make a device of an open door, which is closed on an error. */
int utw_device_make(struct utw_device **ret, struct utw_reactor *r, struct utw_door *door);

/* Look for completions and for room in a later callback. */
void utw_device_look(struct utw_device *dev);

/* Why it takes no more, or NULL. */
struct utw_failure *utw_device_refuses(const struct utw_device *dev);

/* Let a call wait for the end of the turn. */
void utw_device_call_start(struct utw_device_call *c, struct utw_device *dev,
			   const struct utw_request *req, const struct utw_device_call_ops *ops);

/*
 * Returns true if it was waiting and is in no list any more; else the kernel,
 * which may write to the payload until it has answered, is asked to end it.
 */
bool utw_device_call_cancel(struct utw_device_call *c);

struct utw_failure *utw_device_call_cancelled(const struct utw_device_call *c);

#endif
