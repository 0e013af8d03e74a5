/* SPDX-License-Identifier: MIT */
/* The one clock of the library: nanoseconds of CLOCK_MONOTONIC. */
#ifndef UTW_BASE_CLOCK_H
#define UTW_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define UTW_NSEC_PER_SEC  UINT64_C(1000000000)
#define UTW_NSEC_PER_MSEC UINT64_C(1000000)

static inline uint64_t utw_clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UTW_NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* A sum that sticks at the end of time instead of wrapping to its beginning. */
static inline uint64_t utw_clock_add(uint64_t when, uint64_t delay)
{
	return delay > UINT64_MAX - when ? UINT64_MAX : when + delay;
}

#endif
