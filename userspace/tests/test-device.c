/* SPDX-License-Identifier: MIT */
/*
 * Devices: how they are opened, records, and unplugging, on the real thing.
 *
 * UNTWIST_TEST_DEVICE names a stream node and UNTWIST_TEST_RECORD_DEVICE a
 * record node of untwist_loop; without them only the failures to open are run.
 */
#include <untwist/device.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/untwist.h>

#include "device-doors.h"
#include "recorder.h"

static const char *node(const char *variable)
{
	const char *path = getenv(variable);

	if (!path) {
		print_message("%s names no device\n", variable);
		skip();
	}
	return path;
}

static void transport_case_69_failed_open_closes_the_descriptor(void **state)
{
	struct utw_reactor *r;
	struct utw_device *dev = NULL;
	struct recorder rec;

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open(&dev, r, "/dev/null"), -ENOTTY);
	assert_int_equal(utw_device_open(&dev, r, "/nonexistent"), -ENOENT);
	assert_int_equal(utw_device_transport_open(NULL, r, "/dev/null", NULL, &rec.protocol),
			 -ENOTTY);
	assert_null(dev);
	assert_null(rec.protocol.transport);
	utw_reactor_free(r);
}

/* Open by any door, with this in the environment, and see which one it came to be. */
static void assert_door(const char *variable, const char *door, int refusal)
{
	const char *path = node("UNTWIST_TEST_DEVICE");
	struct utw_reactor *r;
	struct utw_device *dev;

	if (variable)
		setenv("UNTWIST_DEVICE_DOOR", variable, 1);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open(&dev, r, path), 0);
	unsetenv("UNTWIST_DEVICE_DOOR");
	assert_string_equal(utw_device_door_name(dev), door);
	assert_int_equal(utw_device_door_refusal(dev), refusal);
	utw_device_close(dev);
	utw_reactor_free(r);
}

static void door_is_the_ring_or_what_the_environment_says(void **state)
{
	(void)state;
	assert_door(NULL, "ring", 0);
	assert_door("", "ring", 0);
	assert_door("ring", "ring", 0);
	assert_door("ioctl", "ioctl", 0);
}

static void unknown_door_is_refused(void **state)
{
	const char *path = node("UNTWIST_TEST_DEVICE");
	struct utw_device *dev = NULL;
	struct utw_reactor *r;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open_door(&dev, r, path, (enum utw_device_door)7), -EINVAL);
	setenv("UNTWIST_DEVICE_DOOR", "window", 1);
	assert_int_equal(utw_device_open(&dev, r, "/dev/null"), -EINVAL);
	unsetenv("UNTWIST_DEVICE_DOOR");
	assert_null(dev);
	utw_reactor_free(r);
}

/* What a kernel says to the set-up of rings, and has it had its say? */
static int ring_errno;

int __real_ioctl(int fd, unsigned long command, void *argument);
int __wrap_ioctl(int fd, unsigned long command, void *argument);

int __wrap_ioctl(int fd, unsigned long command, void *argument)
{
	if (ring_errno && command == UNTWIST_IOC_RING_SETUP) {
		errno = ring_errno;
		return -1;
	}
	return __real_ioctl(fd, command, argument);
}

static void kernel_without_rings_is_asked_by_ioctl(void **state)
{
	const char *path = node("UNTWIST_TEST_DEVICE");
	struct utw_device *dev = NULL;
	struct utw_reactor *r;

	(void)state;
	ring_errno = ENOTTY;
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open_door(&dev, r, path, UTW_DEVICE_DOOR_RING), -ENOTTY);
	utw_reactor_free(r);
	assert_door(NULL, "ioctl", -ENOTTY);
	ring_errno = 0;
}

static void record_begin(struct utw_reactor **r, struct recorder *rec, size_t record_max)
{
	struct utw_device_options options = { .record_max = record_max };
	const char *path = node("UNTWIST_TEST_RECORD_DEVICE");

	recorder_init(rec, true);
	assert_int_equal(utw_reactor_new(r), 0);
	assert_int_equal(utw_device_transport_open(NULL, *r, path, &options, &rec->protocol), 0);
}

static void record_end(struct utw_reactor *r, struct recorder *rec)
{
	utw_transport_close(rec->protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	recorder_release(rec);
	utw_reactor_free(r);
}

static void transport_case_72_record_over_the_limit_is_flagged(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;

	(void)state;
	record_begin(&r, &rec, 8);
	utw_transport_write(rec.protocol.transport, "twenty bytes of data", 20);
	utw_transport_write(rec.protocol.transport, "next", 4);
	turn_until(r, rec.pieces == 2);
	assert_int_equal(rec.data_len, 12);
	assert_memory_equal(rec.data, "twenty bnext", 12);
	assert_int_equal(rec.last_full_len, 4);
	record_end(r, &rec);
}

static void record_larger_than_the_buffer_makes_it_grow(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	char data[4096];

	(void)state;
	memset(data, 'r', sizeof(data));
	record_begin(&r, &rec, 0);
	assert_true(utw_transport_write(rec.protocol.transport, data, sizeof(data)) >= 0);
	turn_until(r, rec.pieces == 1);
	assert_int_equal(rec.data_len, sizeof(data));
	assert_int_equal(rec.last_full_len, sizeof(data));
	record_end(r, &rec);
}

static void record_too_long_for_the_device_is_refused(void **state)
{
	struct utw_reactor *r;
	struct recorder rec;
	char *data;

	(void)state;
	record_begin(&r, &rec, 0);
	data = calloc(1, 1 << 20);
	assert_int_equal(utw_transport_write(rec.protocol.transport, data, 1 << 20), -EMSGSIZE);
	assert_int_equal(utw_transport_write(rec.protocol.transport, "ok", 2), 0);
	turn_until(r, rec.pieces == 1);
	free(data);
	record_end(r, &rec);
}

static void unplugged_transport_delivers_then_is_gone(void **state)
{
	const char *path = node("UNTWIST_TEST_DEVICE");
	struct utw_reactor *r;
	struct recorder rec;

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_transport_open(NULL, r, path, NULL, &rec.protocol), 0);
	utw_transport_write(rec.protocol.transport, "echo", 4);
	turn_until(r, rec.data_len == 4);
	utw_transport_pause(rec.protocol.transport);
	utw_transport_write(rec.protocol.transport, "unread", 6);
	turn_all(r);
	loop_devices_set("0");
	turn_until(r, strchr(rec.story, 'H'));
	utw_transport_resume(rec.protocol.transport);
	turn_until(r, recorder_lost(&rec));
	assert_lost(&rec, UTW_GONE);
	assert_true(utw_failure_has(rec.reason, &utw_domain_errno, ENODEV));
	assert_int_equal(rec.data_len, 10);
	loop_devices_set("2");
	recorder_release(&rec);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transport_case_69_failed_open_closes_the_descriptor),
		TEST(door_is_the_ring_or_what_the_environment_says),
		TEST(unknown_door_is_refused),
		TEST(kernel_without_rings_is_asked_by_ioctl),
		TEST(transport_case_72_record_over_the_limit_is_flagged),
		TEST(record_larger_than_the_buffer_makes_it_grow),
		TEST(record_too_long_for_the_device_is_refused),
		TEST(unplugged_transport_delivers_then_is_gone),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
