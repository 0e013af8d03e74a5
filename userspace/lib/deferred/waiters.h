/* SPDX-License-Identifier: MIT */
/* A queue of deferreds that wait for their turn, first come, first served. One that is cancelled leaves it. */
#ifndef UTW_DEFERRED_WAITERS_H
#define UTW_DEFERRED_WAITERS_H

#include <stddef.h>

#include <untwist/deferred.h>

struct utw_waiters {
	struct utw_link list;
	size_t count;
};

void utw_waiters_init(struct utw_waiters *w);
/* A new deferred at the end of the queue, with a reference for the caller; NULL: no memory. */
struct utw_deferred *utw_waiters_add(struct utw_waiters *w, const char *file, int line);
/* Take the first one out, with the queue's reference to it; NULL when there is none. */
struct utw_deferred *utw_waiters_pop(struct utw_waiters *w);
/* Let all fail with UTW_CANCELLED, told as the end of `what`. */
void utw_waiters_cancel(struct utw_waiters *w, const char *what);

/* What to give to one who comes after that: such a failure right away. */
struct utw_deferred *utw_waiters_refuse(const char *file, int line, const char *what);

#endif
