/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch.c APIs: a sleeper on a channel that remembers how it was woken.
 */
#ifndef UNTWIST_KUNIT_WATCH_H
#define UNTWIST_KUNIT_WATCH_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/wait.h>

struct untwist_channel;

/**
 * struct watch - a sleeper on a channel's wait queue, as poll() makes one
 * @entry: in the queue
 * @ch: channel
 * @wakes: how often it was woken
 * @keys: all poll bits it was woken with; 0, wake-ups without a key
 * @woken: counts the wake-ups that watch_wait() has not taken yet
 */
struct watch {
	struct wait_queue_entry entry;
	struct untwist_channel *ch;
	atomic_t wakes;
	atomic_t keys;
	struct completion woken;
};

/* Poll bits, which are not to be taken for numbers, for once are. */
#define EXPECT_BITS(test, want, got) \
	KUNIT_EXPECT_EQ(test, (__force unsigned int)(want), (__force unsigned int)(got))

struct watch *watch_start(struct kunit *test, struct untwist_channel *ch);
struct watch *watch_start_exclusive(struct kunit *test, struct untwist_channel *ch);
void watch_wait(struct kunit *test, struct watch *watch);
__poll_t watch_keys(const struct watch *watch);

unsigned int watch_sleepers(struct untwist_channel *ch);
void watch_until_unplug_waits(struct kunit *test, struct untwist_channel *ch);
void watch_until_sleepers(struct kunit *test, struct untwist_channel *ch, unsigned int n);

#endif /* UNTWIST_KUNIT_WATCH_H */
