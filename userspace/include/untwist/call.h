/* SPDX-License-Identifier: MIT */
/*
 * A queued call that its owner embeds: it cannot fail for want of memory and can
 * be taken back. What transports use to report a loss in a later turn and to
 * send at the end of a turn what was written during it.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_CALL_H
#define UNTWIST_CALL_H

#include <stdbool.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;
struct utw_call;

/* By the time it runs the call is inactive: it may be started again or freed. */
typedef void (*utw_call_due_fn)(struct utw_call *c);

/* The members are private. */
struct utw_call {
	struct utw_link link;
	utw_call_due_fn fn;
	struct utw_reactor *reactor;
};

/* Prepare the caller's storage; needs no release once inactive. */
UTW_API void utw_call_init(struct utw_call *c, utw_call_due_fn fn);

/*
 * Run it in the next turn, in order with utw_reactor_call_soon().
 * Errors: -EBUSY when it is active already.
 */
UTW_API int utw_call_start(struct utw_call *c, struct utw_reactor *r);

/*
 * Run it at the end of this turn, after all its other callbacks; from outside a
 * turn or from another such call, at the end of the next, which will not wait.
 * Errors: -EBUSY when it is active already.
 */
UTW_API int utw_call_start_at_end(struct utw_call *c, struct utw_reactor *r);

/* Take it back; a no-op when inactive. */
UTW_API void utw_call_stop(struct utw_call *c);

UTW_API bool utw_call_active(const struct utw_call *c);

#ifdef __cplusplus
}
#endif

#endif
