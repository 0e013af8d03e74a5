// SPDX-License-Identifier: MIT
/* Locks on files: flock(), tried again by a timer. */
#include <untwist/file_lock.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <untwist/timer.h>

#include "base/open.h"

/* Of locking a file that others keep on removing. */
#define MOST_TRIES 16

struct utw_file_lock {
	struct utw_reactor *reactor;
	struct utw_timer timer;
	uint64_t retry;
	struct utw_deferred *waiting; /* NULL when nobody is */
	int fd; /* locked, or -1 */
	char path[];
};

static void retry_due(struct utw_timer *t);

int utw_file_lock_new(struct utw_file_lock **ret, struct utw_reactor *r, const char *path)
{
	size_t size = strlen(path) + 1;
	struct utw_file_lock *l = calloc(1, sizeof(*l) + size);

	if (!l)
		return -ENOMEM;
	l->reactor = r;
	l->fd = -1;
	utw_timer_init(&l->timer, retry_due);
	memcpy(l->path, path, size);
	*ret = l;
	return 0;
}

/* Is the locked file still the one that others would open? Somebody may have removed it. */
static bool still_there(int fd, const char *path)
{
	struct stat locked, named;

	return fstat(fd, &locked) == 0 && stat(path, &named) == 0 &&
		locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

static int lock_file(const char *path)
{
	int fd = utw_open_made(path, O_RDWR | O_CREAT | O_NOCTTY | O_NONBLOCK, 0644);
	int err;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* For people only, so what cannot be written is no failure. */
static void leave_process_number(int fd)
{
	if (ftruncate(fd, 0) == 0 && dprintf(fd, "%d\n", (int)getpid()) < 0)
		return;
}

int utw_file_lock_try(struct utw_file_lock *l)
{
	int tries, fd;

	if (l->fd >= 0)
		return -EALREADY;
	for (tries = 0; tries < MOST_TRIES; tries++) {
		fd = lock_file(l->path);
		if (fd < 0)
			return fd;
		if (still_there(fd, l->path)) {
			leave_process_number(fd);
			l->fd = fd;
			return 0;
		}
		close(fd);
	}
	return -EAGAIN;
}

int utw_file_lock_release(struct utw_file_lock *l)
{
	if (l->fd < 0)
		return -EPERM;
	if (ftruncate(l->fd, 0) < 0)
		errno = 0;
	close(l->fd);
	l->fd = -1;
	return 0;
}

bool utw_file_lock_held(const struct utw_file_lock *l)
{
	return l->fd >= 0;
}

int utw_file_lock_owner(const struct utw_file_lock *l)
{
	int fd = utw_open(l->path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	char text[16];
	ssize_t length;
	int error = 0;
	long number;

	if (fd < 0)
		return fd;
	do {
		length = read(fd, text, sizeof(text) - 1);
	} while (length < 0 && errno == EINTR);
	if (length <= 0)
		error = length ? -errno : -ENODATA;
	close(fd);
	if (error)
		return error;
	text[length] = '\0';
	number = strtol(text, NULL, 10);
	return number > 0 && number <= INT32_MAX ? (int)number : -ENODATA;
}

static struct utw_failure *try_failure(const char *file, int line, const struct utw_file_lock *l,
				       int error)
{
	return utw_failure_from_errno_at(file, line, error, "lock", "%s", l->path);
}

/* The wait is over: fire the deferred, whose chain may free the lock. */
static void wait_end(struct utw_file_lock *l, int error)
{
	struct utw_deferred *d = l->waiting;

	l->waiting = NULL;
	utw_timer_cancel(&l->timer);
	if (error)
		utw_deferred_errback(d, try_failure(UTW_HERE, l, error));
	else
		utw_deferred_callback(d, l);
	utw_deferred_unref(d);
}

static void retry_due(struct utw_timer *t)
{
	struct utw_file_lock *l = utw_container_of(t, struct utw_file_lock, timer);
	int err = utw_file_lock_try(l);

	if (err == -EAGAIN)
		err = utw_timer_start(t, l->reactor, l->retry) ?: -EAGAIN;
	if (err != -EAGAIN)
		wait_end(l, err);
}

static enum utw_cancel wait_cancel(struct utw_deferred *d, void *data)
{
	struct utw_file_lock *l = data;

	utw_timer_cancel(&l->timer);
	l->waiting = NULL;
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

static struct utw_deferred *wait_begin(const char *file, int line, struct utw_file_lock *l,
				       uint64_t retry)
{
	struct utw_deferred *d = utw_deferred_new_at(file, line);

	if (!d)
		return NULL;
	if (utw_timer_start(&l->timer, l->reactor, retry) < 0) {
		utw_deferred_unref(d);
		return NULL;
	}
	l->retry = retry;
	l->waiting = utw_deferred_ref(d);
	utw_deferred_set_canceller(d, wait_cancel, l);
	return d;
}

struct utw_deferred *utw_file_lock_acquire_at(const char *file, int line, struct utw_file_lock *l,
					      uint64_t retry)
{
	int err = l->waiting ? -EALREADY : utw_file_lock_try(l);
	struct utw_deferred *d;

	if (err == -EAGAIN)
		return wait_begin(file, line, l, retry);
	if (err < 0)
		return utw_deferred_fail_at(file, line, try_failure(file, line, l, err));
	d = utw_deferred_succeed_at(file, line, l);
	if (!d)
		utw_file_lock_release(l);
	return d;
}

void utw_file_lock_free(struct utw_file_lock *l)
{
	if (!l)
		return;
	if (l->waiting) {
		struct utw_deferred *d = utw_deferred_ref(l->waiting);

		utw_deferred_cancel(d);
		utw_deferred_unref(d);
	}
	utw_file_lock_release(l);
	free(l);
}
