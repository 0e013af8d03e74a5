// SPDX-License-Identifier: MIT
/*
 * A system that goes to sleep freezes its programs. The kernel's own test of
 * that freezes them and thaws them a second later, and goes no further.
 */
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "sleeper.h"

static void freeze_and_thaw(void)
{
	if (text_write("/sys/power/pm_test", "freezer"))
		SKIP("this kernel does not test its freezer");
	ASSERT_EQ(0, text_write("/sys/module/suspend/parameters/pm_test_delay", "1"));
	ASSERT_EQ(0, text_write("/sys/power/state", "freeze"));
	ASSERT_EQ(0, text_write("/sys/power/pm_test", "none"));
}

/* To a program it is as if no time had passed: a write that is half done goes on. */
TEST(call_that_waits_does_not_see_the_freezer)
{
	static char much[3 * LOOP_QUEUE], seen[LOOP_QUEUE];
	struct sleeper reader, writer;
	char byte;
	int full, empty;
	size_t done;
	ssize_t n;

	loop_setup();
	full = loop_open(LOOP_STREAM, O_RDWR);
	empty = loop_open(LOOP_STREAM, O_RDWR);
	sleeper_start(&writer, sleep_in_write, full, much, sizeof(much));
	sleeper_start(&reader, sleep_in_read, empty, &byte, 1);
	freeze_and_thaw();
	EXPECT_TRUE(sleeper_sleeps(&writer));
	EXPECT_TRUE(sleeper_sleeps(&reader));

	for (done = 0; done < sizeof(much); done += n) {
		n = read(full, seen, sizeof(seen));
		ASSERT_LE(1, n);
	}
	EXPECT_EQ(sizeof(much), sleeper_result(&writer));
	ASSERT_EQ(1, write(empty, "x", 1));
	EXPECT_EQ(1, sleeper_result(&reader));
}
