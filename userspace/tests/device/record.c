// SPDX-License-Identifier: MIT
/* Records: whole ones, in order, or none. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"
#include "sleeper.h"

#define RECORDS 3000

static int record_open(int flags)
{
	loop_setup();
	return loop_open(LOOP_RECORD, O_RDWR | flags);
}

TEST(boundaries_are_kept)
{
	char buf[LOOP_RECORD_MAX];
	int fd = record_open(O_NONBLOCK);

	ASSERT_EQ(3, write(fd, "one", 3));
	ASSERT_EQ(5, write(fd, "three", 5));
	EXPECT_EQ(3, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "one", 3));
	EXPECT_EQ(5, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "three", 5));
	EXPECT_ERRNO(EAGAIN, read(fd, buf, sizeof(buf)));
}

TEST(record_too_long_for_the_buffer_stays)
{
	char buf[8];
	int fd = record_open(O_NONBLOCK);

	ASSERT_EQ(8, write(fd, "12345678", 8));
	EXPECT_ERRNO(EMSGSIZE, read(fd, buf, 7));
	EXPECT_ERRNO(EMSGSIZE, read(fd, buf, 1));
	EXPECT_EQ(8, read(fd, buf, 8));
	EXPECT_EQ(0, memcmp(buf, "12345678", 8));
}

TEST(longest_record_passes_and_a_longer_one_is_refused)
{
	static unsigned char record[LOOP_RECORD_MAX + 1];
	int fd = record_open(O_NONBLOCK);

	pattern_make(record, sizeof(record), 0);
	EXPECT_ERRNO(EMSGSIZE, write(fd, record, sizeof(record)));
	EXPECT_EQ(LOOP_RECORD_MAX, write(fd, record, LOOP_RECORD_MAX));
	memset(record, 0, sizeof(record));
	EXPECT_EQ(LOOP_RECORD_MAX, read(fd, record, sizeof(record)));
	EXPECT_EQ(LOOP_RECORD_MAX, pattern_check(record, LOOP_RECORD_MAX, 0));
}

TEST(empty_record_is_none)
{
	char byte;
	int fd = record_open(O_NONBLOCK);

	EXPECT_EQ(0, write(fd, "", 0));
	EXPECT_ERRNO(EAGAIN, read(fd, &byte, 1));
	EXPECT_EQ(0, read(fd, &byte, 0));
}

TEST(vector_is_one_record)
{
	struct iovec out[] = { { "he", 2 }, { "llo", 3 } };
	char buf[10];
	struct iovec in[] = { { buf, 4 }, { buf + 4, 6 } };
	int fd = record_open(0);

	EXPECT_EQ(5, writev(fd, out, 2));
	EXPECT_EQ(5, readv(fd, in, 2));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
}

TEST(read_into_memory_that_faults_keeps_the_record_whole)
{
	unsigned char *edge = pages_with_edge();
	int fd = record_open(O_NONBLOCK);

	ASSERT_EQ(6, write(fd, "abcdef", 6));
	EXPECT_ERRNO(EFAULT, read(fd, edge, 6));
	EXPECT_ERRNO(EFAULT, read(fd, edge - 3, 6));
	pages_open(edge);
	EXPECT_EQ(6, read(fd, edge, 6));
	EXPECT_EQ(0, memcmp(edge, "abcdef", 6));
}

TEST(write_from_memory_that_faults_takes_no_part)
{
	unsigned char *edge = pages_with_edge();
	char buf[16];
	int fd = record_open(O_NONBLOCK);

	EXPECT_ERRNO(EFAULT, write(fd, edge - 3, 6));
	EXPECT_ERRNO(EAGAIN, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(2, write(fd, "ok", 2));
	EXPECT_EQ(2, read(fd, buf, sizeof(buf)));
}

TEST(fionread_is_the_length_of_the_next)
{
	int fd = record_open(0);
	int waiting = -1;

	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(0, waiting);
	ASSERT_EQ(4, write(fd, "four", 4));
	ASSERT_EQ(3, write(fd, "two", 3));
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(4, waiting);
}

/* Lengths of all kinds; each record starts where the stream of all is. */
static size_t record_length(unsigned int number)
{
	return 1 + number * 37u % LOOP_RECORD_MAX;
}

static long write_records(struct sleeper *sleeper)
{
	static unsigned char record[LOOP_RECORD_MAX];
	unsigned int i;

	for (i = 0; i < RECORDS; i++) {
		size_t len = record_length(i);

		pattern_make(record, len, i);
		if (write(sleeper->fd, record, len) != (ssize_t)len)
			return -1;
	}
	return 0;
}

TEST(many_records_arrive_whole_and_in_order)
{
	static unsigned char record[LOOP_RECORD_MAX];
	struct sleeper writer;
	int fd = record_open(0);
	unsigned int i;

	sleeper_run(&writer, write_records, fd, NULL, 0);
	for (i = 0; i < RECORDS; i++) {
		size_t len = record_length(i);

		ASSERT_EQ(len, read(fd, record, sizeof(record)));
		ASSERT_EQ(len, pattern_check(record, len, i));
	}
	EXPECT_EQ(0, sleeper_result(&writer));
}

TEST(full_queues_refuse_whole_records_and_lose_none)
{
	unsigned char record[1000];
	unsigned int written = 0, received = 0;
	int fd = record_open(O_NONBLOCK);

	for (;; written++) {
		pattern_make(record, sizeof(record), written);
		if (write(fd, record, sizeof(record)) < 0)
			break;
	}
	ASSERT_EQ(EAGAIN, errno);
	while (read(fd, record, sizeof(record)) == sizeof(record))
		EXPECT_EQ(sizeof(record), pattern_check(record, sizeof(record), received++));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(written, received);
}

TEST(blocked_write_of_a_record_waits_for_room_for_all_of_it)
{
	static unsigned char record[LOOP_RECORD_MAX];
	struct sleeper sleeper;
	int fd = record_open(O_NONBLOCK);

	while (write(fd, record, sizeof(record)) > 0)
		;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	sleeper_start(&sleeper, sleep_in_write, fd, record, sizeof(record));
	while (!sleeper.done && sleeper_sleeps(&sleeper))
		ASSERT_EQ(sizeof(record), read(fd, record, sizeof(record)));
	EXPECT_EQ(sizeof(record), sleeper_result(&sleeper));
}

TEST(losses_are_asked_for_in_a_structure_of_any_later_size)
{
	struct {
		struct untwist_lost lost;
		unsigned char later[8];
	} lost;
	int fd = record_open(0);

	memset(&lost, 0xff, sizeof(lost));
	EXPECT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_GET_LOST, sizeof(lost)), &lost));
	EXPECT_EQ(0, lost.lost.records);
	EXPECT_EQ(0, lost.later[0] | lost.later[7]);
	EXPECT_ERRNO(EINVAL, ioctl(fd, IOC_SIZED(UNTWIST_IOC_GET_LOST, 8), &lost));
	EXPECT_ERRNO(EFAULT, ioctl(fd, UNTWIST_IOC_GET_LOST, pages_with_edge()));
}
