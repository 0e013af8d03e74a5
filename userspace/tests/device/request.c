// SPDX-License-Identifier: MIT
/* Requests: submitted, completed once, read; and how the interface may grow. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "requests.h"
#include "sleeper.h"

#define REQUESTS_MAX 128
#define QUEUES	     50

static int request_open(int flags)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR | flags);
}

TEST(info_tells_what_a_device_is)
{
	struct untwist_info info;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR);
	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_EQ(UNTWIST_KIND_RECORD, info.kind);
	EXPECT_EQ(UNTWIST_PLANE_DATA, info.plane);
	/* Whether io_uring works is the kernel's business. */
	EXPECT_EQ(UNTWIST_FEAT_REQUESTS | UNTWIST_FEAT_CANCEL | UNTWIST_FEAT_CHAIN |
			  UNTWIST_FEAT_TIMEOUT | UNTWIST_FEAT_MULTISHOT | UNTWIST_FEAT_RING |
			  UNTWIST_FEAT_BLOCK,
		  info.features & ~UNTWIST_FEAT_URING);
	EXPECT_EQ(LOOP_QUEUE, info.rx_size);
	EXPECT_EQ(LOOP_QUEUE, info.tx_size);
	EXPECT_EQ(LOOP_RECORD_MAX, info.record_max);
	EXPECT_EQ(REQUESTS_MAX, info.requests_max);
	EXPECT_EQ(4096, info.payload_max);
	EXPECT_EQ(0, info.pages_max);
	EXPECT_STREQ("loop1", info.device);
	EXPECT_STREQ("untwist_loop", info.driver);
	ASSERT_EQ(0, requests_plane(fd, UNTWIST_PLANE_COMPLETIONS));
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_EQ(UNTWIST_PLANE_COMPLETIONS, info.plane);
}

/* A program may be older than the kernel, or newer. */
TEST(info_fills_a_shorter_and_a_longer_structure)
{
	struct {
		struct untwist_info info;
		unsigned char later[24];
	} longer;
	__u32 shorter[3] = { 9, 9, 9 };
	unsigned int i;
	int fd = request_open(0);

	ASSERT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_GET_INFO, 8), shorter));
	EXPECT_EQ(UNTWIST_KIND_STREAM, shorter[0]);
	EXPECT_EQ(9, shorter[2]);
	memset(&longer, 0xff, sizeof(longer));
	ASSERT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_GET_INFO, sizeof(longer)), &longer));
	EXPECT_STREQ("loop0", longer.info.device);
	for (i = 0; i < sizeof(longer.later); i++)
		EXPECT_EQ(0, longer.later[i]);
	EXPECT_ERRNO(EFAULT, ioctl(fd, UNTWIST_IOC_GET_INFO, pages_with_edge() - 4));
}

TEST(plane_is_one_that_the_device_has)
{
	int fd = request_open(0);

	EXPECT_ERRNO(EINVAL, requests_plane(fd, 2));
	EXPECT_ERRNO(EINVAL, write(fd, "x", 1));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SET_PLANE, 8), &(__u64){ 0 }));
	EXPECT_EQ(0, requests_plane(fd, UNTWIST_PLANE_DATA));
	EXPECT_EQ(1, write(fd, "x", 1));
}

/* A request may do anything to the device, so to read it is not enough. */
TEST(file_for_reading_alone_takes_no_requests)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	struct untwist_info info;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDONLY);
	EXPECT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_ERRNO(EBADF, requests_submit(fd, &nop, 1));
	EXPECT_ERRNO(EBADF, requests_cancel(fd, 1));
}

TEST(submitted_request_completes_with_its_result)
{
	struct untwist_sqe sqe = request_echo(0x1122334455667788, 0, 0x99aabbccddeeff00);
	struct untwist_cqe cqe;
	int fd = request_open(0);

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	cqe = completion_read(fd);
	EXPECT_EQ(0x1122334455667788, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(0x99aabbccddeeff00, cqe.value[0]);
	EXPECT_EQ(0, cqe.value[1]);
}

TEST(blocked_reader_gets_the_completion)
{
	struct untwist_sqe sqe = request_echo(3, 1000, 0);
	struct untwist_cqe cqe[4];
	struct sleeper sleeper;
	int fd = request_open(0);

	sleeper_start(&sleeper, sleep_in_read, fd, cqe, sizeof(cqe));
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(sizeof(cqe[0]), sleeper_result(&sleeper));
	EXPECT_EQ(3, cqe[0].user_data);
}

/* As many as there may be, all in flight at once; each completes once. */
static void complete_many(int fd)
{
	struct untwist_sqe sqes[REQUESTS_MAX];
	unsigned int seen[REQUESTS_MAX] = { 0 };
	unsigned int i, round;

	for (round = 0; round < QUEUES; round++) {
		for (i = 0; i < REQUESTS_MAX; i++)
			sqes[i] = request_echo(i, (i * 7919) % 100000, i + round);
		ASSERT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX));
		for (i = 0; i < REQUESTS_MAX; i++) {
			struct untwist_cqe cqe = completion_read(fd);

			ASSERT_EQ(0, cqe.res);
			ASSERT_LT(cqe.user_data, REQUESTS_MAX);
			ASSERT_EQ(cqe.user_data + round, cqe.value[0]);
			seen[cqe.user_data]++;
		}
	}
	for (i = 0; i < REQUESTS_MAX; i++)
		EXPECT_EQ(QUEUES, seen[i]);
}

