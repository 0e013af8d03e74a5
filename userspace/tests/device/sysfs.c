// SPDX-License-Identifier: MIT
/* What is told in files: statistics, the node, parameters, the state of an open file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/untwist.h>
#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "options.h"
#include "requests.h"
#include "sleeper.h"

static long long statistic(const char *device, const char *name)
{
	char path[120];

	snprintf(path, sizeof(path), "/sys/class/untwist/%s/statistics/%s", device, name);
	return number_read(path);
}

static void expect_attribute(const char *expected, const char *path)
{
	char text[100];

	text_read(path, text, sizeof(text));
	EXPECT_STREQ(expected, text);
}

TEST(device_says_its_kind_and_its_driver)
{
	loop_setup();
	expect_attribute("stream", "/sys/class/untwist/loop0/kind");
	expect_attribute("record", "/sys/class/untwist/loop1/kind");
	expect_attribute("untwist_loop", "/sys/class/untwist/loop0/driver_name");
}

static void expect_uevent(const char *device, const char *line)
{
	char path[80], text[500];

	snprintf(path, sizeof(path), "/sys/class/untwist/%s/uevent", device);
	text_read(path, text, sizeof(text));
	if (!strstr(text, line))
		printf("# no \"%s\" in:\n%s\n", line, text);
	EXPECT_TRUE(strstr(text, line));
}

TEST(rules_of_udev_have_something_to_match)
{
	loop_setup();
	expect_uevent("loop0", "DEVNAME=untwist/loop0\n");
	expect_uevent("loop0", "DEVTYPE=untwist\n");
	expect_uevent("loop0", "UNTWIST_NAME=loop0\n");
	expect_uevent("loop0", "UNTWIST_DRIVER=untwist_loop\n");
	expect_uevent("loop0", "UNTWIST_KIND=stream\n");
	expect_uevent("loop1", "UNTWIST_KIND=record\n");
	expect_uevent("loop0", "UNTWIST_REQUESTS=1");
}

TEST(node_is_for_root_and_its_group)
{
	struct stat node;

	loop_setup();
	ASSERT_EQ(0, stat(LOOP_STREAM, &node));
	EXPECT_TRUE(S_ISCHR(node.st_mode));
	EXPECT_EQ(0660, node.st_mode & 07777);
	EXPECT_EQ(0, node.st_uid);
	EXPECT_EQ(0, node.st_gid);
}

TEST(fresh_device_has_counted_nothing)
{
	static const char *const names[] = {
		"opens",    "rx_bytes",	  "rx_records", "rx_lost_bytes", "rx_lost_records",
		"tx_bytes", "tx_records", "wakeups",	"requests",	 "completions",
		"errors",   "cancels",	  "misuses",
	};
	unsigned int i;

	loop_setup();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT_EQ(0, statistic("loop0", names[i]));
}

TEST(bytes_are_counted)
{
	char buf[300] = "";
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(300, write(fd, buf, 300));
	ASSERT_EQ(100, read(fd, buf, 100));
	EXPECT_EQ(2, statistic("loop0", "opens"));
	EXPECT_EQ(300, statistic("loop0", "tx_bytes"));
	EXPECT_EQ(300, statistic("loop0", "rx_bytes"));
	EXPECT_EQ(0, statistic("loop0", "tx_records"));
	EXPECT_EQ(0, statistic("loop0", "wakeups"));
	EXPECT_EQ(0, statistic("loop1", "opens"));
}

TEST(records_are_counted)
{
	int fd, i;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(7, write(fd, "a bunch", 7));
	EXPECT_EQ(5, statistic("loop1", "tx_records"));
	EXPECT_EQ(5, statistic("loop1", "rx_records"));
	EXPECT_EQ(35, statistic("loop1", "tx_bytes"));
	EXPECT_EQ(35, statistic("loop1", "rx_bytes"));
	EXPECT_EQ(0, statistic("loop1", "rx_lost_records"));
}

TEST(wakeups_are_counted_when_somebody_sleeps)
{
	struct sleeper sleeper;
	char byte;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	sleeper_start(&sleeper, sleep_in_read, fd, &byte, 1);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(1, sleeper_result(&sleeper));
	EXPECT_EQ(1, statistic("loop0", "wakeups"));
}

TEST(requests_are_counted)
{
	struct untwist_sqe sqes[4] = {
		{ .opcode = UNTWIST_OP_NOP },
		{ .opcode = 7 },
		request_echo(1, REQUEST_FOREVER, 0),
		request_echo(2, REQUEST_FOREVER, 0),
	};
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(4, requests_submit(fd, sqes, 4));
	ASSERT_EQ(0, requests_cancel(fd, 1));
	completion_read(fd);
	completion_read(fd);
	completion_read(fd);
	EXPECT_EQ(4, statistic("loop0", "requests"));
	EXPECT_EQ(3, statistic("loop0", "completions"));
	EXPECT_EQ(2, statistic("loop0", "errors"));
	EXPECT_EQ(1, statistic("loop0", "cancels"));
	EXPECT_EQ(0, statistic("loop0", "misuses"));
}

static void expect_fdinfo(int fd, const char *line)
{
	char path[40], text[1000];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	text_read(path, text, sizeof(text));
	if (!strstr(text, line))
		printf("# no \"%s\" in:\n%s\n", line, text);
	EXPECT_TRUE(strstr(text, line));
}

TEST(open_file_says_what_is_queued)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	expect_fdinfo(fd, "untwist-bytes:\t131072\n");
	ASSERT_EQ(3, write(fd, "abc", 3));
	ASSERT_EQ(1, requests_submit(fd, &forever, 1));
	expect_fdinfo(fd, "untwist-device:\tloop0\n");
	expect_fdinfo(fd, "untwist-rx-bytes:\t3\n");
	expect_fdinfo(fd, "untwist-tx-bytes:\t0\n");
	expect_fdinfo(fd, "untwist-requests:\t1");
	expect_fdinfo(fd, "untwist-bytes:\t");
	loop_unplug();
	expect_fdinfo(fd, "untwist-device:\tloop0\n");
}

TEST(open_file_says_what_it_has_chosen)
{
	struct untwist_sqe event = { .opcode = UNTWIST_LOOP_OP_EVENT, .arg = { 5 } };
	int fd;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR);
	expect_fdinfo(fd, "untwist-rx-size:\t65536\n");
	expect_fdinfo(fd, "untwist-overflow:\tdrop-newest\n");
	expect_fdinfo(fd, "untwist-headers:\t0\n");
	expect_fdinfo(fd, "untwist-events:\t0x0\n");
	options_set(fd,
		    (struct untwist_options){ .rx_size = 100000,
					      .overflow = UNTWIST_OVERFLOW_BLOCK,
					      .flags = UNTWIST_OPT_HEADERS });
	ASSERT_EQ(1, requests_submit(fd, &event, 1));
	expect_fdinfo(fd, "untwist-plane:\tdata\n");
	expect_fdinfo(fd, "untwist-rx-size:\t131072\n");
	expect_fdinfo(fd, "untwist-tx-size:\t65536\n");
	expect_fdinfo(fd, "untwist-overflow:\tblock\n");
	expect_fdinfo(fd, "untwist-headers:\t1\n");
	expect_fdinfo(fd, "untwist-events:\t0x5\n");
	expect_fdinfo(fd, "untwist-lost-bytes:\t0\n");
	expect_fdinfo(fd, "untwist-lost-records:\t0\n");
	expect_fdinfo(fd, "untwist-ended:\t0\n");
	expect_fdinfo(fd, "untwist-gone:\t0\n");
	loop_unplug();
	expect_fdinfo(fd, "untwist-gone:\t1\n");
	expect_fdinfo(fd, "untwist-overflow:\tblock\n");
}

TEST(number_of_devices_has_limits)
{
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	EXPECT_ERRNO(ERANGE, parameter_write("untwist_loop", "devices", "1000"));
	EXPECT_ERRNO(ERANGE, parameter_write("untwist_loop", "devices", "65"));
	EXPECT_ERRNO(EINVAL, parameter_write("untwist_loop", "devices", "many"));
	EXPECT_ERRNO(EINVAL, parameter_write("untwist_loop", "devices", "-1"));
	expect_attribute("2", "/sys/module/untwist_loop/parameters/devices");
	EXPECT_EQ(1, write(fd, &byte, 1));
}

TEST(kinds_are_words_that_are_known)
{
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	EXPECT_ERRNO(EINVAL, parameter_write("untwist_loop", "kinds", "foo"));
	EXPECT_ERRNO(EINVAL, parameter_write("untwist_loop", "kinds", "stream,,record"));
	EXPECT_ERRNO(EINVAL, parameter_write("untwist_loop", "kinds", "none"));
	EXPECT_ERRNO(EINVAL,
		     parameter_write("untwist_loop", "kinds",
				     "stream,stream,stream,stream,stream,stream,stream,"
				     "stream,stream"));
	expect_attribute("stream,record", "/sys/module/untwist_loop/parameters/kinds");
	EXPECT_EQ(1, write(fd, &byte, 1));
}

TEST(kinds_take_turns)
{
	loop_setup();
	ASSERT_EQ(0, parameter_write("untwist_loop", "devices", "3"));
	ASSERT_EQ(0, parameter_write("untwist_loop", "kinds", "record,stream\n"));
	expect_attribute("record", "/sys/class/untwist/loop0/kind");
	expect_attribute("stream", "/sys/class/untwist/loop1/kind");
	expect_attribute("record", "/sys/class/untwist/loop2/kind");
}

/* A device that changes its kind is a new one; one that does not goes on. */
TEST(changed_kind_ends_the_files_of_that_device_alone)
{
	int stream, record;

	loop_setup();
	stream = loop_open(LOOP_STREAM, O_RDWR);
	record = loop_open(LOOP_RECORD, O_RDWR);
	ASSERT_EQ(0, parameter_write("untwist_loop", "kinds", "stream"));
	EXPECT_EQ(1, write(stream, "x", 1));
	EXPECT_ERRNO(ENODEV, write(record, "x", 1));
}

TEST(parameters_are_taken_when_the_module_is_loaded)
{
	loop_setup();
	ASSERT_EQ(0, module_unload("untwist_loop"));
	module_load("untwist_loop", "devices=4 kinds=record,stream delay_us=5");
	expect_attribute("stream", "/sys/class/untwist/loop3/kind");
	expect_attribute("5", "/sys/module/untwist_loop/parameters/delay_us");
	EXPECT_TRUE(access("/dev/untwist/loop4", F_OK));
}
