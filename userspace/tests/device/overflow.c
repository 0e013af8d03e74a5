// SPDX-License-Identifier: MIT
/* The size of a queue, and what a full one loses: as the program of each open chooses. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "options.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"
#include "sleeper.h"

static int stream_open(int flags)
{
	loop_setup();
	return loop_open(LOOP_STREAM, O_RDWR | flags);
}

static int record_open(int flags)
{
	loop_setup();
	return loop_open(LOOP_RECORD, O_RDWR | flags);
}

static void expect_read(int fd, const char *text)
{
	char buf[LOOP_RECORD_MAX + 1] = "";

	EXPECT_EQ(strlen(text), read(fd, buf, sizeof(buf) - 1));
	EXPECT_STREQ(text, buf);
}

static void put(int fd, const char *text)
{
	ASSERT_EQ(strlen(text), write(fd, text, strlen(text)));
}

/* Sizes. */

TEST(program_chooses_the_size_of_its_queues)
{
	struct untwist_options options = { .rx_size = 5000, .tx_size = 100000 };
	struct untwist_info info;
	int fd = stream_open(O_NONBLOCK);
	int other = loop_open(LOOP_STREAM, O_RDWR);

	ASSERT_EQ(0, options_try(fd, &options));
	EXPECT_EQ(8192, options.rx_size);
	EXPECT_EQ(131072, options.tx_size);
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_EQ(8192, info.rx_size);
	EXPECT_EQ(131072, info.tx_size);
	EXPECT_EQ(8192 + 131072, loop_fill(fd));
	EXPECT_EQ(LOOP_QUEUE, options_get(other).rx_size);
}

TEST(large_queue_takes_much)
{
	static unsigned char buf[1 << 20];
	int fd = stream_open(O_NONBLOCK);
	ssize_t n;

	options_set(fd, (struct untwist_options){ .rx_size = 1 << 20 });
	EXPECT_EQ((1 << 20) + LOOP_QUEUE, loop_fill(fd));
	n = read(fd, buf, sizeof(buf));
	EXPECT_EQ(1 << 20, n);
	EXPECT_EQ(n, pattern_check(buf, n, 0));
}

TEST(resized_queue_keeps_what_it_holds)
{
	int fd = stream_open(O_NONBLOCK);
	static char byte;

	put(fd, "what waits");
	options_set(fd, (struct untwist_options){ .rx_size = 16 });
	options_set(fd, (struct untwist_options){ .rx_size = 1 << 18, .tx_size = 16 });
	expect_read(fd, "what waits");
	EXPECT_ERRNO(EAGAIN, read(fd, &byte, 1));
}

TEST(queue_that_holds_too_much_is_busy)
{
	struct untwist_options options = { .rx_size = 2 * LOOP_QUEUE };
	static char buf[LOOP_QUEUE];
	int fd = stream_open(O_NONBLOCK);

	ASSERT_EQ(16385, write(fd, buf, 16385));
	EXPECT_ERRNO(EBUSY, options_try(fd, &options));
	EXPECT_EQ(LOOP_QUEUE, options_get(fd).rx_size);
	EXPECT_EQ(1, read(fd, buf, 1));
	EXPECT_EQ(0, options_try(fd, &options));
}

static long sleep_in_poll_for_room(struct sleeper *sleeper)
{
	struct pollfd pfd = { .fd = sleeper->fd, .events = POLLOUT };

	return poll(&pfd, 1, -1);
}

TEST(larger_queue_wakes_who_waits_for_room)
{
	struct sleeper sleeper;
	int fd = stream_open(O_NONBLOCK);

	options_set(fd, (struct untwist_options){ .rx_size = 4096, .tx_size = 4096 });
	ASSERT_EQ(8192, loop_fill(fd));
	sleeper_start(&sleeper, sleep_in_poll_for_room, fd, NULL, 0);
	options_set(fd, (struct untwist_options){ .tx_size = 16384 });
	EXPECT_EQ(1, sleeper_result(&sleeper));
}

TEST(options_that_make_no_sense_are_refused)
{
	struct untwist_options options[] = {
		{ .overflow = 3 },
		{ .flags = 2 },
		{ .rx_size = (16 << 20) + 1 },
		{ .tx_size = ~0U },
	};
	int fd = record_open(0);
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		EXPECT_ERRNO(EINVAL, options_try(fd, &options[i]));
	EXPECT_EQ(LOOP_QUEUE, options_get(fd).rx_size);
	EXPECT_ERRNO(EFAULT, ioctl(fd, UNTWIST_IOC_SET_OPTIONS, 16));
	loop_unplug();
	EXPECT_ERRNO(ENODEV, ioctl(fd, UNTWIST_IOC_GET_OPTIONS, &options[0]));
	EXPECT_ERRNO(ENODEV, options_try(fd, &options[0]));
}

