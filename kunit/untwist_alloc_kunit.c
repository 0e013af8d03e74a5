// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation fails once: each sequence is run again and again, and the
 * first, the second, the third ... of its allocations or copies is made to
 * fail, until it comes through without a failure left to inject. No error path
 * is written down here, and yet each is taken.
 *
 * After a failure nothing may be left of the attempt: the same call succeeds
 * the next time, and the runner's leak check looks for the rest.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "device.h"
#include "fake.h"
#include "program.h"
#include "ring.h"

/* More steps than any sequence has. */
#define SWEEP_MAX 1000

#ifdef CONFIG_FAULT_INJECTION

static void inject(unsigned int nth)
{
	current->fail_nth = nth;
}

/* Returns true if the failure has happened. */
static bool injected(void)
{
	unsigned int left = current->fail_nth;

	current->fail_nth = 0;
	return !left;
}

#else

static void inject(unsigned int nth)
{
}

static bool injected(void)
{
	return false;
}

#endif

/* Small, so that all memory comes from where failures are injected. */
static const struct untwist_config small_stream = {
	.kind = UNTWIST_KIND_STREAM,
	.rx_size = 1024,
	.tx_size = 1024,
	.requests_max = 2,
};

/* These files take writes of programs only, so it takes memory of one. */
static int write_switch(struct program *p, const char *path, char value)
{
	struct file *file = filp_open(path, O_WRONLY, 0);
	char __user *memory = (char __user *)p->memory;
	loff_t pos = 0;
	ssize_t ret = -EFAULT;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!put_user(value, memory))
		ret = file->f_op->write(file, memory, 1, &pos);
	filp_close(file, NULL);
	return ret < 0 ? ret : 0;
}

/*
 * By default the allocations that may sleep are spared, and each failure is
 * reported with a stack. The switches stay as they are set here: they do
 * nothing until a thread asks for a failure.
 */
static struct program *start(struct kunit *test)
{
	struct program *p = program_new(test);

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "the kernel has no CONFIG_FAILSLAB");
	if (write_switch(p, "/sys/kernel/debug/failslab/ignore-gfp-wait", 'N') ||
	    write_switch(p, "/sys/kernel/debug/failslab/verbose", '0'))
		kunit_skip(test, "no switches in /sys/kernel/debug/failslab");
	if (IS_ENABLED(CONFIG_FAULT_INJECTION_USERCOPY))
		write_switch(p, "/sys/kernel/debug/fail_usercopy/verbose", '0');
	return p;
}

static void expect_swept(struct kunit *test, unsigned int steps, unsigned int least)
{
	kunit_info(test, "%u steps failed, one by one\n", steps);
	KUNIT_EXPECT_LT(test, steps, SWEEP_MAX);
	KUNIT_EXPECT_GE(test, steps, least);
}

static int minor_of(struct kunit *test, const struct untwist_config *config)
{
	struct untwist_device *ud = untwist_register(NULL, config);
	int minor;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ud);
	minor = MINOR(ud->dev.devt);
	untwist_unregister(ud);
	return minor;
}

static void register_leaves_nothing(struct kunit *test)
{
	const struct untwist_config config = {
		.name = "swept",
		.ops = &fake_ops_without_cancel,
		.kind = UNTWIST_KIND_STREAM,
	};
	bool failed = true;
	unsigned int nth;
	int minor;

	start(test);
	minor = minor_of(test, &config);
	for (nth = 0; failed && nth < SWEEP_MAX;) {
		struct untwist_device *ud;

		inject(++nth);
		ud = untwist_register(NULL, &config);
		failed = injected();
		if (IS_ERR(ud)) {
			KUNIT_ASSERT_TRUE(test, failed);
			KUNIT_ASSERT_EQ(test, -ENOMEM, (int)PTR_ERR(ud));
		} else {
			untwist_unregister(ud);
		}
	}
	expect_swept(test, nth - 1, 10);
	KUNIT_EXPECT_EQ(test, minor, minor_of(test, &config));
}

static void open_leaves_nothing(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = start(test);
	bool failed = true;
	unsigned int nth;
	int opens = 0;

	for (nth = 0; failed && nth < SWEEP_MAX;) {
		int ret;

		inject(++nth);
		ret = program_open_channel(p, fake);
		failed = injected();
		KUNIT_ASSERT_TRUE(test, !ret || (failed && ret == -ENOMEM));
		opens += !ret;
		program_close(p);
		KUNIT_ASSERT_TRUE(test, list_empty(&fake->ud->channels));
	}
	/* The channel and its two queues. */
	expect_swept(test, nth - 1, 3);
	KUNIT_EXPECT_EQ(test, opens, fake_calls(fake, FAKE_OPEN));
	KUNIT_EXPECT_EQ(test, opens, fake_calls(fake, FAKE_CLOSE));
}

