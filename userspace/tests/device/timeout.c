// SPDX-License-Identifier: MIT
/* Requests that may take so long and no longer. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"

#define MILLISECOND 1000000ULL
#define ROUNDS	    1000

static int timeout_open(void)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR);
}

static struct untwist_sqe timed(__u64 user_data, __u64 delay_ns, __u64 timeout_ns, __u32 flags)
{
	struct untwist_sqe sqe = request_echo(user_data, delay_ns, 0);

	sqe.timeout_ns = timeout_ns;
	sqe.flags = flags;
	return sqe;
}

static void expect_next(int fd, __u64 user_data, __s32 res)
{
	struct untwist_cqe cqe = completion_read(fd);

	EXPECT_EQ(user_data, cqe.user_data);
	EXPECT_EQ(res, cqe.res);
}

TEST(request_that_takes_too_long_ends)
{
	struct untwist_sqe sqe = timed(1, REQUEST_FOREVER, MILLISECOND, 0);
	int fd = timeout_open();

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	expect_next(fd, 1, -ETIME);
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 1));
}

TEST(request_in_time_does_not_notice)
{
	const struct untwist_sqe sqes[] = { timed(1, 0, 1, 0),
					    timed(2, MILLISECOND, REQUEST_FOREVER, 0),
					    timed(3, 2 * MILLISECOND, ~0ull, 0) };
	int fd = timeout_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_next(fd, 1, 0);
	expect_next(fd, 2, 0);
	expect_next(fd, 3, 0);
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/*
 * One timer for all of them: set to the first, then to the next, whichever way
 * they come. When each was submitted is known from two sides.
 */
TEST(many_end_in_the_order_of_their_deadlines)
{
	static const unsigned int times[] = { 40, 10, 50, 20, 30, 15, 45 };
	__u64 earliest[7], latest[7], passed = 0;
	unsigned int i;
	int fd = timeout_open();

	for (i = 0; i < 7; i++) {
		__u64 timeout = times[i] * 2 * MILLISECOND;
		struct untwist_sqe sqe = timed(i, REQUEST_FOREVER, timeout, 0);

		earliest[i] = now_ns() + timeout;
		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		latest[i] = now_ns() + timeout;
	}
	for (i = 0; i < 7; i++) {
		struct untwist_cqe cqe = completion_read(fd);

		EXPECT_EQ(-ETIME, cqe.res);
		ASSERT_LT(cqe.user_data, 7);
		EXPECT_LE(earliest[cqe.user_data], now_ns());
		EXPECT_LE(passed, latest[cqe.user_data]);
		passed = earliest[cqe.user_data];
		latest[cqe.user_data] = 0; /* not a second time */
	}
}

/* The deadline of who is done is no longer there for who has its place. */
TEST(deadline_goes_with_its_request)
{
	struct untwist_sqe sqe = timed(1, 1, 50 * MILLISECOND, 0);
	struct untwist_sqe last = timed(2, 100 * MILLISECOND, 0, 0);
	unsigned int i;
	int fd = timeout_open();

	for (i = 0; i < 256; i++) {
		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		completion_read(fd);
	}
	ASSERT_EQ(1, requests_submit(fd, &last, 1));
	expect_next(fd, 2, 0);
}

/* Waiting. */

TEST(waiting_in_a_chain_counts)
{
	const struct untwist_sqe sqes[] = {
		timed(1, REQUEST_FOREVER, 0, UNTWIST_SQE_LINK),
		timed(2, 0, MILLISECOND, UNTWIST_SQE_LINK),
		timed(3, 0, 0, 0),
	};
	int fd = timeout_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_next(fd, 2, -ETIME);
	expect_next(fd, 3, -ECANCELED);
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
}

TEST(waiting_for_a_drain_counts)
{
	const struct untwist_sqe sqes[] = {
		timed(1, REQUEST_FOREVER, 0, 0),
		timed(2, 0, 2 * MILLISECOND, UNTWIST_SQE_DRAIN),
		timed(3, 0, MILLISECOND, 0),
	};
	int fd = timeout_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_next(fd, 3, -ETIME);
	expect_next(fd, 2, -ETIME);
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
}

static void expect_chain(__u32 link, __s32 second, __s32 third)
{
	const struct untwist_sqe sqes[] = {
		timed(1, REQUEST_FOREVER, MILLISECOND, link),
		timed(2, 0, 0, link),
		timed(3, 0, 0, 0),
	};
	int fd = timeout_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_next(fd, 1, -ETIME);
	expect_next(fd, 2, second);
	expect_next(fd, 3, third);
}

TEST(late_link_ends_what_follows)
{
	expect_chain(UNTWIST_SQE_LINK, -ECANCELED, -ECANCELED);
}

TEST(late_hard_link_does_not)
{
	expect_chain(UNTWIST_SQE_HARDLINK, 0, 0);
}

/* Races. */

static void race(int fd)
{
	struct untwist_cqe cqe;
	unsigned int i, late = 0;

	for (i = 0; i < ROUNDS; i++) {
		__u64 when = 1000 + i * 7919 % 200000;
		struct untwist_sqe sqe = timed(i, when, when + i % 7 * 3000, 0);

		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		cqe = completion_read(fd);
		ASSERT_EQ(i, cqe.user_data);
		if (cqe.res)
			ASSERT_EQ(-ETIME, cqe.res);
		late += cqe.res == -ETIME;
	}
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, read(fd, &cqe, sizeof(cqe)));
	EXPECT_LT(late, ROUNDS);
}

TEST(timeout_races_soft_interrupts)
{
	race(timeout_open());
}

TEST(timeout_races_hard_interrupts)
{
	loop_setup();
	loop_delay("0", "Y");
	race(requests_open(LOOP_STREAM, O_RDWR));
}

TEST(close_and_unplug_before_the_deadline)
{
	struct untwist_sqe sqes[100];
	unsigned int i, round;
	int fd;

	loop_setup();
	for (i = 0; i < 100; i++)
		sqes[i] = timed(i, REQUEST_FOREVER, 1000 + i * 20000, 0);
	for (round = 0; round < 30; round++) {
		fd = requests_open(LOOP_STREAM, O_RDWR);
		ASSERT_EQ(100, requests_submit(fd, sqes, 100));
		ASSERT_EQ(0, close(fd));
	}
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(100, requests_submit(fd, sqes, 100));
	loop_unplug();
	for (i = 0; i < 100; i++) {
		__s32 res = completion_read(fd).res;

		EXPECT_TRUE(res == -ETIME || res == -ENODEV);
	}
}
