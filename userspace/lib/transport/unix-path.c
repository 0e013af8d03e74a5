/* SPDX-License-Identifier: MIT */
/* The claim on the path of a UNIX socket: see unix-path.h. */
#include "unix-path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/open.h"

#define LOCK_PATH (sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".lock"))

static const char *path_of(const struct utw_address *at)
{
	return ((const struct sockaddr_un *)&at->storage)->sun_path;
}

static bool has_file(const struct utw_address *at)
{
	return at->length > sizeof(sa_family_t) && path_of(at)[0];
}

static void lock_path(const struct utw_address *at, char *buf)
{
	snprintf(buf, LOCK_PATH, "%s.lock", path_of(at));
}

/* Is it still this file that has the name, and not one that was made after its removal? */
static bool lock_current(int fd, const char *path)
{
	struct stat have, named;

	return !fstat(fd, &have) && !stat(path, &named) && have.st_dev == named.st_dev &&
		have.st_ino == named.st_ino;
}

static int lock_take(const char *path)
{
	for (;;) {
		int fd = utw_open_made(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
		int error;

		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			error = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
			close(fd);
			return error;
		}
		if (lock_current(fd, path))
			return fd;
		close(fd);
	}
}

/* A program that knows nothing of our locks may serve it: ask. */
static bool is_served(int like, const struct utw_address *at)
{
	socklen_t size = sizeof(int);
	int type = SOCK_STREAM;
	bool served;
	int fd;

	getsockopt(like, SOL_SOCKET, SO_TYPE, &type, &size);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	served = !connect(fd, (const struct sockaddr *)&at->storage, at->length) ||
		errno != ECONNREFUSED;
	close(fd);
	return served;
}

static void remove_stale(int fd, const struct utw_address *at)
{
	struct stat st;

	if (!lstat(path_of(at), &st) && S_ISSOCK(st.st_mode) && !is_served(fd, at))
		unlink(path_of(at));
}

/* The mode of the socket is that of the file to be, less the umask: never too wide. */
static int bind_file(struct utw_unix_path *u, int fd, mode_t mode)
{
	struct stat st;

	if (mode && fchmod(fd, mode))
		return -errno;
	if (bind(fd, (const struct sockaddr *)&u->at.storage, u->at.length))
		return -errno;
	if ((mode && chmod(path_of(&u->at), mode)) || stat(path_of(&u->at), &st)) {
		int error = -errno;

		unlink(path_of(&u->at));
		return error;
	}
	u->dev = st.st_dev;
	u->ino = st.st_ino;
	return 0;
}

int utw_unix_path_bind(struct utw_unix_path *u, int fd, const struct utw_address *at, mode_t mode)
{
	char path[LOCK_PATH];
	int error;

	u->at = *at;
	u->lock = -1;
	if (!has_file(at))
		return bind(fd, (const struct sockaddr *)&at->storage, at->length) ? -errno : 0;
	lock_path(at, path);
	u->lock = lock_take(path);
	if (u->lock < 0)
		return u->lock;
	remove_stale(fd, at);
	error = bind_file(u, fd, mode);
	if (error) {
		unlink(path);
		close(u->lock);
	}
	return error;
}

void utw_unix_path_release(struct utw_unix_path *u)
{
	char path[LOCK_PATH];
	struct stat st;

	if (u->lock < 0)
		return;
	if (!lstat(path_of(&u->at), &st) && st.st_dev == u->dev && st.st_ino == u->ino)
		unlink(path_of(&u->at));
	lock_path(&u->at, path);
	unlink(path);
	close(u->lock);
	u->lock = -1;
}
