/* SPDX-License-Identifier: MIT */
/*
 * What deferreds and tasks cost.
 *
 *	bench-deferred			a table: CPU nanoseconds each, the median of 9 runs
 *	bench-deferred --list		the names of its works
 *	bench-deferred NAME COUNT	one work, so many times, without a word; for
 *					bench/instructions, which counts what it executes
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <untwist/untwist.h>

#define RUNS 9

#define MEMBERS	  10
#define CALLBACKS 4

struct work {
	const char *name;
	const char *unit; /* what is counted */
	unsigned long count; /* for the table */
	void (*run)(unsigned long count);
};

static void check(bool condition)
{
	if (!condition) {
		fprintf(stderr, "bench-deferred: out of memory\n");
		exit(1);
	}
}

static struct utw_result hop(void *value, void *data)
{
	(void)data;
	return utw_result_value(value);
}

/* Birth and death with the four callbacks that need no memory; per callback. */
static void work_chain(unsigned long count)
{
	unsigned long i;
	int j;

	for (i = 0; i < count; i += CALLBACKS) {
		struct utw_deferred *d = utw_deferred_new();

		check(d);
		for (j = 0; j < CALLBACKS; j++)
			utw_deferred_add_callback(d, hop, NULL);
		utw_deferred_callback(d, d);
		utw_deferred_unref(d);
	}
}

/* The callbacks alone, one more each time the chain is run; per callback. */
static void work_hop(unsigned long count)
{
	struct utw_deferred *d = utw_deferred_new();
	unsigned long i;

	check(d);
	for (i = 0; i < count; i++)
		check(utw_deferred_add_callback(d, hop, NULL) == 0);
	utw_deferred_callback(d, d);
	utw_deferred_unref(d);
}

/* A callback on a deferred that has fired; per callback. */
static void work_fired(unsigned long count)
{
	struct utw_deferred *d = utw_deferred_succeed(NULL);
	unsigned long i;

	check(d);
	for (i = 0; i < count; i++)
		utw_deferred_add_callback(d, hop, NULL);
	utw_deferred_unref(d);
}

static struct utw_result wait_for(void *value, void *data)
{
	(void)value;
	return utw_result_wait(data);
}

/* Deferreds that wait for each other; per level, birth and death included. */
static void work_nest(unsigned long count)
{
	struct utw_deferred *innermost = utw_deferred_new();
	struct utw_deferred *d = utw_deferred_ref(innermost);
	unsigned long i;

	check(innermost);
	for (i = 0; i < count; i++) {
		struct utw_deferred *outer = utw_deferred_succeed(NULL);

		check(outer);
		utw_deferred_add_callback(outer, wait_for, d);
		d = outer;
	}
	utw_deferred_callback(innermost, NULL);
	utw_deferred_unref(innermost);
	utw_deferred_unref(d);
}

/* Lists of ten; per member, birth and death included. */
static void work_list(unsigned long count)
{
	struct utw_deferred *members[MEMBERS];
	unsigned long i;
	int j;

	for (i = 0; i < count; i += MEMBERS) {
		struct utw_deferred *whole;

		for (j = 0; j < MEMBERS; j++) {
			members[j] = utw_deferred_new();
			check(utw_deferred_ref(members[j]));
		}
		whole = utw_deferred_all(members, MEMBERS);
		check(whole);
		for (j = 0; j < MEMBERS; j++) {
			utw_deferred_callback(members[j], NULL);
			utw_deferred_unref(members[j]);
		}
		utw_deferred_unref(whole);
	}
}

struct awaiting {
	unsigned long count;
	struct utw_deferred *next;
	bool ready;
};

static struct utw_result await_often(struct utw_task *task, void *data)
{
	struct awaiting *a = data;

