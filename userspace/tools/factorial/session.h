/* SPDX-License-Identifier: MIT */
/*
 * Session: one stream of numbers, one a line, and its answers in the same
 * order. The very same for standard input and for a client over TCP.
 *
 * Many questions are in flight at once, but no more than the window: then, or
 * when the answers are not taken, the session stops reading.
 */
#ifndef FACTORIAL_SESSION_H
#define FACTORIAL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/untwist.h>

/* Questions of one session that may be unanswered at once. */
#define SESSION_WINDOW 256

/* Longest line that is looked at. */
#define SESSION_LINE_MAX 1024

struct answer;
struct unit;

struct session {
	struct utw_line line;
	struct unit *unit;
	struct session *next;
	struct session *previous;
	struct utw_transport *complaints; /* NULL: errors go where answers go */
	struct answer *first; /* unanswered or not yet written, in order */
	struct answer *last;
	unsigned int waiting;
	uint64_t lines;
	bool ended; /* no more input */
	bool over; /* the answers are not taken */
	bool complaints_over;
};

/*
 * A new session of the unit, which frees itself when its transport is lost;
 * hand its line's protocol to the maker of that. NULL without memory.
 * Takes the reference to `complaints`, which may be NULL.
 */
struct session *session_new(struct unit *u, struct utw_transport *complaints);

/* Undo session_new() when there is no transport after all. */
void session_discard(struct session *s);

/* The complaints are not taken, or are again. */
void session_complaints_over(struct session *s, bool over);

/* Take no more input, answer what there is, and close. */
void session_finish(struct session *s);

#endif
