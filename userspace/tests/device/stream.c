// SPDX-License-Identifier: MIT
/* Bytes without boundaries: read() and write() in all their forms. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "pattern.h"
#include "sleeper.h"

#define TRANSFER      (4u << 20)
#define TRANSFER_LATE (1u << 20)

static char byte = 'x';

static int stream_open(int flags)
{
	loop_setup();
	return loop_open(LOOP_STREAM, O_RDWR | flags);
}

/* Exactly so many bytes of the pattern come next. */
static void expect_pattern(int fd, size_t len, unsigned long position)
{
	static unsigned char buf[2 * LOOP_QUEUE];
	size_t have = 0;
	ssize_t n = 1;

	while (have < len && n > 0) {
		n = read(fd, buf + have, len - have);
		if (n > 0)
			have += n;
	}
	EXPECT_EQ(len, have);
	EXPECT_EQ(have, pattern_check(buf, have, position));
}

static void put_pattern(int fd, size_t len, unsigned long position)
{
	static unsigned char buf[2 * LOOP_QUEUE];

	pattern_make(buf, len, position);
	ASSERT_EQ(len, write(fd, buf, len));
}

TEST(what_is_written_comes_back)
{
	static const size_t sizes[] = { 1, 2, 4095, 4096, 4097, 65535, 65536 };
	unsigned long position = 0;
	int fd = stream_open(0);
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_pattern(fd, sizes[i], position);
		expect_pattern(fd, sizes[i], position);
		position += sizes[i];
	}
}

TEST(short_read_leaves_the_rest)
{
	int fd = stream_open(O_NONBLOCK);

	put_pattern(fd, 100, 0);
	expect_pattern(fd, 1, 0);
	expect_pattern(fd, 60, 1);
	expect_pattern(fd, 39, 61);
	EXPECT_ERRNO(EAGAIN, read(fd, &byte, 1));
}

