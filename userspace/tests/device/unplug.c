// SPDX-License-Identifier: MIT
/* Devices that go while they are in use, and modules that go with them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"
#include "sleeper.h"

#define GONE (POLLHUP | POLLERR)

static long sleep_in_poll(struct sleeper *sleeper)
{
	struct pollfd pfd = { .fd = sleeper->fd, .events = POLLIN };

	return poll(&pfd, 1, -1) < 0 ? -1 : pfd.revents;
}

TEST(blocked_reader_goes_home)
{
	struct sleeper sleeper;
	char byte;

	loop_setup();
	sleeper_start(&sleeper, sleep_in_read, loop_open(LOOP_STREAM, O_RDWR), &byte, 1);
	loop_unplug();
	EXPECT_EQ(-ENODEV, sleeper_result(&sleeper));
}

TEST(blocked_reader_of_records_goes_home)
{
	struct sleeper sleeper;
	char byte;

	loop_setup();
	sleeper_start(&sleeper, sleep_in_read, loop_open(LOOP_RECORD, O_RDWR), &byte, 1);
	loop_unplug();
	EXPECT_EQ(-ENODEV, sleeper_result(&sleeper));
}

TEST(blocked_writer_goes_home)
{
	struct sleeper sleeper;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	loop_fill(fd);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	sleeper_start(&sleeper, sleep_in_write, fd, "x", 1);
	loop_unplug();
	EXPECT_EQ(-ENODEV, sleeper_result(&sleeper));
}

TEST(blocked_writer_that_has_written_some_says_how_much)
{
	static char much[3 * LOOP_QUEUE];
	struct sleeper sleeper;

	loop_setup();
	sleeper_start(&sleeper, sleep_in_write, loop_open(LOOP_STREAM, O_RDWR), much, sizeof(much));
	loop_unplug();
	EXPECT_EQ(2 * LOOP_QUEUE, sleeper_result(&sleeper));
}

TEST(blocked_poller_is_told)
{
	struct sleeper sleeper;

	loop_setup();
	sleeper_start(&sleeper, sleep_in_poll, loop_open(LOOP_STREAM, O_RDWR), NULL, 0);
	loop_unplug();
	EXPECT_EQ(GONE, sleeper_result(&sleeper));
}

/* A request in flight ends, and only what comes after it is the end. */
TEST(blocked_reader_of_completions_gets_the_last_one)
{
	struct untwist_sqe forever = request_echo(9, REQUEST_FOREVER, 0);
	struct untwist_cqe cqe;
	struct sleeper sleeper;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &forever, 1));
	sleeper_start(&sleeper, sleep_in_read, fd, &cqe, sizeof(cqe));
	loop_unplug();
	EXPECT_EQ(sizeof(cqe), sleeper_result(&sleeper));
	EXPECT_EQ(9, cqe.user_data);
	EXPECT_EQ(-ENODEV, cqe.res);
	EXPECT_ERRNO(ENODEV, read(fd, &cqe, sizeof(cqe)));
}

TEST(all_kinds_of_sleepers_go_home_at_once)
{
	struct sleeper sleepers[12];
	char bytes[12];
	unsigned int i;

	loop_setup();
	for (i = 0; i < 12; i++)
		sleeper_start(&sleepers[i], i % 2 ? sleep_in_read : sleep_in_poll,
			      loop_open(i % 3 ? LOOP_STREAM : LOOP_RECORD, O_RDWR), &bytes[i], 1);
	loop_unplug();
	for (i = 0; i < 12; i++)
		EXPECT_EQ(i % 2 ? -ENODEV : GONE, sleeper_result(&sleepers[i]));
}

TEST(what_had_arrived_is_read_before_the_end)
{
	unsigned char buf[100];
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	pattern_make(buf, sizeof(buf), 0);
	ASSERT_EQ(sizeof(buf), write(fd, buf, sizeof(buf)));
	loop_unplug();
	EXPECT_EQ(60, read(fd, buf, 60));
	EXPECT_EQ(60, pattern_check(buf, 60, 0));
	EXPECT_EQ(40, read(fd, buf, 60));
	EXPECT_EQ(40, pattern_check(buf, 40, 60));
	EXPECT_ERRNO(ENODEV, read(fd, buf, 1));
}

