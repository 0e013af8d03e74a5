// SPDX-License-Identifier: MIT
/* The fake device: what a test does with it, and what the program hears of that. */
#include <untwist/testing/fake_device.h>

#include <errno.h>
#include <string.h>

#include <untwist/deferred.h>
#include <untwist/device.h>
#include <untwist/fake.h>
#include <untwist/reactor.h>
#include <untwist/testing/outcome.h>

#include "harness-alloc.h"
#include "harness.h"
#include "recorder.h"

#define SECOND UINT64_C(1000000000)
/* More allocations than the sweep meets. */
#define SWEEP_END 40

struct stage {
	struct utw_reactor *reactor;
	struct utw_fake_device fake;
	struct utw_device *device;
};

static void stage_open(struct stage *s)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };

	memset(s, 0, sizeof(*s));
	assert_int_equal(utw_reactor_new_with(&s->reactor, &options), 0);
	assert_int_equal(utw_fake_device_open(&s->fake, &s->device, s->reactor), 0);
}

static void stage_close(struct stage *s)
{
	utw_device_close(s->device);
	assert_true(s->fake.closed);
	utw_fake_device_release(&s->fake);
	utw_reactor_free(s->reactor);
}

/* Ask, and let it come to the device. */
static struct utw_deferred *ask(struct stage *s, uint32_t opcode, uint64_t timeout)
{
	struct utw_request req = { .opcode = opcode, .arg = { 1, 2 }, .timeout = timeout };
	struct utw_deferred *d = utw_device_submit(s->device, &req);

	assert_non_null(d);
	turn_all(s->reactor);
	return d;
}

static void request_is_seen_and_answered(void **state)
{
	char payload[] = "question";
	struct utw_request req = {
		.opcode = 33, .arg = { 4, 5 }, .payload = payload, .payload_len = sizeof(payload)
	};
	const struct utw_completion *answer;
	struct utw_fake_request *seen;
	struct utw_deferred *d;
	struct utw_result result;
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_string_equal(utw_device_name(s.device), "fake");
	assert_string_equal(utw_device_door_name(s.device), "custom");
	d = utw_device_submit(s.device, &req);
	assert_null(utw_fake_device_first(&s.fake));
	turn_all(s.reactor);
	seen = utw_fake_device_first(&s.fake);
	assert_non_null(seen);
	assert_int_equal(seen->opcode, 33);
	assert_int_equal(seen->arg[1], 5);
	assert_string_equal(seen->payload, "question");
	assert_false(seen->multishot);
	assert_int_equal(utw_fake_request_post(seen, 0, 0, 0), -EINVAL);

	strcpy(seen->payload, "answer");
	utw_fake_request_complete(seen, 6, 7, 8);
	assert_null(utw_fake_device_first(&s.fake));
	assert_true(utw_outcome_pending(d));
	turn_all(s.reactor);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	answer = result.value.ptr;
	assert_int_equal(answer->result, 6);
	assert_int_equal(answer->value[0], 7);
	assert_int_equal(answer->value[1], 8);
	assert_string_equal(payload, "answer");
	utw_result_drop(&result);
	utw_deferred_unref(d);
	stage_close(&s);
}

static void requests_are_held_in_order_and_answered_in_any(void **state)
{
	struct utw_deferred *first, *second;
	struct utw_fake_request *seen;
	struct stage s;

	(void)state;
	stage_open(&s);
	first = ask(&s, 20, 0);
	second = ask(&s, 21, 0);
	seen = utw_fake_device_first(&s.fake);
	assert_int_equal(seen->opcode, 20);
	assert_int_equal(seen->next->opcode, 21);
	utw_fake_request_complete(seen->next, -EIO, 0, 0);
	turn_all(s.reactor);
	assert_true(utw_outcome_pending(first));
	assert_true(utw_outcome_failed(second, &utw_domain_errno, EIO));
	utw_fake_request_complete(utw_fake_device_first(&s.fake), 0, 0, 0);
	turn_all(s.reactor);
	assert_true(utw_outcome_value(first) != UTW_OUTCOME_NONE);
	utw_deferred_unref(first);
	utw_deferred_unref(second);
	stage_close(&s);
}

