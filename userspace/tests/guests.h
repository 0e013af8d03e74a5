/* SPDX-License-Identifier: MIT */
/* Guests: connections of a factory, each with the test at its other end. */
#ifndef UTW_TESTS_GUESTS_H
#define UTW_TESTS_GUESTS_H

#include <untwist/address.h>
#include <untwist/factory.h>

#include "recorder.h"

#define GUESTS_MAX 8

struct guests {
	struct utw_reactor *reactor;
	struct utw_factory factory; /* builds a recorder for each */
	struct recorder recorders[GUESTS_MAX];
	struct utw_address peers[GUESTS_MAX]; /* what build was told; length 0: nothing */
	int fd[GUESTS_MAX]; /* the test's end */
	unsigned int count;
	bool refuse;
};

void guests_open(struct guests *g);
/* Aborts all; every policy has let go of its layers then. */
void guests_close(struct guests *g);

/*
 * Let `f`, which is `g`'s or a policy around it, build a protocol and give it a
 * connection. False when it refused.
 */
bool guests_come(struct guests *g, struct utw_factory *f, const char *peer);

/* The same for a factory that may build its protocol later, as guest `which`. */
struct utw_protocol *guests_serve(struct guests *g, struct utw_factory *f, unsigned int which);

/* What the test has received of a guest, at most `size` bytes; -1: nothing. */
ssize_t guests_received(struct guests *g, unsigned int which, void *data, size_t size);
void guests_send(struct guests *g, unsigned int which, const void *data, size_t len);

#endif
