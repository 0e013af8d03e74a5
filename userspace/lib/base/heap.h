/* SPDX-License-Identifier: MIT */
/*
 * A 4-ary heap of items ordered by a key, then by age.
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
	uint32_t count;
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

/* Have at hand what is needed of the item that comes first, and of those that may come next. */
static inline void utw_heap_expect_next(const struct utw_heap *heap)
{
	uint32_t i;

	if (heap->count < 5)
		return;
	__builtin_prefetch(heap->items[heap->entries[0].handle], 1);
	for (i = 1; i < 5; i++)
		__builtin_prefetch(&heap->items[heap->entries[i].handle]);
}

/* The entry that comes first, or NULL. */
static inline const struct utw_heap_entry *utw_heap_first(const struct utw_heap *heap)
{
	return heap->count ? &heap->entries[0] : NULL;
}

#endif
