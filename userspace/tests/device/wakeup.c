// SPDX-License-Identifier: MIT
/*
 * The hunt for lost wake-ups. One thread makes something ready while another,
 * on another processor, is about to sleep or already does; then it waits until
 * that was noticed. A wake-up that is lost stops both for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "harness.h"
#include "loop.h"
#include "requests.h"

#define ROUNDS	       100000
#define ROUNDS_SECONDS 300
#define NOTE_YIELDS    1000000

/* A hunt: what is made ready, how it is waited for, and how far both are. */
struct hunt {
	int fd;
	unsigned long rounds;
	void (*make_ready)(struct hunt *hunt, unsigned long round);
	void (*wait)(struct hunt *hunt);
	unsigned long (*take)(struct hunt *hunt);
	int epoll;
	atomic_ulong made;
	atomic_ulong noticed;
};

/* Returns false where there is no such processor. */
static bool run_on(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return !sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *hunt_consume(void *data)
{
	struct hunt *hunt = data;
	unsigned long noticed = 0;

	ASSERT_TRUE(run_on(1));
	while (noticed < hunt->rounds) {
		hunt->wait(hunt);
		noticed += hunt->take(hunt);
		atomic_store(&hunt->noticed, noticed);
	}
	return NULL;
}

/* A pause of a length that changes from round to round, to meet the other at every point. */
static void vary(unsigned long round)
{
	volatile unsigned int spins = round * 37 % 512;

	while (spins)
		spins--;
}

/*
 * Wait until a round was noticed. Should the test be stopped for taking too
 * long, what this says now and then tells one that hangs from one that is slow.
 */
static void hunt_await(struct hunt *hunt, unsigned long round)
{
	unsigned long yields;

	for (yields = 1; atomic_load(&hunt->noticed) <= round; yields++) {
		sched_yield();
		if (!(yields % NOTE_YIELDS)) {
			printf("# round %lu of %lu is not noticed yet\n", round, hunt->rounds);
			fflush(stdout);
		}
	}
}

static void hunt_run(struct hunt *hunt)
{
	pthread_t consumer;
	unsigned long round;

	if (!run_on(1) || !run_on(0))
		SKIP("there is only one processor");
	ASSERT_EQ(0, pthread_create(&consumer, NULL, hunt_consume, hunt));
	for (round = 0; round < hunt->rounds; round++) {
		vary(round);
		hunt->make_ready(hunt, round);
		atomic_store(&hunt->made, round + 1);
		hunt_await(hunt, round);
	}
	ASSERT_EQ(0, pthread_join(consumer, NULL));
	EXPECT_EQ(hunt->rounds, hunt->noticed);
}

/* How to make something ready. */

static void write_byte(struct hunt *hunt, unsigned long round)
{
	(void)round;
	ASSERT_EQ(1, write(hunt->fd, "x", 1));
}

static void submit_late(struct hunt *hunt, unsigned long round)
{
	struct untwist_sqe sqe = request_echo(round, 1 + round % 8 * 1000, 0);

	ASSERT_EQ(1, requests_submit(hunt->fd, &sqe, 1));
}

static void read_all(struct hunt *hunt, unsigned long round)
{
	static char all[2 * LOOP_QUEUE];
	size_t have = 0;

	(void)round;
	while (have < sizeof(all)) {
		ssize_t n = read(hunt->fd, all, sizeof(all) - have);

		/* The echo of what is left may be under way on the other processor. */
		ASSERT_TRUE(n > 0 || errno == EAGAIN);
		have += n > 0 ? n : 0;
	}
}

/* How to wait. */

static void wait_in_epoll(struct hunt *hunt)
{
	struct epoll_event event;

	ASSERT_EQ(1, epoll_wait(hunt->epoll, &event, 1, -1));
}

static void wait_in_the_call(struct hunt *hunt)
{
	(void)hunt;
}

static int edge_triggered(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

/* How to take what is ready, all of it, and how often something was. */

static unsigned long take_bytes(struct hunt *hunt)
{
	unsigned long taken = 0;
	char byte;

	while (read(hunt->fd, &byte, 1) == 1)
		taken++;
	ASSERT_EQ(EAGAIN, errno);
	return taken;
}

static unsigned long take_byte(struct hunt *hunt)
{
	char byte;

	ASSERT_EQ(1, read(hunt->fd, &byte, 1));
	return 1;
}

static unsigned long take_completions(struct hunt *hunt)
{
	struct untwist_cqe cqes[4];
	unsigned long taken = 0;
	ssize_t n;

	while ((n = read(hunt->fd, cqes, sizeof(cqes))) > 0)
		taken += n / sizeof(cqes[0]);
	ASSERT_EQ(EAGAIN, errno);
	return taken;
}

/*
 * Room is taken by filling it, but only when all of a round's is there: a rest
 * that is less than what writers are woken for would be waited for in vain.
 */
static unsigned long take_room(struct hunt *hunt)
{
	struct epoll_event event;

	while (atomic_load(&hunt->made) <= atomic_load(&hunt->noticed))
		sched_yield();
	ASSERT_EQ(2 * LOOP_QUEUE, loop_fill(hunt->fd));
	/* What was told of this round once more is not to pass for the next one's. */
	epoll_wait(hunt->epoll, &event, 1, 0);
	return 1;
}

static unsigned long rounds_of(unsigned int part)
{
	return harness_rounds("WAKEUP_ROUNDS", ROUNDS) / part + 1;
}

static void hunt_bytes(const char *delay_us, const char *hard_irq, unsigned int part)
{
	struct hunt hunt = {
		.rounds = rounds_of(part),
		.make_ready = write_byte,
		.wait = wait_in_epoll,
		.take = take_bytes,
	};

	loop_setup();
	loop_delay(delay_us, hard_irq);
	hunt.fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	hunt.epoll = edge_triggered(hunt.fd, EPOLLIN);
	hunt_run(&hunt);
}

static void hunt_completions(const char *hard_irq)
{
	struct hunt hunt = {
		.rounds = rounds_of(50),
		.make_ready = submit_late,
		.wait = wait_in_epoll,
		.take = take_completions,
	};

	loop_setup();
	loop_delay("0", hard_irq);
	hunt.fd = requests_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	hunt.epoll = edge_triggered(hunt.fd, EPOLLIN);
	hunt_run(&hunt);
}

TEST_TIMEOUT(epoll_hears_of_each_byte, ROUNDS_SECONDS)
{
	hunt_bytes("0", "N", 1);
}

TEST_TIMEOUT(epoll_hears_of_each_byte_from_a_soft_interrupt, ROUNDS_SECONDS)
{
	hunt_bytes("10", "N", 50);
}

TEST_TIMEOUT(epoll_hears_of_each_byte_from_a_hard_interrupt, ROUNDS_SECONDS)
{
	hunt_bytes("10", "Y", 50);
}

TEST_TIMEOUT(epoll_hears_of_each_completion_from_a_soft_interrupt, ROUNDS_SECONDS)
{
	hunt_completions("N");
}

TEST_TIMEOUT(epoll_hears_of_each_completion_from_a_hard_interrupt, ROUNDS_SECONDS)
{
	hunt_completions("Y");
}

TEST_TIMEOUT(reader_hears_of_each_byte, ROUNDS_SECONDS)
{
	struct hunt hunt = {
		.rounds = rounds_of(4),
		.make_ready = write_byte,
		.wait = wait_in_the_call,
		.take = take_byte,
	};

	loop_setup();
	hunt.fd = loop_open(LOOP_STREAM, O_RDWR);
	hunt_run(&hunt);
}

TEST_TIMEOUT(epoll_hears_of_room, ROUNDS_SECONDS)
{
	struct hunt hunt = {
		.rounds = rounds_of(400),
		.make_ready = read_all,
		.wait = wait_in_epoll,
		.take = take_room,
	};

	loop_setup();
	hunt.fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
	ASSERT_EQ(2 * LOOP_QUEUE, loop_fill(hunt.fd));
	hunt.epoll = edge_triggered(hunt.fd, EPOLLOUT);
	hunt_run(&hunt);
}
