/* SPDX-License-Identifier: MIT */
/*
 * Pairs: two connected transports of one kind, for suites that run over all of
 * them. A device of the kind that echoes stands for both: it has no far side.
 */
#ifndef UTW_TESTS_TRANSPORT_PAIRS_H
#define UTW_TESTS_TRANSPORT_PAIRS_H

#include <stdbool.h>

#include "recorder.h"

struct pair;

struct pair_kind {
	const char *name;
	bool record;
	bool half_close;
	bool echoes; /* a device: what is written comes back, there is no far side */
	void (*open)(struct pair *pair);
};

struct pair {
	const struct pair_kind *kind;
	struct utw_reactor *reactor;
	struct recorder near;
	struct recorder far;
	struct utw_transport *near_transport; /* referenced */
	struct utw_transport *far_transport;
};

/* The kinds that need nothing but this machine. */
extern const struct pair_kind pair_pipe, pair_socket, pair_seqpacket, pair_tcp, pair_unix,
	pair_memory, pair_memory_record, pair_serial, pair_terminal;

/* A layer over a descriptor: layer-pairs.c. */
extern const struct pair_kind pair_layer, pair_layer_record;

/*
 * The node that UNTWIST_TEST_DEVICE names, which must echo. False, and a note,
 * if there is none.
 */
bool pair_probe_device(struct pair_kind *ret);

/* Set-up and tear-down: *state is a struct pair_kind before, a struct pair in between. */
int pair_setup(void **state);
int pair_teardown(void **state);

/* Connect two TCP sockets on the loopback interface. */
void tcp_socketpair(int fd[2]);

#endif