/* The driver, which held back, is not there any more to be told of room. */
TEST(full_queue_is_drained_after_the_driver_is_unloaded)
{
	static unsigned char buf[LOOP_QUEUE];
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	ASSERT_EQ(2 * LOOP_QUEUE, loop_fill(fd));
	ASSERT_EQ(0, module_unload("untwist_loop"));
	EXPECT_EQ(sizeof(buf), read(fd, buf, sizeof(buf)));
	EXPECT_EQ(sizeof(buf), pattern_check(buf, sizeof(buf), 0));
	EXPECT_ERRNO(ENODEV, read(fd, buf, 1));
}

TEST(all_calls_on_a_gone_device_say_so)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	struct pollfd pfd = { .events = POLLIN | POLLOUT };
	struct untwist_info info;
	int fd, waiting = -1;
	char byte = 'x';

	loop_setup();
	pfd.fd = fd = loop_open(LOOP_STREAM, O_RDWR);
	loop_unplug();
	EXPECT_ERRNO(ENODEV, read(fd, &byte, 1));
	EXPECT_ERRNO(ENODEV, write(fd, &byte, 1));
	EXPECT_ERRNO(ENODEV, ioctl(fd, UNTWIST_IOC_GET_INFO, &info));
	EXPECT_ERRNO(ENODEV, requests_submit(fd, &nop, 1));
	EXPECT_ERRNO(ENODEV, requests_cancel(fd, 0));
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(0, waiting);
	EXPECT_EQ(1, poll(&pfd, 1, -1));
	EXPECT_EQ(GONE, pfd.revents);
	EXPECT_EQ(0, close(fd));
}

TEST(node_goes_and_the_next_one_of_that_name_is_another)
{
	char byte = 'x';
	int old, new;

	loop_setup();
	old = loop_open(LOOP_STREAM, O_RDWR);
	loop_unplug();
	EXPECT_ERRNO(ENOENT, open(LOOP_STREAM, O_RDWR));
	loop_plug();
	new = loop_open(LOOP_STREAM, O_RDWR);
	EXPECT_EQ(1, write(new, &byte, 1));
	EXPECT_ERRNO(ENODEV, read(old, &byte, 1));
	EXPECT_EQ(1, read(new, &byte, 1));
}

/* A program can be slow for ever: the device's end does not wait for it. */
TEST(unplug_does_not_wait_for_a_reader_in_its_own_memory)
{
	struct slow_page slow = pages_slow();
	struct sleeper reader;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, write(fd, "x", 1));
	sleeper_start(&reader, sleep_in_read, fd, slow.memory, 1);
	loop_unplug();
	pages_go_on(&slow);
	EXPECT_EQ(1, sleeper_result(&reader));
	EXPECT_EQ('x', *(char *)slow.memory);
}

/* Devices that stay as they were keep their files. */
TEST(other_devices_stay)
{
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, parameter_write("untwist_loop", "devices", "1"));
	EXPECT_ERRNO(ENOENT, open(LOOP_RECORD, O_RDWR));
	ASSERT_EQ(0, parameter_write("untwist_loop", "devices", "64"));
	EXPECT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(1, read(fd, &byte, 1));
	loop_plug();
	EXPECT_ERRNO(ENOENT, open("/dev/untwist/loop63", O_RDWR));
}

/* Modules. */

static void unload_drivers(void)
{
	static const char *const drivers[] = { "untwist_loop", "untwist_edu", "untwist_tick" };
	unsigned int i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (module_is_loaded(drivers[i]))
			ASSERT_EQ(0, module_unload(drivers[i]));
}

TEST(driver_is_unloaded_while_its_nodes_are_in_use)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	struct sleeper reader;
	char byte;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &forever, 1));
	sleeper_start(&reader, sleep_in_read, loop_open(LOOP_STREAM, O_RDWR), &byte, 1);
	EXPECT_EQ(0, module_unload("untwist_loop"));
	EXPECT_EQ(-ENODEV, sleeper_result(&reader));
	EXPECT_EQ(-ENODEV, completion_read(fd).res);
}

TEST(core_is_unloaded_only_when_the_last_file_is_closed)
{
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	EXPECT_ERRNO(EWOULDBLOCK, module_unload("untwist"));
	unload_drivers();
	EXPECT_ERRNO(EWOULDBLOCK, module_unload("untwist"));
	EXPECT_ERRNO(ENODEV, read(fd, &(char){ 0 }, 1));
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(0, module_unload("untwist"));
	EXPECT_FALSE(module_is_loaded("untwist"));
}