/* As the interface grows: a shorter structure, and a longer one with zeros. */
TEST(options_of_other_sizes_are_taken)
{
	struct {
		struct untwist_options options;
		__u32 beyond[2];
	} longer = { .options.overflow = UNTWIST_OVERFLOW_DROP_OLDEST };
	__u32 shorter[2] = { 4096, 0 };
	int fd = stream_open(0);

	EXPECT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SET_OPTIONS, sizeof(shorter)), shorter));
	EXPECT_EQ(4096, options_get(fd).rx_size);
	EXPECT_EQ(LOOP_QUEUE, shorter[1]);
	EXPECT_EQ(0, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SET_OPTIONS, sizeof(longer)), &longer));
	EXPECT_EQ(UNTWIST_OVERFLOW_DROP_OLDEST, options_get(fd).overflow);
	longer.beyond[1] = 1;
	EXPECT_ERRNO(E2BIG, ioctl(fd, IOC_SIZED(UNTWIST_IOC_SET_OPTIONS, sizeof(longer)), &longer));
}

/* What is lost. */

TEST(oldest_bytes_are_lost_if_the_program_wants_that)
{
	struct pollfd pfd = { .fd = stream_open(O_NONBLOCK), .events = POLLPRI };

	options_set(pfd.fd,
		    (struct untwist_options){ .rx_size = 16,
					      .overflow = UNTWIST_OVERFLOW_DROP_OLDEST });
	put(pfd.fd, "0123456789");
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	put(pfd.fd, "abcdefghij");
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(4, options_take_lost(pfd.fd).bytes);
	expect_read(pfd.fd, "456789abcdefghij");
}

/* The writer of a loop waits for its reader, unless the reader wants the latest. */
TEST(oldest_records_are_lost_and_the_writer_never_waits)
{
	char record[100];
	int fd = record_open(O_NONBLOCK);
	struct untwist_lost lost;
	unsigned int i, n = 0;

	options_set(fd, (struct untwist_options){ .overflow = UNTWIST_OVERFLOW_DROP_OLDEST });
	for (i = 0; i < 2000; i++) {
		snprintf(record, sizeof(record), "%099u", i);
		ASSERT_EQ(sizeof(record), write(fd, record, sizeof(record)));
	}
	lost = options_take_lost(fd);
	for (i = lost.records; read(fd, record, sizeof(record)) > 0; i++, n++)
		ASSERT_EQ(i, strtoul(record, NULL, 10));
	EXPECT_EQ(2000, lost.records + n);
	EXPECT_EQ(lost.records * sizeof(record), lost.bytes);
	EXPECT_LT(LOOP_QUEUE / 2, n * sizeof(record));
}

/* It is in the middle of its copy when the driver drops what it copies. */
TEST(reader_gets_whole_what_is_dropped_under_its_hands)
{
	static unsigned char first[100], record[LOOP_RECORD_MAX];
	struct slow_page slow = pages_slow();
	struct sleeper reader;
	int fd = record_open(O_NONBLOCK);

	options_set(fd,
		    (struct untwist_options){ .rx_size = 8192,
					      .overflow = UNTWIST_OVERFLOW_DROP_OLDEST });
	pattern_make(first, sizeof(first), 0);
	ASSERT_EQ(sizeof(first), write(fd, first, sizeof(first)));
	sleeper_start(&reader, sleep_in_read, fd, slow.memory, page_size());
	/* The second takes the place of the first, the third that of these 4000. */
	ASSERT_EQ(4000, write(fd, record, 4000));
	ASSERT_EQ(4096, write(fd, record, 4096));
	EXPECT_EQ(0, options_take_lost(fd).records);
	ASSERT_EQ(4001, write(fd, record, 4001));
	pages_go_on(&slow);
	EXPECT_EQ(sizeof(first), sleeper_result(&reader));
	EXPECT_EQ(sizeof(first), pattern_check(slow.memory, sizeof(first), 0));
	EXPECT_EQ(1, options_take_lost(fd).records);
	EXPECT_EQ(4096, read(fd, record, sizeof(record)));
	EXPECT_EQ(4001, read(fd, record, sizeof(record)));
	EXPECT_ERRNO(EAGAIN, read(fd, record, sizeof(record)));
}

/* What it had in hand was dropped meanwhile, and cannot go where it should. */
TEST(fault_loses_what_was_dropped_under_its_hands_and_says_so)
{
	static unsigned char record[LOOP_RECORD_MAX];
	struct slow_page slow = pages_slow();
	struct pollfd pfd = { .events = POLLPRI };
	struct sleeper reader;

	pfd.fd = record_open(O_NONBLOCK);
	options_set(pfd.fd,
		    (struct untwist_options){ .rx_size = 8192,
					      .overflow = UNTWIST_OVERFLOW_DROP_OLDEST });
	ASSERT_EQ(100, write(pfd.fd, record, 100));
	sleeper_start(&reader, sleep_in_read, pfd.fd, slow.memory, page_size());
	ASSERT_EQ(4000, write(pfd.fd, record, 4000));
	ASSERT_EQ(4096, write(pfd.fd, record, 4096));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, munmap(slow.memory, page_size()));
	ASSERT_EQ(0, close(slow.uffd));
	EXPECT_EQ(-EFAULT, sleeper_result(&reader));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(1, options_take_lost(pfd.fd).records);
	EXPECT_EQ(4000, read(pfd.fd, record, sizeof(record)));
}