TEST(many_complete_from_soft_interrupts)
{
	complete_many(request_open(0));
}

TEST(many_complete_from_hard_interrupts)
{
	loop_setup();
	loop_delay("0", "Y");
	complete_many(requests_open(LOOP_STREAM, O_RDWR));
}

TEST(requests_at_once_complete_in_order)
{
	struct untwist_sqe sqes[REQUESTS_MAX];
	unsigned int i;
	int fd = request_open(0);

	for (i = 0; i < REQUESTS_MAX; i++)
		sqes[i] = request_echo(i, 0, 0);
	ASSERT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX));
	for (i = 0; i < REQUESTS_MAX; i++)
		EXPECT_EQ(i, completion_read(fd).user_data);
}

TEST(full_plane_takes_more_once_completions_are_read)
{
	struct untwist_sqe sqes[REQUESTS_MAX + 1] = { 0 };
	int waiting = -1;
	int fd = request_open(0);

	EXPECT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX + 1));
	EXPECT_ERRNO(EAGAIN, requests_submit(fd, sqes, 1));
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(REQUESTS_MAX * sizeof(struct untwist_cqe), waiting);
	completion_read(fd);
	completion_read(fd);
	EXPECT_EQ(2, requests_submit(fd, sqes, 3));
	EXPECT_ERRNO(EAGAIN, requests_submit(fd, sqes, 1));
}

TEST(read_returns_whole_completions_only)
{
	struct untwist_sqe nops[3] = { 0 };
	struct untwist_cqe cqes[3];
	int fd = request_open(O_NONBLOCK);

	EXPECT_ERRNO(EINVAL, read(fd, cqes, sizeof(cqes[0]) - 1));
	EXPECT_ERRNO(EAGAIN, read(fd, cqes, sizeof(cqes[0])));
	ASSERT_EQ(3, requests_submit(fd, nops, 3));
	EXPECT_ERRNO(EINVAL, read(fd, cqes, sizeof(cqes[0]) - 1));
	EXPECT_EQ(sizeof(cqes[0]), read(fd, cqes, 2 * sizeof(cqes[0]) - 1));
	EXPECT_EQ(2 * sizeof(cqes[0]), read(fd, cqes, sizeof(cqes)));
	EXPECT_ERRNO(EAGAIN, read(fd, cqes, sizeof(cqes)));
}

TEST(read_into_memory_that_faults_loses_no_completion)
{
	struct untwist_sqe nops[2] = { { .user_data = 1 }, { .user_data = 2 } };
	unsigned char *edge = pages_with_edge();
	size_t size = sizeof(struct untwist_cqe);
	struct untwist_cqe first;
	int fd = request_open(O_NONBLOCK);

	ASSERT_EQ(2, requests_submit(fd, nops, 2));
	EXPECT_ERRNO(EFAULT, read(fd, edge - 8, size));
	EXPECT_EQ(size, read(fd, edge - size - 8, 2 * size));
	memcpy(&first, edge - size - 8, size);
	EXPECT_EQ(1, first.user_data);
	EXPECT_EQ(2, completion_read(fd).user_data);
}

TEST(vector_may_split_a_completion)
{
	struct untwist_sqe nop = { .user_data = 5 };
	struct untwist_cqe cqe;
	struct iovec halves[] = { { &cqe, 5 }, { (char *)&cqe + 5, sizeof(cqe) - 5 } };
	int fd = request_open(0);

	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(sizeof(cqe), readv(fd, halves, 2));
	EXPECT_EQ(5, cqe.user_data);
}

