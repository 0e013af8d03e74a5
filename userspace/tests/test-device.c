/* SPDX-License-Identifier: MIT */
/*
 * Devices: the request plane, records, and unplugging, on the real thing.
 *
 * UNTWIST_TEST_DEVICE names a stream node and UNTWIST_TEST_RECORD_DEVICE a
 * record node of untwist_loop; without them only the failures to open are run.
 */
#include <untwist/device.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include <untwist/deferred.h>

#include "harness.h"
#include "recorder.h"

/* Longer than any test has patience, and no longer than untwist_loop waits. */
#define LONG_NS UINT64_C(50000000000)
#define MANY	1000

/* One request and what became of it. */
struct asked {
	struct utw_deferred *deferred;
	unsigned int fired;
	int32_t result;
	uint64_t value;
	const struct utw_domain *domain;
	int code;
	unsigned int *order; /* counts those that have fired */
	unsigned int place;
};

static const char *node(const char *variable)
{
	const char *path = getenv(variable);

	if (!path) {
		print_message("%s names no device\n", variable);
		skip();
	}
	return path;
}

static struct utw_result note(void *value, struct utw_failure *failure, void *data)
{
	const struct utw_completion *completion = value;
	struct asked *a = data;

	a->fired++;
	if (a->order)
		a->place = (*a->order)++;
	if (failure) {
		a->domain = utw_failure_domain(failure);
		a->code = utw_failure_code(failure);
	} else {
		a->result = completion->result;
		a->value = completion->value[0];
	}
	return utw_result_value(NULL);
}

static void ask(struct asked *a, struct utw_device *dev, const struct utw_request *req)
{
	memset(a, 0, sizeof(*a));
	a->deferred = utw_device_submit(dev, req);
	assert_non_null(a->deferred);
	utw_deferred_add_both(a->deferred, note, a);
	utw_deferred_unref(a->deferred);
}

static void ask_echo(struct asked *a, struct utw_device *dev, uint64_t delay, uint64_t value)
{
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO, .arg = { delay, value } };

	ask(a, dev, &req);
}

static void device_begin(struct utw_reactor **r, struct utw_device **dev)
{
	const char *path = node("UNTWIST_TEST_DEVICE");

	assert_int_equal(utw_reactor_new(r), 0);
	assert_int_equal(utw_device_open(dev, *r, path), 0);
}

static void device_end(struct utw_reactor *r, struct utw_device *dev)
{
	utw_device_close(dev);
	utw_reactor_free(r);
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

static void requests_beyond_the_capacity_are_answered_in_order(void **state)
{
	static struct asked asked[MANY];
	unsigned int order = 0;
	struct utw_reactor *r;
	struct utw_device *dev;

	(void)state;
	device_begin(&r, &dev);
	assert_true(utw_device_capacity(dev) < MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		ask_echo(&asked[i], dev, 0, i * 3);
		asked[i].order = &order;
		assert_int_equal(asked[i].fired, 0);
	}
	assert_int_equal(utw_device_pending(dev), MANY);
	turn_until(r, order == MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(asked[i].fired, 1);
		assert_null(asked[i].domain);
		assert_int_equal(asked[i].value, i * 3);
		assert_int_equal(asked[i].place, i);
	}
	assert_int_equal(utw_device_pending(dev), 0);
	device_end(r, dev);
}

static void payload_comes_back(void **state)
{
	char payload[100];
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO,
				   .payload = payload,
				   .payload_len = sizeof(payload) };
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked a;

	(void)state;
	memset(payload, 'p', sizeof(payload));
	device_begin(&r, &dev);
	ask(&a, dev, &req);
	turn_until(r, a.fired);
	assert_int_equal(a.result, sizeof(payload));
	assert_int_equal(payload[99], 'p');
	device_end(r, dev);
}

static void unknown_opcode_is_an_errno(void **state)
{
	struct utw_request req = { .opcode = 4711 };
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked a;

	(void)state;
	device_begin(&r, &dev);
	ask(&a, dev, &req);
	turn_until(r, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_errno);
	assert_int_equal(a.code, EOPNOTSUPP);
	device_end(r, dev);
}

static void cancel_of_an_issued_request_waits_for_the_kernel(void **state)
{
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked a;

	(void)state;
	device_begin(&r, &dev);
	ask_echo(&a, dev, LONG_NS, 1);
	turn_all(r);
	utw_deferred_cancel(a.deferred);
	assert_int_equal(a.fired, 0);
	turn_until(r, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_reason);
	assert_int_equal(a.code, UTW_CANCELLED);
	assert_int_equal(utw_device_pending(dev), 0);
	device_end(r, dev);
}

