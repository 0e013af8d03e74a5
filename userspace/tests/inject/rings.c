// SPDX-License-Identifier: MIT
/* Stand-ins for the calls of liburing, which return a negative errno. */
#include <errno.h>
#include <liburing.h>

#include "plan.h"

#define RING_CALL(name, error, manner, parameters, arguments) \
	int inject_##name parameters;                         \
	int inject_##name parameters                          \
	{                                                     \
		if (inject_call(#name, error, manner))        \
			return -errno;                        \
		return name arguments;                        \
	}

RING_CALL(io_uring_queue_init_params, ENOMEM, INJECT_AT_ONCE,
	  (unsigned int entries, struct io_uring *ring, struct io_uring_params *params),
	  (entries, ring, params))
RING_CALL(io_uring_submit, EAGAIN, INJECT_MAY_WAIT, (struct io_uring * ring), (ring))
RING_CALL(io_uring_submit_and_get_events, EAGAIN, INJECT_MAY_WAIT, (struct io_uring * ring), (ring))
RING_CALL(io_uring_submit_and_wait, EAGAIN, INJECT_MAY_WAIT,
	  (struct io_uring * ring, unsigned int count), (ring, count))
RING_CALL(io_uring_submit_and_wait_timeout, EAGAIN, INJECT_MAY_WAIT,
	  (struct io_uring * ring, struct io_uring_cqe **cqe, unsigned int count,
	   struct __kernel_timespec *timeout, sigset_t *mask),
	  (ring, cqe, count, timeout, mask))
