/* SPDX-License-Identifier: MIT */
/* Idle: case 62 of the semantics. */
#include <untwist/idle.h>

#include "harness-clock.h"
#include "harness.h"
#include "recorder.h"

static unsigned int over;

static void count_over(struct utw_idle *idle)
{
	(void)idle;
	over++;
}

static void advance(struct utw_reactor *r, uint64_t by)
{
	clock_advance(by);
	turn_all(r);
}

static struct utw_reactor *idle_open(struct utw_idle *idle)
{
	struct utw_reactor *r;

	clock_freeze(100 * SECONDS);
	over = 0;
	assert_int_equal(utw_reactor_new(&r), 0);
	utw_idle_init(idle, count_over);
	return r;
}

static uint64_t set(struct utw_idle *idle, struct utw_reactor *r, uint64_t period)
{
	uint64_t previous = 1;

	assert_int_equal(utw_idle_set(idle, r, period, &previous), 0);
	return previous;
}

static void idle_case_62_set_returns_what_was_set(void **state)
{
	struct utw_idle idle;
	struct utw_reactor *r = idle_open(&idle);

	(void)state;
	assert_int_equal(set(&idle, r, 5 * SECONDS), UTW_FOREVER);
	assert_int_equal(set(&idle, r, 10 * SECONDS), 5 * SECONDS);
	assert_int_equal(set(&idle, r, UTW_FOREVER), 10 * SECONDS);
	assert_int_equal(set(&idle, r, UTW_FOREVER), UTW_FOREVER);
	advance(r, 100 * SECONDS);
	assert_int_equal(over, 0);
	utw_reactor_free(r);
}

static void idle_case_62_fires_once_and_reset_is_too_late(void **state)
{
	struct utw_idle idle;
	struct utw_reactor *r = idle_open(&idle);

	(void)state;
	set(&idle, r, 5 * SECONDS);
	advance(r, 5 * SECONDS - 1);
	assert_int_equal(over, 0);
	advance(r, 1);
	assert_int_equal(over, 1);
	utw_idle_reset(&idle);
	advance(r, 100 * SECONDS);
	assert_int_equal(over, 1);
	assert_int_equal(set(&idle, r, UTW_FOREVER), UTW_FOREVER);
	utw_reactor_free(r);
}

static void reset_pushes_it_ahead(void **state)
{
	struct utw_idle idle;
	struct utw_reactor *r = idle_open(&idle);

	(void)state;
	set(&idle, r, 5 * SECONDS);
	for (int i = 0; i < 10; i++) {
		advance(r, 4 * SECONDS);
		utw_idle_reset(&idle);
	}
	advance(r, 5 * SECONDS - 1);
	assert_int_equal(over, 0);
	advance(r, 1);
	assert_int_equal(over, 1);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(idle_case_62_set_returns_what_was_set),
		TEST(idle_case_62_fires_once_and_reset_is_too_late),
		TEST(reset_pushes_it_ahead),
	};

	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
