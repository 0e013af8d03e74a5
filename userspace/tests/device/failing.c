// SPDX-License-Identifier: MIT
/*
 * Calls in which the kernel's first, second, third, ... step that may fail does
 * fail: memory that is not to be had, and memory of ours that cannot be reached.
 * A call that fails has done nothing, so that it can be made again.
 *
 * Only kernels that inject faults can do this (/proc/thread-self/fail-nth). What
 * moves single numbers (SET_PLANE, RING_EVENTFD, FIONREAD) has no such steps.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/untwist_loop.h>

#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "requests.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"
#define DEBUG	 "/sys/kernel/debug/"

/* No call has so many steps; one that fails for ever would. */
#define STEPS_MAX 400

/* What a call is made with. It is made anew for each step. */
struct place {
	int fd;
	int other;
	int sink;
	struct untwist_ring_setup setup;
	char bytes[64];
	void *map;
};

/* Memory that its user would wait for may fail as well, and pages one by one; the log stays short. */
static void faults_setup(void)
{
	static const char *const files[][2] = {
		{ DEBUG "failslab/ignore-gfp-wait", "N" },
		{ DEBUG "failslab/verbose", "0" },
		{ DEBUG "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUG "fail_page_alloc/min-order", "0" },
		{ DEBUG "fail_page_alloc/verbose", "0" },
		{ DEBUG "fail_usercopy/verbose", "0" },
	};
	unsigned int i;

	if (access(FAIL_NTH, F_OK))
		SKIP("this kernel injects no faults");
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		ASSERT_EQ(0, text_write(files[i][0], files[i][1]));
	loop_setup();
}

/* The file stays open: nothing but the call may take a step. */
static int faults_fd(void)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	return fd;
}

static void faults_arm(int fd, unsigned int step)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", step);

	ASSERT_EQ(len, pwrite(fd, text, len, 0));
}

/* Whether a step failed since it was armed; the rest is called off. */
static bool faults_disarm(int fd)
{
	char text[16] = "";
	int error = errno;
	bool hit;

	/* Asking is a call that may be made to fail, too: then it was not hit before. */
	hit = pread(fd, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
	while (pwrite(fd, "0", 1, 0) != 1)
		;
	errno = error;
	return hit;
}

static bool is_for_lack(int error)
{
	return error == ENOMEM || error == EFAULT || error == ENFILE;
}

static void place_leave(struct place *place)
{
	if (place->map != MAP_FAILED)
		munmap(place->map, place->setup.map_size);
	close(place->sink);
	close(place->other);
	close(place->fd);
}

/*
 * Makes the call with each of its steps failing in turn. Whatever became of it,
 * it works afterwards, or, with a result that could not be told, says so.
 */
static void sweep(void (*make)(struct place *), long (*call)(struct place *),
		  void (*check)(struct place *), int once)
{
	unsigned int step, failed = 0;
	int faults = faults_fd();
	bool hit = true;

	for (step = 1; hit; step++) {
		struct place place = { .fd = -1, .other = -1, .sink = -1, .map = MAP_FAILED };
		long ret;

		ASSERT_LT(step, STEPS_MAX);
		make(&place);
		faults_arm(faults, step);
		ret = call(&place);
		hit = faults_disarm(faults);
		if (!hit)
			ASSERT_LE(0, ret);
		if (ret < 0) {
			EXPECT_TRUE(is_for_lack(errno));
			ret = call(&place);
			EXPECT_TRUE(ret >= 0 || errno == once);
			failed++;
		}
		if (check)
			check(&place);
		place_leave(&place);
	}
	printf("# %u steps, %u of them failed the call\n", step - 2, failed);
	close(faults);
	/* Without any step, nothing would have been tried. What failed may be a result instead. */
	EXPECT_LT(2, step);
}

static void make_nothing(struct place *place)
{
	(void)place;
}

static long call_open(struct place *place)
{
	place->fd = open(LOOP_STREAM, O_RDWR | O_CLOEXEC);
	return place->fd;
}

TEST(open_fails_at_each_step)
{
	faults_setup();
	sweep(make_nothing, call_open, NULL, 0);
}

static void make_open(struct place *place)
{
	place->fd = loop_open(LOOP_STREAM, O_RDWR | O_NONBLOCK);
}

static long call_info(struct place *place)
{
	struct untwist_info info;

	return ioctl(place->fd, UNTWIST_IOC_GET_INFO, &info);
}

TEST(get_info_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_info, NULL, 0);
}

