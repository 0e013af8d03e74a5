// SPDX-License-Identifier: MIT
/* Requests that wait for others: chains and drain. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "requests.h"
#include "rings.h"
#include "sleeper.h"

#define REQUESTS_MAX 128
#define LINK	     UNTWIST_SQE_LINK
#define HARDLINK     UNTWIST_SQE_HARDLINK
#define DRAIN	     UNTWIST_SQE_DRAIN

/* Later than what comes behind it would be, if that did not wait. */
#define SLOW 20000000ULL
#define FAST 1000ULL

static int chain_open(void)
{
	loop_setup();
	return requests_open(LOOP_STREAM, O_RDWR);
}

static struct untwist_sqe echo(__u64 user_data, __u64 delay_ns, __u32 flags)
{
	struct untwist_sqe sqe = request_echo(user_data, delay_ns, user_data);

	sqe.flags = flags;
	return sqe;
}

static struct untwist_sqe failing(__u64 user_data, __u32 flags)
{
	return echo(user_data, REQUEST_FOREVER + 1, flags); /* ERANGE */
}

static struct untwist_sqe nop(__u64 user_data, __u32 flags)
{
	return (struct untwist_sqe){ .user_data = user_data, .flags = flags };
}

static void expect_next(int fd, __u64 user_data, __s32 res)
{
	struct untwist_cqe cqe = completion_read(fd);

	EXPECT_EQ(user_data, cqe.user_data);
	EXPECT_EQ(res, cqe.res);
}

static void expect_no_more(int fd)
{
	int waiting = -1;

	EXPECT_EQ(0, ioctl(fd, FIONREAD, &waiting));
	EXPECT_EQ(0, waiting);
}

TEST(linked_requests_run_one_after_another)
{
	const struct untwist_sqe sqes[] = { echo(1, SLOW, LINK), echo(2, SLOW / 4, LINK),
					    nop(3, HARDLINK), echo(4, FAST, 0) };
	__u64 i;
	int fd = chain_open();

	ASSERT_EQ(4, requests_submit(fd, sqes, 4));
	for (i = 1; i <= 4; i++)
		expect_next(fd, i, 0);
	expect_no_more(fd);
}

TEST(chains_run_beside_each_other)
{
	const struct untwist_sqe sqes[] = { echo(1, REQUEST_FOREVER, HARDLINK), nop(2, 0),
					    echo(3, FAST, LINK), nop(4, 0) };
	int fd = chain_open();

	ASSERT_EQ(4, requests_submit(fd, sqes, 4));
	expect_next(fd, 3, 0);
	expect_next(fd, 4, 0);
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
	expect_next(fd, 2, 0);
}

TEST(failure_ends_the_rest_of_the_chain)
{
	const struct untwist_sqe sqes[] = { echo(1, FAST, LINK), failing(2, LINK), nop(3, HARDLINK),
					    nop(4, 0) };
	int fd = chain_open();

	ASSERT_EQ(4, requests_submit(fd, sqes, 4));
	expect_next(fd, 1, 0);
	expect_next(fd, 2, -ERANGE);
	expect_next(fd, 3, -ECANCELED);
	expect_next(fd, 4, -ECANCELED);
	expect_no_more(fd);
}

TEST(hard_link_outlasts_a_failure)
{
	const struct untwist_sqe sqes[] = { failing(1, HARDLINK), failing(2, LINK), nop(3, 0) };
	int fd = chain_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_next(fd, 1, -ERANGE);
	expect_next(fd, 2, -ERANGE);
	expect_next(fd, 3, -ECANCELED);
}

/* Each starts the next, and each at once: by the program's own call, however many there are. */
TEST(longest_chain_runs)
{
	struct untwist_sqe sqes[REQUESTS_MAX];
	unsigned int i, round;
	int fd = chain_open();

	for (round = 0; round < 20; round++) {
		for (i = 0; i < REQUESTS_MAX; i++)
			sqes[i] = i % 3 ? nop(i, LINK) : echo(i, i % 2 ? FAST : 0, LINK);
		ASSERT_EQ(REQUESTS_MAX, requests_submit(fd, sqes, REQUESTS_MAX));
		for (i = 0; i < REQUESTS_MAX; i++)
			expect_next(fd, i, 0);
	}
	expect_no_more(fd);
}

TEST(chain_ends_with_the_submission)
{
	const struct untwist_sqe first = echo(1, REQUEST_FOREVER, LINK), second = nop(2, 0);
	int fd = chain_open();

	ASSERT_EQ(1, requests_submit(fd, &first, 1));
	ASSERT_EQ(1, requests_submit(fd, &second, 1));
	expect_next(fd, 2, 0);
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
	expect_no_more(fd);
}

