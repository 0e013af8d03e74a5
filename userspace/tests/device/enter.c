// SPDX-License-Identifier: MIT
/* What goes through a ring: taken, completed, waited for; and who is woken. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "requests.h"
#include "rings.h"
#include "sleeper.h"

/* Submission. */

TEST(enter_takes_as_many_as_are_asked_for)
{
	struct ring ring = ring_open_entries(8, 0);
	unsigned int i;

	EXPECT_EQ(0, ring_enter(&ring, 5, 0));
	ring_put_nops(&ring, 0, 6);
	EXPECT_EQ(0, ring_enter(&ring, 0, 0));
	EXPECT_EQ(2, ring_enter(&ring, 2, 0));
	EXPECT_EQ(2, ring.head->sq_head);
	EXPECT_EQ(4, ring_enter(&ring, ~0u, 0));
	EXPECT_EQ(6, ring.head->sq_head);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(i, ring_reap(&ring).user_data);
	EXPECT_EQ(0, ring_ready(&ring));
}

/* Round and round, in steps that do not divide the size, past each index of each ring. */
TEST(enter_goes_round)
{
	struct ring ring = ring_open_entries(8, 16);
	__u64 submitted = 0, reaped = 0;

	while (reaped < 10000) {
		unsigned int n = 1 + submitted % 7;

		ring_put_nops(&ring, submitted, n);
		ASSERT_EQ(n, ring_enter(&ring, n, 0));
		submitted += n;
		while (ring_ready(&ring) > reaped % 3)
			ASSERT_EQ(reaped++, ring_reap(&ring).user_data);
	}
	EXPECT_EQ((__u32)submitted, ring.head->sq_head);
	EXPECT_EQ((__u32)submitted, ring.head->cq_tail);
}

TEST(enter_takes_what_there_is_room_for)
{
	struct ring ring = ring_open_entries(4, 4);

	ring_put_nops(&ring, 0, 4);
	ASSERT_EQ(4, ring_enter(&ring, 4, 0));
	ring_put_nops(&ring, 4, 3);
	EXPECT_ERRNO(EAGAIN, ring_enter(&ring, 3, 0));
	EXPECT_EQ(4, ring.head->sq_head);
	ring_reap(&ring);
	ring_reap(&ring);
	EXPECT_EQ(2, ring_enter(&ring, 3, 0));
	EXPECT_EQ(2, ring_reap(&ring).user_data);
	EXPECT_EQ(1, ring_enter(&ring, 1, 0));
}

