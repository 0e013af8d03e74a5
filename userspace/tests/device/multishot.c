// SPDX-License-Identifier: MIT
/* Requests that complete many times. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"
#include "rings.h"

#define PERIOD 100000ULL

static int multishot_open(void)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR);
}

/* 0, without end. */
static struct untwist_sqe ticks(__u64 user_data, __u64 period_ns, __u64 count)
{
	return (struct untwist_sqe){
		.user_data = user_data,
		.opcode = UNTWIST_LOOP_OP_TICKS,
		.flags = UNTWIST_SQE_MULTISHOT,
		.arg = { period_ns, count },
	};
}

static struct untwist_cqe shot_read(int fd)
{
	struct untwist_cqe cqe;

	ASSERT_EQ(sizeof(cqe), read(fd, &cqe, sizeof(cqe)));
	return cqe;
}

static __u32 lost_of(struct untwist_cqe cqe)
{
	return cqe.flags & UNTWIST_CQE_F_LOST ? cqe.flags >> UNTWIST_CQE_LOST_SHIFT : 0;
}

static void expect_ticks(int fd, __u64 user_data, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct untwist_cqe cqe = shot_read(fd);

		EXPECT_EQ(user_data, cqe.user_data);
		EXPECT_EQ(0, cqe.res);
		EXPECT_EQ(UNTWIST_CQE_F_MORE, cqe.flags);
		EXPECT_EQ(i, cqe.value[0]);
	}
}

/* What comes before the last, which is not looked at. */
static struct untwist_cqe skip_to_the_last(int fd)
{
	struct untwist_cqe cqe;

	do {
		cqe = shot_read(fd);
		if (cqe.flags & UNTWIST_CQE_F_MORE)
			EXPECT_EQ(0, cqe.res);
	} while (cqe.flags & UNTWIST_CQE_F_MORE);
	return cqe;
}

static void expect_nothing(int fd)
{
	struct untwist_cqe cqe;

	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, read(fd, &cqe, sizeof(cqe)));
}

static void complete_many_times(int fd)
{
	struct untwist_sqe sqe = ticks(7, PERIOD, 50);
	struct untwist_cqe last;

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	expect_ticks(fd, 7, 50);
	last = shot_read(fd);
	EXPECT_EQ(7, last.user_data);
	EXPECT_EQ(50, last.res);
	EXPECT_EQ(0, last.flags);
	expect_nothing(fd);
}

TEST(all_but_the_last_say_that_there_are_more)
{
	complete_many_times(multishot_open());
}

TEST(hard_interrupts_complete_many_times)
{
	loop_setup();
	loop_delay("0", "Y");
	complete_many_times(requests_open(LOOP_STREAM, O_RDWR));
}

TEST(several_at_a_time_keep_apart)
{
	const struct untwist_sqe sqes[] = { ticks(0, PERIOD, 20), ticks(1, PERIOD + 1000, 20) };
	unsigned int seen[2] = { 0, 0 }, ended = 0;
	int fd = multishot_open();

	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	while (ended < 2) {
		struct untwist_cqe cqe = shot_read(fd);

		ASSERT_LT(cqe.user_data, 2);
		if (cqe.flags & UNTWIST_CQE_F_MORE) {
			EXPECT_EQ(seen[cqe.user_data]++, cqe.value[0]);
		} else {
			EXPECT_EQ(20, cqe.res);
			ended++;
		}
	}
	EXPECT_EQ(20, seen[0]);
	EXPECT_EQ(20, seen[1]);
}

TEST(what_cannot_complete_many_times_says_so)
{
	struct untwist_sqe echo = request_echo(1, 0, 0);
	struct untwist_sqe nop = { .flags = UNTWIST_SQE_MULTISHOT };
	struct untwist_sqe once = ticks(1, PERIOD, 1);
	struct untwist_sqe quick = ticks(1, 999, 1);
	int fd = multishot_open();

	echo.flags = UNTWIST_SQE_MULTISHOT;
	ASSERT_EQ(1, requests_submit(fd, &echo, 1));
	EXPECT_EQ(-EOPNOTSUPP, completion_read(fd).res);
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(-EOPNOTSUPP, completion_read(fd).res);
	once.flags = 0;
	ASSERT_EQ(1, requests_submit(fd, &once, 1));
	EXPECT_EQ(-EINVAL, completion_read(fd).res);
	ASSERT_EQ(1, requests_submit(fd, &quick, 1));
	EXPECT_EQ(-ERANGE, completion_read(fd).res);
}

