/* SPDX-License-Identifier: MIT */
/*
 * The contract of transports: tests that run over every kind of pair, in three
 * tables, and what they share. The test-*-contract.c run them.
 */
#ifndef UTW_TESTS_CONTRACT_H
#define UTW_TESTS_CONTRACT_H

#include "harness.h"
#include "transport-pairs.h"

#define CONTRACT_BULK  (512 * 1024)
#define CONTRACT_PIECE 1024

/* Which kinds a test is for; none of these: all. */
enum contract_need {
	NEED_STREAM = 1 << 0,
	NEED_RECORD = 1 << 1,
	NEED_FAR_SIDE = 1 << 2,
	NEED_HALF_CLOSE = 1 << 3,
};

struct contract_test {
	const char *name; /* NULL ends a table */
	CMUnitTestFunction function;
	unsigned int needs;
};

extern const struct contract_test contract_reading[];
extern const struct contract_test contract_writing[];
extern const struct contract_test contract_closing[];

/* Run all that applies; returns how many failed. */
int contract_run(const struct pair_kind *kind);

/* The pair that a test was given. */
struct pair *contract_pair(void **state);
/* Where that which `near` writes comes out. */
struct recorder *contract_sink(struct pair *pair);
/* Turn until both sides have been told made. */
void contract_started(struct pair *pair);

/* Bytes of which none can be missing or double without a difference. */
void contract_fill(char *data, size_t len);
/* Write it in pieces that every kind takes as one record; returns what the last write did. */
int contract_write(struct utw_transport *t, const char *data, size_t len);
/* Write until the kernel takes no more, and much more still waits. */
void contract_choke(struct pair *pair);

/* Abort the recorder's transport, and tell nothing meanwhile. */
void contract_abort(struct recorder *r);

#endif
