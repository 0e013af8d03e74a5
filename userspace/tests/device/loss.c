// SPDX-License-Identifier: MIT
/*
 * Received data that finds the queue full: how a program is told, and that what
 * it is told adds up. The device ticks on, whether anybody reads or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "harness.h"
#include "modules.h"
#include "sleeper.h"

#define TICK_NODE  "/dev/untwist/tick0"
#define TICK_QUEUE 4096

static void tick_setup(const char *option)
{
	if (module_is_loaded("untwist_tick"))
		ASSERT_EQ(0, module_unload("untwist_tick"));
	module_load("untwist_tick", option);
}

static int tick_open(void)
{
	int fd = open(TICK_NODE, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	return fd;
}

static void read_exactly(int fd, char *buf, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, buf + have, len - have);

		ASSERT_LE(1, n);
		have += n;
	}
}

static unsigned long take_lost(int fd)
{
	struct untwist_lost lost;

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_LOST, &lost));
	/* Bytes have no boundaries, so none of what is lost is a record. */
	EXPECT_EQ(0, lost.records);
	return lost.bytes;
}

static void wait_for_loss(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	ASSERT_EQ(1, poll(&pfd, 1, -1));
	EXPECT_EQ(POLLPRI, pfd.revents);
}

/* What the device has to say from its first byte on. */
static void tick_text(char *text, size_t size)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; len < size; i++)
		len += snprintf(text + len, len < size ? size - len : 0, "tick %u\n", i);
}

TEST(ticks_arrive_in_order)
{
	char expected[200], seen[200];

	tick_setup("period_ms=0");
	tick_text(expected, sizeof(expected));
	read_exactly(tick_open(), seen, sizeof(seen) - 1);
	seen[sizeof(seen) - 1] = '\0';
	EXPECT_STREQ(expected, seen);
}

TEST(device_that_takes_nothing_refuses_writes)
{
	struct pollfd pfd = { .events = POLLOUT };
	int fd;

	tick_setup("");
	pfd.fd = fd = open(TICK_NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EINVAL, write(fd, "x", 1));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

/*
 * One gap: the full queue, then as many bytes missing as the device says, then
 * the rest. Where the reader was so late that a second gap came, it tries anew.
 */
TEST(bytes_that_are_missing_are_those_that_are_told)
{
	static char text[64 * TICK_QUEUE], seen[TICK_QUEUE];
	unsigned long lost;
	int fd = -1;

	tick_setup("period_ms=0");
	tick_text(text, sizeof(text));
	do {
		close(fd);
		fd = tick_open();
		wait_for_loss(fd);
		ASSERT_EQ(TICK_QUEUE, read(fd, seen, TICK_QUEUE));
		EXPECT_EQ(0, memcmp(text, seen, TICK_QUEUE));
		lost = take_lost(fd);
		EXPECT_LE(1, lost);
		read_exactly(fd, seen, 100);
	} while (take_lost(fd));
	ASSERT_LT(lost, sizeof(text) - TICK_QUEUE - 100);
	EXPECT_EQ(0, memcmp(text + TICK_QUEUE + lost, seen, 100));
}

TEST(loss_is_told_until_it_is_asked_for)
{
	static char seen[TICK_QUEUE];
	struct pollfd pfd = { .events = POLLPRI };

	tick_setup("period_ms=0");
	do {
		if (pfd.fd)
			close(pfd.fd);
		pfd.fd = tick_open();
		wait_for_loss(pfd.fd);
		ASSERT_EQ(TICK_QUEUE, read(pfd.fd, seen, TICK_QUEUE));
		EXPECT_EQ(1, poll(&pfd, 1, 0));
		take_lost(pfd.fd);
		/* Nothing to say, unless the queue was full once more by now. */
	} while (poll(&pfd, 1, 0) && take_lost(pfd.fd));
	EXPECT_EQ(0, pfd.revents);
}

static long sleep_in_select(struct sleeper *sleeper)
{
	fd_set except;

	FD_ZERO(&except);
	FD_SET(sleeper->fd, &except);
	return select(sleeper->fd + 1, NULL, NULL, &except, NULL);
}

TEST(select_calls_a_loss_an_exception)
{
	struct sleeper sleeper;

	tick_setup("period_ms=0");
	sleeper_start(&sleeper, sleep_in_select, tick_open(), NULL, 0);
	EXPECT_EQ(1, sleeper_result(&sleeper));
}

TEST(loss_is_counted_by_the_device)
{
	int fd;

	tick_setup("period_ms=0");
	fd = tick_open();
	wait_for_loss(fd);
	EXPECT_EQ(TICK_QUEUE, number_read("/sys/class/untwist/tick0/statistics/rx_bytes"));
	EXPECT_LE(take_lost(fd), number_read("/sys/class/untwist/tick0/statistics/rx_lost_bytes"));
	EXPECT_EQ(0, number_read("/sys/class/untwist/tick0/statistics/rx_lost_records"));
}

/* The data before it can still be read then, and so can this. */
TEST(loss_can_be_asked_for_when_the_device_is_gone)
{
	static char seen[TICK_QUEUE];
	int fd;

	tick_setup("period_ms=0");
	fd = tick_open();
	wait_for_loss(fd);
	ASSERT_EQ(0, module_unload("untwist_tick"));
	EXPECT_EQ(TICK_QUEUE, read(fd, seen, TICK_QUEUE));
	EXPECT_LE(1, take_lost(fd));
	EXPECT_EQ(0, take_lost(fd));
	EXPECT_ERRNO(ENODEV, read(fd, seen, 1));
}
