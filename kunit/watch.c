// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sleeper on a channel that remembers how it was woken.
 */
#include <kunit/resource.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/swait.h>

#include "channel.h"
#include "context.h"
#include "watch.h"

/* As epoll's: an exclusive entry counts as woken when a key of its is there. */
static int watch_wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct watch *watch = container_of(entry, struct watch, entry);

	atomic_inc(&watch->wakes);
	atomic_or((__force unsigned int)key_to_poll(key), &watch->keys);
	complete(&watch->woken);
	return 1;
}

static void watch_stop(void *arg)
{
	struct watch *watch = arg;

	remove_wait_queue(&watch->ch->wait, &watch->entry);
	untwist_channel_put(watch->ch);
}

static struct watch *watch_new(struct kunit *test, struct untwist_channel *ch)
{
	struct watch *watch = kunit_kzalloc(test, sizeof(*watch), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, watch);
	watch->ch = ch;
	init_completion(&watch->woken);
	init_waitqueue_func_entry(&watch->entry, watch_wake);
	kref_get(&ch->ref);
	return watch;
}

/**
 * watch_start() - begin to watch a channel
 * @test: test that the watch ends with
 * @ch: channel
 *
 * Return: the watch.
 */
struct watch *watch_start(struct kunit *test, struct untwist_channel *ch)
{
	struct watch *watch = watch_new(test, ch);

	add_wait_queue(&ch->wait, &watch->entry);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, watch_stop, watch));
	return watch;
}
EXPORT_SYMBOL_GPL(watch_start);

/**
 * watch_start_exclusive() - begin to watch, as EPOLLEXCLUSIVE does
 * @test: test that the watch ends with
 * @ch: channel
 *
 * Return: the watch.
 */
struct watch *watch_start_exclusive(struct kunit *test, struct untwist_channel *ch)
{
	struct watch *watch = watch_new(test, ch);

	add_wait_queue_exclusive(&ch->wait, &watch->entry);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, watch_stop, watch));
	return watch;
}
EXPORT_SYMBOL_GPL(watch_start_exclusive);

/**
 * watch_wait() - wait for one wake-up
 * @test: test, which fails if none comes
 * @watch: watch
 */
void watch_wait(struct kunit *test, struct watch *watch)
{
	unsigned long left = wait_for_completion_timeout(&watch->woken, TEST_LIMIT);

	KUNIT_ASSERT_NE_MSG(test, left, 0ul, "nobody was woken");
}
EXPORT_SYMBOL_GPL(watch_wait);

/**
 * watch_keys() - with which bits a watch was woken
 * @watch: watch
 *
 * Return: all of them so far.
 */
__poll_t watch_keys(const struct watch *watch)
{
	return (__force __poll_t)atomic_read(&watch->keys);
}
EXPORT_SYMBOL_GPL(watch_keys);

/**
 * watch_sleepers() - how many sleep on a channel
 * @ch: channel
 *
 * Return: how many.
 */
unsigned int watch_sleepers(struct untwist_channel *ch)
{
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&ch->wait.lock, flags);
	n = list_count_nodes(&ch->wait.head);
	spin_unlock_irqrestore(&ch->wait.lock, flags);
	return n;
}
EXPORT_SYMBOL_GPL(watch_sleepers);

/**
 * watch_until_sleepers() - wait until so many sleep on a channel
 * @test: test, which fails if that does not come
 * @ch: channel
 * @n: how many
 */
void watch_until_sleepers(struct kunit *test, struct untwist_channel *ch, unsigned int n)
{
	unsigned long end = jiffies + TEST_LIMIT;

	while (watch_sleepers(ch) != n) {
		if (time_after(jiffies, end))
			KUNIT_FAIL_AND_ABORT(test, "%u sleepers, not %u", watch_sleepers(ch), n);
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(watch_until_sleepers);

/**
 * watch_until_unplug_waits() - wait until unplug waits for the users of a channel
 * @test: test, which fails if that does not come, or if it does not wait
 * @ch: channel
 */
void watch_until_unplug_waits(struct kunit *test, struct untwist_channel *ch)
{
	unsigned long end = jiffies + TEST_LIMIT;

	while (!swait_active(&ch->closed.wait) && !completion_done(&ch->closed)) {
		KUNIT_ASSERT_TRUE(test, time_before(jiffies, end));
		cond_resched();
	}
	KUNIT_ASSERT_FALSE_MSG(test, completion_done(&ch->closed), "unplug did not wait");
}
EXPORT_SYMBOL_GPL(watch_until_unplug_waits);