static long call_write(struct place *place)
{
	return write(place->fd, "some bytes", 10) == 10 ? 0 : -1;
}

TEST(write_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_write, NULL, 0);
}

static void make_written(struct place *place)
{
	make_open(place);
	ASSERT_EQ(10, write(place->fd, "some bytes", 10));
}

/* All of it, and not what an earlier try has left. */
static long call_read(struct place *place)
{
	ssize_t len = read(place->fd, place->bytes, sizeof(place->bytes));

	if (len < 0)
		return -1;
	ASSERT_EQ(10, len);
	ASSERT_EQ(0, memcmp("some bytes", place->bytes, 10));
	return 0;
}

TEST(read_fails_at_each_step)
{
	faults_setup();
	sweep(make_written, call_read, NULL, 0);
}

static long call_set_options(struct place *place)
{
	struct untwist_options options = { .rx_size = 8192, .tx_size = 8192 };

	return ioctl(place->fd, UNTWIST_IOC_SET_OPTIONS, &options);
}

TEST(set_options_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_set_options, NULL, 0);
}

static long call_get_options(struct place *place)
{
	struct untwist_options options;

	return ioctl(place->fd, UNTWIST_IOC_GET_OPTIONS, &options);
}

TEST(get_options_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_get_options, NULL, 0);
}

static long call_lost(struct place *place)
{
	struct untwist_lost lost;

	return ioctl(place->fd, UNTWIST_IOC_GET_LOST, &lost);
}

TEST(get_lost_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_lost, NULL, 0);
}

static long call_events(struct place *place)
{
	struct untwist_events events;

	return ioctl(place->fd, UNTWIST_IOC_GET_EVENTS, &events);
}

TEST(get_events_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_events, NULL, 0);
}

static void make_requests(struct place *place)
{
	place->fd = requests_open(LOOP_STREAM, O_RDWR);
	memcpy(place->bytes, "some bytes", 10);
}

static long call_submit(struct place *place)
{
	struct untwist_sqe sqe = request_payload(7, 0, place->bytes, 10);

	return requests_submit(place->fd, &sqe, 1) == 1 ? 0 : -1;
}

