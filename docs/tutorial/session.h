/* SPDX-License-Identifier: MIT */
/* Session: a conversation in which each line that is sent has a line for an answer. */
#ifndef TUTORIAL_SESSION_H
#define TUTORIAL_SESSION_H

#include <untwist/untwist.h>

/* Questions that may be open at a time. */
#define SESSION_OPEN 16

struct session {
	struct utw_factory factory; /* makes the session the protocol of a connection */
	struct utw_line line;
	struct utw_reactor *reactor; /* stops when the connection is lost */
	struct utw_deferred *open[SESSION_OPEN];
	unsigned int first;
	unsigned int count;
};

void session_init(struct session *s, struct utw_reactor *r);

/* The deferred fires with the answer, a string that its chain owns, or fails. NULL: no memory. */
struct utw_deferred *session_ask(struct session *s, const char *text);

/* End the connection, or the program if there is none. */
void session_end(struct session *s);

#endif
