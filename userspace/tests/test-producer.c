/* SPDX-License-Identifier: MIT */
/* Producers: push and pull, and how a close waits for them. */
#include <untwist/producer.h>

#include <errno.h>
#include <string.h>

#include "harness.h"
#include "transport-pairs.h"

struct probe {
	struct utw_producer producer;
	char story[64];
	size_t len;
	struct utw_transport *transport;
	unsigned int to_write; /* at each resume, so often */
};

static struct probe *probe_of(struct utw_producer *p)
{
	return utw_container_of(p, struct probe, producer);
}

static void probe_tell(struct utw_producer *p, char event)
{
	struct probe *probe = probe_of(p);

	assert_true(probe->len < sizeof(probe->story) - 1);
	probe->story[probe->len++] = event;
}

static void probe_pause(struct utw_producer *p)
{
	probe_tell(p, 'P');
}

static void probe_resume(struct utw_producer *p)
{
	struct probe *probe = probe_of(p);

	probe_tell(p, 'R');
	if (!probe->to_write)
		return;
	utw_transport_write(probe->transport, "piece", 5);
	if (--probe->to_write == 0)
		utw_transport_unregister_producer(probe->transport);
}

static void probe_stop(struct utw_producer *p)
{
	probe_tell(p, 'S');
}

static const struct utw_producer_ops probe_ops = { .pause = probe_pause,
						   .resume = probe_resume,
						   .stop = probe_stop };

static void probe_init(struct probe *probe, struct pair *pair)
{
	memset(probe, 0, sizeof(*probe));
	utw_producer_init(&probe->producer, &probe_ops);
	probe->transport = pair->near_transport;
}

static void push_is_paused_once_and_resumed_when_drained(void **state)
{
	struct pair *pair = *state;
	struct probe probe;

	probe_init(&probe, pair);
	utw_transport_set_watermarks(pair->near_transport, 0, 4, 1000, UTW_CAP_FAIL);
	assert_int_equal(utw_transport_register_producer(pair->near_transport, &probe.producer,
							 UTW_PRODUCER_PUSH),
			 0);
	utw_transport_write(pair->near_transport, "four", 4);
	assert_string_equal(probe.story, "");
	utw_transport_write(pair->near_transport, "5", 1);
	utw_transport_write(pair->near_transport, "6", 1);
	assert_string_equal(probe.story, "P");
	turn_until(pair->reactor, pair->far.data_len == 6);
	assert_string_equal(probe.story, "PR");
	utw_transport_unregister_producer(pair->near_transport);
}

static void push_is_paused_at_registration_when_over(void **state)
{
	struct pair *pair = *state;
	struct probe probe;

	probe_init(&probe, pair);
	utw_transport_set_watermarks(pair->near_transport, 0, 1, 1000, UTW_CAP_FAIL);
	utw_transport_write(pair->near_transport, "22", 2);
	utw_transport_register_producer(pair->near_transport, &probe.producer, UTW_PRODUCER_PUSH);
	assert_string_equal(probe.story, "P");
	utw_transport_unregister_producer(pair->near_transport);
}

static void pull_is_asked_at_each_drain(void **state)
{
	struct pair *pair = *state;
	struct probe probe;

	probe_init(&probe, pair);
	probe.to_write = 3;
	utw_transport_register_producer(pair->near_transport, &probe.producer, UTW_PRODUCER_PULL);
	assert_string_equal(probe.story, "");
	turn_until(pair->reactor, pair->far.data_len == 15);
	turn_all(pair->reactor);
	assert_string_equal(probe.story, "RRR");
}

static void second_producer_is_refused(void **state)
{
	struct pair *pair = *state;
	struct utw_transport *t = pair->near_transport;
	struct probe one, two;

	probe_init(&one, pair);
	probe_init(&two, pair);
	assert_int_equal(utw_transport_register_producer(t, &one.producer, UTW_PRODUCER_PUSH), 0);
	assert_int_equal(utw_transport_register_producer(t, &two.producer, UTW_PRODUCER_PUSH),
			 -EBUSY);
	utw_transport_close(t, UTW_CLOSE_ABORT, 0);
	assert_int_equal(utw_transport_register_producer(t, &two.producer, UTW_PRODUCER_PUSH),
			 -EPIPE);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_string_equal(one.story, "S");
	assert_string_equal(two.story, "");
}

static void close_flush_stops_the_producer(void **state)
{
	struct pair *pair = *state;
	struct probe probe;

	probe_init(&probe, pair);
	utw_transport_register_producer(pair->near_transport, &probe.producer, UTW_PRODUCER_PUSH);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	assert_string_equal(probe.story, "");
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_string_equal(probe.story, "S");
	assert_lost(&pair->near, UTW_DONE);
}

static void close_after_producer_waits_for_it(void **state)
{
	struct pair *pair = *state;
	struct probe probe;

	probe_init(&probe, pair);
	probe.to_write = 3;
	utw_transport_register_producer(pair->near_transport, &probe.producer, UTW_PRODUCER_PULL);
	utw_transport_close(pair->near_transport, UTW_CLOSE_AFTER_PRODUCER, UTW_FOREVER);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_DONE);
	assert_string_equal(probe.story, "RRR");
	turn_until(pair->reactor, pair->far.data_len == 15);
}

static void close_after_nobody_is_a_flush(void **state)
{
	struct pair *pair = *state;

	utw_transport_write(pair->near_transport, "x", 1);
	utw_transport_close(pair->near_transport, UTW_CLOSE_AFTER_PRODUCER, UTW_FOREVER);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_DONE);
}

#define PAIR_TEST(function)                                                           \
	cmocka_unit_test_prestate_setup_teardown(function, pair_setup, pair_teardown, \
						 (void *)&pair_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(push_is_paused_once_and_resumed_when_drained),
		PAIR_TEST(push_is_paused_at_registration_when_over),
		PAIR_TEST(pull_is_asked_at_each_drain),
		PAIR_TEST(second_producer_is_refused),
		PAIR_TEST(close_flush_stops_the_producer),
		PAIR_TEST(close_after_producer_waits_for_it),
		PAIR_TEST(close_after_nobody_is_a_flush),
	};

	return cmocka_run_group_tests_name("producer", tests, NULL, NULL);
}
