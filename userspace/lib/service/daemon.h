/* SPDX-License-Identifier: MIT */
/*
 * Daemon: into the background, with somebody left behind who knows how it went.
 *
 * The process that was started waits until the one in the background has told
 * how its start went, and ends with that exit code.
 */
#ifndef UTW_SERVICE_DAEMON_H
#define UTW_SERVICE_DAEMON_H

/*
 * Go on in the background. Returns there, with the descriptor to tell on; or
 * -errno in the foreground. The process that waits does not return.
 */
int utw_daemon_fork(void);

/* Tell the exit code to the process that waits, once, and let go of the terminal. */
void utw_daemon_tell(int fd, int code);

/*
 * Become NAME or NAME:GROUP, with all groups of that user. Returns 0, -ENOENT
 * when there is none, or -errno.
 */
int utw_daemon_become(const char *user);

#endif
