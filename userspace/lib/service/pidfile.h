/* SPDX-License-Identifier: MIT */
/*
 * Pid file: says which process runs, and keeps a second one from it.
 *
 * The lock on the file tells whether its writer lives: a number alone may have
 * passed to another process since.
 */
#ifndef UTW_SERVICE_PIDFILE_H
#define UTW_SERVICE_PIDFILE_H

/*
 * Make it, lock it and write the caller's pid into it. Returns its descriptor,
 * which is the lock; -EWOULDBLOCK when a live process has it; -EEXIST when it
 * holds something else than a pid, which is left alone; or what open() says.
 */
int utw_pidfile_open(const char *path);

/* Remove it. A no-op for fd -1. */
void utw_pidfile_close(int fd, const char *path);

#endif
