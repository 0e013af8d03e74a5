/* SPDX-License-Identifier: MIT */
/* Pid file: see pidfile.h. */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/open.h"

/* A stale file has a number and a newline in it, or nothing. */
static int pidfile_check(int fd)
{
	char text[32] = "";
	ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len < 0)
		return -errno;
	if (text[strspn(text, "0123456789\n")])
		return -EEXIST;
	return 0;
}

static int pidfile_write(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)len, 0) != len)
		return -errno;
	return 0;
}

int utw_pidfile_open(const char *path)
{
	int fd = utw_open_made(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
	int error;

	if (fd < 0)
		return fd;
	error = flock(fd, LOCK_EX | LOCK_NB) ? -errno : pidfile_check(fd);
	if (!error)
		error = pidfile_write(fd);
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

void utw_pidfile_close(int fd, const char *path)
{
	if (fd < 0)
		return;
	/* While it is still locked: afterwards it may be another one's. */
	unlink(path);
	close(fd);
}
