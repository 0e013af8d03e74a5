/* SPDX-License-Identifier: MIT */
/*
 * A signal source: calls back, in a turn, when the process got a signal.
 *
 * The first source for a signal number installs a handler for the process; when
 * the last one stops, what was there before returns, unless someone else has
 * replaced the handler meanwhile. Several sources, in several reactors, may watch
 * one number: each is called. Signals that come faster than turns are merged, as
 * the kernel itself does. Interrupted system calls are restarted.
 *
 * Thread rule: only from the thread of the reactor concerned.
 */
#ifndef UNTWIST_SIGNAL_H
#define UNTWIST_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;
struct utw_signal;

/* Runs as an ordinary callback, not in the handler: anything may be called. */
typedef void (*utw_signal_fn)(struct utw_signal *s, int signo);

/* The members are private. */
struct utw_signal {
	struct utw_link link;
	utw_signal_fn fn;
	struct utw_reactor *reactor;
	int signo;
	uint32_t reserved[3];
};

/* Prepare the caller's storage; needs no release once inactive. */
UTW_API void utw_signal_init(struct utw_signal *s, utw_signal_fn fn);

/*
 * Watch for `signo` (SIGINT, SIGTERM, ...), again and again until stopped.
 * Errors: -EBUSY already active; -EINVAL not a signal, or SIGKILL, SIGSTOP;
 * -ENOMEM.
 */
UTW_API int utw_signal_start(struct utw_signal *s, struct utw_reactor *r, int signo);

/* Stop watching; no call follows. No-op when inactive. */
UTW_API void utw_signal_stop(struct utw_signal *s);

UTW_API bool utw_signal_active(const struct utw_signal *s);

#ifdef __cplusplus
}
#endif

#endif