static void cancel_of_a_waiting_request_is_immediate(void **state)
{
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked a;

	(void)state;
	device_begin(&r, &dev);
	ask_echo(&a, dev, 0, 1);
	utw_deferred_cancel(a.deferred);
	assert_int_equal(a.fired, 1);
	assert_int_equal(a.code, UTW_CANCELLED);
	turn_all(r);
	assert_int_equal(a.fired, 1);
	device_end(r, dev);
}

static void timeout_of_a_request_is_told_as_one(void **state)
{
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO, .arg = { LONG_NS, 0 } };
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked a = { .fired = 0 };

	(void)state;
	device_begin(&r, &dev);
	a.deferred = utw_device_submit(dev, &req);
	utw_deferred_add_timeout(a.deferred, r, 1000000);
	utw_deferred_add_both(a.deferred, note, &a);
	utw_deferred_unref(a.deferred);
	turn_until(r, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_reason);
	assert_int_equal(a.code, UTW_TIMEOUT);
	device_end(r, dev);
}

static void close_fails_what_is_pending(void **state)
{
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked issued, waiting;

	(void)state;
	device_begin(&r, &dev);
	ask_echo(&issued, dev, LONG_NS, 1);
	turn_all(r);
	ask_echo(&waiting, dev, 0, 1);
	utw_device_close(dev);
	assert_int_equal(issued.fired, 1);
	assert_int_equal(issued.code, UTW_CANCELLED);
	assert_int_equal(waiting.fired, 1);
	assert_int_equal(waiting.code, UTW_CANCELLED);
	utw_reactor_free(r);
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

static void devices_set(const char *count)
{
	int fd = open("/sys/module/untwist_loop/parameters/devices", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, count, strlen(count)), strlen(count));
	close(fd);
}

static unsigned int gone_calls;

static void note_gone(struct utw_device *dev, struct utw_failure *reason, void *data)
{
	(void)dev;
	gone_calls++;
	assert_true(utw_failure_is(reason, &utw_domain_reason, UTW_GONE));
	assert_true(utw_failure_has(reason, &utw_domain_errno, ENODEV));
	assert_int_equal(((struct asked *)data)->fired, 1);
}

static void unplugged_device_fails_its_requests(void **state)
{
	struct utw_reactor *r;
	struct utw_device *dev;
	struct asked issued, waiting, late;

	(void)state;
	gone_calls = 0;
	device_begin(&r, &dev);
	utw_device_set_gone(dev, note_gone, &issued);
	ask_echo(&issued, dev, LONG_NS, 1);
	turn_all(r);
	ask_echo(&waiting, dev, LONG_NS, 1);
	devices_set("0");
	turn_until(r, gone_calls);
	assert_ptr_equal(issued.domain, &utw_domain_reason);
	assert_int_equal(issued.code, UTW_GONE);
	assert_int_equal(waiting.code, UTW_GONE);
	ask_echo(&late, dev, 0, 1);
	assert_int_equal(late.code, UTW_GONE);
	turn_all(r);
	assert_int_equal(gone_calls, 1);
	devices_set("2");
	device_end(r, dev);
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
	devices_set("0");
	turn_until(r, strchr(rec.story, 'H'));
	utw_transport_resume(rec.protocol.transport);
	turn_until(r, recorder_lost(&rec));
	assert_lost(&rec, UTW_GONE);
	assert_true(utw_failure_has(rec.reason, &utw_domain_errno, ENODEV));
	assert_int_equal(rec.data_len, 10);
	devices_set("2");
	recorder_release(&rec);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transport_case_69_failed_open_closes_the_descriptor),
		TEST(requests_beyond_the_capacity_are_answered_in_order),
		TEST(payload_comes_back),
		TEST(unknown_opcode_is_an_errno),
		TEST(cancel_of_an_issued_request_waits_for_the_kernel),
		TEST(cancel_of_a_waiting_request_is_immediate),
		TEST(timeout_of_a_request_is_told_as_one),
		TEST(close_fails_what_is_pending),
		TEST(transport_case_72_record_over_the_limit_is_flagged),
		TEST(record_larger_than_the_buffer_makes_it_grow),
		TEST(record_too_long_for_the_device_is_refused),
		TEST(unplugged_device_fails_its_requests),
		TEST(unplugged_transport_delivers_then_is_gone),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