/* A request that was not taken leaves nothing: the one that was completes, and no other. */
static void check_submit(struct place *place)
{
	struct untwist_cqe cqe = completion_read(place->fd);

	EXPECT_EQ(7, cqe.user_data);
	EXPECT_EQ(10, cqe.res);
	ASSERT_EQ(0, fcntl(place->fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, read(place->fd, &cqe, sizeof(cqe)));
}

TEST(submit_fails_at_each_step)
{
	faults_setup();
	sweep(make_requests, call_submit, check_submit, 0);
}

static void make_pending(struct place *place)
{
	struct untwist_sqe sqe = request_echo(7, REQUEST_FOREVER, 0);

	make_requests(place);
	ASSERT_EQ(1, requests_submit(place->fd, &sqe, 1));
}

static long call_cancel(struct place *place)
{
	return requests_cancel(place->fd, 7);
}

static void check_cancel(struct place *place)
{
	EXPECT_EQ(-ECANCELED, completion_read(place->fd).res);
}

TEST(cancel_fails_at_each_step)
{
	faults_setup();
	sweep(make_pending, call_cancel, check_cancel, 0);
}

static void make_completed(struct place *place)
{
	struct untwist_sqe sqe = request_echo(7, 0, 0);

	make_requests(place);
	ASSERT_EQ(1, requests_submit(place->fd, &sqe, 1));
}

static long call_reap(struct place *place)
{
	struct untwist_cqe cqe;

	if (read(place->fd, &cqe, sizeof(cqe)) < 0)
		return -1;
	EXPECT_EQ(7, cqe.user_data);
	return 0;
}

TEST(read_completion_fails_at_each_step)
{
	faults_setup();
	sweep(make_completed, call_reap, NULL, 0);
}

static long call_setup(struct place *place)
{
	place->setup = (struct untwist_ring_setup){ .sq_entries = 4, .arena_size = 8192 };
	return ioctl(place->fd, UNTWIST_IOC_RING_SETUP, &place->setup);
}

/* Only the reply of what is there already may be lost: see the ioctl in kmod/file.c. */
TEST(ring_setup_fails_at_each_step)
{
	faults_setup();
	sweep(make_requests, call_setup, NULL, EBUSY);
}

static long call_setup_poller(struct place *place)
{
	place->setup = (struct untwist_ring_setup){
		.flags = UNTWIST_RING_SQPOLL,
		.sq_entries = 4,
	};
	return ioctl(place->fd, UNTWIST_IOC_RING_SETUP, &place->setup);
}

TEST(ring_setup_with_poller_fails_at_each_step)
{
	faults_setup();
	sweep(make_requests, call_setup_poller, NULL, EBUSY);
}

static void make_ring(struct place *place)
{
	make_requests(place);
	ASSERT_EQ(0, call_setup(place));
}

static long call_mmap(struct place *place)
{
	place->map =
		mmap(NULL, place->setup.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, place->fd, 0);
	return place->map == MAP_FAILED ? -1 : 0;
}

static void check_mmap(struct place *place)
{
	struct untwist_ring *ring = place->map;

	EXPECT_EQ(0, ring->sq_head);
	ring->sq_tail = 0;
}

TEST(ring_mmap_fails_at_each_step)
{
	faults_setup();
	sweep(make_ring, call_mmap, check_mmap, 0);
}

static void make_filled(struct place *place)
{
	struct untwist_ring *ring;
	struct untwist_sqe *sqes;

	make_ring(place);
	ASSERT_EQ(0, call_mmap(place));
	ring = place->map;
	sqes = (void *)((char *)place->map + place->setup.sq_off);
	sqes[0] = request_payload(7, 0, place->bytes, 10);
	__atomic_store_n(&ring->sq_tail, 1, __ATOMIC_RELEASE);
}

static long call_enter(struct place *place)
{
	struct untwist_ring_enter enter = { .to_submit = 1, .min_complete = 1 };

	return ioctl(place->fd, UNTWIST_IOC_RING_ENTER, &enter);
}

/* What is wrong with an entry is its result, and so is memory that cannot be had for it. */
static void check_enter(struct place *place)
{
	struct untwist_ring *ring = place->map;
	struct untwist_cqe *cqes = (void *)((char *)place->map + place->setup.cq_off);

	ASSERT_EQ(1, __atomic_load_n(&ring->cq_tail, __ATOMIC_ACQUIRE));
	EXPECT_EQ(1, ring->sq_head);
	EXPECT_EQ(7, cqes[0].user_data);
	EXPECT_TRUE(cqes[0].res == 10 || is_for_lack(-cqes[0].res));
}

TEST(ring_enter_fails_at_each_step)
{
	faults_setup();
	sweep(make_filled, call_enter, check_enter, 0);
}

static void make_epoll(struct place *place)
{
	make_open(place);
	place->other = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, place->other);
}

static long call_epoll(struct place *place)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(place->other, EPOLL_CTL_ADD, place->fd, &event);
}

/* It was added whole: it hears of what comes. */
static void check_epoll(struct place *place)
{
	struct epoll_event event;

	ASSERT_EQ(1, write(place->fd, "x", 1));
	EXPECT_EQ(1, epoll_wait(place->other, &event, 1, -1));
}

TEST(epoll_add_fails_at_each_step)
{
	faults_setup();
	sweep(make_epoll, call_epoll, check_epoll, 0);
}

static long call_async(struct place *place)
{
	return fcntl(place->fd, F_SETFL, O_ASYNC);
}

TEST(signals_by_fasync_fails_at_each_step)
{
	faults_setup();
	sweep(make_open, call_async, NULL, 0);
}

static void make_written_and_pipe(struct place *place)
{
	int ends[2];

	make_written(place);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	place->other = ends[1];
	place->sink = ends[0];
}

static long call_splice(struct place *place)
{
	return splice(place->fd, NULL, place->other, NULL, 10, SPLICE_F_NONBLOCK) == 10 ? 0 : -1;
}

static void check_splice(struct place *place)
{
	ASSERT_EQ(10, read(place->sink, place->bytes, sizeof(place->bytes)));
	EXPECT_EQ(0, memcmp("some bytes", place->bytes, 10));
}

TEST(splice_to_pipe_fails_at_each_step)
{
	faults_setup();
	sweep(make_written_and_pipe, call_splice, check_splice, 0);
}
