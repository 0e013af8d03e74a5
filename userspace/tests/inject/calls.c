// SPDX-License-Identifier: MIT
/*
 * Stand-ins for system calls. Each fails with an error that it may have on a sound
 * machine in a bad moment: what only a mistake of the caller brings proves nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanitizer/lsan_interface.h>

#include "plan.h"

#define STAND_IN(type, name, failed, error, manner, parameters, arguments) \
	type inject_##name parameters;                                     \
	type inject_##name parameters                                      \
	{                                                                  \
		if (inject_call(#name, error, manner))                     \
			return failed;                                     \
		return name arguments;                                     \
	}

/* With -1 and errno; one that never waits, and one that may. */
#define AT_ONCE(type, name, error, parameters, arguments) \
	STAND_IN(type, name, -1, error, INJECT_AT_ONCE, parameters, arguments)
#define MAY_WAIT(type, name, error, parameters, arguments) \
	STAND_IN(type, name, -1, error, INJECT_MAY_WAIT, parameters, arguments)

/* A counter in the kernel's memory has no device that could fail. */
static int error_of_data(int fd)
{
	char path[32], target[32] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return EIO;
	return strcmp(target, "anon_inode:[eventfd]") ? EIO : 0;
}

/* Data that comes and goes. */
MAY_WAIT(ssize_t, read, error_of_data(fd), (int fd, void *buf, size_t len), (fd, buf, len))
MAY_WAIT(ssize_t, write, error_of_data(fd), (int fd, const void *buf, size_t len), (fd, buf, len))
MAY_WAIT(ssize_t, pwrite, EIO, (int fd, const void *buf, size_t len, off_t at), (fd, buf, len, at))
MAY_WAIT(ssize_t, pwritev2, EIO,
	 (int fd, const struct iovec *parts, int count, off_t at, int flags),
	 (fd, parts, count, at, flags))
MAY_WAIT(ssize_t, recv, ECONNRESET, (int fd, void *buf, size_t len, int flags),
	 (fd, buf, len, flags))
MAY_WAIT(ssize_t, recvmsg, ECONNRESET, (int fd, struct msghdr *message, int flags),
	 (fd, message, flags))
MAY_WAIT(int, recvmmsg, ENOMEM,
	 (int fd, struct mmsghdr *messages, unsigned int count, int flags,
	  struct timespec *timeout),
	 (fd, messages, count, flags, timeout))
MAY_WAIT(ssize_t, send, EPIPE, (int fd, const void *buf, size_t len, int flags),
	 (fd, buf, len, flags))
MAY_WAIT(ssize_t, sendmsg, EPIPE, (int fd, const struct msghdr *message, int flags),
	 (fd, message, flags))
MAY_WAIT(int, sendmmsg, ENOBUFS, (int fd, struct mmsghdr *messages, unsigned int count, int flags),
	 (fd, messages, count, flags))
MAY_WAIT(ssize_t, sendto, ENOBUFS,
	 (int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	  socklen_t to_len),
	 (fd, buf, len, flags, to, to_len))