static void full_device_is_waited_for(void **state)
{
	struct utw_deferred *d[3];
	struct stage s;

	(void)state;
	stage_open(&s);
	utw_fake_device_set_room(&s.fake, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
		d[i] = ask(&s, 20 + i, 0);
	/* It waits for room, and not by turning. */
	assert_int_equal(utw_reactor_run_once(s.reactor, 0), 0);
	assert_int_equal(s.fake.submitted, 1);
	utw_fake_request_complete(utw_fake_device_first(&s.fake), 0, 0, 0);
	turn_all(s.reactor);
	assert_int_equal(s.fake.submitted, 2);
	utw_fake_device_set_room(&s.fake, 2);
	turn_all(s.reactor);
	assert_int_equal(s.fake.submitted, 3);
	assert_int_equal(utw_fake_device_first(&s.fake)->opcode, 21);
	while (utw_fake_device_first(&s.fake))
		utw_fake_request_complete(utw_fake_device_first(&s.fake), 0, 0, 0);
	turn_all(s.reactor);
	for (unsigned int i = 0; i < ARRAY_SIZE(d); i++) {
		assert_true(utw_outcome_value(d[i]) != UTW_OUTCOME_NONE);
		utw_deferred_unref(d[i]);
	}
	stage_close(&s);
}

static void refused_request_fails_and_the_next_does_not(void **state)
{
	struct utw_deferred *first, *second;
	struct stage s;

	(void)state;
	stage_open(&s);
	utw_fake_device_refuse(&s.fake, 1, -EPERM);
	first = ask(&s, 20, 0);
	second = ask(&s, 21, 0);
	assert_true(utw_outcome_failed(first, &utw_domain_errno, EPERM));
	assert_int_equal(utw_fake_device_first(&s.fake)->opcode, 21);
	utw_device_close(s.device);
	assert_true(utw_outcome_failed(second, &utw_domain_reason, UTW_CANCELLED));
	utw_deferred_unref(first);
	utw_deferred_unref(second);
	utw_fake_device_release(&s.fake);
	utw_reactor_free(s.reactor);
}

static void timeout_goes_by_the_fake_clock(void **state)
{
	struct utw_deferred *d;
	struct stage s;

	(void)state;
	stage_open(&s);
	d = ask(&s, 20, SECOND);
	assert_true(utw_outcome_pending(d));
	utw_fake_advance(s.reactor, SECOND);
	turn_all(s.reactor);
	assert_true(utw_outcome_failed(d, &utw_domain_reason, UTW_TIMEOUT));
	utw_deferred_unref(d);
	stage_close(&s);
}

static void deaf_device_ends_nothing_early(void **state)
{
	struct utw_deferred *d;
	struct stage s;

	(void)state;
	stage_open(&s);
	utw_fake_device_set_deaf(&s.fake, true);
	d = ask(&s, 20, SECOND);
	utw_fake_advance(s.reactor, SECOND);
	turn_all(s.reactor);
	utw_deferred_cancel(d);
	turn_all(s.reactor);
	assert_true(utw_outcome_pending(d));
	assert_true(utw_fake_device_first(&s.fake)->cancelled);
	assert_int_equal(s.fake.cancels, 1);
	utw_fake_request_complete(utw_fake_device_first(&s.fake), 3, 0, 0);
	turn_all(s.reactor);
	assert_true(utw_outcome_value(d) != UTW_OUTCOME_NONE);
	utw_deferred_unref(d);
	stage_close(&s);
}

/* What was completed before it was unplugged is heard first. */
static void unplugged_device_tells_all_it_had(void **state)
{
	struct utw_deferred *done, *held, *late;
	struct stage s;

	(void)state;
	stage_open(&s);
	done = ask(&s, 20, 0);
	held = ask(&s, 21, 0);
	utw_fake_request_complete(utw_fake_device_first(&s.fake), 0, 0, 0);
	utw_fake_device_unplug(&s.fake);
	turn_all(s.reactor);
	assert_true(utw_outcome_value(done) != UTW_OUTCOME_NONE);
	assert_true(utw_outcome_failed(held, &utw_domain_reason, UTW_GONE));
	late = ask(&s, 22, 0);
	assert_true(utw_outcome_failed(late, &utw_domain_reason, UTW_GONE));
	utw_deferred_unref(done);
	utw_deferred_unref(held);
	utw_deferred_unref(late);
	stage_close(&s);
}

/* What a subscription hears. */
struct heard {
	unsigned int shots;
	uint32_t lost;
	unsigned int ended;
};

static void hear_shot(struct utw_subscription *sub, const struct utw_completion *shot, void *data)
{
	(void)sub;
	(void)shot;
	((struct heard *)data)->shots++;
}

static void hear_lost(struct utw_subscription *sub, uint32_t count, void *data)
{
	(void)sub;
	((struct heard *)data)->lost += count;
}

static void hear_end(struct utw_subscription *sub, const struct utw_completion *last,
		     struct utw_failure *reason, void *data)
{
	(void)sub;
	(void)last;
	(void)reason;
	((struct heard *)data)->ended++;
}

static const struct utw_subscriber hearing = { .shot = hear_shot,
					       .lost = hear_lost,
					       .ended = hear_end };

static void losses_are_told_with_the_next_completion(void **state)
{
	struct utw_request req = { .opcode = 20 };
	struct utw_subscription *sub;
	struct utw_fake_request *seen;
	struct heard h = { .shots = 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_equal(utw_device_subscribe(&sub, s.device, &req, &hearing, &h), 0);
	turn_all(s.reactor);
	seen = utw_fake_device_first(&s.fake);
	assert_true(seen->multishot);
	assert_int_equal(utw_fake_request_post(seen, 0, 0, 0), 0);
	utw_fake_request_lose(seen, 70000);
	turn_all(s.reactor);
	assert_int_equal(h.shots, 1);
	assert_int_equal(h.lost, 0);
	alloc_fail_at(1);
	assert_int_equal(utw_fake_request_post(seen, 0, 0, 0), -ENOMEM);
	alloc_fail_at(0);
	/* No completion can tell of more. */
	utw_fake_request_complete(seen, 0, 0, 0);
	turn_all(s.reactor);
	assert_int_equal(h.lost, 65535);
	assert_int_equal(h.ended, 1);
	stage_close(&s);
}

/* One request with the nth allocation refused; returns whether there were so many. */
static bool ask_refusing(struct utw_reactor *r, unsigned int nth)
{
	struct utw_request req = { .opcode = 20, .timeout = SECOND };
	struct utw_device *device = NULL;
	struct utw_fake_device fake = { .submitted = 0 };
	struct utw_deferred *d = NULL;
	bool refused;

	alloc_fail_at(nth);
	if (utw_fake_device_open(&fake, &device, r) == 0)
		d = utw_device_submit(device, &req);
	turn_all(r);
	if (utw_fake_device_first(&fake))
		utw_fake_request_complete(utw_fake_device_first(&fake), 0, 0, 0);
	turn_all(r);
	refused = alloc_failed();
	alloc_fail_at(0);
	assert_true(refused || d);
	if (d)
		assert_true(utw_outcome_value(d) != UTW_OUTCOME_NONE ||
			    utw_outcome_failed(d, &utw_domain_errno, ENOMEM));
	utw_deferred_unref(d);
	utw_device_close(device);
	utw_fake_device_release(&fake);
	return refused;
}

static void device_without_memory(void **state)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };
	struct utw_reactor *r;
	unsigned int nth = 1;

	(void)state;
	assert_int_equal(utw_reactor_new_with(&r, &options), 0);
	while (ask_refusing(r, nth))
		assert_true(++nth < SWEEP_END);
	assert_true(nth > 4);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_seen_and_answered),
		TEST(requests_are_held_in_order_and_answered_in_any),
		TEST(full_device_is_waited_for),
		TEST(refused_request_fails_and_the_next_does_not),
		TEST(timeout_goes_by_the_fake_clock),
		TEST(deaf_device_ends_nothing_early),
		TEST(unplugged_device_tells_all_it_had),
		TEST(losses_are_told_with_the_next_completion),
		TEST(device_without_memory),
	};

	return cmocka_run_group_tests_name("fake-device", tests, NULL, NULL);
}