/* Cancel. */

TEST(cancel_of_a_waiting_one_takes_the_rest_with_it)
{
	const struct untwist_sqe sqes[] = { echo(1, REQUEST_FOREVER, LINK), nop(2, LINK),
					    nop(3, LINK), nop(4, 0) };
	int fd = chain_open();

	ASSERT_EQ(4, requests_submit(fd, sqes, 4));
	EXPECT_EQ(0, requests_cancel(fd, 3));
	expect_next(fd, 3, -ECANCELED);
	expect_next(fd, 4, -ECANCELED);
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 3));
	EXPECT_ERRNO(ENOENT, requests_cancel(fd, 4));
	expect_no_more(fd);
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
	expect_next(fd, 2, -ECANCELED);
}

TEST(cancel_before_a_hard_link_lets_the_next_run)
{
	const struct untwist_sqe sqes[] = { echo(1, REQUEST_FOREVER, HARDLINK), nop(2, 0) };
	int fd = chain_open();

	ASSERT_EQ(2, requests_submit(fd, sqes, 2));
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
	expect_next(fd, 2, 0);
}

TEST(close_and_unplug_end_chains)
{
	const struct untwist_sqe sqes[] = { echo(1, REQUEST_FOREVER, HARDLINK),
					    echo(2, REQUEST_FOREVER, HARDLINK),
					    echo(3, REQUEST_FOREVER, 0), nop(4, DRAIN), nop(5, 0) };
	struct untwist_cqe cqe;
	unsigned int i;
	int fd = chain_open();

	ASSERT_EQ(5, requests_submit(fd, sqes, 5));
	ASSERT_EQ(0, close(fd));
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(5, requests_submit(fd, sqes, 5));
	loop_unplug();
	for (i = 0; i < 5; i++) {
		cqe = completion_read(fd);
		/* Those behind the drain may have had their turn before they had their end. */
		if (cqe.user_data < 4 || cqe.res)
			EXPECT_EQ(-ENODEV, cqe.res);
	}
	EXPECT_ERRNO(ENODEV, read(fd, &cqe, sizeof(cqe)));
}

/* Drain. */

TEST(drain_waits_for_all_before_and_holds_all_after)
{
	const struct untwist_sqe sqes[] = { echo(1, SLOW, 0), echo(2, SLOW / 2, 0),
					    echo(3, SLOW / 4, DRAIN), nop(4, 0), nop(5, 0) };
	int fd = chain_open();

	ASSERT_EQ(5, requests_submit(fd, sqes, 5));
	EXPECT_EQ(1 + 2, completion_read(fd).user_data + completion_read(fd).user_data);
	expect_next(fd, 3, 0);
	EXPECT_EQ(4 + 5, completion_read(fd).user_data + completion_read(fd).user_data);
}

TEST(drain_of_a_chain_is_of_the_whole_chain)
{
	const struct untwist_sqe sqes[] = { echo(1, SLOW, 0), echo(2, FAST, LINK | DRAIN),
					    echo(3, SLOW, 0), nop(4, LINK), nop(5, 0) };
	__u64 i;
	int fd = chain_open();

	ASSERT_EQ(5, requests_submit(fd, sqes, 5));
	for (i = 1; i <= 5; i++)
		expect_next(fd, i, 0);
}

TEST(drain_of_nothing_runs_at_once)
{
	const struct untwist_sqe sqes[] = { nop(1, DRAIN), nop(2, DRAIN), nop(3, 0) };
	int fd = chain_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_next(fd, 1, 0);
	expect_next(fd, 2, 0);
	expect_next(fd, 3, 0);
}

/* What held the others back is gone: nobody waits for it any more. */
TEST(cancelled_drain_lets_the_others_go)
{
	const struct untwist_sqe sqes[] = { echo(1, REQUEST_FOREVER, 0), nop(2, DRAIN), nop(3, 0) };
	int fd = chain_open();

	ASSERT_EQ(3, requests_submit(fd, sqes, 3));
	expect_no_more(fd);
	EXPECT_EQ(0, requests_cancel(fd, 2));
	completion_read(fd);
	completion_read(fd);
	EXPECT_EQ(0, requests_cancel(fd, 1));
	expect_next(fd, 1, -ECANCELED);
}

/* Chains that cannot be, or not now: whole or not at all. */

