/* SPDX-License-Identifier: MIT */
/*
 * Recording: the traffic of a real connection in a file, and a double that
 * plays it back.
 *
 * A recording is a text, one event a line, which can be read, cut and mended:
 *
 *	1500000 < 68656c6c6f0a	nanoseconds since the begin, what was read
 *	1700000 > 6f6b0a	what was written
 *	2000000 x		the end
 *
 * Lines that begin with # are remarks.
 */
#ifndef UNTWIST_TESTING_RECORDING_H
#define UNTWIST_TESTING_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <untwist/api.h>
#include <untwist/policy.h>
#include <untwist/testing/double.h>
#include <untwist/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_factory;
struct utw_protocol;
struct utw_reactor;

/**
 * struct utw_recorder - a policy that records; storage of the caller
 * @traffic: hand its policy.factory on
 * @error: of writing to the file: -errno, or 0
 *
 * All other members are the library's.
 */
struct utw_recorder {
	struct utw_traffic_policy traffic;
	int error;
	FILE *file;
	uint64_t begun;
};

/**
 * utw_recorder_init() - record the connections of a factory
 * @r: storage of the caller
 * @inner: makes the protocols. The first connection is recorded, and only that
 * @file: to be written to; stays the caller's
 */
UTW_API void utw_recorder_init(struct utw_recorder *r, struct utw_factory *inner, FILE *file);

/**
 * struct utw_player - plays a recording; storage of the caller
 * @shown: the double that it plays on
 * @line: of the recording, where it is
 * @error: what ended it early: -EBADMSG for a line that is none, or -ENOMEM
 * @done: the end of the recording was played
 *
 * All other members are the library's.
 */
struct utw_player {
	struct utw_double shown;
	unsigned int line;
	int error;
	bool done;
	FILE *file;
	struct utw_reactor *reactor;
	struct utw_timer timer;
	uint64_t begun;
	uint64_t due;
	int kind;
	uint8_t *bytes;
	size_t len;
	bool fast;
};

/**
 * utw_player_open() - play a recording to a protocol
 * @p: storage of the caller
 * @r: the reactor, whose clock it is played by
 * @kind: what was recorded: bytes or records
 * @file: the recording; stays the caller's, and open until @done
 * @protocol: told made in a later callback
 *
 * What was read comes when it came; what was written is passed over: compare
 * utw_double_written() if it matters. After utw_player_hurry() everything comes
 * as fast as it is read. Faults are those of the double.
 *
 * Return: as utw_custom_transport_new().
 */
UTW_API int utw_player_open(struct utw_player *p, struct utw_reactor *r, enum utw_double_kind kind,
			    FILE *file, struct utw_protocol *protocol);

/**
 * utw_player_hurry() - do not wait between events
 * @p: the player
 */
UTW_API void utw_player_hurry(struct utw_player *p);

/**
 * utw_player_release() - free what it holds
 * @p: a player whose transport is lost
 */
UTW_API void utw_player_release(struct utw_player *p);

#ifdef __cplusplus
}
#endif

#endif
