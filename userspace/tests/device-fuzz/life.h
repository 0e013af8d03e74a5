/* SPDX-License-Identifier: MIT */
/*
 * life.c: one process of a run, from its start to its end, with what its
 * threads share and fight for.
 */
#ifndef LIFE_H
#define LIFE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "dice.h"
#include "uring.h"
#include "window.h"

#define LIFE_FILES   6 /* nodes under test */
#define LIFE_OTHERS  4 /* what they are used with: epoll, eventfd, pipes */
#define LIFE_WINDOWS 4

/* Threads of a life: those that call, and one that scribbles over the rings. */
#define LIFE_CALLERS 3
#define LIFE_ACTORS  (LIFE_CALLERS + 1)

/* How the rings' memory is treated: by the rules, their entries, all of it. */
enum hostility { KEEPS_RULES, SPOILS_ENTRIES, SPOILS_ALL };

struct life {
	atomic_int files[LIFE_FILES];
	atomic_int others[LIFE_OTHERS];
	struct window windows[LIFE_WINDOWS];
	enum hostility hostility;
	struct board *board;
};

/* One thread of a life. What only it knows, nobody else closes or unmaps. */
struct fuzzer {
	struct life *life;
	struct dice dice;
	struct actor *actor; /* NULL, a child that nobody watches */
	struct uring uring;
};

/*
 * Lives: the threads' choices follow from the seed and these numbers. The
 * actors are its own on the board. Does not return: ends as its dice want it.
 */
__attribute__((noreturn)) void life_run(struct board *board, struct actor *actors, uint64_t seed,
					unsigned int who, unsigned long number);

/* An fd under test, or rarely something that is none; -1 as long as there is none. */
int life_file(struct fuzzer *fuzzer);
int life_other(struct fuzzer *fuzzer);

/* Takes an fd that is new into the life; one that was in its place is closed. */
void life_keep(struct fuzzer *fuzzer, atomic_int *slots, unsigned int nr, int fd);

#endif /* LIFE_H */
