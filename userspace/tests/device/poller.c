// SPDX-License-Identifier: MIT
/* A ring from which a thread of the kernel submits: when it works, rests, and ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "requests.h"
#include "rings.h"
#include "sleeper.h"

#define REQUESTS 20000

static struct ring poller_open(__u32 entries, __u32 idle_us)
{
	return ring_open(&(struct untwist_ring_setup){
		.flags = UNTWIST_RING_SQPOLL,
		.sq_entries = entries,
		.cq_entries = entries,
		.idle_us = idle_us,
		.arena_size = 1,
	});
}

static int poller_wake(const struct ring *ring)
{
	return ring_enter_as(ring, (struct untwist_ring_enter){ .flags = UNTWIST_ENTER_WAKE });
}

/* As the rules want it of who has written a tail. */
static void wake_if_it_sleeps(const struct ring *ring)
{
	if (ring_kernel_flags(ring) & UNTWIST_RING_NEED_WAKEUP)
		ASSERT_EQ(0, poller_wake(ring));
}

static void until_it_rests(const struct ring *ring)
{
	while (!(ring_kernel_flags(ring) & UNTWIST_RING_NEED_WAKEUP))
		sched_yield();
}

/* The only such thread, or 0. */
static pid_t poller_pid(void)
{
	char path[300], name[32];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	ASSERT_TRUE(proc);
	while ((entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);
		FILE *comm;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm = pid ? fopen(path, "r") : NULL;
		if (!comm)
			continue;
		if (fgets(name, sizeof(name), comm) && !strncmp(name, "untwist-sq-", 11))
			found = pid;
		fclose(comm);
	}
	closedir(proc);
	return found;
}

TEST(poller_submits_what_is_put_there)
{
	struct ring ring = poller_open(16, 100);
	__u64 put = 0, reaped = 0;

	while (reaped < REQUESTS) {
		while (put < REQUESTS && put - reaped < 16) {
			/* The places are given back after the completions. */
			while (!ring_room(&ring))
				sched_yield();
			ring_put_nops(&ring, put++, 1);
			wake_if_it_sleeps(&ring);
		}
		ASSERT_EQ(0, ring_enter(&ring, 0, 1));
		while (ring_ready(&ring))
			ASSERT_EQ(reaped++, ring_reap(&ring).user_data);
	}
}

TEST(poller_rests_and_is_woken)
{
	struct ring ring = poller_open(4, 1);
	pid_t poller = poller_pid();
	unsigned int i;

	for (i = 0; i < 200; i++) {
		until_it_rests(&ring);
		ASSERT_TRUE(process_sleeps(poller));
		ring_put_nops(&ring, i, 1);
		wake_if_it_sleeps(&ring);
		ASSERT_EQ(0, ring_enter(&ring, 0, 1));
		ASSERT_EQ(i, ring_reap(&ring).user_data);
	}
}

TEST(enter_says_that_all_is_in_good_hands)
{
	struct ring ring = poller_open(4, 1);

	ring_put_nops(&ring, 1, 1);
	EXPECT_EQ(1,
		  ring_enter_as(&ring,
				(struct untwist_ring_enter){
					.to_submit = 1,
					.min_complete = 1,
					.flags = UNTWIST_ENTER_WAKE,
				}));
	EXPECT_EQ(1, ring_reap(&ring).user_data);
}

/* It rests as well when nothing can be taken; to wait for completions is to wake it. */
TEST(poller_without_room_rests_and_goes_on)
{
	struct ring ring = poller_open(4, 1);
	unsigned int i;

	ring_put_nops(&ring, 0, 4);
	wake_if_it_sleeps(&ring);
	ASSERT_EQ(0, ring_enter(&ring, 0, 4));
	ring_put_nops(&ring, 4, 4);
	wake_if_it_sleeps(&ring);
	until_it_rests(&ring);
	ASSERT_TRUE(process_sleeps(poller_pid()));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, ring_enter(&ring, 0, 1));
		ASSERT_EQ(i, ring_reap(&ring).user_data);
	}
}

/* There is some room, but not for all of the chain, which is taken whole. */
TEST(poller_rests_while_a_chain_does_not_fit)
{
	struct ring ring = poller_open(4, 1);
	const struct untwist_sqe chain[3] = {
		{ .user_data = 2, .flags = UNTWIST_SQE_LINK },
		{ .user_data = 3, .flags = UNTWIST_SQE_LINK },
		{ .user_data = 4 },
	};
	unsigned int i;

	ring_put_nops(&ring, 0, 2);
	wake_if_it_sleeps(&ring);
	ASSERT_EQ(0, ring_enter(&ring, 0, 2));
	ring_put(&ring, chain, 3);
	wake_if_it_sleeps(&ring);
	until_it_rests(&ring);
	ASSERT_TRUE(process_sleeps(poller_pid()));
	EXPECT_EQ(2, ring_ready(&ring));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, ring_enter(&ring, 0, 1));
		ASSERT_EQ(i, ring_reap(&ring).user_data);
	}
}

