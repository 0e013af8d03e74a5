// SPDX-License-Identifier: MIT
/* The stand-in for clock_gettime(), put in place by the linker's --wrap. */
#include "harness-clock.h"

#include <stdbool.h>
#include <time.h>

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

static bool frozen;
static uint64_t frozen_at;

void clock_freeze(uint64_t now)
{
	frozen = true;
	frozen_at = now;
}

void clock_advance(uint64_t by)
{
	frozen_at += by;
}

void clock_thaw(void)
{
	frozen = false;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (!frozen)
		return __real_clock_gettime(clock, ts);
	ts->tv_sec = (time_t)(frozen_at / SECONDS);
	ts->tv_nsec = (long)(frozen_at % SECONDS);
	return 0;
}
