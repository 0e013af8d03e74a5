// SPDX-License-Identifier: MIT
/* Signals that interrupt a waiting call, and signals that tell of an event. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "pages.h"
#include "pattern.h"
#include "requests.h"
#include "sleeper.h"

static volatile sig_atomic_t handled;

static void handle(int number)
{
	(void)number;
	handled++;
}

static void handle_signal(int number, int flags)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = flags };

	handled = 0;
	ASSERT_EQ(0, sigaction(number, &action, NULL));
}

static void interrupt(struct sleeper *sleeper)
{
	ASSERT_EQ(0, pthread_kill(sleeper->thread, SIGUSR1));
	while (!handled)
		;
}

/* Interruptions. */

TEST(read_is_interrupted)
{
	struct sleeper sleeper;
	char byte;

	loop_setup();
	handle_signal(SIGUSR1, 0);
	sleeper_start(&sleeper, sleep_in_read, loop_open(LOOP_STREAM, O_RDWR), &byte, 1);
	interrupt(&sleeper);
	EXPECT_EQ(-EINTR, sleeper_result(&sleeper));
}

TEST(read_is_taken_up_again)
{
	struct sleeper sleeper;
	char byte = 0;
	int fd;

	loop_setup();
	handle_signal(SIGUSR1, SA_RESTART);
	fd = loop_open(LOOP_STREAM, O_RDWR);
	sleeper_start(&sleeper, sleep_in_read, fd, &byte, 1);
	interrupt(&sleeper);
	ASSERT_TRUE(sleeper_sleeps(&sleeper));
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(1, sleeper_result(&sleeper));
	EXPECT_EQ('x', byte);
}

TEST(read_of_completions_is_taken_up_again)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	struct untwist_cqe cqe;
	struct sleeper sleeper;
	int fd;

	loop_setup();
	handle_signal(SIGUSR1, SA_RESTART);
	fd = requests_open(LOOP_STREAM, O_RDWR);
	sleeper_start(&sleeper, sleep_in_read, fd, &cqe, sizeof(cqe));
	interrupt(&sleeper);
	ASSERT_TRUE(sleeper_sleeps(&sleeper));
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(sizeof(cqe), sleeper_result(&sleeper));
}

TEST(write_that_has_written_nothing_is_interrupted)
{
	struct sleeper sleeper;
	int fd;

	loop_setup();
	handle_signal(SIGUSR1, 0);
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	loop_fill(fd);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	sleeper_start(&sleeper, sleep_in_write, fd, "x", 1);
	interrupt(&sleeper);
	EXPECT_EQ(-EINTR, sleeper_result(&sleeper));
}

/* What was taken is said, for it cannot be given back. */
TEST(write_that_has_written_some_says_how_much)
{
	static char much[3 * LOOP_QUEUE];
	struct sleeper sleeper;

	loop_setup();
	handle_signal(SIGUSR1, SA_RESTART);
	sleeper_start(&sleeper, sleep_in_write, loop_open(LOOP_STREAM, O_RDWR), much, sizeof(much));
	interrupt(&sleeper);
	EXPECT_EQ(2 * LOOP_QUEUE, sleeper_result(&sleeper));
}

#define STORM_TOTAL (1u << 20)

static long write_in_a_storm(struct sleeper *sleeper)
{
	static unsigned char block[10007];
	size_t done = 0;

	while (done < sleeper->len) {
		size_t left = sleeper->len - done;
		ssize_t n;

		pattern_make(block, sizeof(block), done);
		n = write(sleeper->fd, block, left < sizeof(block) ? left : sizeof(block));
		if (n < 0)
			return -1;
		done += n;
	}
	return 0;
}

