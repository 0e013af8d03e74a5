// SPDX-License-Identifier: GPL-2.0-only
/*
 * One open file: when the driver is called, and when it never is again; who is
 * woken, and how.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "thread.h"
#include "watch.h"

static void expect_order(struct kunit *test, struct fake *fake, const enum fake_call *want, int n)
{
	int i;

	KUNIT_ASSERT_EQ(test, n, atomic_read(&fake->ordered));
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, want[i], fake->order[i]);
}

static int unregister(void *fake)
{
	fake_unregister(fake);
	return 0;
}

/* Open and close. */

static void close_follows_open_once(struct kunit *test)
{
	static const enum fake_call want[] = { FAKE_OPEN, FAKE_CLOSE, FAKE_OPEN, FAKE_CLOSE };
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);

	program_close(p);
	KUNIT_ASSERT_EQ(test, 0, program_open(p, fake, 0));
	fake_unregister(fake);
	program_close(p);
	expect_order(test, fake, want, ARRAY_SIZE(want));
}

static void failed_open_is_not_closed(struct kunit *test)
{
	static const enum fake_call want[] = { FAKE_OPEN, FAKE_OPEN, FAKE_CLOSE };
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_new(test);

	fake->open_ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, -EBUSY, program_open(p, fake, 0));
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->ud->channels));
	fake->open_ret = 0;
	KUNIT_EXPECT_EQ(test, 0, program_open(p, fake, 0));
	program_close(p);
	expect_order(test, fake, want, ARRAY_SIZE(want));
}

static void channels_are_separate(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *one = program_start(test, fake, O_NONBLOCK);
	struct program *two = program_start(test, fake, O_NONBLOCK);
	char c;

	KUNIT_EXPECT_NE(test, one->ch->id, two->ch->id);
	untwist_channel_set_drvdata(one->ch, one);
	KUNIT_EXPECT_PTR_EQ(test, (void *)one, untwist_channel_drvdata(one->ch));
	KUNIT_EXPECT_NULL(test, untwist_channel_drvdata(two->ch));
	KUNIT_EXPECT_PTR_EQ(test, fake->ud, untwist_channel_device(two->ch));
	KUNIT_EXPECT_EQ(test, 1ul, untwist_push(two->ch, "2", 1));
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_read(one->file, &c, 1, NULL));
	program_close(one);
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(two->file, &c, 1, NULL));
}

/* Shut by the unplug and by the close of the file: the second does nothing. */
static void shut_counts_once(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);

	untwist_channel_shut(p->ch);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	untwist_channel_shut(p->ch);
	program_close(p);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
}

/* Who is inside keeps the driver from closing; the last one out closes. */
static void close_waits_for_users(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_TRUE(test, untwist_channel_enter(p->ch));
	KUNIT_ASSERT_TRUE(test, untwist_channel_enter(p->ch));
	untwist_channel_kill(p->ch);
	untwist_channel_shut(p->ch);
	KUNIT_EXPECT_FALSE(test, untwist_channel_enter(p->ch));
	untwist_channel_leave(p->ch, 1);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_FALSE(test, completion_done(&p->ch->closed));
	untwist_channel_leave(p->ch, 1);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_TRUE(test, completion_done(&p->ch->closed));
}

static void put_device_action(void *dev)
{
	put_device(dev);
}

static void open_of_a_dead_device(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct untwist_device *ud = fake->ud;

	get_device(&ud->dev);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_device_action, &ud->dev));
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, -ENODEV, (int)PTR_ERR(untwist_channel_open(ud)));
	KUNIT_EXPECT_EQ(test, -ENOENT, program_open(program_new(test), fake, 0));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_OPEN));
}

/* Unplug waits for what runs. */

struct opening {
	struct program *p;
	struct fake *fake;
};

static int open_channel(void *arg)
{
	struct opening *opening = arg;

	return program_open_channel(opening->p, opening->fake);
}

static void put_channel_action(void *ch)
{
	untwist_channel_put(ch);
}

/* The one channel, which is not opened yet. */
static struct untwist_channel *newborn(struct kunit *test, struct untwist_device *ud)
{
	struct untwist_channel *ch;

	mutex_lock(&ud->lock);
	ch = list_first_entry(&ud->channels, struct untwist_channel, link);
	kref_get(&ch->ref);
	mutex_unlock(&ud->lock);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_channel_action, ch));
	return ch;
}

