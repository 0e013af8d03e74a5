// SPDX-License-Identifier: MIT
/* Requests that hardware completes, by interrupt. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "edu_device.h"
#include "harness.h"
#include "modules.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"
#include "sleeper.h"

#define REQUESTS_MAX 128
#define FACTORIALS   13

static int edu_fresh(void)
{
	edu_setup("");
	return edu_open(0);
}

TEST(device_says_what_it_is)
{
	struct untwist_info info;
	int fd = edu_fresh();

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_EQ(UNTWIST_KIND_NONE, info.kind);
	EXPECT_EQ(UNTWIST_PLANE_COMPLETIONS, info.plane);
	/* Whether io_uring works is the kernel's business. */
	EXPECT_EQ(UNTWIST_FEAT_REQUESTS | UNTWIST_FEAT_CANCEL | UNTWIST_FEAT_CHAIN |
			  UNTWIST_FEAT_TIMEOUT | UNTWIST_FEAT_RING | UNTWIST_FEAT_PAGES,
		  info.features & ~UNTWIST_FEAT_URING);
	EXPECT_EQ(1 << 20, info.pages_max);
	EXPECT_EQ(0, info.record_max);
	EXPECT_STREQ("edu0", info.device);
	EXPECT_STREQ("untwist_edu", info.driver);
}

TEST(there_is_no_data_plane)
{
	int fd = edu_fresh();

	EXPECT_ERRNO(EINVAL, requests_plane(fd, UNTWIST_PLANE_DATA));
	EXPECT_ERRNO(EINVAL, write(fd, "x", 1));
}

TEST(factorials_are_right)
{
	unsigned int n;
	int fd = edu_fresh();

	for (n = 0; n < FACTORIALS; n++) {
		struct untwist_sqe sqe = edu_factorial(n, n);
		struct untwist_cqe cqe;

		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		cqe = completion_read(fd);
		EXPECT_EQ(n, cqe.user_data);
		EXPECT_EQ(0, cqe.res);
		EXPECT_EQ(factorial(n), cqe.value[0]);
	}
}

/* As many at once as there may be, which complete in their order. */
static void multiply_many(int fd, unsigned int rounds)
{
	struct untwist_sqe sqes[REQUESTS_MAX];
	unsigned int i;

	for (i = 0; i < REQUESTS_MAX; i++)
		sqes[i] = edu_factorial(i, i % FACTORIALS);
	while (rounds--) {
		ASSERT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX));
		for (i = 0; i < REQUESTS_MAX; i++) {
			struct untwist_cqe cqe = completion_read(fd);

			ASSERT_EQ(i, cqe.user_data);
			ASSERT_EQ(0, cqe.res);
			ASSERT_EQ(factorial(i % FACTORIALS), cqe.value[0]);
		}
	}
}

TEST(many_factorials_complete_in_order_with_an_interrupt_each)
{
	int fd = edu_fresh();
	long long before = edu_interrupts();

	multiply_many(fd, 10);
	EXPECT_EQ(10 * REQUESTS_MAX, edu_interrupts() - before);
}

TEST(line_interrupts_do_as_well)
{
	edu_setup("intx=1");
	EXPECT_TRUE(access("/sys/class/untwist/edu0/device/msi_irqs", F_OK));
	multiply_many(edu_open(0), 3);
	EXPECT_EQ(3 * REQUESTS_MAX, edu_interrupts());
}

TEST(numbers_above_the_units_range_are_refused)
{
	static const __u64 numbers[] = { 13, 1ULL << 32, ~0ULL };
	unsigned int i;
	int fd = edu_fresh();

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct untwist_sqe sqe = edu_factorial(i, numbers[i]);

		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		EXPECT_EQ(-ERANGE, completion_read(fd).res);
	}
}

TEST(opens_share_the_unit)
{
	struct sleeper reader;
	struct untwist_cqe cqe;
	struct untwist_sqe sqe = edu_factorial(1, 12);
	int one = edu_fresh();
	int two = edu_open(0);

	sleeper_start(&reader, sleep_in_read, two, &cqe, sizeof(cqe));
	multiply_many(one, 1);
	ASSERT_EQ(1, requests_submit(two, &sqe, 1));
	EXPECT_EQ(sizeof(cqe), sleeper_result(&reader));
	EXPECT_EQ(factorial(12), cqe.value[0]);
}

