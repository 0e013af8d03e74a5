/* SPDX-License-Identifier: MIT */
/*
 * The stacks of coroutines. Each is a mapping of its own, above a page that nobody may
 * touch: running over its end is a segmentation fault, not the corruption of somebody
 * else's memory. Each thread keeps a few for its next tasks, until it ends.
 */
#ifndef UTW_TASK_STACK_H
#define UTW_TASK_STACK_H

#include <stddef.h>

struct utw_stack {
	void *mapping;
	size_t mapped; /* bytes, with the page below */
	size_t page;
};

/* A stack of at least `size` bytes. Returns 0 or -ENOMEM. */
int utw_stack_take(struct utw_stack *s, size_t size);
/* In the thread that took it. */
void utw_stack_give_back(const struct utw_stack *s);

/* What may be used of it. */
static inline void *utw_stack_memory(const struct utw_stack *s)
{
	return (char *)s->mapping + s->page;
}

static inline size_t utw_stack_size(const struct utw_stack *s)
{
	return s->mapped - s->page;
}

#endif