/* Calls that are taken up again lose nothing and double nothing. */
TEST(stream_arrives_in_order_in_a_storm_of_signals)
{
	struct itimerval every_ms = { .it_interval.tv_usec = 1000, .it_value.tv_usec = 1000 };
	static unsigned char block[20011];
	struct sleeper writer;
	size_t done = 0;
	int fd;

	loop_setup();
	loop_delay("200", "N");
	handle_signal(SIGALRM, SA_RESTART);
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &every_ms, NULL));
	sleeper_run(&writer, write_in_a_storm, fd, NULL, STORM_TOTAL);
	while (done < STORM_TOTAL) {
		ssize_t n = read(fd, block, sizeof(block));

		ASSERT_LE(1, n);
		ASSERT_EQ(n, pattern_check(block, n, done));
		done += n;
	}
	EXPECT_EQ(0, sleeper_result(&writer));
	EXPECT_LT(0, handled);
}

/* A second reader waits for the first one's copy, and not for an event. */
TEST(read_behind_another_read_is_taken_up_again)
{
	struct sleeper first, second;
	struct slow_page slow = pages_slow();
	char byte = 0;
	int fd;

	loop_setup();
	handle_signal(SIGUSR1, SA_RESTART);
	fd = loop_open(LOOP_STREAM, O_RDWR);
	ASSERT_EQ(2, write(fd, "xy", 2));
	sleeper_start(&first, sleep_in_read, fd, slow.memory, 1);
	sleeper_start(&second, sleep_in_read, fd, &byte, 1);
	interrupt(&second);
	sleeper_sleeps(&second);
	pages_go_on(&slow);
	EXPECT_EQ(1, sleeper_result(&first));
	EXPECT_EQ(1, sleeper_result(&second));
	EXPECT_EQ('y', byte);
}

/* Announcements. */

#define EVENT_SIGNAL SIGRTMIN

/* Signals of the fd come to this process, and wait until they are asked for. */
static void announce(int fd)
{
	sigset_t events;

	sigemptyset(&events);
	sigaddset(&events, EVENT_SIGNAL);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &events, NULL));
	ASSERT_EQ(0, fcntl(fd, F_SETSIG, EVENT_SIGNAL));
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

/* What the next one says. */
static int next_announcement(int fd)
{
	siginfo_t info;
	sigset_t events;

	sigemptyset(&events);
	sigaddset(&events, EVENT_SIGNAL);
	ASSERT_EQ(EVENT_SIGNAL, sigwaitinfo(&events, &info));
	EXPECT_EQ(fd, info.si_fd);
	return info.si_code;
}

TEST(signal_tells_of_data)
{
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	announce(fd);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(POLL_IN, next_announcement(fd));
}

TEST(signal_tells_of_data_from_an_interrupt)
{
	int fd;

	loop_setup();
	loop_delay("100", "Y");
	fd = loop_open(LOOP_STREAM, O_RDWR);
	announce(fd);
	ASSERT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(POLL_IN, next_announcement(fd));
}

TEST(signal_tells_of_room)
{
	static char half[LOOP_QUEUE / 2];
	int fd, code;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	loop_fill(fd);
	announce(fd);
	ASSERT_EQ(sizeof(half), read(fd, half, sizeof(half)));
	/* The echo goes on as well, and which of the two is told first is open. */
	do {
		code = next_announcement(fd);
	} while (code == POLL_IN);
	EXPECT_EQ(POLL_OUT, code);
}

TEST(signal_tells_of_completions_at_once_and_later)
{
	struct untwist_sqe nop = { .opcode = UNTWIST_OP_NOP };
	struct untwist_sqe late = request_echo(1, 1000, 0);
	int fd;

	loop_setup();
	fd = requests_open(LOOP_STREAM, O_RDWR);
	announce(fd);
	ASSERT_EQ(1, requests_submit(fd, &nop, 1));
	EXPECT_EQ(POLL_IN, next_announcement(fd));
	ASSERT_EQ(1, requests_submit(fd, &late, 1));
	EXPECT_EQ(POLL_IN, next_announcement(fd));
}

TEST(signal_tells_of_the_end)
{
	int fd;

	loop_setup();
	fd = loop_open(LOOP_STREAM, O_RDWR);
	announce(fd);
	loop_unplug();
	EXPECT_EQ(POLL_HUP, next_announcement(fd));
}
