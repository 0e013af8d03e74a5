/* SPDX-License-Identifier: MIT */
/*
 * How many system calls requests cost, counted by a tracer: through a ring, one
 * call takes many and none is needed to reap. UNTWIST_TEST_DEVICE names a node of
 * untwist_loop.
 */
#include <untwist/device.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>
#include <linux/untwist_loop.h>

#include <untwist/deferred.h>
#include <untwist/reactor.h>

#include "harness.h"

#define REQUESTS 32
/* What marks the begin and the end of what is counted. */
#define MARK SYS_getppid

/* Calls between the marks: to submit, to reap, and any other but to wait and to read the clock. */
struct counts {
	unsigned int marks;
	unsigned int ioctls;
	unsigned int reads;
	unsigned int others;
};

static struct utw_result note(void *value, struct utw_failure *failure, void *data)
{
	(void)value;
	if (!failure)
		++*(unsigned int *)data;
	return utw_result_pass();
}

/* What a traced process does between the marks; returns whether it went well. */
typedef bool (*traced_fn)(struct utw_reactor *r, struct utw_device *dev);

static bool ask_many(struct utw_reactor *r, struct utw_device *dev)
{
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_ECHO, .arg = { 20000000, 1 } };
	unsigned int answered = 0;

	for (int i = 0; i < REQUESTS; i++) {
		struct utw_deferred *d = utw_device_submit(dev, &req);

		utw_deferred_add_both(d, note, &answered);
		utw_deferred_unref(d);
	}
	syscall(MARK);
	while (answered < REQUESTS)
		if (utw_reactor_run_once(r, UTW_FOREVER) < 0)
			return false;
	syscall(MARK);
	return true;
}

static void count_shot(struct utw_subscription *s, const struct utw_completion *c, void *data)
{
	(void)s;
	(void)c;
	++*(unsigned int *)data;
}

static void count_end(struct utw_subscription *s, const struct utw_completion *last,
		      struct utw_failure *reason, void *data)
{
	(void)s;
	(void)reason;
	*(unsigned int *)data += last ? REQUESTS : 0;
}

static bool hear_many(struct utw_reactor *r, struct utw_device *dev)
{
	static const struct utw_subscriber hearing = { .shot = count_shot, .ended = count_end };
	struct utw_request req = { .opcode = UNTWIST_LOOP_OP_TICKS, .arg = { 1000000, REQUESTS } };
	struct utw_subscription *s;
	unsigned int heard = 0;

	if (utw_device_subscribe(&s, dev, &req, &hearing, &heard))
		return false;
	syscall(MARK);
	while (heard < REQUESTS)
		if (utw_reactor_run_once(r, UTW_FOREVER) < 0)
			return false;
	syscall(MARK);
	return heard > REQUESTS;
}

/* The traced process; it tells by its exit code that all went well. */
static int traced_run(const char *path, enum utw_device_door door, traced_fn act)
{
	struct utw_reactor *r;
	struct utw_device *dev;
	bool well;

	if (utw_reactor_new(&r) || utw_device_open_door(&dev, r, path, door))
		return 2;
	well = act(r, dev);
	utw_device_close(dev);
	utw_reactor_free(r);
	return well ? 0 : 3;
}

static void count(struct counts *c, uint64_t number)
{
	if (number == MARK) {
		c->marks++;
		return;
	}
	if (c->marks != 1)
		return;
	switch (number) {
	case SYS_ioctl:
		c->ioctls++;
		break;
	case SYS_read:
		c->reads++;
		break;
	/* The reactor waits; and the clock is no system call, but where it cannot be mapped. */
	case SYS_epoll_pwait2:
	case SYS_epoll_pwait:
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_io_uring_enter:
	case SYS_clock_gettime:
	case SYS_restart_syscall:
		break;
	default:
		print_message("system call %u\n", (unsigned int)number);
		c->others++;
	}
}

static void trace(pid_t child, struct counts *c)
{
	struct ptrace_syscall_info info;
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL,
				PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
			 0);
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			break;
		assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80));
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			count(c, info.entry.nr);
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(c->marks, 2);
}

static struct counts counts_of(enum utw_device_door door, traced_fn act)
{
	const char *path = getenv("UNTWIST_TEST_DEVICE");
	struct counts c = { .marks = 0 };
	pid_t child;

	if (!path) {
		print_message("UNTWIST_TEST_DEVICE names no device\n");
		skip();
	}
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(4);
		raise(SIGSTOP);
		_exit(traced_run(path, door, act));
	}
	trace(child, &c);
	return c;
}

static void ring_reaps_without_a_system_call(void **state)
{
	struct counts c = counts_of(UTW_DEVICE_DOOR_RING, ask_many);

	(void)state;
	assert_int_equal(c.ioctls, 1);
	assert_int_equal(c.reads, 0);
	assert_int_equal(c.others, 0);
}

/* One call sends the request; all that comes of it needs none. */
static void subscription_by_ring_costs_one_system_call(void **state)
{
	struct counts c = counts_of(UTW_DEVICE_DOOR_RING, hear_many);

	(void)state;
	assert_int_equal(c.ioctls, 1);
	assert_int_equal(c.reads, 0);
	assert_int_equal(c.others, 0);
}

/* That the count sees what there is to be seen. */
static void ioctl_reaps_with_reads(void **state)
{
	struct counts c = counts_of(UTW_DEVICE_DOOR_IOCTL, ask_many);

	(void)state;
	assert_int_equal(c.ioctls, 1);
	assert_true(c.reads > 0);
	assert_int_equal(c.others, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ring_reaps_without_a_system_call),
		TEST(subscription_by_ring_costs_one_system_call),
		TEST(ioctl_reaps_with_reads),
	};

	return cmocka_run_group_tests_name("device-calls", tests, NULL, NULL);
}
