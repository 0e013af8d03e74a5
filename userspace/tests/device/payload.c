// SPDX-License-Identifier: MIT
/* The bytes that travel with a request, out of and back into the memory of a program. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"

#define PAYLOAD_MAX 4096
#define LATE_NS	    20000000

static int payload_open(void)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR);
}

static unsigned char *pages_plain(size_t pages)
{
	void *map = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(map != MAP_FAILED);
	return map;
}

/* What the memory holds when the request is submitted is what it holds at the end. */
static void echo_payload(int fd, unsigned char *payload, size_t len)
{
	pattern_make(payload, len, len);
	request_payload_and_wipe(fd, payload, len);
	EXPECT_EQ(len, completion_read(fd).res);
	EXPECT_EQ(len, pattern_check(payload, len, len));
}

TEST(payload_comes_back)
{
	static const size_t lengths[] = { 1, 7, 64, 4095, 4096 };
	unsigned char *payload = pages_plain(1);
	int fd = payload_open();
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		echo_payload(fd, payload, lengths[i]);
}

TEST(payload_may_lie_across_pages)
{
	unsigned char *edge = pages_plain(2) + page_size();
	int fd = payload_open();

	echo_payload(fd, edge - 1, 2);
	echo_payload(fd, edge - 2000, PAYLOAD_MAX);
	EXPECT_EQ(0, edge[-2001]);
	EXPECT_EQ(0, edge[PAYLOAD_MAX - 2000]);
}

TEST(many_payloads_come_back_each_to_its_place)
{
	static unsigned char payload[100][PAYLOAD_MAX];
	struct untwist_sqe sqes[100];
	int fd = payload_open();
	unsigned int i;

	for (i = 0; i < 100; i++) {
		pattern_make(payload[i], PAYLOAD_MAX, i);
		sqes[i] = request_payload(i, i % 3 * 100000, payload[i], PAYLOAD_MAX);
	}
	ASSERT_EQ(100, requests_submit(fd, sqes, 100));
	for (i = 0; i < 100; i++) {
		__u64 number = completion_read(fd).user_data;

		ASSERT_LT(number, 100);
		EXPECT_EQ(PAYLOAD_MAX, pattern_check(payload[number], PAYLOAD_MAX, number));
	}
}

TEST(payload_that_is_too_long_is_refused)
{
	static unsigned char payload[PAYLOAD_MAX + 1];
	struct untwist_sqe sqe = request_payload(1, 0, payload, sizeof(payload));

	EXPECT_ERRNO(EMSGSIZE, requests_submit(payload_open(), &sqe, 1));
}

TEST(opcode_without_payload_refuses_one)
{
	struct untwist_sqe sqe = request_payload(1, 0, &sqe, 8);

	sqe.opcode = UNTWIST_OP_NOP;
	EXPECT_ERRNO(EINVAL, requests_submit(payload_open(), &sqe, 1));
}

TEST(payload_must_be_memory_that_can_be_read_and_written)
{
	unsigned char *edge = pages_with_edge();
	struct untwist_sqe sqe;
	int fd = payload_open();

	sqe = request_payload(1, 0, edge, 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	sqe = request_payload(1, 0, edge - 4, 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	sqe = request_payload(1, 0, pages_read_only(), 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	sqe = request_payload(1, 0, NULL, 8);
	EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
}

/* Addresses that wrap, and ones of the kernel, are nobody's memory. */
TEST(payload_must_be_memory_of_the_program)
{
	static const __u64 addresses[] = { ~0ULL, ~0ULL - 4, 1ULL << 63, 0xffff888000000000,
					   0xc0000000 };
	unsigned int i;
	int fd = payload_open();

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct untwist_sqe sqe = request_payload(1, 0, NULL, 8);

		sqe.addr = addresses[i];
		EXPECT_ERRNO(EFAULT, requests_submit(fd, &sqe, 1));
	}
}

/* A refused payload leaves its place in the queue to others. */
TEST(refused_payloads_use_nothing_up)
{
	struct untwist_sqe bad = request_payload(1, 0, NULL, 8);
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	int fd = payload_open();
	int i;

	for (i = 0; i < 1000; i++)
		EXPECT_ERRNO(EFAULT, requests_submit(fd, &bad, 1));
	EXPECT_EQ(1, requests_submit(fd, &nop, 1));
}

/* The pages stay until the device is done with them; nobody sees what is written then. */
TEST(payload_may_be_unmapped_on_its_way)
{
	unsigned char *payload = pages_plain(2);
	struct untwist_sqe sqe =
		request_payload(1, LATE_NS, payload + page_size() - 100, PAYLOAD_MAX / 2);
	int fd = payload_open();

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	ASSERT_EQ(0, munmap(payload, 2 * page_size()));
	EXPECT_EQ(PAYLOAD_MAX / 2, completion_read(fd).res);
}

/* After a fork parent and child share their pages until one of them writes. */
TEST(payload_of_a_forked_child_is_its_own)
{
	unsigned char *payload = pages_plain(1);
	int fd = payload_open();
	int status;
	pid_t child;

	payload[0] = 'p';
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		echo_payload(fd, payload, 100);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ('p', payload[0]);
	EXPECT_EQ(0, payload[1]);
}

TEST(cancelled_request_returns_no_bytes)
{
	unsigned char *payload = pages_plain(1);
	struct untwist_sqe sqe = request_payload(1, REQUEST_FOREVER, payload, 10);
	int fd = payload_open();

	memset(payload, 'a', 10);
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	memset(payload, 'b', 10);
	ASSERT_EQ(0, requests_cancel(fd, 1));
	EXPECT_EQ(-ECANCELED, completion_read(fd).res);
	EXPECT_EQ('b', payload[0]);
}
