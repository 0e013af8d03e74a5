/* SPDX-License-Identifier: GPL-2.0-only */
/* shots.c APIs: the many completions of a multishot request. */
#ifndef UNTWIST_SHOTS_H
#define UNTWIST_SHOTS_H

#include <linux/spinlock_types.h>
#include <linux/types.h>

struct untwist_channel;
struct untwist_requests;
struct untwist_slot;

/* One of a multishot request's completions, on its way to the work. */
struct untwist_shot {
	struct untwist_slot *slot;
	s32 res;
	u64 value[2];
};

/**
 * struct untwist_shots - the queue of these, filled from any context
 * @entries: as many as there are credits; made by the first such request
 * @mask: length less one
 * @lock: guards @head, and the entries from @tail to it
 * @head: where the next goes; runs free
 * @tail: the oldest; the work's
 */
struct untwist_shots {
	struct untwist_shot *entries;
	u32 mask;
	raw_spinlock_t lock; /* see above */
	u32 head;
	u32 tail;
};

int untwist_shots_make(struct untwist_requests *rq);
unsigned int untwist_shots_run(struct untwist_channel *ch);
u32 untwist_shots_lost(struct untwist_slot *slot);

#endif /* UNTWIST_SHOTS_H */
