/* SPDX-License-Identifier: MIT */
/* Daemon: see daemon.h. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/open.h"

/* Ends as the one in the background said; if it died without a word, as a failed start. */
static void wait_behind(int fd, pid_t child)
{
	unsigned char code = EXIT_FAILURE;
	ssize_t got;

	waitpid(child, NULL, 0);
	do {
		got = read(fd, &code, 1);
	} while (got < 0 && errno == EINTR);
	_exit(got == 1 ? code : EXIT_FAILURE);
}

int utw_daemon_fork(void)
{
	int told[2];
	pid_t pid;
	int error;

	if (pipe2(told, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		error = -errno;
		close(told[0]);
		close(told[1]);
		return error;
	}
	if (pid > 0) {
		close(told[1]);
		wait_behind(told[0], pid);
	}
	close(told[0]);
	/* A second child leads no session, and so can get no terminal any more. */
	if (setsid() < 0)
		_exit(EXIT_FAILURE);
	pid = fork();
	if (pid)
		_exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	return told[1];
}

void utw_daemon_tell(int fd, int code)
{
	unsigned char byte = (unsigned char)code;
	int null = utw_open("/dev/null", O_RDWR);

	for (int standard = 0; null >= 0 && standard <= STDOUT_FILENO; standard++)
		dup2(null, standard);
	/* Standard error may be the log. */
	if (null >= 0 && isatty(STDERR_FILENO))
		dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	while (write(fd, &byte, 1) < 0 && errno == EINTR)
		;
	close(fd);
}

static int group_find(const char *name, gid_t *ret)
{
	struct group *found;

	errno = 0;
	found = getgrnam(name);
	if (!found)
		return errno ? -errno : -ENOENT;
	*ret = found->gr_gid;
	return 0;
}

int utw_daemon_become(const char *user)
{
	char name[64];
	const char *colon = strchrnul(user, ':');
	struct passwd *found;
	gid_t gid;
	int error = 0;

	if ((size_t)(colon - user) >= sizeof(name))
		return -ENOENT;
	memcpy(name, user, (size_t)(colon - user));
	name[colon - user] = '\0';
	errno = 0;
	found = getpwnam(name);
	if (!found)
		return errno ? -errno : -ENOENT;
	gid = found->pw_gid;
	if (*colon)
		error = group_find(colon + 1, &gid);
	if (error)
		return error;
	/* In this order: the last step takes the right to the others. */
	if (initgroups(name, gid) || setresgid(gid, gid, gid) ||
	    setresuid(found->pw_uid, found->pw_uid, found->pw_uid))
		return -errno;
	return 0;
}
