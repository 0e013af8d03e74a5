/* SPDX-License-Identifier: MIT */
/*
 * A child watch: calls back when a process has ended.
 *
 * By pidfd: no handler for SIGCHLD, no mistaking a number that was given anew, and
 * any process may be watched, not only a child. A child of ours is reaped, once, by
 * the watch: nobody else may wait for it.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_CHILD_H
#define UNTWIST_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <untwist/api.h>
#include <untwist/watch.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_child;

enum utw_child_end {
	UTW_CHILD_EXITED, /* by itself: `code` is its exit code */
	UTW_CHILD_KILLED, /* by a signal: `code` is its number */
	UTW_CHILD_DUMPED, /* the same, and it left a core file */
	UTW_CHILD_UNKNOWN, /* it was not our child, or somebody else has waited for it */
};

struct utw_child_status {
	enum utw_child_end how;
	int code; /* 0 when unknown */
	struct rusage usage; /* zeroes when unknown */
};

/*
 * The process has ended. The watch is inactive by then: it may be started again or
 * freed. `status` is the caller's for this call only.
 */
typedef void (*utw_child_fn)(struct utw_child *c, const struct utw_child_status *status);

/* The members are private. */
struct utw_child {
	struct utw_watch watch;
	utw_child_fn fn;
	int pidfd; /* -1 for none */
	uint32_t reserved;
};

/* Prepare the caller's storage; holds nothing once it has called back or was stopped. */
UTW_API void utw_child_init(struct utw_child *c, utw_child_fn fn);

/*
 * Watch process `pid`. Errors: -EBUSY already active; -ESRCH there is none (a child
 * that has ended but was not waited for is still there); -EINVAL not a process's
 * number; -EMFILE, -ENFILE, -ENOMEM; -ENOSYS before Linux 5.3.
 */
UTW_API int utw_child_start(struct utw_child *c, struct utw_reactor *r, pid_t pid);

/*
 * The same for a pidfd, which becomes the watch's own, also on error.
 * Errors: those of utw_watch_start().
 */
UTW_API int utw_child_start_pidfd(struct utw_child *c, struct utw_reactor *r, int pidfd);

/*
 * Send it a signal; it cannot hit anybody else. Errors: -EINVAL inactive, or not a
 * signal; -ESRCH it has ended; -EPERM.
 */
UTW_API int utw_child_kill(struct utw_child *c, int signo);

/*
 * Stop watching; no call follows, and nothing is reaped. No-op when inactive, but
 * for one whose reactor was freed, which lets go of its descriptor here.
 */
UTW_API void utw_child_stop(struct utw_child *c);

UTW_API bool utw_child_active(const struct utw_child *c);

#ifdef __cplusplus
}
#endif

#endif
