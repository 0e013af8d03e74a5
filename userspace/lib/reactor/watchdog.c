// SPDX-License-Identifier: MIT
/* The watchdog, and the statistics it keeps. */
#include "reactor/watchdog.h"

void utw_watchdog_init(struct utw_reactor *r, const struct utw_reactor_options *options)
{
	r->watchdog.measuring = options->measure;
	r->watchdog.limit = options->slow_limit;
	r->watchdog.slow = options->slow;
	r->watchdog.data = options->data;
}

static unsigned int bucket_of(uint64_t took)
{
	unsigned int bucket = took ? 63 - (unsigned int)__builtin_clzll(took) : 0;

	return bucket < UTW_TURN_BUCKETS ? bucket : UTW_TURN_BUCKETS - 1;
}

void utw_watchdog_measure_turn(struct utw_reactor *r)
{
	uint64_t took = utw_reactor_clock(r) - r->now;

	r->statistics.busy += took;
	r->statistics.buckets[bucket_of(took)]++;
	if (took > r->statistics.longest)
		r->statistics.longest = took;
}

void utw_watchdog_measure_call(struct utw_reactor *r, const struct utw_slow_call *call)
{
	uint64_t now = utw_reactor_clock(r);
	struct utw_slow_call slow = *call;

	slow.took = now - r->watchdog.since;
	r->watchdog.since = now;
	if (slow.took <= r->watchdog.limit)
		return;
	r->watchdog.slow(r->watchdog.data, &slow);
	/* What it does to tell is nobody's fault. */
	r->watchdog.since = utw_reactor_clock(r);
}

void utw_reactor_get_statistics(const struct utw_reactor *r, struct utw_reactor_statistics *ret)
{
	*ret = r->statistics;
}
