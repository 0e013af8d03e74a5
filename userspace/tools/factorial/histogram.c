/* SPDX-License-Identifier: MIT */
/* Histogram: see histogram.h. */
#include "histogram.h"

#include <string.h>

#define BAR_WIDTH 50

static unsigned int log2_of(uint64_t ns)
{
	return ns ? 63 - (unsigned int)__builtin_clzll(ns) : 0;
}

/* The four bits below the leading one choose the part of the doubling. */
static unsigned int bucket_of(uint64_t ns)
{
	unsigned int octave = log2_of(ns);
	uint64_t fine = octave >= 4 ? ns >> (octave - 4) : ns << (4 - octave);

	return octave * HISTOGRAM_FINE + (unsigned int)(fine & (HISTOGRAM_FINE - 1));
}

/* The first duration above a bucket. */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int octave = bucket / HISTOGRAM_FINE;
	uint64_t fine = HISTOGRAM_FINE + bucket % HISTOGRAM_FINE + 1;

	return octave >= 4 ? fine << (octave - 4) : fine >> (4 - octave);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->count++;
	h->bucket[bucket_of(ns)]++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned int permille)
{
	uint64_t wanted = (h->count * permille + 999) / 1000;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= wanted)
			return bucket_end(i) < h->max ? bucket_end(i) : h->max;
	}
	return h->max;
}

static uint64_t octave_count(const struct histogram *h, unsigned int octave)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < HISTOGRAM_FINE; i++)
		sum += h->bucket[octave * HISTOGRAM_FINE + i];
	return sum;
}

/* Three digits and a unit of seven columns in all. */
static const char *duration(uint64_t ns, char *text, size_t size)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	double value = (double)ns;
	unsigned int i = 0;

	while (value >= 999.5 && i < 3) {
		value /= 1000;
		i++;
	}
	snprintf(text, size, "%.*f %s", value < 9.95 && i ? 1 : 0, value, unit[i]);
	return text;
}

static void draw_bar(uint64_t count, uint64_t most, FILE *to, bool blocks)
{
	static const char *const eighth[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	uint64_t eighths = count * BAR_WIDTH * 8 / most;

	/* Something is never drawn as nothing. */
	if (count && !eighths)
		eighths = 1;
	if (!blocks)
		eighths = (eighths + 7) / 8 * 8;
	for (uint64_t i = 0; i < eighths / 8; i++)
		fputs(blocks ? "█" : "#", to);
	fputs(eighth[eighths % 8], to);
	for (uint64_t i = (eighths + 7) / 8; i < BAR_WIDTH; i++)
		fputc(' ', to);
}

static void draw_octave(const struct histogram *h, unsigned int octave, uint64_t most, FILE *to,
			bool blocks)
{
	char from[24], until[24];

	fprintf(to, "  %7s - %7s  ", duration(UINT64_C(1) << octave, from, sizeof(from)),
		duration(UINT64_C(2) << octave, until, sizeof(until)));
	draw_bar(octave_count(h, octave), most, to, blocks);
	fprintf(to, " %llu\n", (unsigned long long)octave_count(h, octave));
}

void histogram_draw(const struct histogram *h, FILE *to, bool blocks)
{
	unsigned int first = 63, last = 0;
	uint64_t most = 1;
	char median[24], p99[24], max[24];

	if (!h->count)
		return;
	for (unsigned int octave = 0; octave < 63; octave++) {
		uint64_t count = octave_count(h, octave);

		if (!count)
			continue;
		first = octave < first ? octave : first;
		last = octave;
		most = count > most ? count : most;
	}
	for (unsigned int octave = first; octave <= last; octave++)
		draw_octave(h, octave, most, to, blocks);
	fprintf(to, "  median %s, p99 %s, max %s\n",
		duration(histogram_quantile(h, 500), median, sizeof(median)),
		duration(histogram_quantile(h, 990), p99, sizeof(p99)),
		duration(h->max, max, sizeof(max)));
}
