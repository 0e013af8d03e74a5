/* SPDX-License-Identifier: MIT */
/* Policies that end, count and watch connections. */
#include <untwist/policy.h>

#include <errno.h>
#include <string.h>

#include "guests.h"
#include "harness-alloc.h"
#include "harness-clock.h"
#include "harness.h"

static void timeout_ends_what_is_silent(void **state)
{
	struct utw_timeout_policy p;
	struct guests g;

	(void)state;
	clock_freeze(100 * SECONDS);
	guests_open(&g);
	utw_timeout_policy_init(&p, &g.factory, 5 * SECONDS);
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	clock_advance(4 * SECONDS);
	guests_send(&g, 0, "x", 1);
	clock_advance(4 * SECONDS);
	utw_transport_write(g.recorders[0].protocol.transport, "y", 1);
	turn_all(g.reactor);
	clock_advance(5 * SECONDS - 1);
	turn_all(g.reactor);
	assert_story(&g.recorders[0], "MD");
	clock_advance(1);
	turn_all(g.reactor);
	assert_story(&g.recorders[0], "MDL");
	assert_lost(&g.recorders[0], UTW_TIMEOUT);
	assert_non_null(strstr(utw_failure_message(g.recorders[0].reason), "5.000 s"));
	guests_close(&g);
}

static void limit_on_all(void **state)
{
	struct utw_limit_policy p;
	struct guests g;

	(void)state;
	guests_open(&g);
	utw_limit_policy_init(&p, &g.factory, 2, 0);
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.1:1"));
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	assert_false(guests_come(&g, &p.policy.factory, "127.0.0.3:1"));
	assert_int_equal(p.total, 2);
	assert_int_equal(p.refused, 1);
	utw_transport_close(g.recorders[0].protocol.transport, UTW_CLOSE_FLUSH, 0);
	turn_all(g.reactor);
	assert_int_equal(p.total, 1);
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.3:1"));
	guests_close(&g);
	assert_int_equal(p.total, 0);
}

