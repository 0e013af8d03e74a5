/* SPDX-License-Identifier: MIT */
/* Making an allocation fail on purpose: the linker sends the library's calls here. */
#ifndef UTW_TESTS_HARNESS_ALLOC_H
#define UTW_TESTS_HARNESS_ALLOC_H

#include <stdbool.h>

/* Let the nth allocation from now fail, counted from 1; 0 lets all succeed. */
void alloc_fail_at(unsigned int nth);
/* Has that allocation been asked for and refused? */
bool alloc_failed(void);
/* How many allocations since alloc_fail_at(). */
unsigned int alloc_count(void);

#endif
