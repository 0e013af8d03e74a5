/* SPDX-License-Identifier: MIT */
/*
 * A clock that stands still until told to move: the linker sends the library's
 * clock_gettime() here. With it frozen, use utw_reactor_run_once(r, 0) only.
 */
#ifndef UTW_TESTS_HARNESS_CLOCK_H
#define UTW_TESTS_HARNESS_CLOCK_H

#include <stdint.h>

#define SECONDS	     UINT64_C(1000000000)
#define MILLISECONDS UINT64_C(1000000)

/* Stop it at this time, in ns. */
void clock_freeze(uint64_t now);
void clock_advance(uint64_t by);
/* Back to the real clock. */
void clock_thaw(void);

#endif
