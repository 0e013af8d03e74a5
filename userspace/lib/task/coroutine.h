/* SPDX-License-Identifier: MIT */
/*
 * A coroutine: a function with a stack of its own, that can stop in the middle and go
 * on later. It knows nothing of deferreds; task.c makes tasks of it.
 */
#ifndef UTW_TASK_COROUTINE_H
#define UTW_TASK_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

#include "task/stack-switch.h"
#include "task/stack.h"

struct utw_coroutine {
	ucontext_t inside; /* where it stands while it does not run */
	ucontext_t outside; /* who resumed it */
	struct utw_stack stack;
	struct utw_stack_notes notes;
	void (*fn)(void *data);
	void *data;
	bool ended;
};

/* Prepare fn(data), which will begin at the first resume. Returns 0 or -ENOMEM. */
int utw_coroutine_init(struct utw_coroutine *c, size_t stack_size, void (*fn)(void *data),
		       void *data);
/* Give the stack back. What was on it is gone: only for one that has ended or never began. */
void utw_coroutine_release(struct utw_coroutine *c);

/* Run it until it suspends or ends; `ended` tells. Not from inside of it. */
void utw_coroutine_resume(struct utw_coroutine *c);
/* From inside: let the resume return. Comes back at the next one. */
void utw_coroutine_suspend(struct utw_coroutine *c);

/* Is the caller running on its stack? */
bool utw_coroutine_inside(const struct utw_coroutine *c);

#endif
