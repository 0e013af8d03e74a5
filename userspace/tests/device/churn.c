// SPDX-License-Identifier: MIT
/* Devices that come and go, again and again, while processes use them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu_device.h"
#include "harness.h"
#include "loop.h"
#include "modules.h"
#include "pattern.h"
#include "requests.h"

#define CYCLES	       200
#define CYCLES_SECONDS 300

/* What the processes that use a device and the one that unplugs it tell each other. */
struct load {
	atomic_bool over;
	atomic_ulong rounds;
	atomic_ulong ends;
};

static struct load *load_share(void)
{
	void *map = mmap(NULL, sizeof(struct load), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(map != MAP_FAILED);
	return map;
}

/* Uses a device until it goes: what came back is right, and the end is ENODEV. */
static void stream_until_gone(int fd, struct load *load)
{
	unsigned char buf[3000];
	unsigned long position;

	for (position = 0;; position += sizeof(buf)) {
		size_t have = 0;
		ssize_t n;

		pattern_make(buf, sizeof(buf), position);
		n = write(fd, buf, sizeof(buf));
		while (n > 0 && have < sizeof(buf)) {
			n = read(fd, buf + have, sizeof(buf) - have);
			have += n > 0 ? n : 0;
		}
		ASSERT_EQ(have, pattern_check(buf, have, position));
		if (n < 0)
			break;
		load->rounds++;
	}
	ASSERT_EQ(ENODEV, errno);
}

/* Takes what there is. Returns 0, or why there will be no more. */
static int take_completions(int fd, unsigned long *completed)
{
	struct untwist_cqe cqes[64];
	ssize_t n = read(fd, cqes, sizeof(cqes));

	if (n < 0)
		return errno;
	*completed += n / sizeof(cqes[0]);
	return 0;
}

/* Each request that was taken completes, and only then comes the end. */
static void submit_until_gone(int fd, struct load *load, struct untwist_sqe (*next)(unsigned long))
{
	unsigned long taken = 0, completed = 0;
	int error = 0;

	while (!error) {
		struct untwist_sqe sqe = next(taken);

		if (requests_submit(fd, &sqe, 1) == 1)
			taken++;
		else
			error = errno;
		if (error == EAGAIN || taken - completed > 32)
			error = take_completions(fd, &completed);
		load->rounds++;
	}
	ASSERT_EQ(ENODEV, error);
	do {
		error = take_completions(fd, &completed);
	} while (!error);
	ASSERT_EQ(ENODEV, error);
	ASSERT_EQ(taken, completed);
}

static struct untwist_sqe next_echo(unsigned long number)
{
	return request_echo(number, number % 3 * 20000, 0);
}

static void echo_until_gone(int fd, struct load *load)
{
	if (requests_plane(fd, UNTWIST_PLANE_COMPLETIONS))
		ASSERT_EQ(ENODEV, errno);
	else
		submit_until_gone(fd, load, next_echo);
}

static struct untwist_sqe next_factorial(unsigned long number)
{
	return edu_factorial(number, number % 14);
}

static void multiply_until_gone(int fd, struct load *load)
{
	submit_until_gone(fd, load, next_factorial);
}

static void poll_until_gone(int fd, struct load *load)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	ASSERT_EQ(1, poll(&pfd, 1, -1));
	ASSERT_EQ(POLLHUP | POLLERR, pfd.revents);
	load->rounds++;
}

static void use(struct load *load, const char *path, void (*until_gone)(int, struct load *))
{
	while (!load->over) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fd < 0) {
			/* Between two lives of the device. */
			ASSERT_TRUE(errno == ENOENT || errno == ENODEV || errno == ENXIO);
			continue;
		}
		until_gone(fd, load);
		ASSERT_EQ(0, close(fd));
		load->ends++;
	}
}

static void use_start(struct load *load, const char *path, void (*until_gone)(int, struct load *))
{
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (child)
		return;
	use(load, path, until_gone);
	_exit(0);
}

static void expect_uses_done(const struct load *load, unsigned int count)
{
	int status;

	while (count--) {
		ASSERT_LE(1, wait(&status));
		EXPECT_EQ(0, status);
	}
	printf("# %lu uses that ended, %lu rounds in them\n", load->ends, load->rounds);
}

/* Lets the load get at the device before it goes again. */
static void wait_for_use(const struct load *load)
{
	unsigned long before = load->rounds;

	while (load->rounds == before)
		sched_yield();
}

TEST_TIMEOUT(devices_come_and_go, CYCLES_SECONDS)
{
	unsigned long cycles = harness_rounds("CHURN_CYCLES", CYCLES);
	struct load *load = load_share();

	loop_setup();
	use_start(load, LOOP_STREAM, stream_until_gone);
	use_start(load, LOOP_STREAM, echo_until_gone);
	use_start(load, LOOP_STREAM, poll_until_gone);
	while (cycles--) {
		wait_for_use(load);
		loop_unplug();
		loop_plug_one();
	}
	load->over = true;
	loop_unplug();
	expect_uses_done(load, 3);
}

TEST_TIMEOUT(driver_comes_and_goes, CYCLES_SECONDS)
{
	unsigned long cycles = harness_rounds("CHURN_CYCLES", CYCLES) / 10 + 1;
	struct load *load = load_share();

	loop_setup();
	use_start(load, LOOP_STREAM, stream_until_gone);
	use_start(load, LOOP_STREAM, echo_until_gone);
	while (cycles--) {
		wait_for_use(load);
		ASSERT_EQ(0, module_unload("untwist_loop"));
		module_load("untwist_loop", "");
	}
	load->over = true;
	ASSERT_EQ(0, module_unload("untwist_loop"));
	expect_uses_done(load, 2);
}

TEST_TIMEOUT(hardware_is_unbound_and_bound, CYCLES_SECONDS)
{
	unsigned long cycles = harness_rounds("CHURN_CYCLES", CYCLES);
	struct load *load = load_share();

	edu_setup("");
	use_start(load, EDU_NODE, multiply_until_gone);
	while (cycles--) {
		wait_for_use(load);
		edu_unbind();
		edu_bind();
	}
	load->over = true;
	edu_unbind();
	expect_uses_done(load, 1);
	edu_bind();
}