TEST(fault_of_the_program_loses_nothing)
{
	unsigned char *edge = pages_with_edge();
	struct untwist_options oldest = { .overflow = UNTWIST_OVERFLOW_DROP_OLDEST };
	int bytes = stream_open(O_NONBLOCK);
	int records = loop_open(LOOP_RECORD, O_RDWR | O_NONBLOCK);
	ssize_t n;

	options_set(bytes, oldest);
	options_set(records, oldest);
	put(records, "a record");
	EXPECT_ERRNO(EFAULT, read(records, edge - 4, 100));
	expect_read(records, "a record");

	put(bytes, "0123456789");
	EXPECT_ERRNO(EFAULT, read(bytes, edge, 10));
	n = read(bytes, edge - 4, 10);
	ASSERT_LE(1, n);
	expect_read(bytes, "0123456789" + n);
	EXPECT_EQ(0, options_take_lost(bytes).bytes);
}

TEST(device_that_cannot_wait_refuses_to)
{
	struct untwist_options block = { .overflow = UNTWIST_OVERFLOW_BLOCK };
	struct untwist_info info;
	int loop = stream_open(O_NONBLOCK);
	int tick;

	if (!module_is_loaded("untwist_tick"))
		module_load("untwist_tick", "");
	tick = open("/dev/untwist/tick0", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, tick);
	EXPECT_ERRNO(EOPNOTSUPP, options_try(tick, &block));
	ASSERT_EQ(0, ioctl(tick, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_FALSE(info.features & UNTWIST_FEAT_BLOCK);

	ASSERT_EQ(0, ioctl(loop, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_TRUE(info.features & UNTWIST_FEAT_BLOCK);
	ASSERT_EQ(0, options_try(loop, &block));
	EXPECT_EQ(2 * LOOP_QUEUE, loop_fill(loop));
	EXPECT_EQ(0, options_take_lost(loop).bytes);
}

/* Headers. */

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

TEST(records_come_with_their_headers)
{
	static const char *const texts[] = { "one", "and two", "3" };
	int fd = record_open(O_NONBLOCK);
	__u64 before = now_ns();
	struct stamped got;
	unsigned int i;
	int next;

	options_set(fd, (struct untwist_options){ .flags = UNTWIST_OPT_HEADERS });
	for (i = 0; i < 3; i++)
		put(fd, texts[i]);
	ASSERT_EQ(0, ioctl(fd, FIONREAD, &next));
	EXPECT_EQ(sizeof(got.header) + 3, next);
	EXPECT_ERRNO(EMSGSIZE, read(fd, &got, sizeof(got.header) + 2));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(strlen(texts[i]), stamped_read(fd, &got));
		EXPECT_STREQ(texts[i], got.record);
		EXPECT_EQ(i, got.header.sequence);
		EXPECT_EQ(0, got.header.flags);
		EXPECT_LE(before, got.header.time);
		before = got.header.time;
	}
	EXPECT_LE(before, now_ns());
}

TEST(headers_tell_what_is_missing)
{
	int fd = record_open(O_NONBLOCK);
	unsigned int i, missing = 0;
	char record[60] = "";
	struct stamped got;

	options_set(fd,
		    (struct untwist_options){ .rx_size = 8192,
					      .overflow = UNTWIST_OVERFLOW_DROP_OLDEST,
					      .flags = UNTWIST_OPT_HEADERS });
	for (i = 0; i < 500; i++) {
		snprintf(record, sizeof(record), "%u", i);
		ASSERT_EQ(sizeof(record), write(fd, record, sizeof(record)));
		if (i % 200 == 199) {
			stamped_read(fd, &got);
			EXPECT_EQ(got.header.sequence, strtoul(got.record, NULL, 10));
			EXPECT_EQ(UNTWIST_RECORD_LOST, got.header.flags);
			missing += got.header.lost + 1;
			EXPECT_EQ(got.header.sequence + 1, missing);
		}
	}
	stamped_read(fd, &got);
	EXPECT_EQ(got.header.sequence, missing + got.header.lost);
	EXPECT_EQ(options_take_lost(fd).records, missing - 2 + got.header.lost);
}

TEST(bytes_have_no_headers)
{
	struct untwist_options headers = { .flags = UNTWIST_OPT_HEADERS };

	EXPECT_ERRNO(EOPNOTSUPP, options_try(stream_open(0), &headers));
}
