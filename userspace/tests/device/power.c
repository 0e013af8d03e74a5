// SPDX-License-Identifier: MIT
/* Devices that sleep by themselves, and with the whole system. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "edu_device.h"
#include "harness.h"
#include "modules.h"
#include "requests.h"

#define EDU_POWER "/sys/class/untwist/edu0/device/power/"

/* The kernel's own test of its suspend: devices go to sleep, and a second later wake up. */
static void sleep_and_wake(void)
{
	if (text_write("/sys/power/pm_test", "devices"))
		SKIP("this kernel does not test its suspend");
	ASSERT_EQ(0, text_write("/sys/module/suspend/parameters/pm_test_delay", "1"));
	EXPECT_EQ(0, text_write("/sys/power/state", "freeze"));
	ASSERT_EQ(0, text_write("/sys/power/pm_test", "none"));
}

static void await_status(const char *wanted)
{
	char text[32];

	do {
		text_read(EDU_POWER "runtime_status", text, sizeof(text));
	} while (strcmp(text, wanted) != 0);
}

static void managed_edu(void)
{
	edu_setup("");
	if (access(EDU_POWER "control", F_OK))
		SKIP("this kernel has no runtime power management");
}

static int sleepy_edu(void)
{
	managed_edu();
	ASSERT_EQ(0, text_write(EDU_POWER "control", "auto"));
	return edu_open(0);
}

TEST(idle_device_sleeps_and_wakes_up_for_requests)
{
	struct untwist_sqe sqes[3] = { edu_factorial(1, 5), edu_factorial(2, 5),
				       edu_factorial(3, 5) };
	int fd = sleepy_edu();
	unsigned int i, round;

	for (round = 0; round < 5; round++) {
		/* Though it is open. */
		await_status("suspended");
		ASSERT_EQ(3, requests_submit(fd, sqes, 3));
		for (i = 0; i < 3; i++)
			EXPECT_EQ(120, completion_read(fd).value[0]);
	}
	await_status("suspended");
}

/* Its own requests are the core's, and take no hardware. */
TEST(core_does_not_wake_the_device)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	int fd = sleepy_edu();

	await_status("suspended");
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(0, completion_read(fd).res);
	await_status("suspended");
}

TEST(device_that_may_not_sleep_does_not)
{
	struct untwist_sqe sqe = edu_factorial(1, 5);
	char text[32];
	int fd;

	managed_edu();
	fd = edu_open(0);
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(120, completion_read(fd).value[0]);
	text_read(EDU_POWER "runtime_status", text, sizeof(text));
	EXPECT_STREQ("active", text);
}

TEST(sleeping_device_can_be_unbound)
{
	int fd = sleepy_edu();
	struct untwist_sqe sqe = edu_factorial(1, 5);

	await_status("suspended");
	edu_unbind();
	EXPECT_ERRNO(ENODEV, requests_submit(fd, &sqe, 1));
	edu_bind();
	fd = edu_open(0);
	ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
	EXPECT_EQ(120, completion_read(fd).value[0]);
}

/* A module of the kernel does not stop asking when programs are frozen. */
TEST(system_sleeps_while_a_module_asks)
{
	char text[64];
	long long before;
	int fd;

	edu_setup("");
	if (module_is_loaded("untwist_sampler"))
		ASSERT_EQ(0, module_unload("untwist_sampler"));
	module_load("untwist_sampler", "device=edu0 period_ms=1 arg0=5");
	fd = open("/dev/untwist/sampler0", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LE(4, read(fd, text, sizeof(text)));
	sleep_and_wake();
	before = number_read("/sys/class/untwist/edu0/statistics/completions");
	while (number_read("/sys/class/untwist/edu0/statistics/completions") < before + 10)
		;
	EXPECT_EQ(0, number_read("/sys/class/untwist/edu0/statistics/errors"));
	ASSERT_EQ(0, module_unload("untwist_sampler"));
}

TEST(system_sleeps_with_requests_in_flight)
{
	struct untwist_sqe sqes[20];
	unsigned int i;
	int fd;

	edu_setup("");
	fd = edu_open(0);
	for (i = 0; i < 20; i++)
		sqes[i] = edu_factorial(i, 10);
	ASSERT_EQ(20, requests_submit(fd, sqes, 20));
	sleep_and_wake();
	for (i = 0; i < 20; i++)
		EXPECT_EQ(factorial(10), completion_read(fd).value[0]);
}