/* On a channel of its own each time: the first submission makes the plane. */
static bool submit_once(struct kunit *test, struct program *p, struct fake *fake, u32 opcode,
			unsigned int nth)
{
	const struct untwist_sqe entry = {
		.opcode = opcode,
		.addr = program_payload(p, 0),
		.len = 100,
		.arg = { FAKE_COMPLETE },
	};
	struct untwist_submit submit = { .count = 1, .entry_size = sizeof(entry) };
	bool failed;
	int ret;

	KUNIT_ASSERT_EQ(test, 0, program_open_channel(p, fake));
	inject(nth);
	ret = program_submit_entries(p, &submit, &entry);
	failed = injected();
	if (ret != 1) {
		KUNIT_ASSERT_TRUE(test, failed);
		KUNIT_ASSERT_TRUE(test, ret == -ENOMEM || ret == -EFAULT);
		KUNIT_ASSERT_EQ(test, 0u, p->ch->requests.cq.in_use.counter);
		KUNIT_ASSERT_EQ(test, 0l, atomic_long_read(&p->ch->pinned));
		KUNIT_ASSERT_EQ(test, 1, program_submit_entries(p, &submit, &entry));
	}
	KUNIT_ASSERT_EQ(test, 0, program_await(p).res);
	program_close(p);
	return failed;
}

static void sweep_submission(struct kunit *test, u32 opcode)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = start(test);
	unsigned int nth = 1;

	while (nth < SWEEP_MAX && submit_once(test, p, fake, opcode, nth))
		nth++;
	/*
	 * Slots, completions and entry; payload and its copy, or the three parts
	 * of one in place; and the test's own copy.
	 */
	expect_swept(test, nth - 1, opcode == FAKE_OP_PAGES ? 7 : 6);
	KUNIT_EXPECT_EQ(test, (int)nth, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, (int)nth, fake_calls(fake, FAKE_CLOSE));
}

static void submission_leaves_nothing(struct kunit *test)
{
	sweep_submission(test, FAKE_OP_PAYLOAD);
}

static void submission_in_place_leaves_nothing(struct kunit *test)
{
	sweep_submission(test, FAKE_OP_PAGES);
	KUNIT_EXPECT_EQ(test, 0ll, (long long)atomic64_read(&current->mm->pinned_vm));
}

static bool set_up_once(struct kunit *test, struct program *p, struct fake *fake, u32 flags,
			unsigned int nth)
{
	struct untwist_ring_setup setup = { .flags = flags, .sq_entries = 4, .arena_size = 4096 };
	struct untwist_ring_setup again = setup;
	bool failed;
	int ret;

	KUNIT_ASSERT_EQ(test, 0, program_open_channel(p, fake));
	inject(nth);
	ret = untwist_ring_setup(p->ch, &setup);
	failed = injected();
	if (ret) {
		KUNIT_ASSERT_TRUE(test, failed);
		KUNIT_ASSERT_EQ(test, -ENOMEM, ret);
		KUNIT_ASSERT_NULL(test, p->ch->requests.ring);
		KUNIT_ASSERT_EQ(test, 0, untwist_ring_setup(p->ch, &again));
	}
	program_close(p);
	return failed;
}

static void ring_setup_leaves_nothing(struct kunit *test)
{
	static const u32 flags[] = { 0, UNTWIST_RING_SQPOLL };
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = start(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		unsigned int nth = 1;

		while (nth < SWEEP_MAX && set_up_once(test, p, fake, flags[i], nth))
			nth++;
		/* Slots and completions, the ring, its pages' list, and their mapping. */
		expect_swept(test, nth - 1, 5);
	}
}

/* Without room for them it cannot complete many times, and says so in its one completion. */
static bool post_once(struct kunit *test, struct program *p, struct fake *fake, unsigned int nth)
{
	const struct untwist_sqe entry = { .opcode = FAKE_OP_SHOTS,
					   .flags = UNTWIST_SQE_MULTISHOT };
	struct untwist_submit submit = { .count = 1, .entry_size = sizeof(entry) };
	struct untwist_request *req;
	bool failed;
	int ret;

	KUNIT_ASSERT_EQ(test, 0, program_open_channel(p, fake));
	inject(nth);
	ret = program_submit_entries(p, &submit, &entry);
	failed = injected();
	req = fake_take(fake);
	/* The kernel's own book-keeping may bear a failure. */
	if (!req) {
		KUNIT_ASSERT_TRUE(test, failed);
		if (ret == 1)
			KUNIT_ASSERT_EQ(test, -ENOMEM, program_await(p).res);
		KUNIT_ASSERT_EQ(test, 1, program_submit_entries(p, &submit, &entry));
		req = fake_take(fake);
	}
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_ASSERT_EQ(test, 0, untwist_post(req, 1, 0, 0));
	KUNIT_ASSERT_EQ(test, UNTWIST_CQE_F_MORE, program_await(p).flags);
	fake_complete(req, TEST_HERE, 2);
	KUNIT_ASSERT_EQ(test, 2, program_await(p).res);
	program_close(p);
	return failed;
}

static void multishot_leaves_nothing(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = start(test);
	unsigned int nth = 1;

	while (nth < SWEEP_MAX && post_once(test, p, fake, nth))
		nth++;
	/* Slots, completions, entry, the way of the many; and the test's own copy. */
	expect_swept(test, nth - 1, 5);
}

/* clang-format off */
static struct kunit_case alloc_cases[] = {
	KUNIT_CASE_SLOW(register_leaves_nothing),
	KUNIT_CASE(open_leaves_nothing),
	KUNIT_CASE(submission_leaves_nothing),
	KUNIT_CASE(submission_in_place_leaves_nothing),
	KUNIT_CASE(ring_setup_leaves_nothing),
	KUNIT_CASE(multishot_leaves_nothing),
	{}
};

/* clang-format on */

static struct kunit_suite alloc_suite = {
	.name = "untwist_alloc",
	.test_cases = alloc_cases,
};

kunit_test_suite(alloc_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist without memory");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