static void run_unregister_during_open(struct kunit *test, int open_ret)
{
	struct opening *opening = kunit_kzalloc(test, sizeof(*opening), GFP_KERNEL);
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_new(test);
	struct test_thread *opener, *unregisterer;
	struct untwist_channel *ch;

	KUNIT_ASSERT_NOT_NULL(test, opening);
	*opening = (struct opening){ .p = p, .fake = fake };
	fake->open_ret = open_ret;
	fake_gate_shut(fake, FAKE_OPEN);
	opener = test_thread_start(test, open_channel, opening);
	fake_gate_await(test, fake, FAKE_OPEN);
	ch = newborn(test, fake->ud);
	unregisterer = test_thread_start(test, unregister, fake);
	watch_until_unplug_waits(test, ch);
	fake_gate_open(fake, FAKE_OPEN);
	KUNIT_EXPECT_EQ(test, open_ret, test_thread_join(test, opener));
	test_thread_join(test, unregisterer);
	KUNIT_EXPECT_EQ(test, !open_ret, fake_calls(fake, FAKE_CLOSE));
}

static void unregister_waits_for_open(struct kunit *test)
{
	run_unregister_during_open(test, 0);
}

static void unregister_waits_for_open_that_fails(struct kunit *test)
{
	run_unregister_during_open(test, -EIO);
}

static void unregister_waits_for_transmit(struct kunit *test)
{
	const struct untwist_config config = {
		.kind = UNTWIST_KIND_STREAM,
		.flags = UNTWIST_DEFER,
	};
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct test_thread *unregisterer;

	fake_gate_shut(fake, FAKE_TRANSMIT);
	KUNIT_EXPECT_EQ(test, 1l, kernel_write(p->file, "x", 1, NULL));
	fake_gate_await(test, fake, FAKE_TRANSMIT);
	unregisterer = test_thread_start(test, unregister, fake);
	watch_until_unplug_waits(test, p->ch);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CLOSE));
	fake_gate_open(fake, FAKE_TRANSMIT);
	test_thread_join(test, unregisterer);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
}

/* Wake-ups. */

#define WATCHES 4

static void start_watches(struct kunit *test, struct program *p, struct watch **watches)
{
	int i;

	for (i = 0; i < WATCHES; i++)
		watches[i] = watch_start_exclusive(test, p->ch);
}

static int count_wakes(struct watch **watches)
{
	int wakes = 0;
	int i;

	for (i = 0; i < WATCHES; i++)
		wakes += atomic_read(&watches[i]->wakes);
	return wakes;
}

static void data_wakes_one_of_the_exclusive(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);
	struct watch *watches[WATCHES];

	start_watches(test, p, watches);
	untwist_push(p->ch, "x", 1);
	KUNIT_EXPECT_EQ(test, 1, count_wakes(watches));
}

/* Without a key: a key would leave the others asleep on a dead device. */
static void unplug_wakes_all_of_the_exclusive(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_STREAM);
	struct program *p = program_start(test, fake, 0);
	struct watch *watches[WATCHES];
	int i;

	start_watches(test, p, watches);
	fake_unregister(fake);
	for (i = 0; i < WATCHES; i++) {
		KUNIT_EXPECT_EQ(test, 1, atomic_read(&watches[i]->wakes));
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&watches[i]->keys));
	}
}

static void completions_wake_readers(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, 0);
	const struct ask asks[] = { { 1 }, { 2 }, { 3 } };
	struct watch *watch;

	KUNIT_ASSERT_EQ(test, 3, program_submit(p, asks, 3));
	watch = watch_start(test, p->ch);
	fake_complete(fake_take(fake), TEST_HARDIRQ, 0);
	watch_wait(test, watch);
	EXPECT_BITS(test, EPOLLIN | EPOLLRDNORM, watch_keys(watch));
	fake_complete_held(fake, 0);
}

/* clang-format off */
static struct kunit_case channel_cases[] = {
	KUNIT_CASE(close_follows_open_once),
	KUNIT_CASE(failed_open_is_not_closed),
	KUNIT_CASE(channels_are_separate),
	KUNIT_CASE(shut_counts_once),
	KUNIT_CASE(close_waits_for_users),
	KUNIT_CASE(open_of_a_dead_device),
	KUNIT_CASE(unregister_waits_for_open),
	KUNIT_CASE(unregister_waits_for_open_that_fails),
	KUNIT_CASE(unregister_waits_for_transmit),
	KUNIT_CASE(data_wakes_one_of_the_exclusive),
	KUNIT_CASE(unplug_wakes_all_of_the_exclusive),
	KUNIT_CASE(completions_wake_readers),
	{}
};

/* clang-format on */

static struct kunit_suite channel_suite = {
	.name = "untwist_channel",
	.test_cases = channel_cases,
};

kunit_test_suite(channel_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's channels");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