/* The end. */

TEST(cancel_brings_the_last)
{
	struct untwist_sqe sqe = ticks(3, PERIOD, 0);
	struct untwist_cqe last;
	int fd = multishot_open();

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	expect_ticks(fd, 3, 10);
	EXPECT_EQ(0, requests_cancel(fd, 3));
	last = skip_to_the_last(fd);
	EXPECT_EQ(3, last.user_data);
	EXPECT_EQ(-ECANCELED, last.res);
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 3));
	expect_nothing(fd);
}

TEST(timeout_brings_the_last)
{
	struct untwist_sqe sqe = ticks(3, PERIOD, 0);
	int fd = multishot_open();

	sqe.timeout_ns = 20 * PERIOD;
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(-ETIME, skip_to_the_last(fd).res);
}

TEST(unplug_brings_the_last)
{
	struct untwist_sqe sqe = ticks(3, PERIOD, 0);
	struct untwist_cqe cqe;
	int fd = multishot_open();

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	expect_ticks(fd, 3, 3);
	loop_unplug();
	EXPECT_EQ(-ENODEV, skip_to_the_last(fd).res);
	EXPECT_ERRNO(ENODEV, read(fd, &cqe, sizeof(cqe)));
}

TEST(close_in_the_middle)
{
	struct untwist_sqe sqe = ticks(3, 20000, 0);
	unsigned int i, round;

	loop_setup();
	for (round = 0; round < 50; round++) {
		int fd;

		loop_delay("0", round % 2 ? "Y" : "N");
		fd = requests_open(LOOP_STREAM, O_RDWR);
		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		for (i = 0; i < round % 4; i++)
			EXPECT_EQ(3, shot_read(fd).user_data);
		ASSERT_EQ(0, close(fd));
	}
	loop_unplug();
}

TEST(chain_waits_for_the_last)
{
	struct untwist_sqe sqes[] = { ticks(1, PERIOD, 3), { .user_data = 2 } };
	int fd = multishot_open();

	sqes[0].flags |= UNTWIST_SQE_LINK;
	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	expect_ticks(fd, 1, 3);
	EXPECT_EQ(3, shot_read(fd).res);
	EXPECT_EQ(2, shot_read(fd).user_data);
}

/* Who does not read loses what finds no room, never the last, and is told how much. */

TEST(unread_completions_cost_the_later_ones)
{
	struct untwist_sqe sqe = ticks(1, 10000, 200);
	struct ring ring = ring_open_entries(4, 4);
	unsigned int i, lost = 0;
	struct untwist_cqe cqe;

	ring_put(&ring, &sqe, 1);
	/* Three, and the last, which had its place from the beginning. */
	ASSERT_EQ(1, ring_enter(&ring, 1, 4));
	for (i = 0; i < 3; i++) {
		cqe = ring_reap(&ring);
		EXPECT_EQ(UNTWIST_CQE_F_MORE, cqe.flags & UNTWIST_CQE_F_MORE);
		EXPECT_EQ(i, cqe.value[0]);
		lost += lost_of(cqe);
	}
	cqe = ring_reap(&ring);
	EXPECT_EQ(0, cqe.flags & UNTWIST_CQE_F_MORE);
	EXPECT_EQ(200, cqe.res);
	EXPECT_EQ(197, lost + lost_of(cqe));
}

TEST(none_is_lost_without_being_counted)
{
	struct untwist_sqe sqe = ticks(1, 5000, 3000);
	struct ring ring = ring_open_entries(2, 2);
	__u64 accounted = 0, next = 0;
	struct untwist_cqe cqe;

	ring_put(&ring, &sqe, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	do {
		ASSERT_EQ(0, ring_enter(&ring, 0, 1));
		cqe = ring_reap(&ring);
		accounted += lost_of(cqe);
		if (cqe.flags & UNTWIST_CQE_F_MORE) {
			EXPECT_LE(next, cqe.value[0]);
			next = cqe.value[0] + 1;
			accounted++;
		}
	} while (cqe.flags & UNTWIST_CQE_F_MORE);
	EXPECT_EQ(3000, cqe.res);
	EXPECT_EQ(3000, accounted);
}
