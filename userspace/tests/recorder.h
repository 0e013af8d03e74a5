/* SPDX-License-Identifier: MIT */
/* Recorder: a protocol that writes down what it is told, and can be made to act on it. */
#ifndef UTW_TESTS_RECORDER_H
#define UTW_TESTS_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/failure.h>
#include <untwist/protocol.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#define RECORDER_STORY 256

struct recorder;
typedef void (*recorder_act_fn)(struct recorder *r);

struct recorder {
	struct utw_protocol protocol;
	/*
	 * One letter an event: Made Data Record Overflow Eof Hangup Pause
	 * reSume Lost. A run of D or R is one letter.
	 */
	char story[RECORDER_STORY];
	size_t story_len;
	char *data; /* all bytes and records received, joined */
	size_t data_len;
	unsigned int pieces; /* calls of data or record */
	size_t last_full_len;
	uint64_t overflow_records;
	struct utw_failure *reason;
	bool in_call; /* set by a test around a call: no event but P may come meanwhile */
	bool echo; /* write back what comes */
	recorder_act_fn on_made;
	recorder_act_fn on_data;
	recorder_act_fn on_eof;
	recorder_act_fn on_pause;
	recorder_act_fn on_resume;
};

/* `eof`: whether it has that operation. */
void recorder_init(struct recorder *r, bool eof);
void recorder_release(struct recorder *r);

bool recorder_lost(const struct recorder *r);
/* It was lost, and for this UTW_* reason. */
void assert_lost(const struct recorder *r, int reason);
void assert_story(const struct recorder *r, const char *story);

/* Turn the reactor until the condition holds; a turn that waits in vain fails the test. */
#define turn_until(reactor, condition)                                      \
	do {                                                                \
		while (!(condition))                                        \
			turn_once(reactor, #condition, __FILE__, __LINE__); \
	} while (0)
void turn_once(struct utw_reactor *r, const char *condition, const char *file, int line);

/* Take turns until one finds nothing to do. */
void turn_all(struct utw_reactor *r);

#endif
