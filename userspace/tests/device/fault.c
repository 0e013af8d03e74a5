// SPDX-License-Identifier: MIT
/* Drivers that do not do what they are asked; without those that are bugs, which warn. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"
#include "rings.h"

static int fault_open(void)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR);
}

static struct untwist_sqe fault(__u64 user_data, __u64 what, __u64 value)
{
	return (struct untwist_sqe){
		.user_data = user_data,
		.opcode = UNTWIST_LOOP_OP_FAULT,
		.arg = { what, value },
	};
}

static __s32 result_of(int fd, struct untwist_sqe sqe)
{
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	return completion_read(fd).res;
}

static void give_up_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	ASSERT_EQ(0, syscall(SYS_capset, &header, none));
}

TEST(driver_fails_as_it_is_told)
{
	int fd = fault_open();

	EXPECT_EQ(-EIO, result_of(fd, fault(1, UNTWIST_LOOP_FAULT_ERROR, EIO)));
	EXPECT_EQ(-4095, result_of(fd, fault(1, UNTWIST_LOOP_FAULT_ERROR, 4095)));
	EXPECT_EQ(-EINVAL, result_of(fd, fault(1, UNTWIST_LOOP_FAULT_ERROR, 4096)));
	EXPECT_EQ(-EINVAL, result_of(fd, fault(1, UNTWIST_LOOP_FAULT_ERROR, 0)));
	EXPECT_EQ(-EINVAL, result_of(fd, fault(1, UNTWIST_LOOP_FAULT_LATE + 1, 0)));
}

TEST(driver_that_never_answers_obeys_a_cancel)
{
	struct untwist_sqe never = fault(1, UNTWIST_LOOP_FAULT_NEVER, 0);
	int fd = fault_open();

	ASSERT_EQ(1, requests_submit(fd, &never, 1));
	EXPECT_EQ(0, requests_cancel(fd, 1));
	EXPECT_EQ(-ECANCELED, completion_read(fd).res);
	never.timeout_ns = 1000000;
	EXPECT_EQ(-ETIME, result_of(fd, never));
}

TEST(driver_that_never_answers_lets_go_at_the_end)
{
	struct untwist_sqe never = fault(1, UNTWIST_LOOP_FAULT_NEVER, 0);
	int fd = fault_open();

	ASSERT_EQ(1, requests_submit(fd, &never, 1));
	ASSERT_EQ(0, close(fd));
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &never, 1));
	loop_unplug();
	EXPECT_EQ(-ENODEV, completion_read(fd).res);
}

/*
 * Whose thread it is that gives a request to the driver says nothing of whose
 * request it is: what was not allowed to who opened is not to anybody for it.
 */
TEST(nobody_is_more_than_who_opened)
{
	struct untwist_sqe sqes[] = { request_echo(1, 1000, 0),
				      fault(2, UNTWIST_LOOP_FAULT_ERROR, EIO) };
	struct ring ring;
	int fd;

	loop_setup();
	give_up_capabilities();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	EXPECT_EQ(-EPERM, result_of(fd, sqes[1]));
	/* By the work, which is the kernel's own. */
	sqes[0].flags = UNTWIST_SQE_LINK;
	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	EXPECT_EQ(0, completion_read(fd).res);
	EXPECT_EQ(-EPERM, completion_read(fd).res);
	/* By the poller, which is so, too. */
	ring = ring_of(loop_open(LOOP_STREAM, O_RDWR),
		       &(struct untwist_ring_setup){
			       .flags = UNTWIST_RING_SQPOLL,
			       .sq_entries = 4,
		       });
	ring_put(&ring, &sqes[1], 1);
	ASSERT_EQ(1,
		  ring_enter_as(&ring,
				(struct untwist_ring_enter){
					.to_submit = 1,
					.min_complete = 1,
					.flags = UNTWIST_ENTER_WAKE,
				}));
	EXPECT_EQ(-EPERM, ring_reap(&ring).res);
}
