// SPDX-License-Identifier: MIT
/* Requests that are answered many times, through each door to a device. */
#include "device-doors.h"

#include <errno.h>
#include <string.h>

#include <untwist/failure.h>

#include "recorder.h"

#define TICK_NS 1000000

/* One subscription and what was heard of it. */
struct heard {
	struct door *door;
	struct utw_subscription *subscription;
	unsigned int shots;
	uint64_t next; /* value of the next shot, what was lost left out */
	uint64_t lost;
	unsigned int ended;
	int32_t last;
	int code; /* in the reason domain, or -1 for another one */
	unsigned int pause_at; /* of shots; likewise the next two */
	unsigned int cancel_at;
	unsigned int close_at;
};

static void hear_shot(struct utw_subscription *s, const struct utw_completion *completion,
		      void *data)
{
	struct heard *h = data;

	assert_ptr_equal(s, h->subscription);
	assert_int_equal(h->ended, 0);
	assert_int_equal(completion->value[0], h->next);
	h->next++;
	h->shots++;
	if (h->shots == h->pause_at)
		utw_subscription_pause(s);
	if (h->shots == h->cancel_at)
		utw_subscription_cancel(s);
	if (h->shots == h->close_at)
		door_close(h->door);
}

static void hear_lost(struct utw_subscription *s, uint32_t count, void *data)
{
	struct heard *h = data;

	(void)s;
	h->lost += count;
	h->next += count;
}

static void hear_end(struct utw_subscription *s, const struct utw_completion *last,
		     struct utw_failure *reason, void *data)
{
	struct heard *h = data;

	assert_true(!last != !reason);
	h->ended++;
	if (last)
		h->last = last->result;
	else
		h->code = utw_failure_domain(reason) == &utw_domain_reason
			? utw_failure_code(reason)
			: -1;
	/* Legal to the last, and without effect. */
	utw_subscription_pause(s);
	utw_subscription_resume(s);
	utw_subscription_cancel(s);
}

static const struct utw_subscriber hearing = { .shot = hear_shot,
					       .lost = hear_lost,
					       .ended = hear_end };

static void begin(struct door *door, struct heard *h, uint64_t limit)
{
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_TICKS, .arg = { TICK_NS, limit } };

	memset(h, 0, sizeof(*h));
	h->door = door;
	assert_int_equal(utw_device_subscribe(&h->subscription, door->device, &req, &hearing, h),
			 0);
	assert_int_equal(utw_device_pending(door->device), 1);
}

static void end(struct heard *h)
{
	door_close(h->door);
	assert_int_equal(h->ended, 1);
}

static void shots_come_in_order_and_then_the_end(void **state)
{
	struct door *door = *state;
	struct heard h;

	begin(door, &h, 5);
	turn_until(door->reactor, h.ended);
	assert_int_equal(h.shots + h.lost, 5);
	assert_int_equal(h.last, 5);
	assert_int_equal(utw_device_pending(door->device), 0);
	end(&h);
}

static void cancel_is_told_when_the_kernel_has_let_go(void **state)
{
	struct door *door = *state;
	struct heard h;

	begin(door, &h, 0);
	h.cancel_at = 3;
	turn_until(door->reactor, h.ended);
	assert_int_equal(h.shots, 3);
	assert_int_equal(h.code, UTW_CANCELLED);
	assert_int_equal(utw_device_pending(door->device), 0);
	end(&h);
}

static void cancel_before_it_is_sent_is_told_at_once(void **state)
{
	struct door *door = *state;
	struct heard h;

	begin(door, &h, 0);
	utw_subscription_cancel(h.subscription);
	assert_int_equal(h.ended, 1);
	assert_int_equal(h.code, UTW_CANCELLED);
	turn_all(door->reactor);
	end(&h);
}

/* More than the backlog holds, and the end, come while nobody listens. */
static void pause_keeps_the_oldest_and_counts_the_rest(void **state)
{
	struct door *door = *state;
	unsigned int most = UTW_SUBSCRIPTION_BACKLOG + 44;
	struct heard h;

	begin(door, &h, most);
	utw_subscription_pause(h.subscription);
	turn_until(door->reactor, utw_device_pending(door->device) == 0);
	assert_int_equal(h.shots + h.ended, 0);
	utw_subscription_resume(h.subscription);
	assert_int_equal(h.shots + h.ended, 0);
	h.pause_at = 10;
	turn_until(door->reactor, h.shots == 10);
	turn_all(door->reactor);
	assert_int_equal(h.shots, 10);
	utw_subscription_resume(h.subscription);
	turn_until(door->reactor, h.ended);
	assert_true(h.lost >= 44);
	assert_int_equal(h.shots + h.lost, most);
	assert_int_equal(h.last, most);
	end(&h);
}

static void close_ends_it_even_when_paused(void **state)
{
	struct door *door = *state;
	struct heard h;

	begin(door, &h, 3);
	utw_subscription_pause(h.subscription);
	turn_until(door->reactor, utw_device_pending(door->device) == 0);
	assert_int_equal(h.ended, 0);
	end(&h);
	assert_int_equal(h.shots, 0);
}

static void close_from_a_shot_ends_it(void **state)
{
	struct door *door = *state;
	struct heard h;

	begin(door, &h, 0);
	h.close_at = 2;
	turn_until(door->reactor, h.ended);
	assert_int_equal(h.shots, 2);
	assert_int_equal(h.code, UTW_CANCELLED);
}

static void opcode_that_answers_once_is_refused(void **state)
{
	struct door *door = *state;
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO };
	struct utw_subscriber deaf = { .lost = hear_lost };
	struct heard h, other = { .shots = 0 };

	begin(door, &h, 1);
	assert_int_equal(utw_device_subscribe(&other.subscription, door->device, &req, &deaf,
					      &other),
			 -EINVAL);
	assert_int_equal(utw_device_subscribe(&other.subscription, door->device, &req, &hearing,
					      &other),
			 0);
	turn_until(door->reactor, other.ended && h.ended);
	assert_int_equal(other.code, -1);
	assert_int_equal(other.shots, 0);
	end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DOOR_TEST(shots_come_in_order_and_then_the_end),
		DOOR_TEST(cancel_is_told_when_the_kernel_has_let_go),
		DOOR_TEST(cancel_before_it_is_sent_is_told_at_once),
		DOOR_TEST(pause_keeps_the_oldest_and_counts_the_rest),
		DOOR_TEST(close_ends_it_even_when_paused),
		DOOR_TEST(close_from_a_shot_ends_it),
		DOOR_TEST(opcode_that_answers_once_is_refused),
	};

	return RUN_THROUGH_EACH_DOOR(tests);
}
