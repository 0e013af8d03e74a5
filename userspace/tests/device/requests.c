// SPDX-License-Identifier: MIT
/* Requests and their completions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"

struct untwist_submit submit_of(const struct untwist_sqe *sqes, unsigned int count)
{
	return (struct untwist_submit){
		.entries = (uintptr_t)sqes,
		.count = count,
		.entry_size = sizeof(*sqes),
	};
}

int requests_submit(int fd, const struct untwist_sqe *sqes, unsigned int count)
{
	struct untwist_submit submit = submit_of(sqes, count);

	return ioctl(fd, UNTWIST_IOC_SUBMIT, &submit);
}

int requests_cancel(int fd, __u64 user_data)
{
	struct untwist_cancel cancel = { .user_data = user_data };

	return ioctl(fd, UNTWIST_IOC_CANCEL, &cancel);
}

int requests_plane(int fd, __u32 plane)
{
	return ioctl(fd, UNTWIST_IOC_SET_PLANE, &plane);
}

int requests_open(const char *path, int flags)
{
	int fd = loop_open(path, flags);

	ASSERT_EQ(0, requests_plane(fd, UNTWIST_PLANE_COMPLETIONS));
	return fd;
}

struct untwist_sqe request_echo(__u64 user_data, __u64 delay_ns, __u64 value)
{
	return (struct untwist_sqe){
		.user_data = user_data,
		.opcode = UNTWIST_LOOP_OP_ECHO,
		.arg = { delay_ns, value },
	};
}

struct untwist_sqe request_payload(__u64 user_data, __u64 delay_ns, void *payload, __u32 len)
{
	struct untwist_sqe sqe = request_echo(user_data, delay_ns, 0);

	sqe.addr = (uintptr_t)payload;
	sqe.len = len;
	return sqe;
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The timer of the device and this clock are the same: it cannot be early by it. */
void request_payload_and_wipe(int fd, void *payload, __u32 len)
{
	void *bytes = malloc(len);
	__u64 delay = 2000000;

	ASSERT_TRUE(bytes);
	memcpy(bytes, payload, len);
	for (;;) {
		struct untwist_sqe sqe = request_payload(1, delay, payload, len);
		__u64 start = now_ns();

		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		memset(payload, 0, len);
		if (now_ns() - start < delay)
			break;
		/* This took too long: try again with more time. */
		completion_read(fd);
		memcpy(payload, bytes, len);
		delay *= 4;
	}
	free(bytes);
}

struct untwist_cqe completion_read(int fd)
{
	struct untwist_cqe cqe;

	ASSERT_EQ(sizeof(cqe), read(fd, &cqe, sizeof(cqe)));
	EXPECT_EQ(0, cqe.flags);
	return cqe;
}
