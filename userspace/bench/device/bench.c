// SPDX-License-Identifier: MIT
/* Measuring works in turns, and the table of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

#define ROUNDS 5
#define COUNT  2048

/* What scripts/vm --count-instructions makes of the clock. */
#define NS_OF_INSTRUCTION 2.0

void bench_fail(const char *what)
{
	fprintf(stderr, "bench-device: %s: %s\n", what, strerror(errno));
	exit(1);
}

bool bench_counts(void)
{
	return getenv("BENCH_COUNTS") != NULL;
}

const char *bench_unit(void)
{
	return bench_counts() ? "instructions" : "ns";
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double bench_cost(struct work *work, unsigned int count)
{
	double start, ns;

	count -= count % work->depth;
	start = now_ns();
	work->run(work, count);
	ns = now_ns() - start;
	return ns / count / (bench_counts() ? NS_OF_INSTRUCTION : 1.0);
}

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static unsigned int count_of(const struct work *work)
{
	return work->count ? work->count : COUNT;
}

static void measure(struct work *works, unsigned int nr_works)
{
	double(*costs)[ROUNDS] = calloc(nr_works, sizeof(*costs));
	unsigned int i, round;

	must(costs, "memory");
	for (i = 0; i < nr_works; i++) {
		works[i].missing = works[i].begin(&works[i]);
		if (!works[i].missing)
			bench_cost(&works[i], works[i].depth * 4);
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < nr_works; i++)
			if (!works[i].missing)
				costs[i][round] = bench_cost(&works[i], count_of(&works[i]));
	for (i = 0; i < nr_works; i++)
		works[i].cost = median(costs[i]);
	free(costs);
}

static const struct work *peer_of(const struct work *work, const struct work *works,
				  unsigned int nr_works)
{
	unsigned int i;

	for (i = 0; work->peer && i < nr_works; i++)
		if (works[i].depth == work->depth && !strcmp(works[i].name, work->peer))
			return &works[i];
	return NULL;
}

static void print_row(const struct work *work, const struct work *peer)
{
	double ratio;

	printf("| %s | %u | ", work->name, work->depth);
	if (work->missing) {
		printf("%s | | | |\n", work->missing);
		return;
	}
	printf("%.0f | ", work->cost);
	if (!peer || peer->missing) {
		puts("| | |");
		return;
	}
	ratio = work->cost / peer->cost;
	printf("%s | %.2f | ", peer->name, ratio);
	if (work->most > 0)
		printf("%.1f%s", work->most, ratio > work->most ? " **missed**" : "");
	puts(" |");
}

void bench_run(struct work *works, unsigned int nr_works)
{
	unsigned int i;

	/* What else the machine has to do would take its share of the longer works. */
	must(!setpriority(PRIO_PROCESS, 0, -20), "setpriority");
	measure(works, nr_works);
	must(!setpriority(PRIO_PROCESS, 0, 0), "setpriority");
	printf("| work | depth | %s an operation | against | ratio | at most |\n", bench_unit());
	puts("|---|--:|--:|---|--:|--:|");
	for (i = 0; i < nr_works; i++)
		print_row(&works[i], peer_of(&works[i], works, nr_works));
	fflush(stdout);
}
