/* SPDX-License-Identifier: MIT */
/*
 * The contract of a reactor, held against each of its back ends: the same tests
 * run once for each, in which utw_reactor_new() makes a reactor of that kind.
 */
#ifndef UTW_TESTS_BACKENDS_H
#define UTW_TESTS_BACKENDS_H

#include <stddef.h>
#include <stdint.h>

#include "harness.h"

struct utw_reactor;

#define RUN_ON_EACH_BACKEND(tests) run_on_backends(__FILE__, tests, ARRAY_SIZE(tests), 3)
/* Not on the fake one: what depends on time that goes by itself. */
#define RUN_ON_REAL_BACKENDS(tests) run_on_backends(__FILE__, tests, ARRAY_SIZE(tests), 2)

/*
 * Run them on the first `backends`. One that this machine does not offer is told as
 * skipped. Returns the number of failures.
 */
int run_on_backends(const char *file, const struct CMUnitTest *tests, size_t count,
		    unsigned int backends);

/* Let time go by, in a test whose clock is frozen, as this reactor sees it. */
void reactor_advance(struct utw_reactor *r, uint64_t by);

#endif
