/* SPDX-License-Identifier: MIT */
/*
 * calls.c, memory.c: the system calls that a node may see, each with its own
 * way to go wrong. A call returns what the system call did, -1 for a failure.
 */
#ifndef CALLS_H
#define CALLS_H

struct fuzzer;

struct call {
	const char *name;
	long (*make)(struct fuzzer *fuzzer);
	unsigned int weight;
};

extern const struct call calls[];
unsigned int calls_count(void);

/* One of them, as often as its weight says. */
unsigned int calls_choose(struct fuzzer *fuzzer);

/* What a child does that shares all open files, before it ends. */
void calls_of_child(struct fuzzer *fuzzer);

#endif /* CALLS_H */