TEST(close_with_factorials_in_flight_leaves_the_unit_to_others)
{
	struct untwist_sqe sqes[REQUESTS_MAX];
	unsigned int i;
	int fd = edu_fresh();

	for (i = 0; i < REQUESTS_MAX; i++)
		sqes[i] = edu_factorial(i, 12);
	ASSERT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX));
	ASSERT_EQ(0, close(fd));
	multiply_many(edu_open(0), 1);
}

/* What runs is left to its interrupt, what waits is taken back; both are told. */
TEST(unbind_ends_what_is_in_flight)
{
	struct untwist_sqe sqes[REQUESTS_MAX];
	struct untwist_cqe cqe;
	unsigned int i;
	int fd = edu_fresh();

	for (i = 0; i < REQUESTS_MAX; i++)
		sqes[i] = edu_factorial(i, 12);
	ASSERT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX));
	edu_unbind();
	for (i = 0; i < REQUESTS_MAX; i++) {
		cqe = completion_read(fd);
		if (cqe.res)
			EXPECT_EQ(-ENODEV, cqe.res);
		else
			EXPECT_EQ(factorial(12), cqe.value[0]);
	}
	EXPECT_ERRNO(ENODEV, read(fd, &cqe, sizeof(cqe)));
	edu_bind();
	multiply_many(edu_open(0), 1);
}

/* The DMA engine. Each transfer takes the device a tenth of a second. */

static struct untwist_cqe transfer(int fd, __u32 opcode, __u64 offset, const void *payload,
				   __u32 len)
{
	struct untwist_sqe sqe = edu_transfer(opcode, offset, payload, len);
	struct untwist_cqe cqe;

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	cqe = completion_read(fd);
	if (cqe.res == -EOPNOTSUPP)
		SKIP("the device reaches no memory of this machine");
	return cqe;
}

TEST(memory_returns_what_was_written_to_it)
{
	static unsigned char out[UNTWIST_EDU_MEMORY], in[UNTWIST_EDU_MEMORY];
	int fd = edu_fresh();

	pattern_make(out, sizeof(out), 0);
	EXPECT_EQ(sizeof(out), transfer(fd, UNTWIST_EDU_OP_WRITE, 0, out, sizeof(out)).res);
	EXPECT_EQ(sizeof(in), transfer(fd, UNTWIST_EDU_OP_READ, 0, in, sizeof(in)).res);
	EXPECT_EQ(sizeof(in), pattern_check(in, sizeof(in), 0));
}

TEST(part_of_the_memory_is_written)
{
	static unsigned char out[UNTWIST_EDU_MEMORY], in[UNTWIST_EDU_MEMORY];
	unsigned char *edge = pages_with_edge();
	int fd = edu_fresh();

	EXPECT_EQ(sizeof(out), transfer(fd, UNTWIST_EDU_OP_WRITE, 0, out, sizeof(out)).res);
	pattern_make(edge - 50, 50, 0);
	EXPECT_EQ(50, transfer(fd, UNTWIST_EDU_OP_WRITE, 1001, edge - 50, 50).res);
	EXPECT_EQ(100, transfer(fd, UNTWIST_EDU_OP_READ, 1000, in, 100).res);
	EXPECT_EQ(0, in[0]);
	EXPECT_EQ(50, pattern_check(in + 1, 50, 0));
	EXPECT_EQ(0, in[51]);
	EXPECT_EQ(0, in[100]);
}

