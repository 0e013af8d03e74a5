/* SPDX-License-Identifier: MIT */
/*
 * Pump: carries what one double has written to another, as badly as the test
 * wants it: in pieces, late, lost, out of order. The same seed does the same.
 */
#ifndef UNTWIST_TESTING_PUMP_H
#define UNTWIST_TESTING_PUMP_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_double;
struct utw_pump_parcel;
struct utw_reactor;

/**
 * struct utw_pump_options - how it carries; all zero: all at once, all in order
 * @seed: of all chance
 * @piece: bytes in one piece at most, by chance from 1 on; 0: as they come
 * @delay: rounds that a piece or record may be late, by chance; a stream keeps
 *	its order
 * @lose: one record in so many is lost, by chance; 0: none
 * @swap: one record in so many comes behind the next one, by chance; 0: none
 */
struct utw_pump_options {
	uint64_t seed;
	size_t piece;
	unsigned int delay;
	unsigned int lose;
	unsigned int swap;
};

/** After so many rounds without an end two protocols are said to talk for ever. */
#define UTW_PUMP_ROUNDS 100000

/**
 * struct utw_pump - storage of the test
 * @side: the two doubles
 * @lost: how many records were lost
 *
 * All other members are the library's.
 */
struct utw_pump {
	struct utw_double *side[2];
	unsigned int lost;
	struct utw_reactor *reactor;
	struct utw_pump_options options;
	uint64_t chance;
	uint64_t round;
	struct utw_pump_parcel *way[2];
};

/**
 * utw_pump_init() - put a pump between two doubles
 * @p: storage of the test
 * @r: the reactor of both
 * @a: one double
 * @b: the other, of the same kind
 * @options: copied; NULL for the default
 */
UTW_API void utw_pump_init(struct utw_pump *p, struct utw_reactor *r, struct utw_double *a,
			   struct utw_double *b, const struct utw_pump_options *options);

/**
 * utw_pump_run() - turn and carry until there is nothing left to do
 * @p: the pump
 *
 * An end of writing and a close come through, behind all that was written.
 *
 * Return: how many rounds; -ELOOP after UTW_PUMP_ROUNDS of them, -ENOMEM, or
 * what the reactor says.
 */
UTW_API int utw_pump_run(struct utw_pump *p);

/**
 * utw_pump_release() - drop what is under way
 * @p: the pump
 */
UTW_API void utw_pump_release(struct utw_pump *p);

#ifdef __cplusplus
}
#endif

#endif
