/* SPDX-License-Identifier: MIT */
/*
 * Writes without SIGPIPE: see silent-write.h.
 *
 * Kernels since 6.18 have a flag for write(). On others, and for sendfile(),
 * the signal is blocked in this thread around the call. SIGPIPE is sent to the very thread that
 * writes, so what the write raised can be taken back before it is unblocked;
 * unless one was pending before, which is somebody else's to see.
 */
#include "silent-write.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

static ssize_t write_flagged(int fd, const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	ssize_t put = pwritev2(fd, &iov, 1, -1, RWF_NOSIGNAL);

	return put < 0 ? -errno : put;
}

static void take_back_sigpipe(const sigset_t *sigpipe)
{
	struct timespec now = { 0, 0 };

	while (sigtimedwait(sigpipe, NULL, &now) < 0 && errno == EINTR)
		;
}

/* What to write: memory, or as much of a file. */
struct output {
	int fd;
	const void *data; /* NULL: from the file */
	int file;
	size_t len;
};

static ssize_t output_once(const struct output *o)
{
	ssize_t put = o->data ? write(o->fd, o->data, o->len)
			      : sendfile(o->fd, o->file, NULL, o->len);

	return put < 0 ? -errno : put;
}

static ssize_t output_masked(const struct output *o)
{
	sigset_t sigpipe, before, pending;
	ssize_t put;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigpending(&pending);
	/* Blocked by the program, or it could not be pending: nothing more can happen. */
	if (sigismember(&pending, SIGPIPE))
		return output_once(o);

	pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
	put = output_once(o);
	if (put == -EPIPE)
		take_back_sigpipe(&sigpipe);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return put;
}

ssize_t utw_silent_write(int fd, const void *data, size_t len)
{
	const struct output o = { .fd = fd, .data = data, .len = len };
	static atomic_bool no_flag;

	if (!atomic_load_explicit(&no_flag, memory_order_relaxed)) {
		ssize_t put = write_flagged(fd, data, len);

		if (put != -EOPNOTSUPP && put != -ENOSYS && put != -EINVAL)
			return put;
		atomic_store_explicit(&no_flag, true, memory_order_relaxed);
	}
	return output_masked(&o);
}

ssize_t utw_silent_sendfile(int fd, int file, size_t len)
{
	const struct output o = { .fd = fd, .file = file, .len = len };

	return output_masked(&o);
}
