/* SPDX-License-Identifier: MIT */
/* Relay: passes each line that a source says on to every client. */
#ifndef TUTORIAL_RELAY_H
#define TUTORIAL_RELAY_H

#include <untwist/untwist.h>

/* The longest line that is passed on. */
#define RELAY_LINE 200

struct relay_client;

struct relay {
	struct utw_factory sources; /* for who connects to the source; one at a time */
	struct utw_factory clients; /* for who listens */
	struct utw_line source;
	struct relay_client *first;
	unsigned int count;
	bool source_lost;
	char last[RELAY_LINE + 1];
};

void relay_init(struct relay *relay);

/* Let go of all connections; each hears lost in a later turn. */
void relay_end(struct relay *relay);

#endif
