// SPDX-License-Identifier: MIT
/* What a driver tells besides the data of one open: data for all of them, events, the end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "options.h"
#include "requests.h"
#include "sleeper.h"

static void expect_read(int fd, const char *text)
{
	char buf[100] = "";

	EXPECT_EQ(strlen(text), read(fd, buf, sizeof(buf) - 1));
	EXPECT_STREQ(text, buf);
}

static int poll_bits(int fd)
{
	struct pollfd pfd = {
		.fd = fd,
		.events = POLLIN | POLLRDNORM | POLLPRI | POLLRDHUP | POLLOUT | POLLWRNORM,
	};

	poll(&pfd, 1, 0);
	return pfd.revents;
}

static void ask(int fd, __u32 opcode, __u64 arg)
{
	struct untwist_sqe sqe = { .opcode = opcode, .arg = { arg } };

	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
}

/* Data for all. */

TEST(broadcast_reaches_all_opens)
{
	int fds[3], i;

	loop_setup();
	ASSERT_EQ(0, parameter_write("untwist_loop", "broadcast", "Y"));
	for (i = 0; i < 3; i++)
		fds[i] = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	ASSERT_EQ(2, write(fds[1], "hi", 2));
	for (i = 0; i < 3; i++)
		expect_read(fds[i], "hi");
	close(fds[0]);
	ASSERT_EQ(5, write(fds[1], "again", 5));
	expect_read(fds[2], "again");
}

TEST(broadcast_from_a_hard_interrupt_wakes_all_readers)
{
	struct sleeper sleepers[3];
	int fds[3], i;
	char bytes[3];

	loop_setup();
	loop_delay("100", "Y");
	ASSERT_EQ(0, parameter_write("untwist_loop", "broadcast", "Y"));
	for (i = 0; i < 3; i++) {
		fds[i] = loop_open(LOOP_STREAM, O_RDWR);
		sleeper_start(&sleepers[i], sleep_in_read, fds[i], &bytes[i], 1);
	}
	ASSERT_EQ(1, write(fds[0], "x", 1));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, sleeper_result(&sleepers[i]));
}

/* One does not read, and the others lose nothing by that. */
TEST(slow_open_loses_alone)
{
	static char block[4096], seen[4096];
	int writer, slow, i;

	loop_setup();
	ASSERT_EQ(0, parameter_write("untwist_loop", "broadcast", "Y"));
	writer = loop_open(LOOP_STREAM, O_RDWR);
	slow = loop_open(LOOP_STREAM, O_RDWR);
	for (i = 0; i < 20; i++) {
		memset(block, 'a' + i, sizeof(block));
		ASSERT_EQ(sizeof(block), write(writer, block, sizeof(block)));
		ASSERT_EQ(sizeof(seen), read(writer, seen, sizeof(seen)));
		EXPECT_EQ(0, memcmp(block, seen, sizeof(seen)));
	}
	EXPECT_EQ(0, options_take_lost(writer).bytes);
	EXPECT_EQ(20 * sizeof(block) - LOOP_QUEUE, options_take_lost(slow).bytes);
}

/* Opens come and go while others broadcast, from hard interrupts, and then the device goes. */
static long open_and_close(struct sleeper *sleeper)
{
	unsigned int i;

	for (i = 0; i < sleeper->len; i++)
		close(open(LOOP_STREAM, O_RDWR | O_CLOEXEC));
	return 0;
}

TEST(broadcast_meets_opens_closes_and_unplug)
{
	struct sleeper others[2];
	char byte;
	int fd, i;

	loop_setup();
	loop_delay("20", "Y");
	ASSERT_EQ(0, parameter_write("untwist_loop", "broadcast", "Y"));
	fd = loop_open(LOOP_STREAM, O_RDWR);
	for (i = 0; i < 2; i++)
		sleeper_run(&others[i], open_and_close, -1, NULL, 300);
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(1, write(fd, "x", 1));
		ASSERT_EQ(1, read(fd, &byte, 1));
	}
	ASSERT_EQ(1, write(fd, "x", 1));
	loop_unplug();
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, sleeper_result(&others[i]));
}

/* Events. */

