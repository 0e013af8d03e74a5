// SPDX-License-Identifier: MIT
/* Who may open a device, how often, and how much of its memory is whose. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "options.h"
#include "requests.h"
#include "user.h"

#define CAPABILITY "17" /* CAP_SYS_RAWIO */
#define USER	   1000

static int limit_write(const char *name, const char *value)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/class/untwist/loop0/limits/%s", name);
	return text_write(path, value);
}

static long long limit_read(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/class/untwist/loop0/limits/%s", name);
	return number_read(path);
}

static int node_open(void)
{
	return open(LOOP_STREAM, O_RDWR | O_CLOEXEC);
}

/* Permissions. */

TEST(node_that_asks_for_a_capability_is_not_for_everybody)
{
	loop_setup_with("capability", CAPABILITY);
	ASSERT_EQ(0, chmod(LOOP_STREAM, 0666));
	EXPECT_LE(0, node_open());
	if (become_user(USER)) {
		EXPECT_ERRNO(EPERM, node_open());
		_exit(0);
	}
	EXPECT_EQ(1, number_read("/sys/class/untwist/loop0/statistics/opens"));
}

TEST(node_without_one_is_for_whom_its_mode_lets_in)
{
	loop_setup();
	if (become_user(USER)) {
		EXPECT_ERRNO(EACCES, node_open());
		_exit(0);
	}
	ASSERT_EQ(0, chmod(LOOP_STREAM, 0666));
	if (become_user(USER)) {
		EXPECT_LE(0, node_open());
		_exit(0);
	}
}

/* Opens. */

TEST(exclusive_device_has_one_open)
{
	int fd;

	loop_setup_with("exclusive", "Y");
	fd = node_open();
	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EBUSY, node_open());
	EXPECT_LE(0, dup(fd));
	ASSERT_EQ(0, close(fd));
	EXPECT_ERRNO(EBUSY, node_open());
	ASSERT_EQ(0, close_range(3, ~0U, 0));
	EXPECT_LE(0, node_open());
	EXPECT_ERRNO(EPERM, limit_write("opens_max", "2"));
	EXPECT_EQ(1, limit_read("opens_max"));
}

TEST(number_of_opens_is_limited)
{
	int fd;

	loop_setup();
	ASSERT_EQ(0, limit_write("opens_max", "2"));
	fd = node_open();
	ASSERT_LE(0, fd);
	ASSERT_LE(0, node_open());
	EXPECT_ERRNO(EBUSY, node_open());
	ASSERT_EQ(0, close(fd));
	EXPECT_LE(0, node_open());
	EXPECT_ERRNO(EBUSY, node_open());
}

TEST(number_of_opens_of_one_user_is_limited)
{
	loop_setup();
	ASSERT_EQ(0, chmod(LOOP_STREAM, 0666));
	ASSERT_EQ(0, limit_write("user_opens_max", "1"));
	ASSERT_LE(0, node_open());
	if (become_user(USER)) {
		EXPECT_LE(0, node_open());
		EXPECT_ERRNO(EDQUOT, node_open());
		_exit(0);
	}
	if (become_user(USER)) {
		EXPECT_LE(0, node_open());
		_exit(0);
	}
	/* Who has CAP_SYS_RESOURCE is not counted against. */
	EXPECT_LE(0, node_open());
}

/* What one user's opens hold in memory, all of a device's together. */
TEST(memory_of_one_user_is_limited)
{
	struct untwist_options larger = { .rx_size = 2 * LOOP_QUEUE };
	struct untwist_options small = { .rx_size = 4096, .tx_size = 4096 };

	loop_setup();
	ASSERT_EQ(0, chmod(LOOP_STREAM, 0666));
	ASSERT_EQ(0, limit_write("user_bytes_max", "300000"));
	ASSERT_LE(0, node_open());
	if (become_user(USER)) {
		int first = node_open(), second = node_open();

		EXPECT_LE(0, first);
		EXPECT_LE(0, second);
		EXPECT_ERRNO(EDQUOT, node_open());
		EXPECT_ERRNO(EDQUOT, options_try(first, &larger));
		EXPECT_EQ(0, options_try(second, &small));
		EXPECT_EQ(0, options_try(first, &larger));
		_exit(0);
	}
	if (become_user(USER)) {
		EXPECT_LE(0, node_open());
		_exit(0);
	}
	EXPECT_LE(0, node_open());
	EXPECT_LE(0, node_open());
}

