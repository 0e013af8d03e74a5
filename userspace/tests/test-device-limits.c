/* SPDX-License-Identifier: MIT */
/*
 * The request plane at its limits: too many requests, a kernel that takes no
 * more, and no memory. UNTWIST_TEST_DEVICE names a node of untwist_loop.
 */
#include <untwist/device.h>

#include <errno.h>
#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/untwist.h>
#include <linux/untwist_loop.h>

#include <untwist/deferred.h>

#include "backends.h"
#include "harness.h"
#include "harness-alloc.h"
#include "recorder.h"

/* Longer than any test has patience, and no longer than untwist_loop waits. */
#define LONG_NS UINT64_C(50000000000)
/* More allocations than the sweep meets. */
#define SWEEP_END 40

/* What became of all requests of a test. */
struct tally {
	unsigned int answered;
	unsigned int cancelled;
	unsigned int full;
	unsigned int other;
};

static const char *node(void)
{
	const char *path = getenv("UNTWIST_TEST_DEVICE");

	if (!path) {
		print_message("UNTWIST_TEST_DEVICE names no device\n");
		skip();
	}
	return path;
}

static struct utw_result count(void *value, struct utw_failure *failure, void *data)
{
	struct tally *t = data;

	(void)value;
	if (!failure)
		t->answered++;
	else if (utw_failure_is(failure, &utw_domain_reason, UTW_CANCELLED))
		t->cancelled++;
	else if (utw_failure_is(failure, &utw_domain_errno, ENOBUFS))
		t->full++;
	else
		t->other++;
	return utw_result_value(NULL);
}

/* Returns false without memory. */
static bool ask(struct utw_device *dev, struct tally *t, uint64_t delay)
{
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO, .arg = { delay, 1 } };
	struct utw_deferred *d = utw_device_submit(dev, &req);

	if (!d)
		return false;
	assert_int_equal(utw_deferred_add_both(d, count, t), 0);
	utw_deferred_unref(d);
	return true;
}

static void backlog_is_bounded(void **state)
{
	const char *path = node();
	struct tally t = { .answered = 0 };
	struct utw_reactor *r;
	struct utw_device *dev;
	size_t capacity;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open(&dev, r, path), 0);
	capacity = utw_device_capacity(dev);
	for (unsigned int i = 0; i < UTW_DEVICE_BACKLOG; i++)
		assert_true(ask(dev, &t, LONG_NS));
	assert_int_equal(t.full, 0);
	assert_true(ask(dev, &t, 0));
	assert_int_equal(t.full, 1);

	/* What the kernel takes makes room for as many. */
	turn_all(r);
	for (size_t i = 0; i < capacity; i++)
		assert_true(ask(dev, &t, LONG_NS));
	assert_int_equal(t.full, 1);
	assert_true(ask(dev, &t, 0));
	assert_int_equal(t.full, 2);

	utw_device_close(dev);
	assert_int_equal(t.cancelled, UTW_DEVICE_BACKLOG + capacity);
	utw_reactor_free(r);
}

/* The descriptor that the library has for the node. */
static int node_fd(const char *path)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd = -1;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char link[PATH_MAX], target[PATH_MAX] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
		if (readlink(link, target, sizeof(target) - 1) > 0 && !strcmp(target, path))
			fd = atoi(entry->d_name);
	}
	closedir(dir);
	assert_true(fd >= 0);
	return fd;
}

static void occupy(int fd, size_t capacity)
{
	for (size_t i = 0; i < capacity; i++) {
		struct untwist_sqe sqe = { .user_data = i,
					   .opcode = UNTWIST_LOOP_OP_ECHO,
					   .arg = { LONG_NS } };
		struct untwist_submit submit = { .entries = (uintptr_t)&sqe,
						 .count = 1,
						 .entry_size = sizeof(sqe) };

		assert_int_equal(ioctl(fd, UNTWIST_IOC_SUBMIT, &submit), 1);
	}
}

static void vacate(int fd, size_t capacity)
{
	for (size_t i = 0; i < capacity; i++) {
		struct untwist_cancel cancel = { .user_data = i };

		assert_true(ioctl(fd, UNTWIST_IOC_CANCEL, &cancel) >= 0);
	}
	for (size_t left = capacity; left;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct untwist_cqe cqe[16];
		ssize_t got;

		assert_int_equal(poll(&p, 1, -1), 1);
		got = read(fd, cqe, sizeof(cqe));
		assert_true(got > 0);
		left -= (size_t)got / sizeof(cqe[0]);
	}
}

