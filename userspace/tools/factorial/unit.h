/* SPDX-License-Identifier: MIT */
/*
 * Unit: the device that computes factorials, its tally, and all the sessions
 * that ask it. It ends when the last stream has ended and nobody listens; when
 * the device goes away, it ends what there is.
 */
#ifndef FACTORIAL_UNIT_H
#define FACTORIAL_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/untwist.h>

#include "histogram.h"

struct session;

struct unit {
	struct utw_reactor *reactor;
	struct utw_device *device;
	struct session *sessions; /* list */
	unsigned int streams; /* transports that have not been lost yet */
	bool listening; /* more sessions may come */
	bool gone;
	uint64_t requests;
	uint64_t callbacks;
	uint64_t failed; /* of the callbacks */
	struct histogram latency;
};

/* Returns 0 or -errno of utw_device_open(). */
int unit_open(struct unit *u, struct utw_reactor *r, const char *path);

/* Fails what is still asked. */
void unit_close(struct unit *u);

/* Let every session take no more input, answer what it has, and end. */
void unit_finish(struct unit *u);

/* A transport has begun or was lost; after the last of them the reactor stops. */
void unit_stream_begun(struct unit *u);
void unit_stream_lost(struct unit *u);

/* No more sessions will come. */
void unit_stop_listening(struct unit *u);

#endif
