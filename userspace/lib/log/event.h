/* SPDX-License-Identifier: MIT */
/* Events that are kept: copies of all that they say. */
#ifndef UTW_LOG_EVENT_H
#define UTW_LOG_EVENT_H

#include <untwist/log.h>

struct utw_kept_event {
	struct utw_link link;
	struct utw_observer *except; /* who is not to see it, or NULL */
	struct utw_event event;
};

/* A copy in one piece, or NULL. Failures are referenced. */
struct utw_kept_event *utw_event_keep(const struct utw_event *e);
void utw_event_drop(struct utw_kept_event *kept);

#endif
