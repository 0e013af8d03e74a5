/* SPDX-License-Identifier: MIT */
/*
 * A cooperator: long work in small steps, fairly shared out.
 *
 * Each task in its turn does one step, round and round, until the slice of this
 * turn is used up; the rest of the program then has its say before the next.
 *
 * Thread rule: only from the reactor's own thread.
 */
#ifndef UNTWIST_COOPERATOR_H
#define UNTWIST_COOPERATOR_H

#include <stdint.h>

#include <untwist/api.h>
#include <untwist/call.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_coop_task;

struct utw_coop_task_ops {
	/*
	 * Do one step. Returns 1 when there is more to do, 0 when that was all, or
	 * -errno. May pause, stop or add any task.
	 */
	int (*step)(struct utw_coop_task *t);
	/*
	 * It is over and may be freed or added again: 0, what the last step returned, or
	 * -ECANCELED when it was stopped. Runs in a later turn than what ended it. May be
	 * NULL.
	 */
	void (*ended)(struct utw_coop_task *t, int result);
};

/* The members are private. */
struct utw_cooperator {
	struct utw_reactor *reactor;
	struct utw_call call;
	struct utw_link ready; /* tasks, the next one first */
	struct utw_link paused;
	struct utw_link ended; /* that have to be told so */
	uint64_t slice;
};

/* The members are private. Kept in place by its owner until it has ended. */
struct utw_coop_task {
	struct utw_link link;
	const struct utw_coop_task_ops *ops;
	struct utw_cooperator *cooperator;
	unsigned int pauses;
	int result;
	uint32_t state;
	uint32_t reserved;
};

/* Prepare the caller's storage. slice: ns of each turn at most, about; 0: 10 ms. */
UTW_API void utw_cooperator_init(struct utw_cooperator *c, struct utw_reactor *r, uint64_t slice);

/* Forget all tasks: none of them is called any more, not even to be told of its end. */
UTW_API void utw_cooperator_release(struct utw_cooperator *c);

/* Prepare the caller's storage; needs no release once it has ended. */
UTW_API void utw_coop_task_init(struct utw_coop_task *t, const struct utw_coop_task_ops *ops);

/* Its first step is in the next turn. Errors: -EBUSY it is added already. */
UTW_API int utw_cooperator_add(struct utw_cooperator *c, struct utw_coop_task *t);

/*
 * No step any more. Errors of the three: -EINVAL it was never added; -EALREADY it is
 * over.
 */
UTW_API int utw_coop_task_stop(struct utw_coop_task *t);
/* No step until as many calls of resume as there were of this. */
UTW_API int utw_coop_task_pause(struct utw_coop_task *t);
/* Also -EINVAL when it is not paused. */
UTW_API int utw_coop_task_resume(struct utw_coop_task *t);

#ifdef __cplusplus
}
#endif

#endif