/* Descriptors that are made. */
AT_ONCE(int, socket, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
AT_ONCE(int, socketpair, EMFILE, (int domain, int type, int protocol, int fd[2]),
	(domain, type, protocol, fd))
AT_ONCE(int, pipe2, ENFILE, (int fd[2], int flags), (fd, flags))
AT_ONCE(int, eventfd, EMFILE, (unsigned int value, int flags), (value, flags))
AT_ONCE(int, epoll_create1, EMFILE, (int flags), (flags))
AT_ONCE(int, timerfd_create, EMFILE, (int clock, int flags), (clock, flags))
AT_ONCE(int, inotify_init1, EMFILE, (int flags), (flags))
AT_ONCE(int, pidfd_open, EMFILE, (pid_t pid, unsigned int flags), (pid, flags))
AT_ONCE(int, posix_openpt, ENOSPC, (int flags), (flags))
MAY_WAIT(int, accept4, EMFILE, (int fd, struct sockaddr *address, socklen_t *len, int flags),
	 (fd, address, len, flags))

/* What is done to them. */
AT_ONCE(int, bind, EADDRINUSE, (int fd, const struct sockaddr *address, socklen_t len),
	(fd, address, len))
AT_ONCE(int, listen, EADDRINUSE, (int fd, int backlog), (fd, backlog))
AT_ONCE(int, connect, EADDRNOTAVAIL, (int fd, const struct sockaddr *address, socklen_t len),
	(fd, address, len))
AT_ONCE(int, shutdown, ENOTCONN, (int fd, int how), (fd, how))
AT_ONCE(int, getsockname, ENOBUFS, (int fd, struct sockaddr *address, socklen_t *len),
	(fd, address, len))
AT_ONCE(int, getsockopt, ENOBUFS, (int fd, int level, int name, void *value, socklen_t *len),
	(fd, level, name, value, len))
AT_ONCE(int, setsockopt, ENOMEM, (int fd, int level, int name, const void *value, socklen_t len),
	(fd, level, name, value, len))
AT_ONCE(int, inotify_add_watch, ENOSPC, (int fd, const char *path, uint32_t mask), (fd, path, mask))
AT_ONCE(int, grantpt, EACCES, (int fd), (fd))
AT_ONCE(int, unlockpt, EINVAL, (int fd), (fd))
AT_ONCE(int, flock, ENOLCK, (int fd, int operation), (fd, operation))
AT_ONCE(int, fchmod, EPERM, (int fd, mode_t mode), (fd, mode))
AT_ONCE(int, ftruncate, EIO, (int fd, off_t len), (fd, len))
AT_ONCE(int, fstat, EIO, (int fd, struct stat *ret), (fd, ret))

/* Waiting: of these only an interruption is to be expected. */
MAY_WAIT(int, epoll_wait, 0, (int fd, struct epoll_event *events, int most, int timeout),
	 (fd, events, most, timeout))
MAY_WAIT(int, epoll_pwait2, 0,
	 (int fd, struct epoll_event *events, int most, const struct timespec *timeout,
	  const sigset_t *mask),
	 (fd, events, most, timeout, mask))
MAY_WAIT(int, poll, 0, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
MAY_WAIT(pid_t, waitpid, 0, (pid_t pid, int *status, int options), (pid, status, options))
MAY_WAIT(ssize_t, getrandom, ENOSYS, (void *buf, size_t len, unsigned int flags), (buf, len, flags))

/* Adding takes memory, and a place among those of the user; the rest cannot fail. */
int inject_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int inject_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	int error = op == EPOLL_CTL_ADD ? ENOSPC : 0;

	if (inject_call("epoll_ctl", error, INJECT_AT_ONCE))
		return -1;
	return epoll_ctl(epfd, op, fd, event);
}

/* Processes, threads and memory. */
AT_ONCE(pid_t, fork, EAGAIN, (void), ())
STAND_IN(int, pthread_create, errno, EAGAIN, INJECT_AT_ONCE,
	 (pthread_t * thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *data),
	 (thread, attributes, fn, data))

/* Memory of the library's own, as the stacks of tasks, may hold the last pointer to a thing. */
void *inject_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset);
void *inject_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	void *memory;

	if (inject_call("mmap", ENOMEM, INJECT_AT_ONCE))
		return MAP_FAILED;
	memory = mmap(at, len, protection, flags, fd, offset);
	if (memory != MAP_FAILED)
		__lsan_register_root_region(memory, len);
	return memory;
}

int inject_munmap(void *at, size_t len);
int inject_munmap(void *at, size_t len)
{
	__lsan_unregister_root_region(at, len);
	return munmap(at, len);
}

AT_ONCE(int, mprotect, ENOMEM, (void *at, size_t len, int protection), (at, len, protection))

/* Those with arguments that vary have at most one more, which fits a pointer. */
#define REST(last)                           \
	({                                   \
		va_list list;                \
		void *rest;                  \
                                             \
		va_start(list, last);        \
		rest = va_arg(list, void *); \
		va_end(list);                \
		rest;                        \
	})

int inject_open(const char *path, int flags, ...);
int inject_open(const char *path, int flags, ...)
{
	if (inject_call("open", EMFILE, INJECT_MAY_WAIT))
		return -1;
	return open(path, flags, (mode_t)(uintptr_t)REST(flags));
}

int inject_fcntl(int fd, int command, ...);
int inject_fcntl(int fd, int command, ...)
{
	int error = command == F_DUPFD_CLOEXEC ? EMFILE : 0;

	if (inject_call("fcntl", error, INJECT_AT_ONCE))
		return -1;
	return fcntl(fd, command, REST(command));
}

int inject_ioctl(int fd, unsigned long request, ...);
int inject_ioctl(int fd, unsigned long request, ...)
{
	if (inject_call("ioctl", EIO, INJECT_AT_ONCE))
		return -1;
	return ioctl(fd, request, REST(request));
}

STAND_IN(FILE *, fopen, NULL, EMFILE, INJECT_AT_ONCE, (const char *path, const char *mode),
	 (path, mode))
