// SPDX-License-Identifier: MIT
/* Data that goes through a pipe on its way to or from a device, and never through the program. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "options.h"
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

/* A program's own pages, without a copy, on their way to a device. */
TEST(pages_of_a_program_are_spliced_to_a_device)
{
	struct iovec pages = { .iov_base = buf, .iov_len = LENGTH };
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	pattern_make(buf, LENGTH, 0);
	ASSERT_EQ(LENGTH, vmsplice(pipes[1], &pages, 1, 0));
	splice_all(pipes[0], fd);
	memset(buf, 0, LENGTH);
	expect_pattern(fd);
}

TEST(pages_of_a_program_take_what_a_device_has)
{
	struct iovec pages = { .iov_base = buf, .iov_len = LENGTH };
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	pattern_make(buf, LENGTH, 0);
	ASSERT_EQ(LENGTH, write(fd, buf, LENGTH));
	splice_all(fd, pipes[1]);
	memset(buf, 0, LENGTH);
	EXPECT_EQ(LENGTH, vmsplice(pipes[0], &pages, 1, 0));
	EXPECT_EQ(LENGTH, pattern_check(buf, LENGTH, 0));
}

TEST(splice_takes_one_record_at_a_time)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(5, write(fd, "first", 5));
	ASSERT_EQ(3, write(fd, "2nd", 3));
	EXPECT_ERRNO(EMSGSIZE, splice(fd, NULL, pipes[1], NULL, 4, 0));
	EXPECT_EQ(5, splice(fd, NULL, pipes[1], NULL, LENGTH, 0));
	EXPECT_EQ(3, splice(fd, NULL, pipes[1], NULL, LENGTH, 0));
	EXPECT_EQ(8, read(pipes[0], buf, LENGTH));
	EXPECT_EQ(0, memcmp(buf, "first2nd", 8));
}

TEST(what_is_spliced_together_is_one_record)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(5, write(pipes[1], "a few", 5));
	EXPECT_EQ(5, splice(pipes[0], NULL, fd, NULL, LENGTH, 0));
	EXPECT_EQ(5, read(fd, buf, LENGTH));
	/* One that is too long stays in the pipe. */
	pattern_make(buf, LENGTH, 0);
	ASSERT_EQ(LENGTH, write(pipes[1], buf, LENGTH));
	EXPECT_ERRNO(EMSGSIZE, splice(pipes[0], NULL, fd, NULL, LENGTH, 0));
	expect_pattern(pipes[0]);
}

/* Where the oldest goes, splice reads in the same way as read(). */
TEST(pipe_takes_the_latest_from_a_device)
{
	static unsigned char all[3 * LENGTH];
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	options_set(fd,
		    (struct untwist_options){ .rx_size = 8192,
					      .overflow = UNTWIST_OVERFLOW_DROP_OLDEST });
	ASSERT_EQ(0, pipe(pipes));
	pattern_make(all, sizeof(all), 0);
	ASSERT_EQ(sizeof(all), write(fd, all, sizeof(all)));
	EXPECT_EQ(8192, splice(fd, NULL, pipes[1], NULL, sizeof(all), 0));
	ASSERT_EQ(8192, read(pipes[0], all, sizeof(all)));
	EXPECT_EQ(8192, pattern_check(all, 8192, sizeof(all) - 8192));
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
