// SPDX-License-Identifier: MIT
/* Requests that are answered once, through each door to a device. */
#include "device-doors.h"

#include <errno.h>
#include <string.h>

#include <untwist/deferred.h>

#include "recorder.h"

#define MANY 1000

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

static void requests_beyond_the_capacity_are_answered_in_order(void **state)
{
	struct door *door = *state;
	static struct asked asked[MANY];
	unsigned int order = 0;

	assert_true(utw_device_capacity(door->device) < MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		ask_echo(&asked[i], door->device, 0, i * 3);
		asked[i].order = &order;
		assert_int_equal(asked[i].fired, 0);
	}
	assert_int_equal(utw_device_pending(door->device), MANY);
	turn_until(door->reactor, order == MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(asked[i].fired, 1);
		assert_null(asked[i].domain);
		assert_int_equal(asked[i].value, i * 3);
		assert_int_equal(asked[i].place, i);
	}
	assert_int_equal(utw_device_pending(door->device), 0);
}

static void payload_comes_back(void **state)
{
	struct door *door = *state;
	char payload[100];
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO,
				   .payload = payload,
				   .payload_len = sizeof(payload) };
	struct asked a;

	memset(payload, 'p', sizeof(payload));
	ask(&a, door->device, &req);
	turn_until(door->reactor, a.fired);
	assert_int_equal(a.result, sizeof(payload));
	assert_int_equal(payload[99], 'p');
}

static void payload_beyond_the_places_of_the_arena_comes_back(void **state)
{
	struct door *door = *state;
	static char payload[3 * 64][700];
	static struct asked asked[3 * 64];
	unsigned int order = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(asked); i++) {
		struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO,
					   .arg = { 1000 },
					   .payload = payload[i],
					   .payload_len = sizeof(payload[i]) };

		memset(payload[i], (int)i, sizeof(payload[i]));
		ask(&asked[i], door->device, &req);
		asked[i].order = &order;
	}
	turn_until(door->reactor, order == ARRAY_SIZE(asked));
	for (unsigned int i = 0; i < ARRAY_SIZE(asked); i++) {
		assert_int_equal(asked[i].result, sizeof(payload[i]));
		for (unsigned int k = 0; k < sizeof(payload[i]); k++)
			assert_int_equal((unsigned char)payload[i][k], i);
	}
}

static void unknown_opcode_is_an_errno(void **state)
{
	struct door *door = *state;
	struct utw_request req = { .opcode = 4711 };
	struct asked a;

	ask(&a, door->device, &req);
	turn_until(door->reactor, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_errno);
	assert_int_equal(a.code, EOPNOTSUPP);
}

static void cancel_of_an_issued_request_waits_for_the_kernel(void **state)
{
	struct door *door = *state;
	struct asked a;

	ask_echo(&a, door->device, LONG_NS, 1);
	turn_all(door->reactor);
	utw_deferred_cancel(a.deferred);
	assert_int_equal(a.fired, 0);
	turn_until(door->reactor, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_reason);
	assert_int_equal(a.code, UTW_CANCELLED);
	assert_int_equal(utw_device_pending(door->device), 0);
}

static void cancel_of_a_waiting_request_is_immediate(void **state)
{
	struct door *door = *state;
	struct asked a;

	ask_echo(&a, door->device, 0, 1);
	utw_deferred_cancel(a.deferred);
	assert_int_equal(a.fired, 1);
	assert_int_equal(a.code, UTW_CANCELLED);
	turn_all(door->reactor);
	assert_int_equal(a.fired, 1);
}

static void timeout_of_a_request_is_told_as_one(void **state)
{
	struct door *door = *state;
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO, .arg = { LONG_NS, 0 } };
	struct asked a = { .fired = 0 };

	a.deferred = utw_device_submit(door->device, &req);
	utw_deferred_add_timeout(a.deferred, door->reactor, 1000000);
	utw_deferred_add_both(a.deferred, note, &a);
	utw_deferred_unref(a.deferred);
	turn_until(door->reactor, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_reason);
	assert_int_equal(a.code, UTW_TIMEOUT);
}

static void timeout_in_the_kernel_is_told_as_one(void **state)
{
	struct door *door = *state;
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO,
				   .arg = { LONG_NS, 0 },
				   .timeout = 1000000 };
	struct asked a;

	ask(&a, door->device, &req);
	turn_until(door->reactor, a.fired);
	assert_ptr_equal(a.domain, &utw_domain_reason);
	assert_int_equal(a.code, UTW_TIMEOUT);
	assert_int_equal(utw_device_pending(door->device), 0);
}

static void close_fails_what_is_pending(void **state)
{
	struct door *door = *state;
	struct asked issued, waiting;

	ask_echo(&issued, door->device, LONG_NS, 1);
	turn_all(door->reactor);
	ask_echo(&waiting, door->device, 0, 1);
	door_close(door);
	assert_int_equal(issued.fired, 1);
	assert_int_equal(issued.code, UTW_CANCELLED);
	assert_int_equal(waiting.fired, 1);
	assert_int_equal(waiting.code, UTW_CANCELLED);
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
	struct door *door = *state;
	struct asked issued, waiting, late;

	gone_calls = 0;
	utw_device_set_gone(door->device, note_gone, &issued);
	ask_echo(&issued, door->device, LONG_NS, 1);
	turn_all(door->reactor);
	ask_echo(&waiting, door->device, LONG_NS, 1);
	door_unplug(door);
	turn_until(door->reactor, gone_calls);
	assert_ptr_equal(issued.domain, &utw_domain_reason);
	assert_int_equal(issued.code, UTW_GONE);
	assert_int_equal(waiting.code, UTW_GONE);
	ask_echo(&late, door->device, 0, 1);
	assert_int_equal(late.code, UTW_GONE);
	turn_all(door->reactor);
	assert_int_equal(gone_calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DOOR_TEST(requests_beyond_the_capacity_are_answered_in_order),
		DOOR_TEST(payload_comes_back),
		DOOR_TEST(payload_beyond_the_places_of_the_arena_comes_back),
		DOOR_TEST(unknown_opcode_is_an_errno),
		DOOR_TEST(cancel_of_an_issued_request_waits_for_the_kernel),
		DOOR_TEST(cancel_of_a_waiting_request_is_immediate),
		DOOR_TEST(timeout_of_a_request_is_told_as_one),
		DOOR_TEST(timeout_in_the_kernel_is_told_as_one),
		DOOR_TEST(close_fails_what_is_pending),
		DOOR_TEST(unplugged_device_fails_its_requests),
	};

	return RUN_THROUGH_EACH_DOOR(tests);
}
