// SPDX-License-Identifier: MIT
/* Looping calls, on the fake reactor's clock: the grid, and how a loop ends. */
#include <untwist/looping_call.h>

#include <errno.h>
#include <stdio.h>

#include <untwist/fake.h>
#include <untwist/reactor.h>

#include "harness-clock.h"
#include "harness.h"

#define MS MILLISECONDS

/* A loop, and what was seen of it: "time steps" of each run in ms, and "end error". */
struct loop {
	struct utw_looping_call call;
	struct utw_reactor *reactor;
	uint64_t start;
	int returns; /* what the body returns */
	bool stops; /* the body stops its own loop */
	uint64_t steps; /* of all runs */
	char log[256];
	size_t length;
};

static int loop_run(struct utw_looping_call *l, uint64_t steps)
{
	struct loop *loop = utw_container_of(l, struct loop, call);

	loop->length += (size_t)
		snprintf(loop->log + loop->length, sizeof(loop->log) - loop->length, "%u %u,",
			 (unsigned int)((utw_reactor_now(loop->reactor) - loop->start) / MS),
			 (unsigned int)steps);
	loop->steps += steps;
	assert_true(steps > 0);
	if (loop->stops)
		assert_int_equal(utw_looping_call_stop(l), 0);
	return loop->returns;
}

static void loop_ended(struct utw_looping_call *l, int error)
{
	struct loop *loop = utw_container_of(l, struct loop, call);

	loop->length += (size_t)snprintf(loop->log + loop->length, sizeof(loop->log) - loop->length,
					 "end %d", error);
	assert_false(utw_looping_call_running(l));
}

static const struct utw_looping_call_ops loop_ops = { .run = loop_run, .ended = loop_ended };

static void loop_open(struct loop *loop)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };

	*loop = (struct loop){ 0 };
	assert_int_equal(utw_reactor_new_with(&loop->reactor, &options), 0);
	loop->start = utw_reactor_now(loop->reactor);
	utw_looping_call_init(&loop->call, &loop_ops);
}

static void loop_start_now(struct loop *loop, uint64_t interval)
{
	assert_int_equal(utw_looping_call_start_now(&loop->call, loop->reactor, interval), 0);
	utw_reactor_run_once(loop->reactor, 0);
}

static void loop_advance(struct loop *loop, uint64_t by)
{
	utw_fake_advance(loop->reactor, by);
	utw_reactor_run_once(loop->reactor, 0);
}

static void assert_log(struct loop *loop, const char *expected)
{
	assert_string_equal(loop->log, expected);
	loop->log[0] = '\0';
	loop->length = 0;
}

static void loop_case_26_late_runs_are_not_made_up_for(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop_start_now(&loop, 500 * MS);
	loop_advance(&loop, 2000 * MS);
	loop_advance(&loop, 1000 * MS);
	assert_log(&loop, "0 1,2000 4,3000 2,");
	utw_reactor_free(loop.reactor);
}

static void loop_case_27_steps_count_the_points_of_the_grid(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop_start_now(&loop, 500 * MS);
	loop_advance(&loop, 510 * MS);
	loop_advance(&loop, 1510 * MS);
	assert_log(&loop, "0 1,510 1,2020 3,");
	utw_reactor_free(loop.reactor);

	loop_open(&loop);
	assert_int_equal(utw_looping_call_start(&loop.call, loop.reactor, 200 * MS), 0);
	loop_advance(&loop, 200 * MS);
	loop_advance(&loop, 400 * MS);
	assert_log(&loop, "200 1,600 2,");
	utw_reactor_free(loop.reactor);
}

static void loop_case_30_grid_is_kept(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop_start_now(&loop, 1000 * MS);
	loop_advance(&loop, 1300 * MS);
	loop_advance(&loop, 700 * MS);
	loop_advance(&loop, 1000 * MS);
	assert_log(&loop, "0 1,1300 1,2000 1,3000 1,");
	utw_reactor_free(loop.reactor);
}

