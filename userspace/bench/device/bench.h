/* SPDX-License-Identifier: MIT */
/*
 * bench.c: works that are measured in turns, so that what slows the machine
 * down for a while slows all of them down alike.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>

/*
 * One work. name and depth are in the table; depth is how many operations go
 * together. begin() makes it ready: NULL, or why it cannot be. run() does count
 * operations, a multiple of depth. peer is the name of the work that it is held
 * against, at the same depth, and most the ratio that it is to stay below; 0,
 * there is none.
 */
struct work {
	const char *name;
	unsigned int depth;
	const char *(*begin)(struct work *work);
	void (*run)(struct work *work, unsigned int count);
	const char *peer;
	double most;
	unsigned int count;
	int argument;
	void *data;
	const char *missing;
	double cost;
};

/* Run all of them, and print a table in which each is a row. */
void bench_run(struct work *works, unsigned int nr_works);

/* What an operation costs, in the unit of the table; that of a work that has begun. */
double bench_cost(struct work *work, unsigned int count);
const char *bench_unit(void);

/* Whether the clock counts instructions instead of time. */
bool bench_counts(void);

/* End the program with a word about what went wrong, and errno. */
_Noreturn void bench_fail(const char *what);

/* The same, unless that is true; inline, for it is said of each operation. */
static inline void must(bool worked, const char *what)
{
	if (!worked)
		bench_fail(what);
}

#endif /* BENCH_H */
