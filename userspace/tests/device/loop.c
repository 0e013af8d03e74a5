// SPDX-License-Identifier: MIT
/* The devices that return what they are given, as the tests want them. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "pattern.h"

void loop_delay(const char *us, const char *hard_irq)
{
	ASSERT_EQ(0, parameter_write("untwist_loop", "delay_us", us));
	ASSERT_EQ(0, parameter_write("untwist_loop", "hard_irq", hard_irq));
}

void loop_unplug(void)
{
	ASSERT_EQ(0, parameter_write("untwist_loop", "devices", "0"));
}

void loop_plug(void)
{
	ASSERT_EQ(0, parameter_write("untwist_loop", "devices", "2"));
}

void loop_plug_one(void)
{
	ASSERT_EQ(0, parameter_write("untwist_loop", "devices", "1"));
}

void loop_setup(void)
{
	if (!module_is_loaded("untwist_loop"))
		module_load("untwist_loop", "");
	loop_delay("0", "N");
	loop_unplug();
	ASSERT_EQ(0, parameter_write("untwist_loop", "broadcast", "N"));
	ASSERT_EQ(0, parameter_write("untwist_loop", "exclusive", "N"));
	ASSERT_EQ(0, parameter_write("untwist_loop", "capability", "0"));
	ASSERT_EQ(0, parameter_write("untwist_loop", "kinds", "stream,record"));
	loop_plug();
}

void loop_setup_with(const char *parameter, const char *value)
{
	loop_setup();
	loop_unplug();
	ASSERT_EQ(0, parameter_write("untwist_loop", parameter, value));
	loop_plug();
}

int loop_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	ASSERT_LE(0, fd);
	return fd;
}

size_t loop_fill(int fd)
{
	static unsigned char block[LOOP_RECORD_MAX];
	size_t filled = 0;
	ssize_t n;

	for (;;) {
		pattern_make(block, sizeof(block), filled);
		n = write(fd, block, sizeof(block));
		if (n < 0)
			break;
		filled += n;
	}
	ASSERT_EQ(EAGAIN, errno);
	return filled;
}
