// SPDX-License-Identifier: MIT
/*
 * Payloads that a driver uses in place, through both doors of a node: of a size that
 * goes to the ring's arena, and of one that does not. UNTWIST_TEST_EDU_DEVICE names a
 * node of untwist_edu.
 */
#include <untwist/device.h>

#include <stdlib.h>
#include <string.h>

#include <linux/untwist_edu.h>

#include <untwist/deferred.h>
#include <untwist/reactor.h>

#include "harness.h"
#include "recorder.h"

/* Of a place in the arena, and more. */
#define SMALL 700
#define LARGE (2 * 4096 + 100)

static struct utw_result note(void *value, struct utw_failure *failure, void *data)
{
	const struct utw_completion *completion = value;

	assert_null(failure);
	*(int32_t *)data = completion->result;
	return utw_result_value(NULL);
}

/* Move it, wait for that, and tell the result. */
static int32_t transfer(struct utw_reactor *r, struct utw_device *dev, uint32_t opcode,
			void *payload, uint32_t len)
{
	struct utw_request req = { .opcode = opcode, .payload = payload, .payload_len = len };
	struct utw_deferred *d = utw_device_submit(dev, &req);
	int32_t result = -1;

	assert_non_null(d);
	utw_deferred_add_both(d, note, &result);
	utw_deferred_unref(d);
	turn_until(r, result >= 0);
	return result;
}

/*
 * Where the byte came from that is read at `i`: the device's memory begins anew after
 * its last byte, and so holds the last that were written.
 */
static uint32_t source_of(uint32_t i, uint32_t len)
{
	uint32_t place = i % UNTWIST_EDU_MEMORY;

	return len - 1 - (len - 1 - place) % UNTWIST_EDU_MEMORY;
}

static void write_and_read(struct utw_reactor *r, struct utw_device *dev, uint32_t len)
{
	static char out[LARGE], in[LARGE];

	for (uint32_t i = 0; i < len; i++)
		out[i] = (char)(i * 7 + len);
	memset(in, 0, sizeof(in));
	assert_int_equal(transfer(r, dev, UNTWIST_EDU_OP_WRITE_LONG, out, len), len);
	assert_int_equal(transfer(r, dev, UNTWIST_EDU_OP_READ_LONG, in, len), len);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(in[i], out[source_of(i, len)]);
	assert_int_equal(in[len], 0);
}

static void payloads_in_place(enum utw_device_door door)
{
	const char *path = getenv("UNTWIST_TEST_EDU_DEVICE");
	struct utw_reactor *r;
	struct utw_device *dev;

	if (!path) {
		print_message("UNTWIST_TEST_EDU_DEVICE names no device\n");
		skip();
	}
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open_door(&dev, r, path, door), 0);
	write_and_read(r, dev, SMALL);
	write_and_read(r, dev, LARGE - 1);
	utw_device_close(dev);
	utw_reactor_free(r);
}

static void payloads_are_used_in_place_by_ring(void **state)
{
	(void)state;
	payloads_in_place(UTW_DEVICE_DOOR_RING);
}

static void payloads_are_used_in_place_by_ioctl(void **state)
{
	(void)state;
	payloads_in_place(UTW_DEVICE_DOOR_IOCTL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(payloads_are_used_in_place_by_ring),
		TEST(payloads_are_used_in_place_by_ioctl),
	};

	return cmocka_run_group_tests_name("device-pages", tests, NULL, NULL);
}