/* The completions that it waits for are what makes room. */
TEST(enter_without_room_waits_all_the_same)
{
	struct untwist_sqe late = request_echo(1, 5000000, 0);
	struct ring ring = ring_open_entries(1, 1);

	ring_put(&ring, &late, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	ring_put_nops(&ring, 2, 1);
	EXPECT_ERRNO(EAGAIN, ring_enter(&ring, 1, 1));
	EXPECT_EQ(1, ring_reap(&ring).user_data);
	EXPECT_EQ(1, ring_enter(&ring, 1, 1));
	EXPECT_EQ(2, ring_reap(&ring).user_data);
}

/* In a ring, what is wrong with an entry is its result, and the others are none the worse. */
TEST(what_is_wrong_with_an_entry_is_its_result)
{
	const struct untwist_sqe wrong[] = {
		{ .flags = UNTWIST_SQE_ARENA << 1 },
		{ .reserved0 = 1 },
		{ .reserved1 = 1 },
		{ .addr = 1 },
		{ .len = 1 },
		{ .opcode = 1 },
		{ .opcode = ~0u },
		{ .opcode = UNTWIST_LOOP_OP_ECHO, .len = 4097 },
		{ .opcode = UNTWIST_LOOP_OP_ECHO, .len = 1, .addr = 1 },
		{ .opcode = UNTWIST_LOOP_OP_ECHO, .arg = { ~0ull } },
		{ .flags = UNTWIST_SQE_MULTISHOT },
	};
	static const int results[] = {
		-EINVAL,     -EINVAL,	-EINVAL, -EINVAL, -EINVAL,     -EOPNOTSUPP,
		-EOPNOTSUPP, -EMSGSIZE, -EFAULT, -ERANGE, -EOPNOTSUPP,
	};
	unsigned int count = sizeof(wrong) / sizeof(wrong[0]);
	struct ring ring = ring_open_entries(32, 0);
	unsigned int i, seen = 0;

	for (i = 0; i < count; i++) {
		struct untwist_sqe sqe = wrong[i];

		sqe.user_data = i;
		ring_put(&ring, &sqe, 1);
		ring_put_nops(&ring, 100, 1);
	}
	ASSERT_EQ(2 * count, ring_enter(&ring, 2 * count, 2 * count));
	for (i = 0; i < 2 * count; i++) {
		struct untwist_cqe cqe = ring_reap(&ring);

		EXPECT_EQ(0, cqe.flags);
		EXPECT_EQ(cqe.user_data == 100 ? 0 : results[cqe.user_data], cqe.res);
		seen += cqe.user_data != 100;
	}
	EXPECT_EQ(count, seen);
}

TEST(enter_refuses_what_it_does_not_know)
{
	struct ring ring = ring_open_entries(4, 0);
	struct {
		struct untwist_ring_enter enter;
		__u64 later;
	} longer = { .later = 1 };
	size_t size = sizeof(longer);

	ring_put_nops(&ring, 0, 1);
	EXPECT_ERRNO(EINVAL,
		     ring_enter_as(&ring,
				   (struct untwist_ring_enter){
					   .to_submit = 1,
					   .flags = UNTWIST_ENTER_WAKE << 1,
				   }));
	EXPECT_ERRNO(EINVAL,
		     ring_enter_as(&ring,
				   (struct untwist_ring_enter){ .to_submit = 1, .reserved = 1 }));
	EXPECT_ERRNO(EINVAL,
		     ring_enter_as(&ring,
				   (struct untwist_ring_enter){ .to_submit = 1, .timeout_ns = 1 }));
	EXPECT_ERRNO(E2BIG, ioctl(ring.fd, IOC_SIZED(UNTWIST_IOC_RING_ENTER, size), &longer));
	EXPECT_ERRNO(EFAULT, ioctl(ring.fd, UNTWIST_IOC_RING_ENTER, pages_with_edge() - 8));
	EXPECT_EQ(0, ring.head->sq_head);
	longer.later = 0;
	longer.enter.to_submit = 1;
	EXPECT_EQ(1, ioctl(ring.fd, IOC_SIZED(UNTWIST_IOC_RING_ENTER, size), &longer));
}

TEST(open_without_a_ring_cannot_enter)
{
	struct ring none = { .fd = -1 };

	loop_setup();
	none.fd = loop_open(LOOP_STREAM, O_RDWR);
	EXPECT_ERRNO(ENXIO, ring_enter(&none, 1, 1));
}

/* Waiting. */

TEST(enter_waits_for_as_many_as_are_asked_for)
{
	struct untwist_sqe sqes[3] = { request_echo(1, 1, 0), request_echo(2, 2000000, 0),
				       request_echo(3, 4000000, 0) };
	struct ring ring = ring_open_entries(4, 0);

	ring_put(&ring, sqes, 3);
	ASSERT_EQ(3, ring_enter(&ring, 3, 2));
	EXPECT_LE(2, ring_ready(&ring));
	ASSERT_EQ(0, ring_enter(&ring, 0, 3));
	EXPECT_EQ(3, ring_ready(&ring));
}

TEST(enter_waits_for_no_more_than_there_can_be)
{
	struct ring ring = ring_open_entries(4, 4);

	ring_put_nops(&ring, 0, 4);
	EXPECT_EQ(4, ring_enter(&ring, 4, ~0u));
}

static int enter_for(const struct ring *ring, unsigned int to_submit, __u64 timeout_ns)
{
	return ring_enter_as(ring,
			     (struct untwist_ring_enter){
				     .to_submit = to_submit,
				     .min_complete = 1,
				     .flags = UNTWIST_ENTER_TIMEOUT,
				     .timeout_ns = timeout_ns,
			     });
}

TEST(enter_waits_for_so_long)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	struct untwist_sqe soon = request_echo(2, 2000000, 0);
	struct ring ring = ring_open_entries(4, 0);

	EXPECT_ERRNO(ETIME, enter_for(&ring, 0, 0));
	EXPECT_ERRNO(ETIME, enter_for(&ring, 0, 1000000));
	/* Something was taken: that is what is told. */
	ring_put(&ring, &forever, 1);
	EXPECT_EQ(1, enter_for(&ring, 1, 0));
	ring_put(&ring, &soon, 1);
	EXPECT_EQ(1, enter_for(&ring, 1, ~0ull));
	EXPECT_EQ(2, ring_reap(&ring).user_data);
}

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
	caught = number;
}

static sigset_t only(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return set;
}

static void handle(int number)
{
	struct sigaction action = { .sa_handler = catch_signal, .sa_flags = SA_RESTART };

	ASSERT_EQ(0, sigaction(number, &action, NULL));
}

