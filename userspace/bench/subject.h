/* SPDX-License-Identifier: MIT */
/*
 * A subject: a library whose loop does the works of the benchmarks, through its
 * public interface and in the way that its users would write it.
 *
 * frame.c owns the works: it says what is to be done, counts, and measures. A
 * subject only has the loop. Each program has one or more of them.
 */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

/* Loops are told apart by their side, 0 or 1; only the wake-ups use the second. */
struct subject {
	const char *name;
	size_t timer_size; /* of the handle that the program keeps */

	void (*open)(int side);
	/* Run until chain_step(), timer_fired() or woken() has said true. */
	void (*run)(int side);

	/* Call chain_step() with the index of each that is readable. */
	void (*watch)(const int *fds, unsigned int count);

	/* Make so many timers that call timer_fired(), none of them armed. */
	void (*make_timers)(unsigned int count);
	/* Arm each, in ms. */
	void (*arm)(const unsigned int *delays, unsigned int count);
	void (*cancel)(unsigned int number);

	bool keeps; /* each wake() is a call of its own; else some are one */
	/* Be ready to be woken, on the loop's own thread. */
	void (*listen)(int side);
	/* From any thread: have woken() called on that side's thread. */
	void (*wake)(int side);

	/* Serve echoes on a listening socket, for ever; echo_served() says that it is ready. */
	void (*echo)(int listener);

	/* Cut a stream into lines and call line_cut() for each. */
	void (*feed)(const char *data, size_t len);
};

/* Those of this program; the last has no name. */
extern const struct subject subjects[];

/* What the subjects call back. True: leave the loop. */
bool chain_step(unsigned int number);
bool timer_fired(void);
bool woken(int side);
void line_cut(const char *line, size_t len);

/* End the program with a word on why, if it is so. */
void die_if(bool failed, const char *what);
void *allocate(size_t count, size_t size);

void echo_served(void);
/* A connection of an echo server; -1 when the listener has no more. */
int accept_one(int listener);
/* Serve what has come; false: the connection has ended and is closed. */
bool echo_once(int fd);

#endif
