/* SPDX-License-Identifier: MIT */
/*
 * Triggers: what is done when utw_reactor_run() starts up and before it returns.
 *
 * Each of the two events has three phases; all triggers of a phase are called, in
 * the order in which they were added, and all of them must be done before the next
 * phase begins. The reactor takes its turns meanwhile, so a trigger may take its
 * time: to flush connections, to wait for a child. Startup delays nothing but its
 * own later phases; utw_reactor_run() returns when the shutdown is through.
 *
 * A trigger that fails holds up nothing. Triggers stay for the next run.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_TRIGGER_H
#define UNTWIST_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_reactor;
struct utw_trigger;

enum utw_trigger_on {
	UTW_TRIGGER_STARTUP,
	UTW_TRIGGER_SHUTDOWN,
};

enum utw_trigger_phase {
	UTW_TRIGGER_BEFORE,
	UTW_TRIGGER_DURING,
	UTW_TRIGGER_AFTER,
	UTW_TRIGGER_PHASES, /* how many there are */
};

/* What a trigger returns that will be done later: see utw_trigger_done(). */
#define UTW_TRIGGER_PENDING 1

/* Returns UTW_TRIGGER_PENDING, or anything else when it is done. May remove any trigger. */
typedef int (*utw_trigger_fn)(struct utw_trigger *t);

/* The members are private. */
struct utw_trigger {
	struct utw_link link;
	utw_trigger_fn fn;
	struct utw_reactor *reactor;
	uint32_t on;
	uint32_t phase;
	uint32_t pending;
	uint32_t reserved;
};

/* Prepare the caller's storage; needs no release once removed. */
UTW_API void utw_trigger_init(struct utw_trigger *t, utw_trigger_fn fn);

/*
 * Call it on that event, in that phase. One that is added to a phase under way waits
 * for the next run. Errors: -EBUSY it is added already; -EINVAL there is no such
 * event or phase.
 */
UTW_API int utw_trigger_add(struct utw_trigger *t, struct utw_reactor *r, enum utw_trigger_on on,
			    enum utw_trigger_phase phase);

/* Not any more; nobody waits for a pending one either. No-op when not added. */
UTW_API void utw_trigger_remove(struct utw_trigger *t);

/* A pending one is done. Errors: -EINVAL it is not pending. */
UTW_API int utw_trigger_done(struct utw_trigger *t);

#ifdef __cplusplus
}
#endif

#endif