/* The thread has no program's memory, and says so instead of guessing whose. */
TEST(poller_takes_payloads_from_the_arena_alone)
{
	char bytes[4] = "abc";
	struct untwist_sqe sqe = request_payload(1, 0, bytes, 4);
	struct ring ring = poller_open(4, 1);

	ring_put(&ring, &sqe, 1);
	wake_if_it_sleeps(&ring);
	ASSERT_EQ(0, ring_enter(&ring, 0, 1));
	EXPECT_EQ(-EFAULT, ring_reap(&ring).res);
	memcpy(ring.arena, "xyz", 4);
	sqe.addr = 0;
	sqe.flags = UNTWIST_SQE_ARENA;
	ring_put(&ring, &sqe, 1);
	wake_if_it_sleeps(&ring);
	ASSERT_EQ(0, ring_enter(&ring, 0, 1));
	EXPECT_EQ(4, ring_reap(&ring).res);
	EXPECT_STREQ("xyz", (char *)ring.arena);
}

TEST(close_ends_the_poller_at_work_and_at_rest)
{
	struct untwist_sqe late = request_echo(1, 100000, 0);
	unsigned int i, round;

	for (round = 0; round < 12; round++) {
		struct ring ring = poller_open(32, round % 2 ? 1 : 1000000);
		pid_t poller = poller_pid();

		ASSERT_LT(0, poller);
		for (i = 0; i < 32; i++)
			ring_put(&ring, &late, 1);
		wake_if_it_sleeps(&ring);
		if (round % 4 == 1)
			until_it_rests(&ring);
		/* The mapping is a use of the open, too. */
		ASSERT_EQ(0, close(ring.fd));
		ASSERT_EQ(0, kill(poller, 0));
		ASSERT_EQ(0, munmap(ring.map, ring.setup.map_size));
		/* It has ended, and is gone a moment later. */
		while (!kill(poller, 0))
			sched_yield();
	}
}

/* A device that is gone takes nothing: the thread rests, whatever is left in the ring. */
TEST(poller_of_a_gone_device_rests)
{
	struct ring ring = poller_open(4, 1);

	until_it_rests(&ring);
	loop_unplug();
	ring_put_nops(&ring, 1, 3);
	poller_wake(&ring);
	until_it_rests(&ring);
	ASSERT_TRUE(process_sleeps(poller_pid()));
	EXPECT_TRUE(ring_kernel_flags(&ring) & UNTWIST_RING_DEAD);
	EXPECT_ERRNO(ENODEV, ring_enter(&ring, 3, 0));
	EXPECT_ERRNO(ENODEV, ring_enter(&ring, 0, 1));
}

/* There is nobody else who could find out. */
static void break_it(void (*lie)(struct ring *ring))
{
	struct ring ring = poller_open(4, 1);
	struct pollfd pfd = { .fd = ring.fd };
	struct sleeper sleeper;

	sleeper_start(&sleeper, sleep_in_enter, ring.fd, NULL, 1);
	lie(&ring);
	poller_wake(&ring);
	EXPECT_EQ(-EBADMSG, sleeper_result(&sleeper));
	EXPECT_TRUE(ring_kernel_flags(&ring) & UNTWIST_RING_BROKEN);
	EXPECT_ERRNO(EBADMSG, ring_enter(&ring, 1, 0));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR, pfd.revents);
	until_it_rests(&ring);
	EXPECT_TRUE(process_sleeps(poller_pid()));
}

static void lie_tail_too_far(struct ring *ring)
{
	__atomic_store_n(&ring->head->sq_tail, 5, __ATOMIC_RELEASE);
}

TEST(poller_tells_of_a_tail_that_cannot_be)
{
	break_it(lie_tail_too_far);
}

/* Nobody can be told with an error of the call that it can never be taken. */
static void chain_too_long(struct ring *ring)
{
	struct untwist_sqe sqes[256];
	unsigned int i;

	memset(sqes, 0, sizeof(sqes));
	for (i = 0; i < 255; i++)
		sqes[i].flags = UNTWIST_SQE_LINK;
	ring_put(ring, sqes, 256);
}

TEST(poller_tells_of_a_chain_that_never_fits)
{
	struct ring ring = poller_open(256, 1);
	struct sleeper sleeper;

	sleeper_start(&sleeper, sleep_in_enter, ring.fd, NULL, 1);
	chain_too_long(&ring);
	wake_if_it_sleeps(&ring);
	EXPECT_EQ(-EBADMSG, sleeper_result(&sleeper));
	EXPECT_EQ(0, ring.head->sq_head);
}
