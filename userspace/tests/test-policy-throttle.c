/* SPDX-License-Identifier: MIT */
/* The throttle: bytes per second of a frozen clock, so that the numbers are exact. */
#include <untwist/policy.h>

#include <string.h>
#include <sys/socket.h>

#include "guests.h"
#include "harness-clock.h"
#include "harness.h"

#define TENTH (SECONDS / 10)

static void throttle_open(struct guests *g, struct utw_throttle_policy *p, uint64_t in,
			  uint64_t out)
{
	clock_freeze(100 * SECONDS);
	guests_open(g);
	utw_throttle_policy_init(p, &g->factory, in, out);
	assert_true(guests_come(g, &p->policy.factory, NULL));
}

static void advance(struct guests *g, uint64_t by)
{
	clock_advance(by);
	turn_all(g->reactor);
}

static void reading_follows_the_clock(void **state)
{
	char data[1000];
	struct utw_throttle_policy p;
	struct guests g;

	(void)state;
	memset(data, 'x', sizeof(data));
	throttle_open(&g, &p, 1000, 0);
	guests_send(&g, 0, data, sizeof(data));
	assert_int_equal(g.recorders[0].data_len, 100);
	for (size_t i = 2; i <= 10; i++) {
		advance(&g, TENTH - 1);
		assert_int_equal(g.recorders[0].data_len, 100 * (i - 1));
		advance(&g, 1);
		assert_int_equal(g.recorders[0].data_len, 100 * i);
	}
	guests_close(&g);
}

static void writing_follows_the_clock(void **state)
{
	char data[1000];
	struct utw_throttle_policy p;
	struct guests g;

	(void)state;
	memset(data, 'x', sizeof(data));
	throttle_open(&g, &p, 0, 1000);
	utw_transport_write(g.recorders[0].protocol.transport, data, 250);
	assert_int_equal(guests_received(&g, 0, data, sizeof(data)), 100);
	advance(&g, TENTH);
	assert_int_equal(guests_received(&g, 0, data, sizeof(data)), 100);
	assert_int_equal(utw_transport_queued(g.recorders[0].protocol.transport), 50);
	advance(&g, TENTH);
	assert_int_equal(guests_received(&g, 0, data, sizeof(data)), 50);
	guests_close(&g);
}

/* Silence is not saved up beyond a burst. */
static void silence_gives_no_more_than_a_burst(void **state)
{
	char data[1000];
	struct utw_throttle_policy p;
	struct guests g;

	(void)state;
	memset(data, 'x', sizeof(data));
	throttle_open(&g, &p, 1000, 0);
	advance(&g, 60 * SECONDS);
	guests_send(&g, 0, data, sizeof(data));
	assert_int_equal(g.recorders[0].data_len, 100);
	guests_close(&g);
}

static void connections_share(void **state)
{
	char data[1000];
	struct utw_throttle_policy p;
	struct guests g;

	(void)state;
	memset(data, 'x', sizeof(data));
	throttle_open(&g, &p, 1000, 0);
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	guests_send(&g, 0, data, sizeof(data));
	guests_send(&g, 1, data, sizeof(data));
	for (int i = 0; i < 9; i++)
		advance(&g, TENTH);
	assert_true(g.recorders[0].data_len + g.recorders[1].data_len <= 1002);
	assert_true(g.recorders[0].data_len + g.recorders[1].data_len >= 990);
	assert_true(g.recorders[0].data_len >= 400);
	assert_true(g.recorders[1].data_len >= 400);
	guests_close(&g);
}

static void slow_rates_add_up(void **state)
{
	struct utw_throttle_policy p;
	struct guests g;

	(void)state;
	throttle_open(&g, &p, 3, 0);
	guests_send(&g, 0, "0123456789", 10);
	for (int i = 0; i < 20; i++)
		advance(&g, TENTH);
	assert_int_equal(g.recorders[0].data_len, 1 + 6);
	guests_close(&g);
}

/* What waits is still told when the other side has ended meanwhile. */
static void end_waits_for_what_is_throttled(void **state)
{
	struct utw_throttle_policy p;
	struct guests g;
	char data[250];

	(void)state;
	memset(data, 'x', sizeof(data));
	throttle_open(&g, &p, 1000, 0);
	guests_send(&g, 0, data, sizeof(data));
	shutdown(g.fd[0], SHUT_WR);
	turn_all(g.reactor);
	assert_story(&g.recorders[0], "MD");
	advance(&g, TENTH);
	advance(&g, TENTH);
	turn_all(g.reactor);
	assert_int_equal(g.recorders[0].data_len, 250);
	assert_story(&g.recorders[0], "MDE");
	guests_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reading_follows_the_clock),
		TEST(writing_follows_the_clock),
		TEST(silence_gives_no_more_than_a_burst),
		TEST(connections_share),
		TEST(slow_rates_add_up),
		TEST(end_waits_for_what_is_throttled),
	};

	return cmocka_run_group_tests_name("policy-throttle", tests, NULL, NULL);
}
