/* SPDX-License-Identifier: MIT */
/*
 * What the processes of a run show each other, in memory that they share: who
 * is doing what, and how often that went well.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define BOARD_ACTORS 16
#define BOARD_CALLS  64

/* A thread that makes calls, one after another. */
struct actor {
	_Atomic pid_t pid;
	_Atomic pid_t tid;
	atomic_ulong calls; /* begun so far */
	_Atomic(const char *) doing; /* the name of the call it is in */
};

struct board {
	atomic_bool over;
	struct actor actors[BOARD_ACTORS];
	atomic_ulong made[BOARD_CALLS];
	atomic_ulong good[BOARD_CALLS];
	atomic_ulong turns; /* of what comes and goes */
	atomic_ulong good_turns;
};

#endif /* BOARD_H */
