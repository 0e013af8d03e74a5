// SPDX-License-Identifier: MIT
/* The choice of a back end: by argument, by environment, and what serves in its stead. */
#include "reactor/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE "UNTWIST_REACTOR"

static int backend_from_environment(enum utw_backend *backend)
{
	/* As any library must hope: nobody changes the environment while others read it. */
	const char *name = getenv(VARIABLE); /* NOLINT(concurrency-mt-unsafe) */

	if (!name || !*name || !strcmp(name, "epoll"))
		*backend = UTW_BACKEND_EPOLL;
	else if (!strcmp(name, "io_uring"))
		*backend = UTW_BACKEND_IO_URING;
	else if (!strcmp(name, "fake"))
		*backend = UTW_BACKEND_FAKE;
	else
		return -EINVAL;
	return 0;
}

static int poller_open(struct utw_poller *p, const struct utw_poller_ops *ops)
{
	p->ops = ops;
	return ops->open(p);
}

/* Out of memory or descriptors is no reason to take epoll: it would not fare better. */
static bool reason_to_fall_back(int error)
{
	return error < 0 && error != -ENOMEM && error != -EMFILE && error != -ENFILE;
}

static int poller_open_uring(struct utw_poller *p)
{
	int error = -ENOTSUP;

	if (utw_poller_uring)
		error = poller_open(p, utw_poller_uring);
	else
		p->reason = "io_uring: built without liburing";
	return reason_to_fall_back(error) ? poller_open(p, &utw_poller_epoll) : error;
}

int utw_poller_open(struct utw_poller *p, enum utw_backend backend)
{
	int error = 0;

	p->reason = NULL;
	if (backend == UTW_BACKEND_DEFAULT)
		error = backend_from_environment(&backend);
	if (error < 0)
		return error;
	switch (backend) {
	case UTW_BACKEND_EPOLL:
		return poller_open(p, &utw_poller_epoll);
	case UTW_BACKEND_IO_URING:
		return poller_open_uring(p);
	case UTW_BACKEND_FAKE:
		return poller_open(p, &utw_poller_fake);
	case UTW_BACKEND_DEFAULT:
		break;
	}
	return -EINVAL;
}
