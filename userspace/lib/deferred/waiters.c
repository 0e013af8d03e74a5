// SPDX-License-Identifier: MIT
/* The queue of those who wait. */
#include "deferred/waiters.h"

#include <stdlib.h>

#include "base/list.h"

struct waiter {
	struct utw_link link;
	struct utw_waiters *queue;
	struct utw_deferred *deferred;
};

void utw_waiters_init(struct utw_waiters *w)
{
	utw_list_init(&w->list);
	w->count = 0;
}

static struct utw_deferred *waiter_remove(struct waiter *waiter)
{
	struct utw_deferred *d = waiter->deferred;

	utw_list_remove(&waiter->link);
	waiter->queue->count--;
	free(waiter);
	return d;
}

static enum utw_cancel waiter_cancel(struct utw_deferred *d, void *data)
{
	waiter_remove(data);
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

struct utw_deferred *utw_waiters_add(struct utw_waiters *w, const char *file, int line)
{
	struct waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter)
		return NULL;
	waiter->queue = w;
	waiter->deferred = utw_deferred_new_at(file, line);
	if (!waiter->deferred) {
		free(waiter);
		return NULL;
	}
	utw_deferred_set_canceller(waiter->deferred, waiter_cancel, waiter);
	utw_list_append(&w->list, &waiter->link);
	w->count++;
	return utw_deferred_ref(waiter->deferred);
}

struct utw_deferred *utw_waiters_pop(struct utw_waiters *w)
{
	if (utw_list_empty(&w->list))
		return NULL;
	return waiter_remove(utw_container_of(utw_list_first(&w->list), struct waiter, link));
}

static struct utw_failure *freed_failure(const char *file, int line, const char *what)
{
	return utw_failure_new_at(file, line, &utw_domain_reason, UTW_CANCELLED, what, NULL,
				  "freed while it was waited for");
}

void utw_waiters_cancel(struct utw_waiters *w, const char *what)
{
	struct utw_deferred *d;

	while ((d = utw_waiters_pop(w))) {
		utw_deferred_errback(d, freed_failure(UTW_HERE, what));
		utw_deferred_unref(d);
	}
}

struct utw_deferred *utw_waiters_refuse(const char *file, int line, const char *what)
{
	return utw_deferred_fail_at(file, line, freed_failure(file, line, what));
}
