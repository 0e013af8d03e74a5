/* SPDX-License-Identifier: MIT */
/*
 * Writes without SIGPIPE, by both ways: the flag of the newest kernels, and the
 * mask of all others. The way of the mask is forced by hiding pwritev2().
 */
#include "transport/silent-write.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness.h"

ssize_t __real_pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags);

static bool old_kernel;
static unsigned int asked;
static volatile sig_atomic_t sigpipes;

ssize_t __wrap_pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	asked++;
	if (!old_kernel)
		return __real_pwritev2(fd, iov, count, offset, flags);
	errno = EOPNOTSUPP;
	return -1;
}

static void count_sigpipe(int signo)
{
	(void)signo;
	sigpipes++;
}

struct broken {
	struct sigaction before;
	int fd; /* a pipe that nobody reads */
};

static void begin(struct broken *b)
{
	struct sigaction count = { .sa_handler = count_sigpipe };
	int fd[2];

	sigpipes = 0;
	assert_int_equal(sigaction(SIGPIPE, &count, &b->before), 0);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	close(fd[0]);
	b->fd = fd[1];
}

static void finish(struct broken *b)
{
	struct sigaction after;

	assert_int_equal(sigaction(SIGPIPE, &b->before, &after), 0);
	assert_ptr_equal(after.sa_handler, count_sigpipe);
	close(b->fd);
}

static bool sigpipe_blocked(void)
{
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGPIPE);
}

static bool sigpipe_pending(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGPIPE);
}

static void sigpipe_block(int how)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	pthread_sigmask(how, &mask, NULL);
}

/* Whatever way this kernel has. It comes first: the way that was found once is kept. */
static void broken_pipe_raises_nothing(void **state)
{
	struct broken b;

	(void)state;
	begin(&b);
	assert_int_equal(utw_silent_write(b.fd, "x", 1), -EPIPE);
	assert_int_equal(sigpipes, 0);
	assert_false(sigpipe_blocked());
	finish(&b);
}

static void old_kernel_is_asked_once(void **state)
{
	struct broken b;
	unsigned int before;

	(void)state;
	old_kernel = true;
	begin(&b);
	assert_int_equal(utw_silent_write(b.fd, "x", 1), -EPIPE);
	before = asked;
	assert_int_equal(utw_silent_write(b.fd, "x", 1), -EPIPE);
	assert_int_equal(asked, before);
	assert_int_equal(sigpipes, 0);
	assert_false(sigpipe_blocked());
	finish(&b);
}

static void mask_lets_bytes_through(void **state)
{
	char got[4];
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(utw_silent_write(fd[1], "abc", 3), 3);
	assert_int_equal(read(fd[0], got, sizeof(got)), 3);
	close(fd[0]);
	close(fd[1]);
}

static void mask_keeps_a_mask_that_was_there(void **state)
{
	struct broken b;

	(void)state;
	begin(&b);
	sigpipe_block(SIG_BLOCK);
	assert_int_equal(utw_silent_write(b.fd, "x", 1), -EPIPE);
	assert_true(sigpipe_blocked());
	assert_false(sigpipe_pending());
	sigpipe_block(SIG_UNBLOCK);
	assert_int_equal(sigpipes, 0);
	finish(&b);
}

/* One that was pending before is somebody else's, who is still to see it. */
static void mask_leaves_a_pending_signal_alone(void **state)
{
	struct broken b;

	(void)state;
	begin(&b);
	sigpipe_block(SIG_BLOCK);
	raise(SIGPIPE);
	assert_int_equal(utw_silent_write(b.fd, "x", 1), -EPIPE);
	assert_true(sigpipe_pending());
	sigpipe_block(SIG_UNBLOCK);
	assert_int_equal(sigpipes, 1);
	finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(broken_pipe_raises_nothing),
		TEST(old_kernel_is_asked_once),
		TEST(mask_lets_bytes_through),
		TEST(mask_keeps_a_mask_that_was_there),
		TEST(mask_leaves_a_pending_signal_alone),
	};

	return cmocka_run_group_tests_name("silent-write", tests, NULL, NULL);
}
