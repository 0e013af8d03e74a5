/* SPDX-License-Identifier: MIT */
/*
 * A 4-ary heap of objects ordered by a key, then by age.
 *
 * The key is kept beside the pointer, so sifting follows pointers only to settle
 * ties. Each object embeds a struct utw_heap_node that knows its position, so that
 * it can be found, moved and removed in O(log n).
 */
#ifndef UTW_BASE_HEAP_H
#define UTW_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

struct utw_heap_entry {
	uint64_t key;
	struct utw_heap_node *node;
};

struct utw_heap {
	struct utw_heap_entry *entries;
	uint32_t count;
	uint32_t capacity;
};

void utw_heap_init(struct utw_heap *heap);
/* Forgets the nodes, which are the caller's, and frees the table. */
void utw_heap_release(struct utw_heap *heap);

/* Returns 0, or -ENOMEM with nothing changed. */
int utw_heap_insert(struct utw_heap *heap, struct utw_heap_node *node);
void utw_heap_remove(struct utw_heap *heap, struct utw_heap_node *node);
/* The node's key or sequence has changed. */
void utw_heap_update(struct utw_heap *heap, struct utw_heap_node *node);

/* The node that comes first, or NULL. */
static inline struct utw_heap_node *utw_heap_first(const struct utw_heap *heap)
{
	return heap->count ? heap->entries[0].node : NULL;
}

#endif
