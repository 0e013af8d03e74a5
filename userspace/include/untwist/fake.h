/* SPDX-License-Identifier: MIT */
/*
 * The fake reactor: for tests that must not wait and must not depend on chance.
 *
 * A reactor made with UTW_BACKEND_FAKE keeps a clock of its own. It stands still
 * until utw_fake_advance(); utw_reactor_run() and a run_once that may wait put it
 * forward to the next deadline at once, so that an hour of timers takes no time.
 *
 * Descriptors from UTW_FAKE_FD on do not exist: they are ready when the test says
 * so. Others are real and watched as ever; where nothing but them could end a wait
 * the reactor really waits.
 *
 * Thread rule: only from the reactor's own thread.
 * Errors of both: -ENOTSUP the reactor is not a fake one.
 */
#ifndef UNTWIST_FAKE_H
#define UNTWIST_FAKE_H

#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;

/* The first number that is never a real descriptor's. */
#define UTW_FAKE_FD (1 << 30)

/*
 * Put the clock forward by `by` ns; what becomes due runs in the next turn. In a
 * turn utw_reactor_now() keeps its value until the turn is over.
 */
UTW_API int utw_fake_advance(struct utw_reactor *r, uint64_t by);

/*
 * Make descriptor `fd`, watched or not, ready for just these EPOLL* events; 0 for
 * none. Each call with some is an edge. Errors: -EBADF below UTW_FAKE_FD; -ENOMEM.
 */
UTW_API int utw_fake_set_ready(struct utw_reactor *r, int fd, uint32_t events);

#ifdef __cplusplus
}
#endif

#endif
