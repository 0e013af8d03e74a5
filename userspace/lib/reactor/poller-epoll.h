/* SPDX-License-Identifier: MIT */
/* The state of the epoll back end, for its tests. */
#ifndef UTW_REACTOR_POLLER_EPOLL_H
#define UTW_REACTOR_POLLER_EPOLL_H

#include "reactor/always-ready.h"
#include "reactor/poller.h"

struct utw_poller_epoll_state {
	int fd;
	struct utw_always_ready always;
	bool precise; /* the kernel takes nanoseconds */
};

#endif
