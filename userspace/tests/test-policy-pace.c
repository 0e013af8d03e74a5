/* SPDX-License-Identifier: MIT */
/* The pace policy: peers that drip, and peers that hardly take anything. */
#include <untwist/policy.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guests.h"
#include "harness-clock.h"
#include "harness.h"

#define PERIOD (10 * SECONDS)
#define AMOUNT 4000000

struct scene {
	struct utw_pace_policy policy;
	struct guests guests;
};

static void scene_open(struct scene *s, uint64_t in, uint64_t out)
{
	clock_freeze(100 * SECONDS);
	guests_open(&s->guests);
	utw_pace_policy_init(&s->policy, &s->guests.factory, PERIOD, in, out);
	assert_true(guests_come(&s->guests, &s->policy.policy.factory, NULL));
}

static struct recorder *guest(struct scene *s)
{
	return &s->guests.recorders[0];
}

static void scene_close(struct scene *s)
{
	guests_close(&s->guests);
}

static void a_byte_a_second_is_cut_off(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, 100, 0);
	for (int second = 0; second < 9; second++) {
		guests_send(&s.guests, 0, "x", 1);
		clock_advance(SECONDS);
		turn_all(s.guests.reactor);
	}
	assert_story(guest(&s), "MD");
	clock_advance(SECONDS);
	turn_all(s.guests.reactor);
	assert_story(guest(&s), "MDL");
	assert_lost(guest(&s), UTW_TIMEOUT);
	assert_non_null(strstr(utw_failure_message(guest(&s)->reason), "sent less than 100 bytes"));
	scene_close(&s);
}

/* In each period anew: what was sent before does not count. */
static void quick_peer_lives_as_long_as_it_is_quick(void **state)
{
	static const char enough[100];
	struct scene s;

	(void)state;
	scene_open(&s, sizeof(enough), 0);
	for (int period = 0; period < 3; period++) {
		guests_send(&s.guests, 0, enough, sizeof(enough));
		clock_advance(PERIOD);
		turn_all(s.guests.reactor);
	}
	assert_story(guest(&s), "MD");
	clock_advance(PERIOD);
	turn_all(s.guests.reactor);
	assert_lost(guest(&s), UTW_TIMEOUT);
	scene_close(&s);
}

static void nothing_more_is_asked_after_the_end(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, 100, 0);
	shutdown(s.guests.fd[0], SHUT_WR);
	for (int period = 0; period < 2; period++) {
		clock_advance(PERIOD);
		turn_all(s.guests.reactor);
	}
	assert_story(guest(&s), "ME");
	scene_close(&s);
}

/* The protocol above has paused: it cannot be told what is wrong with the peer. */
static void slow_protocol_is_not_the_fault_of_its_peer(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, 100, 0);
	utw_transport_pause(guest(&s)->protocol.transport);
	guests_send(&s.guests, 0, "x", 1);
	clock_advance(PERIOD);
	turn_all(s.guests.reactor);
	assert_story(guest(&s), "M");
	utw_transport_resume(guest(&s)->protocol.transport);
	turn_all(s.guests.reactor);
	clock_advance(PERIOD);
	turn_all(s.guests.reactor);
	assert_story(guest(&s), "MDL");
	scene_close(&s);
}

/* So much that some of it waits here, however much the kernel takes. */
static void write_much(struct scene *s)
{
	char *much = calloc(1, AMOUNT);

	assert_non_null(much);
	assert_true(utw_transport_write(guest(s)->protocol.transport, much, AMOUNT) >= 0);
	free(much);
	turn_all(s->guests.reactor);
}

static void peer_that_hardly_takes_is_cut_off(void **state)
{
	struct scene s;
	char byte;

	(void)state;
	scene_open(&s, 0, 100000);
	write_much(&s);
	for (int second = 0; second < 20 && !recorder_lost(guest(&s)); second++) {
		assert_int_equal(guests_received(&s.guests, 0, &byte, 1), 1);
		clock_advance(SECONDS);
		turn_all(s.guests.reactor);
	}
	assert_lost(guest(&s), UTW_TIMEOUT);
	assert_non_null(strstr(utw_failure_message(guest(&s)->reason), "took less than 100000"));
	scene_close(&s);
}

static void peer_that_takes_enough_gets_all(void **state)
{
	size_t got = 0;
	struct scene s;

	(void)state;
	scene_open(&s, 0, 100000);
	write_much(&s);
	while (got < AMOUNT) {
		static char buf[400000];
		ssize_t some = guests_received(&s.guests, 0, buf, sizeof(buf));

		assert_true(some > 0);
		got += (size_t)some;
		clock_advance(PERIOD / 2);
		turn_all(s.guests.reactor);
	}
	assert_false(recorder_lost(guest(&s)));
	/* And with nothing to take it may take its time. */
	clock_advance(3 * PERIOD);
	turn_all(s.guests.reactor);
	assert_false(recorder_lost(guest(&s)));
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_byte_a_second_is_cut_off),
		TEST(quick_peer_lives_as_long_as_it_is_quick),
		TEST(nothing_more_is_asked_after_the_end),
		TEST(slow_protocol_is_not_the_fault_of_its_peer),
		TEST(peer_that_hardly_takes_is_cut_off),
		TEST(peer_that_takes_enough_gets_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
