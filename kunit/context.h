/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * context.c APIs: run a function where a driver's code may run.
 */
#ifndef UNTWIST_KUNIT_CONTEXT_H
#define UNTWIST_KUNIT_CONTEXT_H

#include <linux/jiffies.h>

/* How long anything may take that does come; to be reached only by a failure. */
#define TEST_LIMIT (20 * HZ)

enum test_context {
	TEST_HERE,
	TEST_THREAD,
	TEST_SOFTIRQ,
	TEST_HARDIRQ,
	TEST_NR_CONTEXTS,
};

extern const char *const test_context_names[TEST_NR_CONTEXTS];

void test_call_in(enum test_context context, void (*fn)(void *arg), void *arg);

#endif /* UNTWIST_KUNIT_CONTEXT_H */
