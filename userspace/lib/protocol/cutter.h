/* SPDX-License-Identifier: MIT */
/*
 * Cutter: delivers a stream unit by unit, and can be stopped between any two.
 *
 * A chunk is cut where it lies; only what cannot be delivered yet is copied to
 * `held`. The two are never mixed: while something is held, chunks are added
 * to it first.
 */
#ifndef UTW_PROTOCOL_CUTTER_H
#define UTW_PROTOCOL_CUTTER_H

#include <untwist/cutter.h>

struct utw_cutter_ops {
	/*
	 * Cut the next unit off `data`, of at least one byte, and set *used to
	 * the bytes that it took; before calling anybody, point out what follows
	 * with utw_cutter_offer(). False: there is no unit before more has come.
	 */
	bool (*step)(struct utw_cutter *c, const char *data, size_t len, size_t *used);
};

void utw_cutter_init(struct utw_cutter *c, const struct utw_cutter_ops *ops,
		     struct utw_protocol *protocol);
void utw_cutter_release(struct utw_cutter *c);

/* A new stream begins. */
void utw_cutter_begin(struct utw_cutter *c);

/* Deliver from `data` what can be, and hold the rest. */
void utw_cutter_feed(struct utw_cutter *c, const void *data, size_t len);

/* What is left when the unit that is about to be told is done with. */
static inline void utw_cutter_offer(struct utw_cutter *c, const char *data, size_t len)
{
	c->undelivered = data;
	c->undelivered_len = len;
}

void utw_cutter_pause(struct utw_cutter *c);
void utw_cutter_resume(struct utw_cutter *c);

/* See utw_line_held(). */
size_t utw_cutter_held(const struct utw_cutter *c, const char **ret);

/*
 * The stream cannot go on, for this reason (taken): the transport is closed,
 * and its loss will be told as this failure. The first one stays.
 */
void utw_cutter_fail(struct utw_cutter *c, struct utw_failure *failure);

/*
 * The transport was lost: free what is held. Returns a reference to the reason
 * to tell: that of utw_cutter_fail(), else `reason`.
 */
struct utw_failure *utw_cutter_end(struct utw_cutter *c, struct utw_failure *reason);

#endif
