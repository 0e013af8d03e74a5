// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the log says while an unregister, or the close of a client, waits for a
 * driver that does not let go.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kmsg_dump.h>
#include <linux/module.h>
#include <linux/string.h>

#include "asker.h"
#include "channel.h"
#include "program.h"
#include "thread.h"

static void tell_every_second(struct kunit *test)
{
	struct file *file = filp_open("/sys/module/untwist/parameters/holdup_seconds", O_WRONLY, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, 1l, kernel_write(file, "1", 1, NULL));
	filp_close(file, NULL);
}

static bool log_has(const char *text)
{
	struct kmsg_dump_iter iter;
	char line[400];
	size_t len;

	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* Each device of these tests has a name of its own, so that a line is of this run. */
static struct fake *stubborn_fake(struct kunit *test, const char *name)
{
	const struct untwist_config config = { .name = name, .kind = UNTWIST_KIND_NONE };
	struct fake *fake = fake_register(test, &config);

	fake->keeps = true;
	tell_every_second(test);
	return fake;
}

static void await_log(struct kunit *test, const char *name, const char *what)
{
	unsigned long end = jiffies + TEST_LIMIT;
	char text[120];

	snprintf(text, sizeof(text), "untwist %s: %s", name, what);
	while (!log_has(text)) {
		KUNIT_ASSERT_TRUE_MSG(test, time_before(jiffies, end), "no \"%s\"", text);
		cond_resched();
	}
}

static int unregistering_thread(void *fake)
{
	fake_unregister(fake);
	return 0;
}

static void unregister_tells_whom_it_waits_for(struct kunit *test)
{
	struct fake *fake = stubborn_fake(test, "stubborn0");
	struct program *p = program_start(test, fake, 0);
	struct test_thread *thread;
	char who[100];

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 4711 }));
	thread = test_thread_start(test, unregistering_thread, fake);
	snprintf(who, sizeof(who), "unregister has waited 1 s for channel 1, opened by %s (pid %d)",
		 current->comm, task_tgid_nr(current));
	await_log(test, "stubborn0", who);
	await_log(test, "stubborn0",
		  "channel 1: request 0x1000, opcode 16 (plain), user_data 4711, is ");
	fake_complete_held(fake, 0);
	test_thread_join(test, thread);
	KUNIT_EXPECT_TRUE(test, log_has("with the driver, which was asked to cancel it"));
}

static int closing_thread(void *asker)
{
	asker_close(asker);
	return 0;
}

/* All of them, but not a line for each. */
static void close_tells_of_so_many_requests(struct kunit *test)
{
	struct fake *fake = stubborn_fake(test, "stubborn1");
	struct asker *asker = asker_start(test, fake);
	struct test_thread *thread;
	unsigned int i;

	for (i = 0; i < 11; i++)
		KUNIT_ASSERT_EQ(test, 0, question_ask(question_new(asker, FAKE_HOLD, 0)));
	thread = test_thread_start(test, closing_thread, asker);
	await_log(test, "stubborn1", "the close of a client has waited 1 s for channel 1");
	await_log(test, "stubborn1", "channel 1: and 3 more requests");
	fake_complete_held(fake, 0);
	test_thread_join(test, thread);
}

/* clang-format off */
static struct kunit_case holdup_cases[] = {
	KUNIT_CASE_SLOW(unregister_tells_whom_it_waits_for),
	KUNIT_CASE_SLOW(close_tells_of_so_many_requests),
	{}
};

/* clang-format on */

static struct kunit_suite holdup_suite = {
	.name = "untwist_holdup",
	.test_cases = holdup_cases,
};

kunit_test_suite(holdup_suite);

MODULE_DESCRIPTION("KUnit suite of what the log says of who holds things up");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
