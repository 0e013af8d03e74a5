// SPDX-License-Identifier: MIT
/* Data that goes through a pipe on its way to or from a device, and never through the program. */
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "pattern.h"

#define LENGTH 6000

static unsigned char buf[LENGTH];

static int pattern_file(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	ASSERT_LE(0, fd);
	pattern_make(buf, LENGTH, 0);
	ASSERT_EQ(LENGTH, write(fd, buf, LENGTH));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	return fd;
}

static void expect_pattern(int fd)
{
	size_t have = 0;
	ssize_t n = 1;

	while (have < LENGTH && n > 0) {
		n = read(fd, buf + have, LENGTH - have);
		if (n > 0)
			have += n;
	}
	EXPECT_EQ(LENGTH, have);
	EXPECT_EQ(LENGTH, pattern_check(buf, have, 0));
}

static void splice_all(int from, int to)
{
	size_t left = LENGTH;

	while (left) {
		ssize_t n = splice(from, NULL, to, NULL, left, 0);

		ASSERT_LE(1, n);
		left -= n;
	}
}

TEST(pipe_takes_from_a_device)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	pattern_make(buf, LENGTH, 0);
	ASSERT_EQ(LENGTH, write(fd, buf, LENGTH));
	splice_all(fd, pipes[1]);
	expect_pattern(pipes[0]);
}

TEST(device_takes_from_a_pipe)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	pattern_make(buf, LENGTH, 0);
	ASSERT_EQ(LENGTH, write(pipes[1], buf, LENGTH));
	splice_all(pipes[0], fd);
	expect_pattern(fd);
}

TEST(file_is_sent_to_a_device)
{
	size_t left = LENGTH;
	int file = pattern_file();
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	while (left) {
		ssize_t n = sendfile(fd, file, NULL, left);

		ASSERT_LE(1, n);
		left -= n;
	}
	expect_pattern(fd);
}

TEST(splice_of_nothing_would_block)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_ERRNO(EAGAIN, splice(fd, NULL, pipes[1], NULL, 1, SPLICE_F_NONBLOCK));
}

TEST(splice_from_a_gone_device_says_so)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	loop_unplug();
	EXPECT_ERRNO(ENODEV, splice(fd, NULL, pipes[1], NULL, 1, 0));
}
