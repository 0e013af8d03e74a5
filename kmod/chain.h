/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain.c APIs: which request may start when. All are called with the lock of
 * untwist_requests held.
 */
#ifndef UNTWIST_CHAIN_H
#define UNTWIST_CHAIN_H

#include <linux/list.h>
#include <linux/types.h>

struct untwist_requests;
struct untwist_slot;

/**
 * struct untwist_consequences - what becomes of other requests
 * @start: their turn has come
 * @end: they will not be started
 *
 * It is collected under the lock, and followed without it.
 */
struct untwist_consequences {
	struct list_head start;
	struct list_head end;
};

static inline void untwist_consequences_none(struct untwist_consequences *c)
{
	INIT_LIST_HEAD(&c->start);
	INIT_LIST_HEAD(&c->end);
}

void untwist_chain_begin(struct untwist_requests *rq, struct untwist_slot *first,
			 struct untwist_consequences *after);
void untwist_chain_advance(struct untwist_requests *rq, struct untwist_slot *slot, s32 res,
			   struct untwist_consequences *after);
void untwist_chain_end(struct untwist_slot *slot, struct untwist_consequences *after);
void untwist_backlog_run(struct untwist_requests *rq, struct untwist_consequences *after);

#endif /* UNTWIST_CHAIN_H */
