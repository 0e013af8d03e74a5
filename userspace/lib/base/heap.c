// SPDX-License-Identifier: MIT
/* The 4-ary heap, one cache line of entries a level, and what lies beyond its horizon. */
#include "base/heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ARITY	  4
#define SMALLEST  16
#define LINE	  64
#define NO_HANDLE UINT32_MAX

/* So many entries are never too many to be kept in order. */
#define NEAR 8192
/* The least part of the rest that is brought in at once. */
#define SHARE 32
/* A part is estimated by so many of them. */
#define SAMPLES 128

/* Room before the first entry, so that its children can begin a line. */
#define PADDING (LINE / sizeof(struct utw_heap_entry))

void utw_heap_init(struct utw_heap *heap)
{
	*heap = (struct utw_heap){ .free = NO_HANDLE, .horizon = UINT64_MAX, .limit = NEAR };
}

void utw_heap_release(struct utw_heap *heap)
{
	free(heap->block);
	free(heap->positions);
	free(heap->items);
	utw_heap_init(heap);
}

/* Without branches, which nobody could foretell. */
static inline bool entry_before(const struct utw_heap_entry *a, const struct utw_heap_entry *b)
{
	bool younger = (int32_t)(a->sequence - b->sequence) < 0;

	return (a->key < b->key) | ((a->key == b->key) & younger);
}

