// SPDX-License-Identifier: MIT
/* What poll(), ppoll(), select() and epoll tell of a channel, and when they wake. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"
#include "sleeper.h"

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)
#define GONE	 (POLLHUP | POLLERR)
#define ALL_BITS (READABLE | WRITABLE | POLLPRI | POLLRDBAND | POLLWRBAND | POLLRDHUP)

static int poll_bits(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = ALL_BITS };
	int ready = poll(&pfd, 1, 0);

	EXPECT_EQ(pfd.revents ? 1 : 0, ready);
	return pfd.revents;
}

/* An epoll that watches one fd. */
static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

/* The events of the one fd that are there now; 0, none. */
static uint32_t epoll_now(int epoll)
{
	struct epoll_event event = {};
	int ready = epoll_wait(epoll, &event, 1, 0);

	EXPECT_EQ(event.events ? 1 : 0, ready);
	return event.events;
}

static long sleep_in_epoll(struct sleeper *sleeper)
{
	struct epoll_event event;

	return epoll_wait(sleeper->fd, &event, 1, -1) < 0 ? -1 : (long)event.events;
}

TEST(fresh_stream_is_writable)
{
	loop_setup();
	EXPECT_EQ(WRITABLE, poll_bits(loop_open(LOOP_STREAM, O_RDWR)));
}

TEST(fresh_record_channel_is_writable)
{
	loop_setup();
	EXPECT_EQ(WRITABLE, poll_bits(loop_open(LOOP_RECORD, O_RDWR)));
}

TEST(stream_with_data_is_readable)
{
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(READABLE | WRITABLE, poll_bits(fd));
	ASSERT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ(WRITABLE, poll_bits(fd));
}

TEST(full_stream_is_writable_again_when_it_was_read)
{
	static char half[LOOP_QUEUE / 2];
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	EXPECT_EQ(2 * LOOP_QUEUE, loop_fill(fd));
	EXPECT_EQ(READABLE, poll_bits(fd));
	ASSERT_EQ(sizeof(half), read(fd, half, sizeof(half)));
	EXPECT_EQ(READABLE | WRITABLE, poll_bits(fd));
}

TEST(record_channel_is_writable_while_the_longest_record_fits)
{
	static char record[LOOP_RECORD_MAX];
	int fd, written;

	loop_setup();
	fd = loop_open(LOOP_RECORD, O_RDWR | O_NONBLOCK);
	while (poll_bits(fd) & POLLOUT)
		ASSERT_EQ(sizeof(record), write(fd, record, sizeof(record)));
	EXPECT_ERRNO(EAGAIN, write(fd, record, sizeof(record)));
	for (written = 0; !(poll_bits(fd) & POLLOUT); written++)
		ASSERT_EQ(sizeof(record), read(fd, record, sizeof(record)));
	EXPECT_LT(0, written);
	EXPECT_EQ(sizeof(record), write(fd, record, sizeof(record)));
}

TEST(completions_plane_tells_of_completions_and_of_room)
{
	struct untwist_sqe forever[128];
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	unsigned int i;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	EXPECT_EQ(WRITABLE, poll_bits(fd));
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(READABLE | WRITABLE, poll_bits(fd));
	completion_read(fd);
	EXPECT_EQ(WRITABLE, poll_bits(fd));

	for (i = 0; i < 128; i++)
		forever[i] = request_echo(i, REQUEST_FOREVER, 0);
	ASSERT_EQ(128, requests_submit(fd, forever, 128));
	EXPECT_EQ(0, poll_bits(fd));
	ASSERT_EQ(0, requests_cancel(fd, 5));
	EXPECT_EQ(5, completion_read(fd).user_data);
	EXPECT_EQ(WRITABLE, poll_bits(fd));
}

TEST(gone_device_hangs_up_after_what_had_arrived)
{
	char data[3] = "abc";
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(3, write(fd, data, 3));
	loop_unplug();
	EXPECT_EQ(READABLE | GONE, poll_bits(fd));
	ASSERT_EQ(3, read(fd, data, 3));
	EXPECT_EQ(GONE, poll_bits(fd));
}

TEST(gone_device_tells_of_completions_that_had_not_been_read)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	loop_unplug();
	EXPECT_EQ(READABLE | GONE, poll_bits(fd));
	completion_read(fd);
	EXPECT_EQ(GONE, poll_bits(fd));
}

static long sleep_in_poll_for_the_end(struct sleeper *sleeper)
{
	struct pollfd pfd = { .fd = sleeper->fd };

	return poll(&pfd, 1, -1) < 0 ? -1 : pfd.revents;
}

/* The completions that unplug causes come first; who did not ask for them wakes too. */
TEST(hangup_after_the_last_completion_wakes_who_waits_for_nothing_else)
{
	struct untwist_sqe forever = request_echo(1, REQUEST_FOREVER, 0);
	struct sleeper sleeper;
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &forever, 1));
	sleeper_start(&sleeper, sleep_in_poll_for_the_end, fd, NULL, 0);
	loop_unplug();
	EXPECT_EQ(GONE, sleeper_result(&sleeper));
}

TEST(planes_do_not_show_through)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(WRITABLE, poll_bits(fd));
	ASSERT_EQ(0, requests_plane(fd, UNTWIST_PLANE_COMPLETIONS));
	EXPECT_EQ(READABLE | WRITABLE, poll_bits(fd));
}