TEST(long_read_returns_what_is_there)
{
	char buf[100];
	int fd = stream_open(0);

	put_pattern(fd, 10, 0);
	EXPECT_EQ(10, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(10, pattern_check(buf, 10, 0));
}

TEST(nothing_is_read_or_written_by_a_call_for_nothing)
{
	int fd = stream_open(0);

	EXPECT_EQ(0, read(fd, &byte, 0));
	EXPECT_EQ(0, write(fd, "", 0));
}

TEST(read_without_data_would_block)
{
	EXPECT_ERRNO(EAGAIN, read(stream_open(O_NONBLOCK), &byte, 1));
}

TEST(blocked_read_returns_what_arrives)
{
	struct sleeper sleeper;
	char buf[8];
	int fd = stream_open(0);

	sleeper_start(&sleeper, sleep_in_read, fd, buf, sizeof(buf));
	put_pattern(fd, 3, 0);
	EXPECT_EQ(3, sleeper_result(&sleeper));
	EXPECT_EQ(3, pattern_check(buf, 3, 0));
}

TEST(write_stops_at_full_queues_and_loses_nothing)
{
	int fd = stream_open(O_NONBLOCK);

	EXPECT_EQ(2 * LOOP_QUEUE, loop_fill(fd));
	expect_pattern(fd, 2 * LOOP_QUEUE, 0);
	EXPECT_ERRNO(EAGAIN, read(fd, &byte, 1));
}

TEST(write_into_little_room_takes_what_fits)
{
	static char much[LOOP_QUEUE];
	int fd = stream_open(O_NONBLOCK);

	ASSERT_EQ(2 * LOOP_QUEUE, loop_fill(fd));
	expect_pattern(fd, LOOP_QUEUE / 2, 0);
	EXPECT_EQ(LOOP_QUEUE / 2, write(fd, much, sizeof(much)));
	EXPECT_ERRNO(EAGAIN, write(fd, much, 1));
}

TEST(blocked_write_ends_when_all_is_taken)
{
	static unsigned char rest[LOOP_QUEUE];
	struct sleeper sleeper;
	int fd = stream_open(O_NONBLOCK);

	ASSERT_EQ(2 * LOOP_QUEUE, loop_fill(fd));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	pattern_make(rest, sizeof(rest), 2 * LOOP_QUEUE);
	sleeper_start(&sleeper, sleep_in_write, fd, rest, sizeof(rest));
	expect_pattern(fd, 3 * LOOP_QUEUE / 2, 0);
	EXPECT_EQ(sizeof(rest), sleeper_result(&sleeper));
	expect_pattern(fd, 3 * LOOP_QUEUE / 2, 3 * LOOP_QUEUE / 2);
}

/* Block sizes that share no divisor with the queues. */
static long write_all(struct sleeper *sleeper)
{
	static unsigned char block[17321];
	size_t done = 0;

	while (done < sleeper->len) {
		size_t len = 1 + (done * 7) % sizeof(block);
		ssize_t n;

		if (len > sleeper->len - done)
			len = sleeper->len - done;
		pattern_make(block, len, done);
		n = write(sleeper->fd, block, len);
		if (n < 0)
			return -1;
		done += n;
	}
	return 0;
}

static void transfer(int fd, size_t total)
{
	static unsigned char block[23333];
	struct sleeper writer;
	size_t done = 0;

	sleeper_run(&writer, write_all, fd, NULL, total);
	while (done < total) {
		ssize_t n = read(fd, block, 1 + (done * 5) % sizeof(block));

		ASSERT_LE(1, n);
		ASSERT_EQ(n, pattern_check(block, n, done));
		done += n;
	}
	EXPECT_EQ(total, done);
	EXPECT_EQ(0, sleeper_result(&writer));
}

TEST(long_stream_arrives_in_order)
{
	transfer(stream_open(0), TRANSFER);
}

TEST(long_stream_through_soft_interrupts_arrives_in_order)
{
	loop_setup();
	loop_delay("50", "N");
	transfer(loop_open(LOOP_STREAM, O_RDWR), TRANSFER_LATE);
}

TEST(long_stream_through_hard_interrupts_arrives_in_order)
{
	loop_setup();
	loop_delay("50", "Y");
	transfer(loop_open(LOOP_STREAM, O_RDWR), TRANSFER_LATE);
}

/* A transfer by one thread that waits in poll() alone. */
TEST(nonblocking_transfer_arrives_in_order)
{
	static unsigned char block[30011];
	struct pollfd pfd = { .fd = stream_open(O_NONBLOCK) };
	size_t in = 0, out = 0;
	ssize_t n;

	while (in < TRANSFER) {
		pfd.events = POLLIN | (out < TRANSFER ? POLLOUT : 0);
		ASSERT_EQ(1, poll(&pfd, 1, -1));
		if (pfd.revents & POLLOUT) {
			size_t len = TRANSFER - out < sizeof(block) ? TRANSFER - out
								    : sizeof(block);

			pattern_make(block, len, out);
			n = write(pfd.fd, block, len);
			ASSERT_LE(1, n);
			out += n;
		}
		if (pfd.revents & POLLIN) {
			n = read(pfd.fd, block, sizeof(block));
			ASSERT_LE(1, n);
			ASSERT_EQ(n, pattern_check(block, n, in));
			in += n;
		}
	}
}

/* How far a copy gets before it faults is the processor's business; that it is told is ours. */
TEST(read_into_memory_that_faults_loses_nothing)
{
	unsigned char *edge = pages_with_edge();
	int fd = stream_open(O_NONBLOCK);
	ssize_t n;

	put_pattern(fd, 1000, 0);
	EXPECT_ERRNO(EFAULT, read(fd, edge, 100));
	n = read(fd, edge - 300, 1000);
	ASSERT_LE(1, n);
	EXPECT_GE(300, n);
	EXPECT_EQ(n, pattern_check(edge - 300, n, 0));
	pages_open(edge);
	EXPECT_EQ(1000 - n, read(fd, edge, 1000));
	EXPECT_EQ(1000 - n, pattern_check(edge, 1000 - n, n));
}

TEST(write_from_memory_that_faults_takes_what_it_says)
{
	unsigned char *edge = pages_with_edge();
	int fd = stream_open(O_NONBLOCK);
	ssize_t n;

	EXPECT_ERRNO(EFAULT, write(fd, edge, 100));
	pattern_make(edge - 300, 300, 0);
	n = write(fd, edge - 300, 1000);
	ASSERT_LE(1, n);
	EXPECT_GE(300, n);
	expect_pattern(fd, n, 0);
	EXPECT_ERRNO(EAGAIN, read(fd, &byte, 1));
}

TEST(one_way_files_refuse_the_other_way)
{
	loop_setup();
	EXPECT_ERRNO(EBADF, write(loop_open(LOOP_STREAM, O_RDONLY), &byte, 1));
	EXPECT_ERRNO(EBADF, read(loop_open(LOOP_STREAM, O_WRONLY), &byte, 1));
	EXPECT_EQ(1, write(loop_open(LOOP_STREAM, O_WRONLY), &byte, 1));
}

TEST(vectors_are_filled_in_order)
{
	unsigned char out[60], in[60];
	struct iovec written[] = { { out, 10 }, { out + 10, 0 }, { out + 10, 50 } };
	struct iovec read_back[] = { { in, 1 }, { in + 1, 29 }, { in + 30, 30 } };
	int fd = stream_open(0);

	pattern_make(out, sizeof(out), 0);
	EXPECT_EQ(60, writev(fd, written, 3));
	EXPECT_EQ(60, readv(fd, read_back, 3));
	EXPECT_EQ(60, pattern_check(in, 60, 0));
}

TEST(fionread_counts_what_waits)
{
	int fd = stream_open(O_NONBLOCK);
	int waiting = -1;

	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(0, waiting);
	put_pattern(fd, 77, 0);
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(77, waiting);
	loop_fill(fd);
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(LOOP_QUEUE, waiting);
}

TEST(there_are_no_positions)
{
	int fd = stream_open(0);

	EXPECT_ERRNO(ESPIPE, lseek(fd, 0, SEEK_SET));
	EXPECT_ERRNO(ESPIPE, pread(fd, &byte, 1, 0));
	EXPECT_ERRNO(ESPIPE, pwrite(fd, "x", 1, 0));
}

TEST(each_open_has_an_echo_of_its_own)
{
	int first = stream_open(O_NONBLOCK);
	int second = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);

	put_pattern(first, 10, 0);
	EXPECT_ERRNO(EAGAIN, read(second, &byte, 1));
	expect_pattern(first, 10, 0);
}

TEST(unknown_commands_are_refused)
{
	int fd = stream_open(0);

	EXPECT_ERRNO(ENOTTY, ioctl(fd, _IO(UNTWIST_IOC_MAGIC, 99)));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, _IO('z', 0)));
}

TEST(nothing_is_lost_where_the_driver_holds_back)
{
	struct untwist_lost lost = { .bytes = 1, .records = 1 };
	int fd = stream_open(O_NONBLOCK);

	loop_fill(fd);
	EXPECT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_LOST, &lost));
	EXPECT_EQ(0, lost.bytes);
	EXPECT_EQ(0, lost.records);
}
