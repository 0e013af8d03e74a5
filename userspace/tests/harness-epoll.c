// SPDX-License-Identifier: MIT
/* The stand-in for epoll_ctl(), put in place by the linker's --wrap. */
#include "harness-epoll.h"

#include <errno.h>
#include <sys/epoll.h>

int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);

/* The fault belongs to the thread that asked for it. */
static _Thread_local int next_error;

void epoll_ctl_fail_next(int error)
{
	next_error = error;
}

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (!next_error)
		return __real_epoll_ctl(epfd, op, fd, event);
	errno = next_error;
	next_error = 0;
	return -1;
}
