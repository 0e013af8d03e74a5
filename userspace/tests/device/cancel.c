// SPDX-License-Identifier: MIT
/* Requests that are asked to end early: each completes once, cancelled or not. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"
#include "sleeper.h"

#define ROUNDS 2000

static int cancel_open(int flags)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR | flags);
}

static void submit_one(int fd, __u64 user_data, __u64 delay_ns, __u64 value)
{
	struct untwist_sqe sqe = request_echo(user_data, delay_ns, value);

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
}

TEST(cancelled_request_completes_as_such)
{
	struct untwist_cqe cqe;
	int fd = cancel_open(0);

	submit_one(fd, 8, REQUEST_FOREVER, 0);
	EXPECT_EQ(0, requests_cancel(fd, 8));
	cqe = completion_read(fd);
	EXPECT_EQ(8, cqe.user_data);
	EXPECT_EQ(-ECANCELED, cqe.res);
}

TEST(unknown_request_is_not_cancelled)
{
	int fd = cancel_open(0);

	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 1));
	submit_one(fd, 2, REQUEST_FOREVER, 0);
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 1));
}

TEST(completed_request_is_not_cancelled)
{
	int fd = cancel_open(0);

	submit_one(fd, 1, 0, 0);
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 1));
	completion_read(fd);
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 1));
}

TEST(of_equal_requests_the_oldest_is_cancelled)
{
	int fd = cancel_open(O_NONBLOCK);

	submit_one(fd, 1, REQUEST_FOREVER, 0);
	submit_one(fd, 1, 100000000, 77);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	EXPECT_EQ(0, requests_cancel(fd, 1));
	EXPECT_EQ(-ECANCELED, completion_read(fd).res);
	EXPECT_EQ(77, completion_read(fd).value[0]);
}

TEST(requests_of_other_opens_are_not_found)
{
	int fd = cancel_open(0);
	int other = requests_open(LOOP_STREAM, O_RDWR);

	submit_one(fd, 1, REQUEST_FOREVER, 0);
	EXPECT_ERRNO(ENOENT, requests_cancel(other, 1));
}

TEST(reserved_members_of_a_cancel_are_zero)
{
	struct untwist_cancel cancel = { .user_data = 1, .flags = 1 };
	struct {
		struct untwist_cancel cancel;
		__u64 later;
	} longer = { .cancel.user_data = 1, .later = 1 };
	int fd = cancel_open(0);

	submit_one(fd, 1, REQUEST_FOREVER, 0);
	EXPECT_ERRNO(EINVAL, ioctl(fd, UNTWIST_IOC_CANCEL, &cancel));
	cancel = (struct untwist_cancel){ .user_data = 1, .reserved = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(fd, UNTWIST_IOC_CANCEL, &cancel));
	EXPECT_ERRNO(E2BIG, ioctl(fd, IOC_SIZED(UNTWIST_IOC_CANCEL, sizeof(longer)), &longer));
	longer.later = 0;
	EXPECT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_CANCEL, sizeof(longer)), &longer));
}

/* Each number is tried again and again until it has completed. */
static long cancel_all_numbers(struct sleeper *sleeper)
{
	const unsigned int *submitted = sleeper->buf;
	unsigned int i;

	for (i = 0; i < sleeper->len; i++)
		while (!requests_cancel(sleeper->fd, i) ||
		       __atomic_load_n(submitted, __ATOMIC_ACQUIRE) <= i)
			;
	return 0;
}

/* The timer and the cancel race for each; whoever wins, there is one completion. */
static void race(int fd)
{
	unsigned int submitted = 0, cancelled = 0, i;
	struct sleeper canceller;

	sleeper_run(&canceller, cancel_all_numbers, fd, &submitted, ROUNDS);
	for (i = 0; i < ROUNDS; i++) {
		struct untwist_cqe cqe;

		submit_one(fd, i, 1 + i % 50 * 1000, 0);
		__atomic_store_n(&submitted, i + 1, __ATOMIC_RELEASE);
		cqe = completion_read(fd);
		ASSERT_EQ(i, cqe.user_data);
		if (cqe.res)
			EXPECT_EQ(-ECANCELED, cqe.res);
		cancelled += cqe.res == -ECANCELED;
	}
	EXPECT_EQ(0, sleeper_result(&canceller));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, read(fd, &(struct untwist_cqe){ 0 }, sizeof(struct untwist_cqe)));
	EXPECT_LT(0, cancelled);
}

TEST(cancel_races_soft_interrupts)
{
	race(cancel_open(0));
}

TEST(cancel_races_hard_interrupts)
{
	loop_setup();
	loop_delay("0", "Y");
	race(requests_open(LOOP_STREAM, O_RDWR));
}

/* Close takes back what is in flight, in any number, and does not wait for it. */
TEST(close_with_requests_in_flight_returns)
{
	struct untwist_sqe sqes[100];
	unsigned int i, round;

	loop_setup();
	for (i = 0; i < 100; i++)
		sqes[i] = request_echo(i, i % 2 ? REQUEST_FOREVER : i * 1000 + 1, 0);
	for (round = 0; round < 50; round++) {
		int fd = requests_open(LOOP_STREAM, O_RDWR);

		ASSERT_EQ(100, requests_submit(fd, sqes, 100));
		ASSERT_EQ(0, close(fd));
	}
	loop_unplug();
}