TEST(event_is_told_until_it_is_fetched)
{
	struct untwist_events events;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ask(fd, UNTWIST_LOOP_OP_EVENT, 0x11);
	ask(fd, UNTWIST_LOOP_OP_EVENT, 0x80000000);
	EXPECT_EQ(POLLPRI | POLLOUT | POLLWRNORM, poll_bits(fd));
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_EVENTS, &events));
	EXPECT_EQ(0x80000011, events.events);
	EXPECT_EQ(0, events.reserved);
	EXPECT_EQ(POLLOUT | POLLWRNORM, poll_bits(fd));
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_EVENTS, &events));
	EXPECT_EQ(0, events.events);
}

TEST(event_is_fetched_by_who_can_take_it_and_after_the_end)
{
	struct untwist_events events;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ask(fd, UNTWIST_LOOP_OP_EVENT, 2);
	EXPECT_ERRNO(EFAULT, ioctl(fd, UNTWIST_IOC_GET_EVENTS, 16));
	EXPECT_ERRNO(EINVAL, ioctl(fd, IOC_SIZED(UNTWIST_IOC_GET_EVENTS, 4), &events));
	loop_unplug();
	EXPECT_TRUE(poll_bits(fd) & POLLPRI);
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_EVENTS, &events));
	EXPECT_EQ(2, events.events);
}

static long sleep_in_epoll_for_events(struct sleeper *sleeper)
{
	struct epoll_event event = { .events = EPOLLPRI | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, sleeper->fd, &event) ||
	    epoll_wait(epoll, &event, 1, -1) != 1)
		return -1;
	return event.events;
}

TEST(event_wakes_who_waits_for_it_alone)
{
	struct sleeper sleeper;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	sleeper_start(&sleeper, sleep_in_epoll_for_events, fd, NULL, 0);
	ASSERT_EQ(1, write(fd, "x", 1));
	ask(fd, UNTWIST_LOOP_OP_EVENT, 1);
	EXPECT_EQ(EPOLLPRI, sleeper_result(&sleeper));
}

TEST(signal_tells_of_an_event)
{
	const struct timespec limit = { .tv_sec = 30 };
	siginfo_t info;
	sigset_t set;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, fcntl(fd, F_SETSIG, SIGRTMIN));
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_ASYNC));
	ask(fd, UNTWIST_LOOP_OP_EVENT, 1);
	do
		ASSERT_EQ(SIGRTMIN, sigtimedwait(&set, &info, &limit));
	while (info.si_code != POLL_PRI);
	EXPECT_TRUE(info.si_band & POLLPRI);
}

/* The end. */

TEST(what_is_left_is_read_before_the_end)
{
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	ASSERT_EQ(4, write(fd, "last", 4));
	ask(fd, UNTWIST_LOOP_OP_END, 0);
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLRDHUP | POLLOUT | POLLWRNORM, poll_bits(fd));
	expect_read(fd, "last");
	expect_read(fd, "");
	expect_read(fd, "");
	EXPECT_TRUE(poll_bits(fd) & POLLRDHUP);
	EXPECT_EQ(4, write(fd, "more", 4));
	expect_read(fd, "");
	loop_unplug();
	EXPECT_TRUE(poll_bits(fd) & POLLHUP);
	expect_read(fd, "");
	EXPECT_ERRNO(ENODEV, write(fd, "x", 1));
}

TEST(end_wakes_all_readers)
{
	struct sleeper sleepers[3];
	char bytes[3];
	int fd, i;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR);
	for (i = 0; i < 3; i++)
		sleeper_start(&sleepers[i], sleep_in_read, fd, &bytes[i], 1);
	ask(fd, UNTWIST_LOOP_OP_END, 0);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, sleeper_result(&sleepers[i]));
}

static long sleep_in_exclusive_epoll(struct sleeper *sleeper)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, sleeper->fd, &event))
		return -1;
	return epoll_wait(epoll, &event, 1, -1);
}

TEST(end_wakes_exclusive_waiters_too)
{
	struct sleeper sleepers[4];
	int fd, i;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	for (i = 0; i < 4; i++)
		sleeper_start(&sleepers[i], sleep_in_exclusive_epoll, fd, NULL, 0);
	ask(fd, UNTWIST_LOOP_OP_END, 0);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(1, sleeper_result(&sleepers[i]));
}

/* A sender that goes on until there is no more finds that out. */
TEST(splice_sees_the_end)
{
	int pipes[2], fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(4, write(fd, "last", 4));
	ask(fd, UNTWIST_LOOP_OP_END, 0);
	EXPECT_EQ(4, splice(fd, NULL, pipes[1], NULL, 100, 0));
	EXPECT_EQ(0, splice(fd, NULL, pipes[1], NULL, 100, 0));
	expect_read(pipes[0], "last");
}
