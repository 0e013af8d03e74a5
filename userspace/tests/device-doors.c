// SPDX-License-Identifier: MIT
/* The doors to a device, and a fake one behind the last of them: see device-doors.h. */
#include "device-doors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct door_kind *current;

/* untwist_loop, as far as the contract needs it. */

static void fake_echo(struct utw_fake_request *req, void *data)
{
	(void)data;
	utw_fake_request_complete(req, (int32_t)req->payload_len, req->arg[1], 0);
}

static void fake_tick(struct utw_fake_request *req, void *data)
{
	struct door *door = data;

	assert_int_equal(utw_fake_request_post(req, 0, door->ticks++, 0), 0);
	if (door->ticks == req->arg[1])
		utw_fake_request_complete(req, (int32_t)door->ticks, 0, 0);
	else
		assert_int_equal(utw_fake_request_after(req, req->arg[0], fake_tick, door), 0);
}

static void fake_loop(struct utw_fake_request *req, void *data)
{
	if (req->opcode == UNTWIST_LOOP_OP_ECHO && !req->multishot)
		assert_int_equal(utw_fake_request_after(req, req->arg[0], fake_echo, NULL), 0);
	else if (req->opcode == UNTWIST_LOOP_OP_TICKS && req->multishot)
		assert_int_equal(utw_fake_request_after(req, req->arg[0], fake_tick, data), 0);
	else
		utw_fake_request_complete(req, -EOPNOTSUPP, 0, 0);
}

static int fake_open(struct door *door)
{
	int error = utw_fake_device_open(&door->fake, &door->device, door->reactor);

	utw_fake_device_set_handler(&door->fake, fake_loop, door);
	return error;
}

static void fake_unplug(struct door *door)
{
	utw_fake_device_unplug(&door->fake);
}

static void fake_replug(struct door *door)
{
	(void)door;
}

/* A node. */

void loop_devices_set(const char *count)
{
	int fd = open("/sys/module/untwist_loop/parameters/devices", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, count, strlen(count)), strlen(count));
	close(fd);
}

static int node_open(struct door *door, enum utw_device_door which)
{
	return utw_device_open_door(&door->device, door->reactor, getenv("UNTWIST_TEST_DEVICE"),
				    which);
}

static int ring_open(struct door *door)
{
	return node_open(door, UTW_DEVICE_DOOR_RING);
}

static int ioctl_open(struct door *door)
{
	return node_open(door, UTW_DEVICE_DOOR_IOCTL);
}

static void node_unplug(struct door *door)
{
	(void)door;
	loop_devices_set("0");
}

static void node_replug(struct door *door)
{
	(void)door;
	loop_devices_set("2");
}

static const struct door_kind kinds[] = {
	{ "custom", fake_open, fake_unplug, fake_replug },
	{ "ring", ring_open, node_unplug, node_replug },
	{ "ioctl", ioctl_open, node_unplug, node_replug },
};

/* Tests. */

int door_setup(void **state)
{
	struct door *door = calloc(1, sizeof(*door));
	void *harness = NULL;

	if (!door || harness_setup(&harness))
		return -1;
	door->kind = current;
	if (utw_reactor_new(&door->reactor) || current->open(door))
		return -1;
	*state = door;
	return strcmp(utw_device_door_name(door->device), current->name);
}

void door_close(struct door *door)
{
	utw_device_close(door->device);
	door->device = NULL;
}

void door_unplug(struct door *door)
{
	door->unplugged = true;
	door->kind->unplug(door);
}

int door_teardown(void **state)
{
	struct door *door = *state;
	void *harness = NULL;

	door_close(door);
	if (door->unplugged)
		door->kind->replug(door);
	utw_fake_device_release(&door->fake);
	utw_reactor_free(door->reactor);
	free(door);
	return harness_teardown(&harness);
}

static void no_node(void **state)
{
	(void)state;
	print_message("# UNTWIST_TEST_DEVICE names no device\n");
	skip();
}

int run_through_doors(const char *file, const struct CMUnitTest *tests, size_t count)
{
	const struct CMUnitTest skipped[] = { cmocka_unit_test(no_node) };
	int failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool node = kinds[i].open != fake_open;
		char group[256];

		current = &kinds[i];
		snprintf(group, sizeof(group), "%s, %s", file, current->name);
		if (node && !getenv("UNTWIST_TEST_DEVICE"))
			failures += _cmocka_run_group_tests(group, skipped, 1, NULL, NULL);
		else
			failures += _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	}
	return failures;
}
