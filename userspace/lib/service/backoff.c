/* SPDX-License-Identifier: MIT */
/* Back-off: see untwist/client.h. */
#include <sys/random.h>

#include <untwist/client.h>

#include "base/clock.h"

static double chance(const struct utw_backoff *b)
{
	uint32_t bits = 0;

	if (b->random)
		return b->random(b->data);
	/* Without entropy there is no jitter, which is no reason to wait. */
	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != sizeof(bits))
		return 0;
	return (double)bits / (double)UINT32_MAX;
}

uint64_t utw_backoff_delay(const struct utw_backoff *b, uint64_t failures)
{
	double delay = (double)b->initial;
	double max = (double)b->max;

	/* Ends at the limit, or never gets there: then a thousand steps are as good as all. */
	for (uint64_t i = 0; i < failures && i < 1000 && delay < max; i++)
		delay *= b->factor;
	if (delay > max)
		delay = max;
	return utw_clock_add((uint64_t)delay, (uint64_t)(chance(b) * (double)b->jitter));
}
