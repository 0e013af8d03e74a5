// SPDX-License-Identifier: MIT
/* Looking into a reactor: the dump, the statistics, and the slow callback's name. */
#include <untwist/inspect.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <untwist/fake.h>
#include <untwist/reactor.h>
#include <untwist/signal.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "harness-clock.h"
#include "harness.h"

#define PROP (UTW_FAKE_FD + 3)

static struct utw_reactor *reactor;
static struct utw_slow_call slow;
static unsigned int slow_calls;

static void keep_slow(void *data, const struct utw_slow_call *call)
{
	assert_ptr_equal(data, &slow);
	slow = *call;
	slow_calls++;
	/* Telling takes its time, too, which is nobody's. */
	utw_fake_advance(reactor, SECONDS);
}

static void open_reactor(void)
{
	const struct utw_reactor_options options = {
		.backend = UTW_BACKEND_FAKE,
		.slow = keep_slow,
		.slow_limit = 5 * MILLISECONDS,
		.measure = true,
		.data = &slow,
	};

	slow_calls = 0;
	assert_int_equal(utw_reactor_new_with(&reactor, &options), 0);
}

static void be_slow(struct utw_timer *t)
{
	(void)t;
	utw_fake_advance(reactor, 6 * MILLISECONDS);
}

static void be_quick(struct utw_timer *t)
{
	(void)t;
	utw_fake_advance(reactor, 5 * MILLISECONDS);
}

static void be_slow_to_read(struct utw_watch *w, uint32_t events)
{
	(void)events;
	utw_fake_advance(reactor, 7 * MILLISECONDS);
	utw_watch_stop(w);
}

static void be_slow_to_call(void *data)
{
	(void)data;
	utw_fake_advance(reactor, 8 * MILLISECONDS);
}

static void slow_timer_is_told_with_its_place(void **state)
{
	struct utw_timer quick, late;
	char place[64];

	(void)state;
	open_reactor();
	utw_timer_init(&quick, be_quick);
	utw_timer_init(&late, be_slow);
	utw_timer_start(&quick, reactor, 0);
	utw_timer_start(&late, reactor, 0);
	snprintf(place, sizeof(place), "test-inspect.c:%d", __LINE__ - 1);
	utw_reactor_run_once(reactor, 0);
	assert_int_equal(slow_calls, 1);
	assert_string_equal(slow.kind, "timer");
	assert_ptr_equal(slow.callback, be_slow);
	assert_non_null(strstr(slow.place, place));
	assert_int_equal(slow.fd, -1);
	assert_true(slow.took == 6 * MILLISECONDS);
	utw_reactor_free(reactor);
}

static void slow_watch_and_calls_are_told_one_by_one(void **state)
{
	struct utw_watch w;

	(void)state;
	open_reactor();
	utw_watch_init(&w, be_slow_to_read);
	utw_watch_start(&w, reactor, PROP, EPOLLIN);
	utw_fake_set_ready(reactor, PROP, EPOLLIN);
	utw_reactor_run_once(reactor, 0);
	assert_int_equal(slow_calls, 1);
	assert_string_equal(slow.kind, "watch");
	assert_int_equal(slow.fd, PROP);
	assert_true(slow.took == 7 * MILLISECONDS);

	utw_reactor_call_from_thread(reactor, be_slow_to_call, NULL);
	utw_reactor_run_once(reactor, 0);
	assert_string_equal(slow.kind, "posted call");
	assert_ptr_equal(slow.callback, be_slow_to_call);
	utw_reactor_call_soon(reactor, be_slow_to_call, NULL);
	utw_reactor_run_once(reactor, 0);
	assert_int_equal(slow_calls, 3);
	assert_string_equal(slow.kind, "call");
	assert_ptr_equal(slow.callback, be_slow_to_call);
	assert_true(slow.took == 8 * MILLISECONDS);
	utw_reactor_free(reactor);
}

static void limit_without_a_function_is_refused(void **state)
{
	const struct utw_reactor_options options = { .slow_limit = 1 };

	(void)state;
	assert_int_equal(utw_reactor_new_with(&reactor, &options), -EINVAL);
}

static void statistics_count_what_ran_and_for_how_long(void **state)
{
	struct utw_reactor_statistics statistics;
	struct utw_timer t;

	(void)state;
	open_reactor();
	utw_timer_init(&t, be_quick);
	utw_timer_start(&t, reactor, 0);
	utw_reactor_run_once(reactor, 0);
	utw_reactor_call_soon(reactor, be_slow_to_call, NULL);
	utw_reactor_call_from_thread(reactor, be_slow_to_call, NULL);
	utw_reactor_run_once(reactor, 0);
	utw_reactor_get_statistics(reactor, &statistics);
	assert_int_equal(statistics.turns, 2);
	assert_int_equal(statistics.timers, 1);
	assert_int_equal(statistics.calls, 1);
	assert_int_equal(statistics.posted, 1);
	assert_int_equal(statistics.events, 0);
	assert_int_equal(statistics.buckets[22], 1); /* 5 ms is between 4.2 and 8.4 */
	assert_true(statistics.longest > 2 * SECONDS);
	assert_true(statistics.busy == statistics.longest + 5 * MILLISECONDS);
	utw_reactor_free(reactor);
}

static void collect(void *data, const char *text)
{
	strcat(data, text);
	strcat(data, "\n");
}

static void ignore_signal(struct utw_signal *s, int signo)
{
	(void)s;
	(void)signo;
}

static void dump_names_all_and_their_places(void **state)
{
	char text[1024] = "", expected[1024];
	struct utw_signal signal;
	struct utw_watch w;
	struct utw_timer t, never;
	int line;

	(void)state;
	open_reactor();
	utw_watch_init(&w, be_slow_to_read);
	utw_timer_init(&t, be_slow);
	utw_timer_init(&never, be_slow);
	utw_signal_init(&signal, ignore_signal);
	line = __LINE__;
	utw_watch_start_at(&w, reactor, PROP, EPOLLIN | EPOLLET, "here");
	utw_timer_start(&t, reactor, 1500 * MILLISECONDS);
	utw_timer_start_at(&never, reactor, UTW_FOREVER, NULL);
	utw_signal_start(&signal, reactor, SIGUSR1);
	utw_reactor_call_soon(reactor, be_slow_to_call, NULL);
	utw_reactor_dump(reactor, collect, text);
	snprintf(expected, sizeof(expected),
		 "reactor on fake, at rest, after 0 turns\n"
		 "watch of descriptor %d for in edge, started at here\n"
		 "timer due in 1.500000 s, started at %s:%d\n"
		 "timer for never, started at an unknown place\n"
		 "signal %d\n"
		 "calls queued: 1, and 0 for the end of a turn\n",
		 PROP, __FILE__, line + 2, SIGUSR1);
	assert_string_equal(text, expected);
	utw_signal_stop(&signal);
	utw_watch_stop(&w);
	utw_reactor_free(reactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slow_timer_is_told_with_its_place),
		TEST(slow_watch_and_calls_are_told_one_by_one),
		TEST(limit_without_a_function_is_refused),
		TEST(statistics_count_what_ran_and_for_how_long),
		TEST(dump_names_all_and_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