/* The library's own count keeps it from asking too much, so the places are taken behind its back. */
static void full_kernel_is_waited_for(void **state)
{
	const char *path = node();
	struct tally t = { .answered = 0 };
	struct utw_reactor *r;
	struct utw_device *dev;
	size_t capacity;
	int fd;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_open_door(&dev, r, path, UTW_DEVICE_DOOR_IOCTL), 0);
	capacity = utw_device_capacity(dev);
	fd = node_fd(path);
	occupy(fd, capacity);
	assert_true(ask(dev, &t, 0));
	turn_all(r);
	/* It waits for room, and not by turning. */
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(utw_device_pending(dev), 1);
	vacate(fd, capacity);
	turn_until(r, t.answered);
	assert_int_equal(utw_device_pending(dev), 0);
	turn_all(r);
	utw_device_close(dev);
	utw_reactor_free(r);
}

/* One request with the nth allocation refused; returns whether there were so many. */
static bool ask_refusing(struct utw_reactor *r, const char *path, unsigned int nth)
{
	struct tally t = { .answered = 0 };
	struct utw_device *dev = NULL;
	bool asked = false;
	bool refused;

	alloc_fail_at(nth);
	if (utw_device_open(&dev, r, path) == 0)
		asked = ask(dev, &t, 0);
	if (asked)
		turn_until(r, t.answered);
	refused = alloc_failed();
	alloc_fail_at(0);
	assert_int_equal(t.answered, asked);
	assert_true(asked || refused);
	assert_true(!dev || utw_device_pending(dev) == 0);
	utw_device_close(dev);
	return refused;
}

static void request_without_memory(void **state)
{
	const char *path = node();
	struct utw_reactor *r;
	unsigned int nth = 1;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	while (ask_refusing(r, path, nth))
		assert_true(++nth < SWEEP_END);
	assert_true(nth > 3);
	utw_reactor_free(r);
}

static void transport_without_memory(void **state)
{
	const char *path = node();
	struct utw_reactor *r;
	int error = -ENOMEM;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	for (unsigned int nth = 1; error; nth++) {
		struct recorder rec;

		assert_true(nth < SWEEP_END);
		recorder_init(&rec, true);
		alloc_fail_at(nth);
		error = utw_device_transport_open(NULL, r, path, NULL, &rec.protocol);
		alloc_fail_at(0);
		assert_true(error == 0 || error == -ENOMEM);
		assert_true(error == 0 || !rec.protocol.transport);
		utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
		turn_all(r);
		recorder_release(&rec);
	}
	utw_reactor_free(r);
}

/* The node of untwist_tick that UNTWIST_TEST_TICK_DEVICE names, set to overflow soon. */
static const char *tick_node(void)
{
	const char *path = getenv("UNTWIST_TEST_TICK_DEVICE");

	if (!path) {
		print_message("UNTWIST_TEST_TICK_DEVICE names no device\n");
		skip();
	}
	return path;
}

/* A device that never stops, and a protocol that does: what is dropped is told, and all of it. */
static void overflow_is_told_while_paused(void **state)
{
	const char *path = tick_node();
	struct utw_reactor *r;
	struct recorder rec;

	(void)state;
	recorder_init(&rec, true);
	assert_int_equal(utw_reactor_new(&r), 0);
	assert_int_equal(utw_device_transport_open(NULL, r, path, NULL, &rec.protocol), 0);
	turn_until(r, rec.story_len);
	utw_transport_pause(rec.protocol.transport);
	turn_until(r, strchr(rec.story, 'O'));
	assert_int_equal(rec.data_len, 0);
	utw_transport_resume(rec.protocol.transport);
	/* What was queued before the loss is still there. */
	turn_until(r, rec.data_len);
	assert_false(recorder_lost(&rec));
	utw_transport_close(rec.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(r);
	recorder_release(&rec);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(backlog_is_bounded),
		TEST(full_kernel_is_waited_for),
		TEST(request_without_memory),
		TEST(transport_without_memory),
	};
	/* On each, for they hear of what is urgent in ways of their own. */
	const struct CMUnitTest urgent[] = {
		TEST(overflow_is_told_while_paused),
	};

	return cmocka_run_group_tests_name("device-limits", tests, NULL, NULL) +
		RUN_ON_REAL_BACKENDS(urgent);
}
