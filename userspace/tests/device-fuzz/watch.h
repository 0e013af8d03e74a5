/* SPDX-License-Identifier: MIT */
/*
 * watch.c: tells a thread that hangs from one that is slow.
 *
 * Time says little in an emulated guest on a busy machine, so that three things
 * must come together: long since the thread did something, with no processor
 * time for its process, while all others got a lot done.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "board.h"

struct watch {
	struct board *board;
	unsigned int nr;
	struct {
		unsigned long calls;
		pid_t tid;
		unsigned long others; /* all calls of the run when it was last seen to move */
		double since;
		double cpu;
	} seen[BOARD_ACTORS];
};

void watch_init(struct watch *watch, struct board *board, unsigned int nr);

/* Seconds since the actor was seen to move; to be called again and again. */
double watch_still(struct watch *watch, unsigned int actor);

/* Whether that is a hang. */
bool watch_hangs(struct watch *watch, unsigned int actor);

/* Where all threads of the run are, and in the kernel's log all tasks of the machine. */
void watch_show(const struct watch *watch);

double watch_now(void);

#endif /* WATCH_H */
