// SPDX-License-Identifier: MIT
/* A device on a device: a module of the kernel asks as a client, and publishes the answers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/untwist.h>
#include <linux/untwist_edu.h>
#include <linux/untwist_loop.h>

#include "edu_device.h"
#include "harness.h"
#include "loop.h"
#include "modules.h"

#define SAMPLER "/dev/untwist/sampler0"

static void sampler_setup(const char *options)
{
	if (module_is_loaded("untwist_sampler"))
		ASSERT_EQ(0, module_unload("untwist_sampler"));
	module_load("untwist_sampler", options);
}

static int sampler_open(void)
{
	int fd = open(SAMPLER, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	return fd;
}

/* One read may return several lines, or the rest of one. */
static void expect_lines(int fd, const char *line, unsigned int count)
{
	size_t len = strlen(line), at = 0, left = count * len;
	char text[256];
	ssize_t i, n;

	while (left) {
		n = read(fd, text, left < sizeof(text) ? left : sizeof(text));
		ASSERT_LE(1, n);
		for (i = 0; i < n; i++)
			ASSERT_EQ(line[at++ % len], text[i]);
		left -= (size_t)n;
	}
}

TEST(answers_of_another_device_are_published)
{
	loop_setup();
	sampler_setup("period_ms=1 arg0=1000 arg1=4711");
	expect_lines(sampler_open(), "4711\n", 5);
	EXPECT_LE(5, number_read("/sys/class/untwist/loop0/statistics/completions"));
	ASSERT_EQ(0, module_unload("untwist_sampler"));
}

TEST(error_is_an_answer)
{
	loop_setup();
	/* Later than the device can. */
	sampler_setup("period_ms=1 arg0=60000000001");
	expect_lines(sampler_open(), "error 34\n", 2);
	ASSERT_EQ(0, module_unload("untwist_sampler"));
}

TEST(all_who_listen_are_told)
{
	int fds[8];
	unsigned int i;

	loop_setup();
	sampler_setup("period_ms=1 opcode=17 arg1=8");
	for (i = 0; i < 8; i++)
		fds[i] = sampler_open();
	for (i = 0; i < 8; i++)
		expect_lines(fds[i], "8\n", 3);
	ASSERT_EQ(0, module_unload("untwist_sampler"));
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(open(SAMPLER, O_RDONLY) < 0);
}

TEST(device_that_is_not_there_cannot_be_asked)
{
	loop_setup();
	if (module_is_loaded("untwist_sampler"))
		ASSERT_EQ(0, module_unload("untwist_sampler"));
	EXPECT_NE(0, module_try("untwist_sampler", "device=nobody"));
	EXPECT_FALSE(module_is_loaded("untwist_sampler"));
	EXPECT_ERRNO(ENOENT, open(SAMPLER, O_RDONLY));
}

static void expect_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char text[256];
	ssize_t n;

	do {
		n = read(fd, text, sizeof(text));
	} while (n > 0);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(1, poll(&pfd, 1, -1));
	EXPECT_TRUE(pfd.revents & POLLHUP);
}

/* With a question in flight that would be answered in a minute. */
TEST(device_goes_with_the_one_below)
{
	int fd;

	loop_setup();
	sampler_setup("arg0=60000000000");
	fd = sampler_open();
	while (!number_read("/sys/class/untwist/loop0/statistics/requests"))
		;
	loop_unplug();
	expect_end(fd);
	ASSERT_EQ(0, module_unload("untwist_sampler"));
}

TEST(driver_below_can_be_removed_at_any_time)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		loop_setup();
		sampler_setup("period_ms=0 opcode=17");
		expect_lines(sampler_open(), "0\n", 1 + i % 3);
		ASSERT_EQ(0, module_unload("untwist_loop"));
		ASSERT_EQ(0, module_unload("untwist_sampler"));
	}
}

/* Neither waits for a question that takes its time. */
TEST(client_can_be_removed_with_a_question_in_flight)
{
	loop_setup();
	sampler_setup("arg0=60000000000");
	while (!number_read("/sys/class/untwist/loop0/statistics/requests"))
		;
	ASSERT_EQ(0, module_unload("untwist_sampler"));
	EXPECT_EQ(1, number_read("/sys/class/untwist/loop0/statistics/cancels"));
}

TEST(hardware_is_asked)
{
	edu_setup("");
	sampler_setup("device=edu0 period_ms=1 arg0=7");
	expect_lines(sampler_open(), "5040\n", 5);
	edu_unbind();
	ASSERT_EQ(0, module_unload("untwist_sampler"));
	edu_bind();
}
