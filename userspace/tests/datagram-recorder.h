/* SPDX-License-Identifier: MIT */
/* Datagram recorder: a receiver that keeps what it is told, and can be made to act on it. */
#ifndef UTW_TESTS_DATAGRAM_RECORDER_H
#define UTW_TESTS_DATAGRAM_RECORDER_H

#include <stdbool.h>

#include <untwist/address.h>
#include <untwist/datagram.h>
#include <untwist/failure.h>

#define DATAGRAMS_KEPT 512

struct datagram_recorder;
typedef void (*datagram_act_fn)(struct datagram_recorder *r);

struct datagram_recorder {
	struct utw_datagram_receiver receiver;
	struct utw_datagram *port;
	unsigned int count;
	struct {
		char start[8]; /* the first bytes, padded with NUL */
		size_t len;
		size_t full_len;
	} got[DATAGRAMS_KEPT];
	struct utw_address from; /* of the last one */
	unsigned int writables;
	unsigned int errors;
	int error_code; /* the last one's errno */
	struct utw_address error_to; /* length 0: not told */
	uint64_t overflowed;
	bool closed; /* by the test: nothing may come any more */
	datagram_act_fn on_received;
	datagram_act_fn on_writable;
};

void datagram_recorder_init(struct datagram_recorder *r);

/* Close the port, after which every callback fails the test. */
void datagram_recorder_close(struct datagram_recorder *r);

#endif