static void loop_case_31_reset_moves_the_grid(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	utw_looping_call_start(&loop.call, loop.reactor, 2000 * MS);
	loop_advance(&loop, 1000 * MS);
	assert_int_equal(utw_looping_call_reset(&loop.call), 0);
	loop_advance(&loop, 1000 * MS);
	assert_log(&loop, "");
	loop_advance(&loop, 1000 * MS);
	assert_log(&loop, "3000 1,");
	utw_reactor_free(loop.reactor);
}

static void loop_case_31_stop_before_the_first_never_runs(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	utw_looping_call_start(&loop.call, loop.reactor, 1000 * MS);
	assert_int_equal(utw_looping_call_stop(&loop.call), 0);
	assert_int_equal(utw_looping_call_stop(&loop.call), -EINVAL);
	assert_int_equal(utw_looping_call_start(&loop.call, loop.reactor, 1), -EBUSY);
	assert_log(&loop, "");
	loop_advance(&loop, 5000 * MS);
	assert_log(&loop, "end 0");
	assert_int_equal(utw_looping_call_start(&loop.call, loop.reactor, 1), 0);
	utw_reactor_free(loop.reactor);
}

static void loop_case_31_stop_while_pending_ends_after_the_body(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop.returns = UTW_LOOPING_PENDING;
	loop_start_now(&loop, 1000 * MS);
	loop_advance(&loop, 2500 * MS);
	assert_log(&loop, "0 1,");
	assert_int_equal(utw_looping_call_resume(&loop.call, 0), 0);
	assert_int_equal(utw_looping_call_resume(&loop.call, 0), -EINVAL);
	loop_advance(&loop, 500 * MS);
	assert_log(&loop, "3000 3,");
	assert_int_equal(utw_looping_call_stop(&loop.call), 0);
	loop_advance(&loop, 0);
	assert_log(&loop, "");
	utw_looping_call_resume(&loop.call, 0);
	loop_advance(&loop, 0);
	assert_log(&loop, "end 0");
	utw_reactor_free(loop.reactor);
}

static void loop_case_32_body_that_fails_ends_it(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop.returns = -EIO;
	loop_start_now(&loop, 1000 * MS);
	assert_false(utw_looping_call_running(&loop.call));
	loop_advance(&loop, 5000 * MS);
	assert_log(&loop, "0 1,end -5");
	utw_reactor_free(loop.reactor);
}

static void loop_case_32_steps_add_up(void **state)
{
	struct loop loop;
	int i;

	(void)state;
	loop_open(&loop);
	utw_looping_call_start(&loop.call, loop.reactor, 100 * MS);
	for (i = 0; i < 10; i++)
		loop_advance(&loop, 100 * MS);
	assert_int_equal(loop.steps, 10);
	utw_reactor_free(loop.reactor);
}

static void interval_of_nothing_runs_every_turn(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop_start_now(&loop, 0);
	loop_advance(&loop, 0);
	loop_advance(&loop, 0);
	assert_log(&loop, "0 1,0 1,0 1,");
	utw_reactor_free(loop.reactor);
}

static void stop_from_the_body_ends_it(void **state)
{
	struct loop loop;

	(void)state;
	loop_open(&loop);
	loop.stops = true;
	loop_start_now(&loop, 1000 * MS);
	loop_advance(&loop, 1000 * MS);
	assert_log(&loop, "0 1,end 0");
	assert_int_equal(utw_looping_call_reset(&loop.call), -EINVAL);
	utw_reactor_free(loop.reactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loop_case_26_late_runs_are_not_made_up_for),
		TEST(loop_case_27_steps_count_the_points_of_the_grid),
		TEST(loop_case_30_grid_is_kept),
		TEST(loop_case_31_reset_moves_the_grid),
		TEST(loop_case_31_stop_before_the_first_never_runs),
		TEST(loop_case_31_stop_while_pending_ends_after_the_body),
		TEST(loop_case_32_body_that_fails_ends_it),
		TEST(loop_case_32_steps_add_up),
		TEST(interval_of_nothing_runs_every_turn),
		TEST(stop_from_the_body_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