TEST(unknown_opcodes_complete_as_unsupported)
{
	static const __u32 opcodes[] = { 1, UNTWIST_OP_DRIVER - 1, UNTWIST_LOOP_OP_END + 1, ~0u };
	unsigned int i;
	int fd = request_open(0);

	for (i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct untwist_sqe sqe = { .opcode = opcodes[i] };

		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		EXPECT_EQ(-EOPNOTSUPP, completion_read(fd).res);
	}
}

TEST(driver_refuses_by_completion)
{
	struct untwist_sqe sqe = request_echo(1, REQUEST_FOREVER + 1, 0);
	int fd = request_open(0);

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(-ERANGE, completion_read(fd).res);
}

TEST(reserved_members_of_an_entry_are_zero)
{
	struct untwist_sqe wrong[] = {
		{ .flags = UNTWIST_SQE_ARENA << 1 },
		{ .flags = UNTWIST_SQE_LINK | UNTWIST_SQE_HARDLINK },
		{ .flags = UNTWIST_SQE_ARENA },
		{ .reserved0 = 1 },
		{ .reserved1 = 1 },
		{ .addr = 1 },
	};
	unsigned int i;
	int fd = request_open(O_NONBLOCK);

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_ERRNO(EINVAL, requests_submit(fd, &wrong[i], 1));
	EXPECT_ERRNO(EAGAIN, read(fd, &(struct untwist_cqe){ 0 }, sizeof(struct untwist_cqe)));
}

static int submit_as(int fd, struct untwist_submit submit)
{
	return ioctl(fd, UNTWIST_IOC_SUBMIT, &submit);
}

TEST(reserved_members_of_a_submission_are_zero)
{
	struct untwist_sqe nop = { 0 };
	struct untwist_submit submit = submit_of(&nop, 1);
	int fd = request_open(0);

	submit.flags = 1;
	EXPECT_ERRNO(EINVAL, submit_as(fd, submit));
	submit = submit_of(&nop, 1);
	submit.reserved = 1;
	EXPECT_ERRNO(EINVAL, submit_as(fd, submit));
	EXPECT_ERRNO(EINVAL, submit_as(fd, submit_of(&nop, 0)));
}

TEST(submission_grows_as_long_as_the_rest_is_zero)
{
	struct untwist_sqe nop = { 0 };
	struct {
		struct untwist_submit submit;
		__u64 later;
	} longer = { .submit = submit_of(&nop, 1) };
	int fd = request_open(0);

	EXPECT_EQ(1, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SUBMIT, sizeof(longer)), &longer));
	longer.later = 1;
	EXPECT_ERRNO(E2BIG, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SUBMIT, sizeof(longer)), &longer));
	EXPECT_EQ(1, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SUBMIT, 16), &longer));
}

TEST(entries_grow_as_long_as_the_rest_is_zero)
{
	struct {
		struct untwist_sqe sqe;
		__u64 later;
	} longer[3] = { { .sqe.user_data = 1 }, { .sqe.user_data = 2 }, { .sqe.user_data = 3 } };
	struct untwist_submit submit = submit_of(&longer[0].sqe, 3);
	int fd = request_open(0);

	submit.entry_size = sizeof(longer[0]);
	longer[2].later = 1;
	EXPECT_EQ(2, submit_as(fd, submit));
	EXPECT_EQ(1, completion_read(fd).user_data);
	EXPECT_EQ(2, completion_read(fd).user_data);
	longer[0].later = 1;
	EXPECT_ERRNO(E2BIG, submit_as(fd, submit));
	submit.entry_size = sizeof(struct untwist_sqe) - 8;
	EXPECT_ERRNO(EINVAL, submit_as(fd, submit));
	submit.entry_size = ~0u;
	EXPECT_ERRNO(EINVAL, submit_as(fd, submit));
}

TEST(entries_before_a_bad_one_are_taken)
{
	struct untwist_sqe sqes[3] = { { .user_data = 1 }, { .user_data = 2 }, { .flags = ~0u } };
	unsigned char *edge = pages_with_edge();
	struct untwist_sqe *last = (struct untwist_sqe *)edge - 1;
	int fd = request_open(0);

	EXPECT_EQ(2, requests_submit(fd, sqes, 3));
	memset(last, 0, sizeof(*last));
	EXPECT_EQ(1, requests_submit(fd, last, 2));
	EXPECT_ERRNO(EFAULT, requests_submit(fd, last + 1, 1));
}

TEST(submission_itself_may_not_fault)
{
	EXPECT_ERRNO(EFAULT, ioctl(request_open(0), UNTWIST_IOC_SUBMIT, pages_with_edge() - 8));
}