TEST(transfers_and_factorials_go_on_at_once)
{
	static unsigned char out[64], in[64];
	struct untwist_sqe sqes[2];
	unsigned int factorials = 0, transfers = 0;
	int fd = edu_fresh();

	transfer(fd, UNTWIST_EDU_OP_WRITE, 0, out, sizeof(out));
	pattern_make(out, sizeof(out), 0);
	sqes[0] = edu_transfer(UNTWIST_EDU_OP_WRITE, 0, out, sizeof(out));
	sqes[1] = edu_transfer(UNTWIST_EDU_OP_READ, 0, in, sizeof(in));
	sqes[0].user_data = sqes[1].user_data = 100;
	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	while (transfers < 2) {
		struct untwist_sqe sqe = edu_factorial(1, 5);
		struct untwist_cqe cqe;

		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		do {
			cqe = completion_read(fd);
			transfers += cqe.user_data == 100;
		} while (cqe.user_data == 100);
		EXPECT_EQ(120, cqe.value[0]);
		factorials++;
	}
	EXPECT_EQ(sizeof(in), pattern_check(in, sizeof(in), 0));
	EXPECT_LT(1, factorials);
}

TEST(transfers_beyond_the_memory_are_refused)
{
	static unsigned char buf[UNTWIST_EDU_MEMORY];
	int fd = edu_fresh();

	EXPECT_EQ(-ERANGE, transfer(fd, UNTWIST_EDU_OP_WRITE, 1, buf, sizeof(buf)).res);
	EXPECT_EQ(-ERANGE, transfer(fd, UNTWIST_EDU_OP_READ, UNTWIST_EDU_MEMORY, buf, 1).res);
	EXPECT_EQ(-ERANGE, transfer(fd, UNTWIST_EDU_OP_READ, ~0ULL, buf, 1).res);
	EXPECT_EQ(-EINVAL, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, NULL, 0).res);
}

TEST(payload_needs_only_the_access_of_its_direction)
{
	struct untwist_sqe sqe;
	int fd = edu_fresh();
	void *payload = pages_read_only();

	EXPECT_EQ(8, transfer(fd, UNTWIST_EDU_OP_WRITE, 0, payload, 8).res);
	sqe = edu_transfer(UNTWIST_EDU_OP_READ, 0, payload, 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
}

TEST(waiting_transfer_is_taken_back)
{
	static unsigned char bufs[3][64] __attribute__((aligned(64)));
	struct untwist_sqe sqes[3];
	unsigned int i;
	int fd = edu_fresh();

	transfer(fd, UNTWIST_EDU_OP_READ, 0, bufs[0], sizeof(bufs[0]));
	for (i = 0; i < 3; i++) {
		sqes[i] = edu_transfer(UNTWIST_EDU_OP_READ, 0, bufs[i], sizeof(bufs[i]));
		sqes[i].user_data = i;
	}
	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	ASSERT_EQ(0, requests_cancel(fd, 2));
	for (i = 0; i < 3; i++) {
		struct untwist_cqe cqe = completion_read(fd);

		EXPECT_EQ(cqe.user_data == 2 ? -ECANCELED : (int)sizeof(bufs[i]), cqe.res);
	}
}

/* The engine would go on writing to memory that is somebody else's by then. */
TEST(unbind_waits_for_the_transfer_that_runs)
{
	/* In one page, or it would be two transfers. */
	static unsigned char out[64] __attribute__((aligned(64)));
	static unsigned char in[64] __attribute__((aligned(64)));
	/* Not to be done before the unbind, however long that takes to come. */
	static unsigned char late[256 * UNTWIST_EDU_MEMORY];
	struct untwist_sqe sqes[2];
	struct untwist_cqe cqe;
	unsigned int i;
	int fd = edu_fresh();

	pattern_make(out, sizeof(out), 0);
	transfer(fd, UNTWIST_EDU_OP_WRITE, 0, out, sizeof(out));
	sqes[0] = edu_transfer(UNTWIST_EDU_OP_READ, 0, in, sizeof(in));
	sqes[1] = edu_transfer(UNTWIST_EDU_OP_READ_LONG, 0, late, sizeof(late));
	sqes[1].user_data = 1;
	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	edu_unbind();
	EXPECT_EQ(sizeof(in), pattern_check(in, sizeof(in), 0));
	for (i = 0; i < 2; i++) {
		cqe = completion_read(fd);
		EXPECT_EQ(cqe.user_data ? -ENODEV : (int)sizeof(in), cqe.res);
	}
	EXPECT_ERRNO(ENODEV, read(fd, &cqe, sizeof(cqe)));
	edu_bind();
}