TEST(signal_interrupts_the_wait)
{
	struct ring ring = ring_open_entries(4, 0);
	struct sleeper sleeper;

	handle(SIGUSR1);
	sleeper_start(&sleeper, sleep_in_enter, ring.fd, NULL, 1);
	ASSERT_EQ(0, pthread_kill(sleeper.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, sleeper_result(&sleeper));
	EXPECT_EQ(SIGUSR1, caught);
}

/* As with ppoll(): let in during the wait, and shut out again when it returns. */
TEST(signal_mask_lets_in)
{
	sigset_t blocked = only(SIGUSR1), after;
	struct ring ring = ring_open_entries(4, 0);
	struct untwist_ring_enter enter = {
		.min_complete = 1,
		.flags = UNTWIST_ENTER_SIGMASK,
	};

	handle(SIGUSR1);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &blocked, NULL));
	ASSERT_EQ(0, raise(SIGUSR1));
	EXPECT_EQ(0, caught);
	EXPECT_ERRNO(EINTR, ring_enter_as(&ring, enter));
	EXPECT_EQ(SIGUSR1, caught);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, NULL, &after));
	EXPECT_EQ(1, sigismember(&after, SIGUSR1));
	EXPECT_EQ(0, sigismember(&after, SIGUSR2));
	/* And so it is without a signal. */
	ring_put_nops(&ring, 0, 1);
	enter.to_submit = 1;
	EXPECT_EQ(1, ring_enter_as(&ring, enter));
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, NULL, &after));
	EXPECT_EQ(1, sigismember(&after, SIGUSR1));
}

static long enter_all_blocked(struct sleeper *sleeper)
{
	struct untwist_ring_enter enter = {
		.min_complete = 1,
		.flags = UNTWIST_ENTER_SIGMASK,
		.sigmask = ~0ull,
	};

	return ioctl(sleeper->fd, UNTWIST_IOC_RING_ENTER, &enter);
}

