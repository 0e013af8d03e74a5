// SPDX-License-Identifier: MIT
/* The 4-ary heap: one cache line of entries is looked at for each level. */
#include "base/heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define ARITY	 4
#define SMALLEST 16

void utw_heap_init(struct utw_heap *heap)
{
	heap->entries = NULL;
	heap->count = 0;
	heap->capacity = 0;
}

void utw_heap_release(struct utw_heap *heap)
{
	free(heap->entries);
	utw_heap_init(heap);
}

static bool entry_before(const struct utw_heap_entry *a, const struct utw_heap_entry *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	return (int32_t)(a->node->sequence - b->node->sequence) < 0;
}

static void heap_place(struct utw_heap *heap, uint32_t position, struct utw_heap_entry entry)
{
	heap->entries[position] = entry;
	entry.node->position = position;
}

static void heap_sift_up(struct utw_heap *heap, uint32_t position, struct utw_heap_entry entry)
{
	while (position > 0) {
		uint32_t parent = (position - 1) / ARITY;

		if (!entry_before(&entry, &heap->entries[parent]))
			break;
		heap_place(heap, position, heap->entries[parent]);
		position = parent;
	}
	heap_place(heap, position, entry);
}

static uint32_t heap_first_child(const struct utw_heap *heap, uint32_t position)
{
	uint32_t first = position * ARITY + 1;
	uint32_t end = first + ARITY < heap->count ? first + ARITY : heap->count;
	uint32_t child;

	for (child = first + 1; child < end; child++)
		if (entry_before(&heap->entries[child], &heap->entries[first]))
			first = child;
	return first;
}

static void heap_sift_down(struct utw_heap *heap, uint32_t position, struct utw_heap_entry entry)
{
	while (position * ARITY + 1 < heap->count) {
		uint32_t child = heap_first_child(heap, position);

		if (!entry_before(&heap->entries[child], &entry))
			break;
		heap_place(heap, position, heap->entries[child]);
		position = child;
	}
	heap_place(heap, position, entry);
}

static void heap_settle(struct utw_heap *heap, uint32_t position, struct utw_heap_entry entry)
{
	if (position > 0 && entry_before(&entry, &heap->entries[(position - 1) / ARITY]))
		heap_sift_up(heap, position, entry);
	else
		heap_sift_down(heap, position, entry);
}

/* By half, so that even right after it no node has more than a place and a half. */
static int heap_grow(struct utw_heap *heap)
{
	uint32_t capacity = heap->capacity ? heap->capacity + heap->capacity / 2 : SMALLEST;
	struct utw_heap_entry *entries;

	if (capacity > UINT32_MAX / ARITY / 2)
		return -ENOMEM;
	entries = reallocarray(heap->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	heap->entries = entries;
	heap->capacity = capacity;
	return 0;
}

int utw_heap_insert(struct utw_heap *heap, struct utw_heap_node *node)
{
	struct utw_heap_entry entry = { .key = node->key, .node = node };

	if (heap->count == heap->capacity && heap_grow(heap) < 0)
		return -ENOMEM;
	heap_sift_up(heap, heap->count++, entry);
	return 0;
}

void utw_heap_remove(struct utw_heap *heap, struct utw_heap_node *node)
{
	struct utw_heap_entry last = heap->entries[--heap->count];

	if (last.node != node)
		heap_settle(heap, node->position, last);
}

void utw_heap_update(struct utw_heap *heap, struct utw_heap_node *node)
{
	struct utw_heap_entry entry = { .key = node->key, .node = node };

	heap_settle(heap, node->position, entry);
}
