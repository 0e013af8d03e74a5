/* SPDX-License-Identifier: MIT */
/*
 * The contract of the request plane, held against each way to a device: the doors
 * of the node that UNTWIST_TEST_DEVICE names, one of untwist_loop, and the fake
 * device, which does what untwist_loop does.
 */
#ifndef UTW_TESTS_DEVICE_DOORS_H
#define UTW_TESTS_DEVICE_DOORS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/untwist_loop.h>

#include <untwist/device.h>
#include <untwist/reactor.h>
#include <untwist/testing/fake_device.h>

#include "harness.h"

/* Longer than any test has patience, and no longer than untwist_loop waits. */
#define LONG_NS UINT64_C(50000000000)

struct door;

struct door_kind {
	const char *name;
	/* Returns 0 or -errno. */
	int (*open)(struct door *door);
	/* Take the device away, and bring another one when the test is over. */
	void (*unplug)(struct door *door);
	void (*replug)(struct door *door);
};

/* What a test finds at *state. */
struct door {
	const struct door_kind *kind;
	struct utw_reactor *reactor;
	struct utw_device *device; /* NULL when the test has closed it */
	struct utw_fake_device fake;
	uint64_t ticks; /* of the fake device */
	bool unplugged;
};

/*
 * Run the tests through each door; those of a node are told as skipped where there
 * is none. Returns the number of failures.
 */
#define RUN_THROUGH_EACH_DOOR(tests) run_through_doors(__FILE__, tests, ARRAY_SIZE(tests))
int run_through_doors(const char *file, const struct CMUnitTest *tests, size_t count);

/* Set-up and tear-down of such a test, around the harness's own. */
int door_setup(void **state);
int door_teardown(void **state);
#define DOOR_TEST(function) cmocka_unit_test_setup_teardown(function, door_setup, door_teardown)

void door_close(struct door *door);
void door_unplug(struct door *door);

/* Give untwist_loop so many devices, as a decimal number. */
void loop_devices_set(const char *count);

#endif
