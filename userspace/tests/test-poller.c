// SPDX-License-Identifier: MIT
/* The poller: tags, and waits that are neither early nor endless. */
#include "reactor/poller-epoll.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "harness-clock.h"
#include "harness.h"

static uint64_t real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECONDS + (uint64_t)ts.tv_nsec;
}

static void wait_gives_the_tag_back(void **state)
{
	struct utw_poller_event events[UTW_POLLER_BATCH];
	const uint64_t tag = UINT64_C(0xfedcba9876543210);
	int fd = eventfd(1, EFD_CLOEXEC);
	struct utw_poller p;

	(void)state;
	assert_int_equal(utw_poller_open(&p, UTW_BACKEND_EPOLL), 0);
	assert_int_equal(utw_poller_add(&p, fd, EPOLLIN, 1), 0);
	assert_int_equal(utw_poller_modify(&p, fd, EPOLLIN, tag), 0);
	assert_int_equal(utw_poller_wait(&p, UTW_FOREVER, events), 1);
	assert_true(events[0].tag == tag);
	assert_int_equal(events[0].events, EPOLLIN);
	assert_int_equal(utw_poller_remove(&p, fd), 0);
	assert_int_equal(utw_poller_wait(&p, 0, events), 0);
	close(fd);
	utw_poller_close(&p);
}

static void wait_is_not_early(bool precise)
{
	static const uint64_t waits[] = { 1, 1000, 999999, 1000001, 2500000 };
	struct utw_poller_event events[UTW_POLLER_BATCH];
	struct utw_poller p;
	unsigned int i;

	assert_int_equal(utw_poller_open(&p, UTW_BACKEND_EPOLL), 0);
	((struct utw_poller_epoll_state *)p.state)->precise = precise;
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		uint64_t before = real_now();

		assert_int_equal(utw_poller_wait(&p, waits[i], events), 0);
		assert_true(real_now() - before >= waits[i]);
	}
	utw_poller_close(&p);
}

static void wait_in_nanoseconds_is_not_early(void **state)
{
	(void)state;
	wait_is_not_early(true);
}

static void wait_in_milliseconds_is_not_early(void **state)
{
	(void)state;
	wait_is_not_early(false);
}

/* Longer than an int or a time_t of 32 bits can say: long, not short and not wrong. */
static void wait_of_any_length_lasts_until_the_event(void **state)
{
	static const uint64_t waits[] = { UTW_FOREVER - 1, UINT64_C(1) << 62,
					  (UINT64_C(1) << 32) * MILLISECONDS };
	const struct itimerspec soon = { .it_value.tv_nsec = 2000000 };
	struct utw_poller_event events[UTW_POLLER_BATCH];
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct utw_poller p;
	unsigned int i;

	(void)state;
	assert_int_equal(utw_poller_open(&p, UTW_BACKEND_EPOLL), 0);
	assert_int_equal(utw_poller_add(&p, fd, EPOLLIN, 7), 0);
	for (i = 0; i < 2 * ARRAY_SIZE(waits); i++) {
		((struct utw_poller_epoll_state *)p.state)->precise = i % 2;
		timerfd_settime(fd, 0, &soon, NULL);
		assert_int_equal(utw_poller_wait(&p, waits[i / 2], events), 1);
	}
	close(fd);
	utw_poller_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wait_gives_the_tag_back),
		TEST(wait_in_nanoseconds_is_not_early),
		TEST(wait_in_milliseconds_is_not_early),
		TEST(wait_of_any_length_lasts_until_the_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
