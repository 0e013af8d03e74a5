/* SPDX-License-Identifier: MIT */
/*
 * Histogram of durations: constant memory however many are added, each bucket
 * a sixteenth of a doubling wide, drawn with one bar for each doubling.
 */
#ifndef FACTORIAL_HISTOGRAM_H
#define FACTORIAL_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_FINE	  16
#define HISTOGRAM_BUCKETS (64 * HISTOGRAM_FINE)

/* All zero is an empty histogram. */
struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The duration that `permille` of all do not exceed, to one part in sixteen. */
uint64_t histogram_quantile(const struct histogram *h, unsigned int permille);

/* Bars and a line of quantiles; `blocks`: with UTF-8 blocks instead of ASCII. */
void histogram_draw(const struct histogram *h, FILE *to, bool blocks);

#endif