TEST(chain_that_never_fits_is_too_big)
{
	struct untwist_sqe sqes[REQUESTS_MAX + 2];
	unsigned int i;
	int fd = chain_open();

	sqes[0] = nop(1000, 0);
	for (i = 1; i < REQUESTS_MAX + 2; i++)
		sqes[i] = nop(i, LINK);
	EXPECT_EQ(1, requests_submit(fd, sqes, REQUESTS_MAX + 2));
	expect_next(fd, 1000, 0);
	EXPECT_ERRNO(E2BIG, requests_submit(fd, sqes + 1, REQUESTS_MAX + 1));
	expect_no_more(fd);
	EXPECT_EQ(REQUESTS_MAX, requests_submit(fd, sqes + 1, REQUESTS_MAX));
}

TEST(chain_that_does_not_fit_now_waits_whole)
{
	struct untwist_sqe nops[REQUESTS_MAX] = { 0 };
	const struct untwist_sqe chain[] = { nop(1, LINK), nop(2, LINK), nop(3, 0) };
	unsigned int i;
	int fd = chain_open();

	ASSERT_EQ(REQUESTS_MAX - 2, requests_submit(fd, nops, REQUESTS_MAX - 2));
	EXPECT_ERRNO(EAGAIN, requests_submit(fd, chain, 3));
	completion_read(fd);
	EXPECT_EQ(3, requests_submit(fd, chain, 3));
	for (i = 1; i < REQUESTS_MAX - 2; i++)
		expect_next(fd, 0, 0);
	for (i = 1; i <= 3; i++)
		expect_next(fd, i, 0);
	expect_no_more(fd);
}

TEST(submission_takes_no_chain_with_a_bad_entry)
{
	struct untwist_sqe sqes[] = { nop(1, 0), nop(2, LINK), nop(3, LINK), nop(4, 0) };
	int fd = chain_open();

	sqes[2].reserved0 = 1;
	EXPECT_EQ(1, requests_submit(fd, sqes, 4));
	expect_next(fd, 1, 0);
	EXPECT_ERRNO(EINVAL, requests_submit(fd, sqes + 1, 3));
	sqes[2] = nop(3, DRAIN);
	EXPECT_ERRNO(EINVAL, requests_submit(fd, sqes + 1, 3));
	expect_no_more(fd);
	/* And all of them have room again. */
	sqes[2] = nop(3, LINK);
	EXPECT_EQ(3, requests_submit(fd, sqes + 1, 3));
}

TEST(ring_takes_a_chain_with_a_bad_entry_which_fails_there)
{
	struct untwist_sqe sqes[] = { echo(1, FAST, LINK), nop(2, LINK), nop(3, 0) };
	struct ring ring = ring_open_entries(8, 0);
	static const __s32 results[] = { 0, -EINVAL, -ECANCELED };
	unsigned int i;

	sqes[1].reserved1 = 1;
	ring_put(&ring, sqes, 3);
	ASSERT_EQ(3, ring_enter(&ring, 3, 3));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(results[i], ring_reap(&ring).res);
}

TEST(ring_with_a_chain_that_never_fits_says_so)
{
	struct ring ring = ring_open_entries(256, 256);
	unsigned int i;

	ring_put_nops(&ring, 1, 1);
	for (i = 0; i <= REQUESTS_MAX; i++)
		ring_put(&ring, &(struct untwist_sqe){ .flags = LINK }, 1);
	EXPECT_EQ(1, ring_enter(&ring, 256, 0));
	EXPECT_ERRNO(E2BIG, ring_enter(&ring, 256, 0));
	EXPECT_EQ(1, ring.head->sq_head);
	EXPECT_EQ(1, ring_ready(&ring));
}

static void ignore(int number)
{
	(void)number;
}

static long submit_entries(struct sleeper *sleeper)
{
	return requests_submit(sleeper->fd, sleeper->buf, sleeper->len);
}

/* A signal ends a long submission early, but between chains. */
TEST(signal_does_not_break_a_chain)
{
	struct sigaction action = { .sa_handler = ignore };
	struct slow_page slow = pages_slow();
	struct untwist_sqe sqes[] = { echo(1, SLOW, LINK), request_payload(2, SLOW, slow.memory, 1),
				      nop(3, 0) };
	struct sleeper submitter;
	int fd = chain_open();

	sqes[1].flags = LINK;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	sleeper_start(&submitter, submit_entries, fd, sqes, 3);
	ASSERT_EQ(0, pthread_kill(submitter.thread, SIGUSR1));
	pages_go_on(&slow);
	EXPECT_EQ(3, sleeper_result(&submitter));
	expect_next(fd, 1, 0);
	expect_next(fd, 2, 1);
	expect_next(fd, 3, 0);
}
