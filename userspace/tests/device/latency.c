// SPDX-License-Identifier: MIT
/* What debugfs tells of how long requests take. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <linux/untwist.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "requests.h"

#define LATENCY "/sys/kernel/debug/untwist/loop0/latency"

static void latency_setup(void)
{
	loop_setup();
	if (access("/sys/kernel/debug/untwist", F_OK) &&
	    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		SKIP("this kernel has no debugfs");
}

/* How many requests passed a stage, and of these how many took at least so long. */
static unsigned long passed(const char *stage, unsigned long long ns)
{
	char text[8000], name[16];
	unsigned long long from;
	unsigned long count, sum = 0;
	char *line;

	text_read(LATENCY, text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "%15s %llu %lu", name, &from, &count) == 3 &&
		    !strcmp(name, stage) && from >= ns)
			sum += count;
	return sum;
}

static void ask_late(int fd, unsigned int n, unsigned long long delay_ns)
{
	struct untwist_sqe sqe;
	unsigned int i;

	for (i = 0; i < n; i++) {
		sqe = request_echo(i, delay_ns, 0);
		ASSERT_EQ(1, requests_submit(fd, &sqe, 1));
		completion_read(fd);
	}
}

TEST(nothing_is_measured_unasked)
{
	char text[200];

	latency_setup();
	ask_late(requests_open(LOOP_STREAM, O_RDWR), 10, 0);
	text_read(LATENCY, text, sizeof(text));
	EXPECT_STREQ("# measuring: off\n# stage from-ns requests", text);
}

/* A stage takes at least as long as the timer in it. */
TEST(stage_that_takes_its_time_shows)
{
	static const char *const stages[] = { "submit", "driver", "post", "reap" };
	unsigned int i;
	int fd;

	latency_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, text_write(LATENCY, "1"));
	ask_late(fd, 10, 5000000);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(10, passed(stages[i], 0));
	/* 5 ms are more than 2^22 ns. */
	EXPECT_EQ(10, passed("driver", 1 << 22));
	ASSERT_EQ(0, text_write(LATENCY, "0"));
	ask_late(fd, 10, 0);
	EXPECT_EQ(10, passed("driver", 0));
	ASSERT_EQ(0, text_write(LATENCY, "1"));
	EXPECT_EQ(0, passed("driver", 0));
}

TEST(only_yes_and_no_are_understood)
{
	latency_setup();
	EXPECT_ERRNO(EINVAL, text_write(LATENCY, "perhaps"));
	EXPECT_EQ(0, passed("driver", 0));
}

TEST(file_that_is_open_outlives_the_device)
{
	char text[100];
	int fd;

	latency_setup();
	fd = open(LATENCY, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "1", 1));
	loop_unplug();
	EXPECT_TRUE(read(fd, text, sizeof(text)) < 0);
	EXPECT_TRUE(write(fd, "0", 1) < 0);
	EXPECT_ERRNO(ENOENT, open(LATENCY, O_RDONLY));
	loop_plug();
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, passed("driver", 0));
}
