// SPDX-License-Identifier: MIT
/* What a program chooses about its queues. */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness.h"
#include "options.h"

int options_try(int fd, struct untwist_options *options)
{
	return ioctl(fd, UNTWIST_IOC_SET_OPTIONS, options);
}

struct untwist_options options_get(int fd)
{
	struct untwist_options options;

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_OPTIONS, &options));
	return options;
}

void options_set(int fd, struct untwist_options options)
{
	ASSERT_EQ(0, options_try(fd, &options));
}

struct untwist_lost options_take_lost(int fd)
{
	struct untwist_lost lost;

	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_GET_LOST, &lost));
	return lost;
}

unsigned int stamped_read(int fd, struct stamped *stamped)
{
	ssize_t n;

	memset(stamped, 0, sizeof(*stamped));
	n = read(fd, stamped, sizeof(*stamped) - 1);
	ASSERT_LE((ssize_t)sizeof(stamped->header) + 1, n);
	EXPECT_EQ(n - (ssize_t)sizeof(stamped->header), stamped->header.length);
	return stamped->header.length;
}