static inline void heap_place(struct utw_heap *heap, uint32_t position, struct utw_heap_entry entry)
{
	heap->entries[position] = entry;
	heap->positions[entry.handle] = position;
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

static inline uint32_t heap_first_of(const struct utw_heap *heap, uint32_t a, uint32_t b)
{
	return entry_before(&heap->entries[b], &heap->entries[a]) ? b : a;
}

static inline uint32_t heap_first_child(const struct utw_heap *heap, uint32_t position)
{
	uint32_t child = position * ARITY + 1, first;

	if (child + ARITY <= heap->near) {
		uint32_t left = heap_first_of(heap, child, child + 1);
		uint32_t right = heap_first_of(heap, child + 2, child + 3);

		return heap_first_of(heap, left, right);
	}
	for (first = child++; child < heap->near; child++)
		first = heap_first_of(heap, first, child);
	return first;
}

/*
 * The gap goes down to a leaf, and the entry up from there: it was a leaf itself and
 * seldom has to go far, so this saves a comparison, and a wrong guess, at each level.
 */
static void heap_sift_down(struct utw_heap *heap, uint32_t position, struct utw_heap_entry entry)
{
	uint32_t top = position;

	while (position * ARITY + 1 < heap->near) {
		uint32_t child = heap_first_child(heap, position);

		heap_place(heap, position, heap->entries[child]);
		position = child;
	}
	while (position > top) {
		uint32_t parent = (position - 1) / ARITY;

		if (!entry_before(&entry, &heap->entries[parent]))
			break;
		heap_place(heap, position, heap->entries[parent]);
		position = parent;
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

static void heap_swap(struct utw_heap *heap, uint32_t a, uint32_t b)
{
	struct utw_heap_entry entry = heap->entries[a];

	heap_place(heap, a, heap->entries[b]);
	heap_place(heap, b, entry);
}

/* Set the horizon, and order anew what of the first `count` entries is not beyond it. */
static void heap_set_horizon(struct utw_heap *heap, uint64_t horizon, uint32_t count)
{
	uint32_t near = 0, i;

	for (i = 0; i < count; i++)
		if (heap->entries[i].key <= horizon)
			heap_swap(heap, i, near++);
	heap->near = near;
	heap->horizon = horizon;
	heap->limit = near > NEAR / 2 ? near * 2 : NEAR;
	for (i = (near + ARITY - 2) / ARITY; i-- > 0;)
		heap_sift_down(heap, i, heap->entries[i]);
}

static int compare_keys(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* About the key which `part` of the first `count` entries do not exceed; it is one of theirs. */
static uint64_t heap_estimate(const struct utw_heap *heap, uint32_t count, uint32_t part)
{
	uint64_t keys[SAMPLES];
	uint32_t i;

	for (i = 0; i < SAMPLES; i++)
		keys[i] = heap->entries[(uint64_t)i * count / SAMPLES].key;
	qsort(keys, SAMPLES, sizeof(keys[0]), compare_keys);
	return keys[(uint64_t)part * (SAMPLES - 1) / count];
}

void utw_heap_look_ahead(struct utw_heap *heap)
{
	uint32_t part = heap->count / SHARE > NEAR / 2 ? heap->count / SHARE : NEAR / 2;

	if (heap->count <= NEAR)
		heap_set_horizon(heap, UINT64_MAX, heap->count);
	else
		heap_set_horizon(heap, heap_estimate(heap, heap->count, part), heap->count);
}

/* Too many to be kept in order: the later half goes beyond the horizon. */
static void heap_shorten(struct utw_heap *heap)
{
	heap_set_horizon(heap, heap_estimate(heap, heap->near, heap->near / 2), heap->near);
}

/* Take up an entry, of which there is none yet, into the heap's part; the far ones make room. */
static void heap_take_in(struct utw_heap *heap, struct utw_heap_entry entry)
{
	heap_sift_up(heap, heap->near++, entry);
	if (heap->near > heap->limit)
		heap_shorten(heap);
}

/* Take one out of the heap's part, whose last place is free then. */
static void heap_take_out(struct utw_heap *heap, uint32_t position)
{
	struct utw_heap_entry last = heap->entries[--heap->near];

	if (heap->near != position)
		heap_settle(heap, position, last);
}

/* Where the entries begin in a block: the second one, the first child, begins a line. */
static struct utw_heap_entry *block_entries(void *block)
{
	uintptr_t line = ((uintptr_t)block + LINE + LINE - 1) / LINE * LINE;

	return (struct utw_heap_entry *)((char *)block + (line - (uintptr_t)block)) - 1;
}

static int entries_grow(struct utw_heap *heap, uint32_t capacity)
{
	size_t before = (size_t)((char *)heap->entries - (char *)heap->block);
	void *block = reallocarray(heap->block, capacity + 2 * PADDING, sizeof(*heap->entries));

	if (!block)
		return -ENOMEM;
	heap->block = block;
	heap->entries = block_entries(block);
	/* A block that has moved may lie differently in its lines. */
	memmove(heap->entries, (char *)block + before, heap->count * sizeof(*heap->entries));
	return 0;
}

/* By an eighth, so that even right after it an item has little more than its share. */
static int heap_grow(struct utw_heap *heap)
{
	uint32_t capacity = heap->capacity + heap->capacity / 8 + SMALLEST;
	uint32_t *positions;
	void **items;

	if (capacity > UINT32_MAX / ARITY / 2)
		return -ENOMEM;
	positions = reallocarray(heap->positions, capacity, sizeof(*positions));
	if (!positions)
		return -ENOMEM;
	heap->positions = positions;
	items = reallocarray(heap->items, capacity, sizeof(*items));
	if (!items)
		return -ENOMEM;
	heap->items = items;
	if (entries_grow(heap, capacity) < 0)
		return -ENOMEM;
	heap->capacity = capacity;
	return 0;
}

static uint32_t handle_take(struct utw_heap *heap)
{
	uint32_t handle = heap->free;

	if (handle == NO_HANDLE)
		return heap->handles++;
	heap->free = heap->positions[handle];
	return handle;
}

int utw_heap_insert(struct utw_heap *heap, void *item, uint64_t key, uint32_t sequence,
		    uint32_t *handle)
{
	struct utw_heap_entry entry = { .key = key, .sequence = sequence };

	if (heap->count == heap->capacity && heap_grow(heap) < 0)
		return -ENOMEM;
	entry.handle = handle_take(heap);
	heap->items[entry.handle] = item;
	*handle = entry.handle;
	if (key > heap->horizon) {
		heap_place(heap, heap->count++, entry);
		return 0;
	}
	if (heap->near < heap->count)
		heap_place(heap, heap->count, heap->entries[heap->near]);
	heap->count++;
	heap_take_in(heap, entry);
	return 0;
}

void utw_heap_remove(struct utw_heap *heap, uint32_t handle)
{
	uint32_t position = heap->positions[handle];

	if (position < heap->near) {
		heap_take_out(heap, position);
		position = heap->near;
	}
	if (--heap->count != position)
		heap_place(heap, position, heap->entries[heap->count]);
	heap->positions[handle] = heap->free;
	heap->free = handle;
	if (!heap->count)
		heap->horizon = UINT64_MAX;
}

void utw_heap_update(struct utw_heap *heap, uint32_t handle, uint64_t key, uint32_t sequence)
{
	struct utw_heap_entry entry = { .key = key, .sequence = sequence, .handle = handle };
	uint32_t position = heap->positions[handle];

	if (position < heap->near && key <= heap->horizon) {
		heap_settle(heap, position, entry);
	} else if (position < heap->near) {
		heap_take_out(heap, position);
		heap_place(heap, heap->near, entry);
	} else if (key <= heap->horizon) {
		heap_place(heap, position, heap->entries[heap->near]);
		heap_take_in(heap, entry);
	} else {
		heap_place(heap, position, entry);
	}
}