TEST(poller_wakes_when_the_plane_changes_to_one_that_is_ready)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	struct sleeper sleeper;
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	sleeper_start(&sleeper, sleep_in_epoll, epoll_of(fd, EPOLLIN), NULL, 0);
	ASSERT_EQ(0, requests_plane(fd, UNTWIST_PLANE_COMPLETIONS));
	EXPECT_EQ(EPOLLIN, sleeper_result(&sleeper));
}

TEST(level_triggered_event_is_there_until_it_is_dealt_with)
{
	char byte = 'x';
	int fd, epoll;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	epoll = epoll_of(fd, EPOLLIN);
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	ASSERT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ(0, epoll_now(epoll));
}

TEST(edge_triggered_event_comes_once_for_each_arrival)
{
	char byte = 'x';
	int fd, epoll;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	epoll = epoll_of(fd, EPOLLIN | EPOLLET);
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
}

TEST(edge_triggered_room_comes_when_a_full_queue_has_some)
{
	static char half[LOOP_QUEUE / 2];
	int fd, epoll;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	epoll = epoll_of(fd, EPOLLOUT | EPOLLET);
	EXPECT_EQ(EPOLLOUT, epoll_now(epoll));
	loop_fill(fd);
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(sizeof(half), read(fd, half, sizeof(half)));
	EXPECT_EQ(EPOLLOUT, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
}

TEST(one_shot_event_comes_again_only_when_it_is_armed_again)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	char byte = 'x';
	int fd, epoll;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	epoll = epoll_of(fd, EPOLLIN | EPOLLONESHOT);
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
}

/* Some programs ask for RDNORM alone: the wake-up has to carry it as well. */
TEST(sleeper_that_asks_for_rdnorm_alone_wakes)
{
	struct sleeper sleeper;
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	sleeper_start(&sleeper, sleep_in_epoll, epoll_of(fd, EPOLLRDNORM), NULL, 0);
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(EPOLLRDNORM, sleeper_result(&sleeper));
}

#define EXCLUSIVE 6

static void exclusive_start(struct sleeper *sleepers, int fd, uint32_t events)
{
	int i;

	for (i = 0; i < EXCLUSIVE; i++)
		sleeper_start(&sleepers[i], sleep_in_epoll, epoll_of(fd, events | EPOLLEXCLUSIVE),
			      NULL, 0);
}

/* All wake-ups of an echo at once are made before the write returns. */
static unsigned int exclusive_awake(const struct sleeper *sleepers)
{
	unsigned int awake = 0;
	int i;

	for (i = 0; i < EXCLUSIVE; i++)
		awake += !sleeper_sleeps(&sleepers[i]);
	return awake;
}

TEST(data_wakes_one_exclusive_waiter_and_hangup_wakes_all)
{
	struct sleeper sleepers[EXCLUSIVE];
	unsigned int told = 0;
	char byte = 'x';
	int fd, i;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	exclusive_start(sleepers, fd, EPOLLIN);
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(1, exclusive_awake(sleepers));
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(2, exclusive_awake(sleepers));
	ASSERT_EQ(2, read(fd, &(char[2]){}, 2));

	loop_unplug();
	for (i = 0; i < EXCLUSIVE; i++)
		told += sleeper_result(&sleepers[i]) == (EPOLLHUP | EPOLLERR);
	EXPECT_EQ(EXCLUSIVE - 2, told);
}

TEST(select_tells_the_same)
{
	struct timeval now = {};
	fd_set in, out, except;
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(1, write(fd, &byte, 1));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	FD_SET(fd, &except);
	EXPECT_EQ(2, select(fd + 1, &in, &out, &except, &now));
	EXPECT_TRUE(FD_ISSET(fd, &in));
	EXPECT_TRUE(FD_ISSET(fd, &out));
	EXPECT_FALSE(FD_ISSET(fd, &except));
}

static long sleep_in_select(struct sleeper *sleeper)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(sleeper->fd, &in);
	return select(sleeper->fd + 1, &in, NULL, NULL, NULL);
}

TEST(select_wakes_at_hangup)
{
	struct sleeper sleeper;

	loop_setup();
	sleeper_start(&sleeper, sleep_in_select, loop_open(LOOP_STREAM, O_RDWR), NULL, 0);
	loop_unplug();
	EXPECT_EQ(1, sleeper_result(&sleeper));
}

static void ignore_signal(int number)
{
	(void)number;
}

static long sleep_in_ppoll(struct sleeper *sleeper)
{
	struct pollfd pfd = { .fd = sleeper->fd, .events = POLLIN };
	sigset_t none;

	sigemptyset(&none);
	return ppoll(&pfd, 1, NULL, &none) < 0 ? -1 : pfd.revents;
}

TEST(ppoll_wakes_for_data_and_for_a_signal_that_it_lets_in)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct sleeper sleeper;
	sigset_t blocked;
	char byte = 'x';
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &blocked, NULL));
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));

	sleeper_start(&sleeper, sleep_in_ppoll, fd, NULL, 0);
	ASSERT_EQ(0, pthread_kill(sleeper.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, sleeper_result(&sleeper));

	sleeper_start(&sleeper, sleep_in_ppoll, fd, NULL, 0);
	ASSERT_EQ(1, write(fd, &byte, 1));
	EXPECT_EQ(POLLIN, sleeper_result(&sleeper));
}