/* Sizes. */

TEST(large_queues_take_a_capability)
{
	struct untwist_options large = { .rx_size = 1 << 21 };
	struct untwist_options allowed = { .rx_size = 1 << 20 };

	loop_setup();
	ASSERT_EQ(0, chmod(LOOP_STREAM, 0666));
	EXPECT_EQ(0, options_try(node_open(), &large));
	if (become_user(USER)) {
		int fd = node_open();

		EXPECT_EQ(0, options_try(fd, &allowed));
		EXPECT_ERRNO(EPERM, options_try(fd, &large));
		EXPECT_EQ(1 << 20, options_get(fd).rx_size);
		_exit(0);
	}
	ASSERT_EQ(0, limit_write("rx_size_max", "2097152"));
	if (become_user(USER)) {
		EXPECT_EQ(0, options_try(node_open(), &large));
		_exit(0);
	}
}

TEST(size_of_later_opens_is_the_administrators)
{
	int before, after;

	loop_setup();
	before = node_open();
	ASSERT_EQ(0, limit_write("rx_size", "4096"));
	ASSERT_EQ(0, limit_write("tx_size", "0x100000"));
	after = node_open();
	EXPECT_EQ(LOOP_QUEUE, options_get(before).rx_size);
	EXPECT_EQ(4096, options_get(after).rx_size);
	EXPECT_EQ(1 << 20, options_get(after).tx_size);
}

TEST(limits_have_limits)
{
	loop_setup();
	EXPECT_ERRNO(ERANGE, limit_write("rx_size", "1048577"));
	EXPECT_ERRNO(ERANGE, limit_write("rx_size_max", "16777217"));
	EXPECT_ERRNO(ERANGE, limit_write("tx_size_max", "65535"));
	EXPECT_ERRNO(EINVAL, limit_write("opens_max", "many"));
	EXPECT_ERRNO(EINVAL, limit_write("opens_max", "-1"));
	EXPECT_EQ(LOOP_QUEUE, limit_read("rx_size"));
	EXPECT_EQ(0, limit_read("opens_max"));
}

/* Memory. */

#define CGROUPS "/tmp/cgroups"
#define CGROUP	CGROUPS "/untwist"
#define MIB	(1 << 20)

static void cgroup_setup(const char *limit)
{
	mkdir(CGROUPS, 0755);
	if (mount("cgroup2", CGROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		SKIP("this kernel has no cgroups");
	if (text_write(CGROUPS "/cgroup.subtree_control", "+memory"))
		SKIP("this kernel has no memory cgroups");
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, text_write(CGROUP "/memory.max", limit));
	ASSERT_EQ(0, text_write(CGROUP "/cgroup.procs", "0"));
}

/* Comes back to what it was, but a moment after the close. */
static void expect_memory_below(long long bytes)
{
	while (number_read(CGROUP "/memory.current") >= bytes)
		sched_yield();
}

TEST(queues_are_charged_to_the_cgroup_of_the_program)
{
	long long before, after;
	int fd;

	loop_setup();
	cgroup_setup("max");
	fd = node_open();
	before = number_read(CGROUP "/memory.current");
	options_set(fd, (struct untwist_options){ .rx_size = 8 * MIB });
	after = number_read(CGROUP "/memory.current");
	EXPECT_LE(before + 8 * MIB - LOOP_QUEUE, after);
	close(fd);
	expect_memory_below(after - 7 * MIB);
}

TEST(queue_that_the_cgroup_has_no_memory_for_is_an_error)
{
	struct untwist_options large = { .rx_size = 8 * MIB };
	int fd, i;

	loop_setup();
	cgroup_setup("max");
	fd = node_open();
	ASSERT_EQ(0, text_write(CGROUP "/memory.max", "6M"));
	for (i = 0; i < 10; i++)
		EXPECT_ERRNO(ENOMEM, options_try(fd, &large));
	EXPECT_EQ(LOOP_QUEUE, options_get(fd).rx_size);
	EXPECT_EQ(3, write(fd, "abc", 3));
	EXPECT_EQ(0, options_try(fd, &(struct untwist_options){ .rx_size = 2 * MIB }));
}