	while (a->count--) {
		struct utw_result result;

		a->next = a->ready ? utw_deferred_succeed(NULL) : utw_deferred_new();
		result = utw_task_await(task, utw_deferred_ref(a->next));
		utw_result_drop(&result);
		utw_deferred_unref(a->next);
		a->next = NULL;
	}
	return utw_result_value(NULL);
}

static void run_awaiting(struct awaiting *a)
{
	struct utw_deferred *d = utw_task_start(await_often, a);

	check(d);
	while (a->next) {
		struct utw_deferred *next = utw_deferred_ref(a->next);

		utw_deferred_callback(next, NULL);
		utw_deferred_unref(next);
	}
	utw_deferred_unref(d);
}

/* A task that is suspended and goes on; per await, with the deferred's birth and death. */
static void work_await(unsigned long count)
{
	struct awaiting a = { .count = count };

	run_awaiting(&a);
}

/* The same, with results that are there already. */
static void work_await_ready(unsigned long count)
{
	struct awaiting a = { .count = count, .ready = true };

	run_awaiting(&a);
}

static struct utw_result end_at_once(struct utw_task *task, void *data)
{
	(void)task;
	return utw_result_value(data);
}

/* Tasks that begin and end; per task. */
static void work_task(unsigned long count)
{
	while (count--) {
		struct utw_deferred *d = utw_task_start(end_at_once, NULL);

		check(d);
		utw_deferred_unref(d);
	}
}

static struct utw_result nothing(struct utw_work *work, void *data)
{
	(void)work;
	return utw_result_value(data);
}

/* To a thread and back, one after the other; per round trip. */
static void work_pool(unsigned long count)
{
	struct utw_reactor *r = NULL;
	struct utw_pool *p = NULL;

	check(utw_reactor_new(&r) == 0 && utw_pool_new(&p, r, NULL) == 0);
	while (count--) {
		struct utw_deferred *d = utw_pool_defer(p, nothing, NULL);

		check(d);
		while (!utw_deferred_fired(d))
			utw_reactor_run_once(r, UTW_FOREVER);
		utw_deferred_unref(d);
	}
	utw_pool_free(p);
	utw_reactor_free(r);
}

static const struct work works[] = {
	{ "chain", "callback of a chain of 4, with its deferred", 4000000, work_chain },
	{ "hop", "callback of a long chain", 1000000, work_hop },
	{ "fired", "callback on a fired deferred", 4000000, work_fired },
	{ "nest", "level of waiting deferreds", 1000000, work_nest },
	{ "list", "member of a list of 10, with its deferred", 1000000, work_list },
	{ "await", "await of a suspended task, with its deferred", 400000, work_await },
	{ "await-ready", "await of a result that is there", 1000000, work_await_ready },
	{ "task", "task that begins and ends", 40000, work_task },
	{ "pool", "round trip to a thread", 20000, work_pool },
};

#define WORKS (sizeof(works) / sizeof(works[0]))

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_row(const struct work *work)
{
	double times[RUNS];
	int i;

	for (i = 0; i < RUNS; i++) {
		double start = now();

		work->run(work->count);
		times[i] = (now() - start) / (double)work->count;
	}
	qsort(times, RUNS, sizeof(times[0]), compare);
	printf("%-12s %9.1f ns  %s\n", work->name, times[RUNS / 2], work->unit);
}

static int run_one(const char *name, const char *count)
{
	size_t i;

	for (i = 0; i < WORKS; i++)
		if (strcmp(works[i].name, name) == 0) {
			works[i].run(strtoul(count, NULL, 10));
			return 0;
		}
	fprintf(stderr, "bench-deferred: no work \"%s\"; --list tells which there are\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
	size_t i;

	if (argc == 3)
		return run_one(argv[1], argv[2]);
	if (argc != 1 && !list) {
		fprintf(stderr, "usage: bench-deferred [--list | NAME COUNT]\n");
		return 2;
	}
	for (i = 0; i < WORKS; i++)
		if (list)
			puts(works[i].name);
		else
			print_row(&works[i]);
	return 0;
}
