// SPDX-License-Identifier: MIT
/* The report of failures that nobody handled: once each, by default on standard error. */
#include <pthread.h>
#include <stdio.h>

#include "deferred/deferred-private.h"

static pthread_mutex_t handler_lock = PTHREAD_MUTEX_INITIALIZER;
static utw_unhandled_fn handler; /* both under the lock */
static void *handler_data;

void utw_deferred_set_unhandled(utw_unhandled_fn fn, void *data)
{
	pthread_mutex_lock(&handler_lock);
	handler = fn;
	handler_data = data;
	pthread_mutex_unlock(&handler_lock);
}

static void unhandled_print(const struct utw_failure *f, const char *file, int line)
{
	char story[512];
	const char *place;
	int failed_line;

	utw_failure_format(f, story, sizeof(story));
	place = utw_failure_place(f, &failed_line);
	fprintf(stderr,
		"untwist: unhandled failure in the deferred made at %s:%d: %s (failed at %s:%d)\n",
		file, line, story, place, failed_line);
}

void utw_unhandled_report(const struct utw_deferred *d)
{
	utw_unhandled_fn fn;
	void *data;

	pthread_mutex_lock(&handler_lock);
	fn = handler;
	data = handler_data;
	pthread_mutex_unlock(&handler_lock);

	if (fn)
		fn(d->current.failure, d->file, d->line, data);
	else
		unhandled_print(d->current.failure, d->file, d->line);
}