/* By address, not by port: and the key that counts up is the one that counts down. */
static void limit_by_peer(void **state)
{
	struct utw_limit_policy p;
	struct guests g;

	(void)state;
	guests_open(&g);
	utw_limit_policy_init(&p, &g.factory, 0, 2);
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.1:1"));
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.1:2"));
	assert_false(guests_come(&g, &p.policy.factory, "127.0.0.1:3"));
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.2:3"));
	assert_true(guests_come(&g, &p.policy.factory, "[::1]:3"));
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	utw_transport_close(g.recorders[0].protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(g.reactor);
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.1:9"));
	assert_false(guests_come(&g, &p.policy.factory, "127.0.0.1:3"));
	guests_close(&g);
	for (size_t i = 0; i < UTW_LIMIT_BUCKETS; i++)
		assert_null(p.peers[i]);
}

static void overflow_speaks_and_counts(void **state)
{
	struct utw_limit_policy p;
	struct guests g, busy;

	(void)state;
	guests_open(&g);
	guests_open(&busy);
	utw_limit_policy_init(&p, &g.factory, 1, 0);
	utw_limit_policy_set_overflow(&p, &busy.factory);
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	assert_true(guests_come(&busy, &p.policy.factory, NULL));
	assert_int_equal(p.total, 2);
	assert_int_equal(busy.count, 1);
	guests_close(&busy);
	assert_int_equal(p.total, 1);
	guests_close(&g);
}

static void refusal_inside_counts_nothing(void **state)
{
	struct utw_limit_policy p;
	struct guests g;

	(void)state;
	guests_open(&g);
	g.refuse = true;
	utw_limit_policy_init(&p, &g.factory, 1, 1);
	assert_false(guests_come(&g, &p.policy.factory, "127.0.0.1:1"));
	g.refuse = false;
	for (unsigned int nth = 1; nth <= 2; nth++) {
		alloc_fail_at(nth);
		assert_false(guests_come(&g, &p.policy.factory, "127.0.0.1:1"));
		assert_true(alloc_failed());
	}
	alloc_fail_at(0);
	assert_true(guests_come(&g, &p.policy.factory, "127.0.0.1:1"));
	guests_close(&g);
}

static unsigned int starts, stops;

static void count_start(struct utw_factory *f)
{
	(void)f;
	starts++;
}

static void count_stop(struct utw_factory *f)
{
	(void)f;
	stops++;
}

static void life_is_that_of_the_inner_factory(void **state)
{
	static const struct utw_factory_ops counted = { .start = count_start, .stop = count_stop };
	struct utw_factory inner, over;
	struct utw_limit_policy limit;
	struct utw_timeout_policy timeout;

	(void)state;
	starts = stops = 0;
	utw_factory_init(&inner, &counted);
	utw_factory_init(&over, &counted);
	utw_limit_policy_init(&limit, &inner, 1, 1);
	utw_limit_policy_set_overflow(&limit, &over);
	utw_timeout_policy_init(&timeout, &limit.policy.factory, 1);
	utw_factory_start(&timeout.policy.factory);
	assert_int_equal(starts, 2);
	utw_factory_stop(&timeout.policy.factory);
	assert_int_equal(stops, 2);
}

struct seen {
	char story[256];
};

static void see(const struct utw_traffic *traffic, void *data)
{
	static const char letters[] = { 'M', 'R', 'W', 'L' };
	struct seen *seen = data;
	size_t len = strlen(seen->story);

	assert_true(len + traffic->len + 8 < sizeof(seen->story));
	seen->story[len++] = (char)('0' + traffic->connection);
	seen->story[len++] = letters[traffic->event];
	if (traffic->len && traffic->event != UTW_TRAFFIC_LOST) {
		memcpy(seen->story + len, traffic->bytes, traffic->len);
		len += traffic->len;
	}
	seen->story[len] = '\0';
	if (traffic->event == UTW_TRAFFIC_LOST)
		assert_non_null(strstr(traffic->bytes, "close"));
}

static void traffic_is_seen(void **state)
{
	struct seen seen = { "" };
	struct utw_traffic_policy p;
	struct guests g;

	(void)state;
	guests_open(&g);
	utw_traffic_policy_init(&p, &g.factory, see, &seen);
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	assert_true(guests_come(&g, &p.policy.factory, NULL));
	guests_send(&g, 1, "hello", 5);
	utw_transport_write(g.recorders[1].protocol.transport, "world", 5);
	turn_all(g.reactor);
	guests_close(&g);
	assert_string_equal(seen.story, "1M2M2Rhello2Wworld1L2L");
}

/* A connection whose second half cannot be made ends, and its protocol is told. */
static void layer_without_memory_ends_the_connection(void **state)
{
	struct utw_timeout_policy p;
	struct guests g;

	(void)state;
	for (unsigned int nth = 1;; nth++) {
		bool failed;

		guests_open(&g);
		utw_timeout_policy_init(&p, &g.factory, SECONDS);
		alloc_fail_at(nth + 4); /* the first are those of the transport below */
		g.count = 0;
		if (guests_come(&g, &p.policy.factory, NULL)) {
			failed = alloc_failed();
			alloc_fail_at(0);
			turn_all(g.reactor);
			if (failed)
				assert_true(recorder_lost(&g.recorders[0]));
			guests_close(&g);
			if (!failed)
				break;
		} else {
			alloc_fail_at(0);
			guests_close(&g);
		}
		assert_true(nth < 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timeout_ends_what_is_silent),
		TEST(limit_on_all),
		TEST(limit_by_peer),
		TEST(overflow_speaks_and_counts),
		TEST(refusal_inside_counts_nothing),
		TEST(life_is_that_of_the_inner_factory),
		TEST(traffic_is_seen),
		TEST(layer_without_memory_ends_the_connection),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
