/* SPDX-License-Identifier: MIT */
/*
 * The queue of what waits for a deferred's result. A few places are part of it, so
 * that an ordinary chain needs no memory of its own.
 */
#ifndef UTW_DEFERRED_SLOTS_H
#define UTW_DEFERRED_SLOTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <untwist/deferred.h>

#define UTW_SLOTS_INLINE 4

enum utw_slot_kind {
	UTW_SLOT_PAIR, /* a callback and an errback */
	UTW_SLOT_BOTH, /* one function for both tracks */
	UTW_SLOT_WAITER, /* a deferred waiting for this one, with a reference to it */
	UTW_SLOT_TAKER, /* somebody who takes the result away */
};

/*
 * Is given the result, which is its own from now on; UTW_RESULT_PASS tells that the
 * deferred died unfired. Returns a deferred to go on with, whose result this has
 * decided (see utw_deferred_settle()), with a reference; or NULL.
 */
typedef struct utw_deferred *(*utw_take_fn)(struct utw_result result, void *data);

struct utw_slot {
	enum utw_slot_kind kind;
	union {
		struct {
			utw_callback_fn callback;
			utw_errback_fn errback;
		};
		utw_both_fn both;
		struct utw_deferred *waiter;
		utw_take_fn take;
	};
	void *data;
};

/* Circular. */
struct utw_slots {
	struct utw_slot *array;
	uint32_t head;
	uint32_t count;
	uint32_t capacity;
	struct utw_slot places[UTW_SLOTS_INLINE];
};

void utw_slots_init(struct utw_slots *slots);
/* Frees the memory; what is queued must have been taken out. */
void utw_slots_release(struct utw_slots *slots);
/* Make room for more. Returns 0, or -ENOMEM with nothing changed. */
int utw_slots_grow(struct utw_slots *slots);

/* The one so many places behind the first. */
static inline struct utw_slot *utw_slots_at(const struct utw_slots *slots, uint32_t index)
{
	return &slots->array[(slots->head + index) & (slots->capacity - 1)];
}

/* Returns 0, or -ENOMEM with nothing changed. */
static inline int utw_slots_push(struct utw_slots *slots, const struct utw_slot *slot)
{
	if (slots->count == slots->capacity && utw_slots_grow(slots) < 0)
		return -ENOMEM;
	*utw_slots_at(slots, slots->count++) = *slot;
	return 0;
}

/* Returns whether there was one. */
static inline bool utw_slots_pop(struct utw_slots *slots, struct utw_slot *slot)
{
	if (!slots->count)
		return false;
	*slot = *utw_slots_at(slots, 0);
	slots->head = (slots->head + 1) & (slots->capacity - 1);
	slots->count--;
	return true;
}

/* Does anything in it wait with a deferred of its own? */
bool utw_slots_have_waiter(const struct utw_slots *slots);

#endif
