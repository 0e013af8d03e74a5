/* SPDX-License-Identifier: MIT */
/*
 * A queue of items ordered by a key, then by age: a 4-ary heap of those that come
 * soon, and a heap in the word's other sense of all the rest.
 *
 * Only what is not beyond the horizon is kept in order; the others wait behind it in
 * the same table, as they came. So what is put in for later, and perhaps moved or
 * taken out before, costs next to nothing, and what is in order stays small enough
 * for the cache. When it is used up the horizon moves on: one pass over the rest
 * brings a good part of it in.
 *
 * All that sifting compares and writes lies in tables of the heap's own: it does
 * not touch the items, which are far apart. An item is known by a number, its
 * handle, for as long as it is in the heap.
 */
#ifndef UTW_BASE_HEAP_H
#define UTW_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Of two equal keys the lower sequence comes first. It may wrap around: of two that
 * are less than 2^31 apart the one behind is the younger.
 */
struct utw_heap_entry {
	uint64_t key;
	uint32_t sequence;
	uint32_t handle;
};

struct utw_heap {
	struct utw_heap_entry *entries; /* four brothers lie in one cache line */
	void *block; /* what they are in */
	uint32_t *positions; /* by handle; of a free one: the next free one */
	void **items; /* by handle */
	uint64_t horizon; /* the greatest key of the heap's part */
	uint32_t near; /* entries in order, at the front */
	uint32_t limit; /* the horizon moves back when there are more */
	uint32_t count; /* of all */
	uint32_t capacity;
	uint32_t handles; /* so many have been in use */
	uint32_t free; /* the first free one of these */
};

void utw_heap_init(struct utw_heap *heap);
/* Forgets the items, which are the caller's, and frees the tables. */
void utw_heap_release(struct utw_heap *heap);

/* Returns 0 and the handle, or -ENOMEM with nothing changed. */
int utw_heap_insert(struct utw_heap *heap, void *item, uint64_t key, uint32_t sequence,
		    uint32_t *handle);
void utw_heap_remove(struct utw_heap *heap, uint32_t handle);
void utw_heap_update(struct utw_heap *heap, uint32_t handle, uint64_t key, uint32_t sequence);

static inline struct utw_heap_entry *utw_heap_entry(const struct utw_heap *heap, uint32_t handle)
{
	return &heap->entries[heap->positions[handle]];
}

/* Make sure that what comes first is in order. It never fails. */
void utw_heap_look_ahead(struct utw_heap *heap);

/* The entry that comes first, or NULL. */
static inline const struct utw_heap_entry *utw_heap_first(struct utw_heap *heap)
{
	if (!heap->count)
		return NULL;
	if (!heap->near)
		utw_heap_look_ahead(heap);
	return &heap->entries[0];
}

/*
 * Have at hand the item that comes first. Of a great many they are in no cache, so
 * the five at the top are fetched, and for those below them where they are.
 */
static inline void utw_heap_expect_next(const struct utw_heap *heap)
{
	uint32_t i;

	if (heap->near < 21)
		return;
	for (i = 0; i < 5; i++)
		__builtin_prefetch(heap->items[heap->entries[i].handle], 1);
	for (i = 5; i < 21; i++)
		__builtin_prefetch(&heap->items[heap->entries[i].handle]);
}

#endif
