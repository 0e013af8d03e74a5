/* SPDX-License-Identifier: MIT */
/*
 * What every test has around it: cmocka, and a janitor that fails a test which
 * leaves a descriptor open or a failure unhandled.
 */
#ifndef UTW_TESTS_HARNESS_H
#define UTW_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <untwist/failure.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* One line of a test table. */
#define TEST(function) cmocka_unit_test_setup_teardown(function, harness_setup, harness_teardown)

int harness_setup(void **state);
int harness_teardown(void **state);

/*
 * How many unhandled failures were reported since the last call. A test that
 * expects some asks; what it has not asked about by its end fails it.
 */
unsigned int harness_take_unhandled(void);
/* The domain code of the last one, and the line where its deferred was made. */
int harness_unhandled_code(void);
int harness_unhandled_line(void);

/* The number of open descriptors. */
unsigned int harness_open_fds(void);

#endif
