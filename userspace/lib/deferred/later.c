// SPDX-License-Identifier: MIT
/* A deferred that a timer fires. */
#include <stdlib.h>

#include <untwist/timer.h>

#include "deferred/deferred-private.h"

struct later {
	struct utw_timer timer;
	struct utw_deferred *deferred;
};

static enum utw_cancel later_cancel(struct utw_deferred *d, void *data)
{
	struct later *later = data;

	utw_timer_cancel(&later->timer);
	free(later);
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

static void later_due(struct utw_timer *timer)
{
	struct later *later = utw_container_of(timer, struct later, timer);
	struct utw_deferred *d = later->deferred;

	free(later);
	utw_deferred_callback(d, NULL);
	utw_deferred_unref(d);
}

struct utw_deferred *utw_deferred_later_at(const char *file, int line, struct utw_reactor *r,
					   uint64_t delay)
{
	struct later *later = malloc(sizeof(*later));
	struct utw_deferred *d = later ? utw_deferred_new_at(file, line) : NULL;

	if (!d)
		goto free_later;
	utw_timer_init(&later->timer, later_due);
	if (utw_timer_start(&later->timer, r, delay) < 0)
		goto unref_deferred;
	later->deferred = utw_deferred_ref(d);
	utw_deferred_set_canceller(d, later_cancel, later);
	return d;

unref_deferred:
	utw_deferred_unref(d);
free_later:
	free(later);
	return NULL;
}