TEST(signal_mask_shuts_out)
{
	struct ring ring = ring_open_entries(4, 0);
	struct sleeper sleeper;

	handle(SIGUSR1);
	sleeper_start(&sleeper, enter_all_blocked, ring.fd, NULL, 0);
	ASSERT_EQ(0, pthread_kill(sleeper.thread, SIGUSR1));
	EXPECT_TRUE(sleeper_sleeps(&sleeper));
	EXPECT_EQ(0, caught);
	ring_put_nops(&ring, 0, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	EXPECT_EQ(0, sleeper_result(&sleeper));
	EXPECT_EQ(SIGUSR1, caught);
}

TEST(signal_that_kills_is_never_shut_out)
{
	struct ring ring = ring_open_entries(4, 0);
	struct sleeper here = { .fd = ring.fd };
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child) {
		enter_all_blocked(&here);
		_exit(1);
	}
	ASSERT_TRUE(process_sleeps(child));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* Who is woken. A NOP is complete, and all are told who are to be, when enter returns. */

static void post(struct ring *ring, unsigned int count)
{
	ring_put_nops(ring, 0, count);
	ASSERT_EQ(count, ring_enter(ring, count, 0));
}

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

static long sleep_in_epoll(struct sleeper *sleeper)
{
	struct epoll_event event;

	return epoll_wait(sleeper->fd, &event, 1, -1) < 0 ? -1 : (long)event.events;
}

static void wake_by(uint32_t trigger)
{
	struct ring ring = ring_open_entries(8, 0);
	int epoll = epoll_of(ring.fd, EPOLLIN | trigger);
	struct sleeper sleeper;

	sleeper_start(&sleeper, sleep_in_epoll, epoll, NULL, 0);
	ring_user_flags(&ring, UNTWIST_RING_NO_WAKE);
	post(&ring, 2);
	EXPECT_TRUE(sleeper_sleeps(&sleeper));
	ring_user_flags(&ring, 0);
	post(&ring, 1);
	EXPECT_EQ(EPOLLIN, sleeper_result(&sleeper));
	EXPECT_EQ(3, ring_ready(&ring));
}

TEST(no_wake_lets_sleep_until_it_is_taken_back)
{
	wake_by(0);
}

TEST(no_wake_lets_sleep_on_edges_as_well)
{
	wake_by(EPOLLET);
}

static void wake_at_event(uint32_t trigger)
{
	struct ring ring = ring_open_entries(8, 0);
	int epoll = epoll_of(ring.fd, EPOLLIN | trigger);
	struct sleeper sleeper;

	post(&ring, 1);
	ring_reap(&ring);
	ring.head->cq_event = 3;
	ring_user_flags(&ring, UNTWIST_RING_EVENT_IDX);
	if (trigger)
		epoll_wait(epoll, &(struct epoll_event){}, 1, 0);
	sleeper_start(&sleeper, sleep_in_epoll, epoll, NULL, 0);
	post(&ring, 1);
	EXPECT_TRUE(sleeper_sleeps(&sleeper));
	post(&ring, 1);
	EXPECT_TRUE(sleeper_sleeps(&sleeper));
	post(&ring, 1);
	EXPECT_EQ(EPOLLIN, sleeper_result(&sleeper));
	EXPECT_EQ(3, ring_ready(&ring));
}

TEST(event_index_lets_sleep_until_it_is_passed)
{
	wake_at_event(0);
}

TEST(event_index_lets_sleep_on_edges_as_well)
{
	wake_at_event(EPOLLET);
}

/* Who waits in the call has said what for: flags are for who polls. */
TEST(no_wake_is_not_for_who_waits_in_enter)
{
	struct ring ring = ring_open_entries(8, 0);
	struct sleeper sleeper;

	ring_user_flags(&ring, UNTWIST_RING_NO_WAKE);
	sleeper_start(&sleeper, sleep_in_enter, ring.fd, NULL, 2);
	post(&ring, 2);
	EXPECT_EQ(0, sleeper_result(&sleeper));
}

/* The eventfd. */

static int eventfd_for(int fd)
{
	__s32 event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_LE(0, event);
	ASSERT_EQ(0, ioctl(fd, UNTWIST_IOC_RING_EVENTFD, &event));
	return event;
}

/* How often it was signalled since the last look. */
static __u64 signals_of(int event)
{
	__u64 count;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

TEST(eventfd_hears_of_each_batch)
{
	struct ring ring = ring_open_entries(8, 0);
	int event = eventfd_for(ring.fd);

	EXPECT_EQ(0, signals_of(event));
	post(&ring, 5);
	EXPECT_EQ(1, signals_of(event));
	post(&ring, 1);
	post(&ring, 1);
	EXPECT_EQ(2, signals_of(event));
	ring_user_flags(&ring, UNTWIST_RING_NO_WAKE);
	post(&ring, 1);
	EXPECT_EQ(0, signals_of(event));
}

/* More come at once than the index is away: it is passed, and once. */
TEST(eventfd_hears_when_a_batch_passes_the_event_index)
{
	struct ring ring = ring_open_entries(8, 0);
	int event = eventfd_for(ring.fd);

	ring.head->cq_event = 2;
	ring_user_flags(&ring, UNTWIST_RING_EVENT_IDX);
	post(&ring, 2);
	EXPECT_EQ(0, signals_of(event));
	post(&ring, 4);
	EXPECT_EQ(1, signals_of(event));
	post(&ring, 2);
	EXPECT_EQ(0, signals_of(event));
}

TEST(eventfd_hears_of_completions_that_come_late)
{
	struct untwist_sqe late = request_echo(1, 2000000, 0);
	struct ring ring = ring_open_entries(8, 0);
	int event = eventfd_for(ring.fd);

	ASSERT_EQ(0, fcntl(event, F_SETFL, 0));
	ring_put(&ring, &late, 1);
	ASSERT_EQ(1, ring_enter(&ring, 1, 0));
	EXPECT_EQ(1, signals_of(event));
	EXPECT_EQ(1, ring_reap(&ring).user_data);
}

TEST(eventfd_needs_no_ring)
{
	struct untwist_sqe nops[3] = { 0 };
	int event, fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	event = eventfd_for(fd);
	ASSERT_EQ(3, requests_submit(fd, nops, 3));
	EXPECT_EQ(1, signals_of(event));
}

TEST(eventfd_is_replaced_and_taken_away)
{
	struct ring ring = ring_open_entries(8, 0);
	int first = eventfd_for(ring.fd);
	int second = eventfd_for(ring.fd);

	post(&ring, 1);
	EXPECT_EQ(0, signals_of(first));
	EXPECT_EQ(1, signals_of(second));
	EXPECT_ERRNO(EBADF, ioctl(ring.fd, UNTWIST_IOC_RING_EVENTFD, &(__s32){ -2 }));
	EXPECT_ERRNO(EINVAL, ioctl(ring.fd, UNTWIST_IOC_RING_EVENTFD, &ring.fd));
	EXPECT_ERRNO(EFAULT, ioctl(ring.fd, UNTWIST_IOC_RING_EVENTFD, pages_with_edge() - 2));
	post(&ring, 1);
	EXPECT_EQ(1, signals_of(second));
	ASSERT_EQ(0, ioctl(ring.fd, UNTWIST_IOC_RING_EVENTFD, &(__s32){ -1 }));
	post(&ring, 1);
	EXPECT_EQ(0, signals_of(second));
}

TEST(eventfd_hears_of_the_end)
{
	struct ring ring = ring_open_entries(8, 0);
	int event = eventfd_for(ring.fd);

	loop_unplug();
	EXPECT_LE(1, signals_of(event));
	EXPECT_EQ(UNTWIST_RING_DEAD, ring_kernel_flags(&ring));
}
