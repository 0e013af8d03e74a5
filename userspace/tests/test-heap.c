// SPDX-License-Identifier: MIT
/* The heap, against orders that are known otherwise. */
#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness-alloc.h"
#include "harness.h"

#define MANY 50000 /* enough for many a horizon */

struct item {
	uint64_t key;
	uint32_t sequence;
	uint32_t handle;
};

static struct item items[MANY];

static bool item_before(const struct item *a, const struct item *b)
{
	return a->key != b->key ? a->key < b->key : (int32_t)(a->sequence - b->sequence) < 0;
}

static void assert_consistent(const struct utw_heap *heap)
{
	uint32_t i;

	for (i = 0; i < heap->count; i++) {
		const struct utw_heap_entry *entry = &heap->entries[i];
		const struct item *item = heap->items[entry->handle];

		assert_int_equal(heap->positions[entry->handle], i);
		assert_int_equal(item->handle, entry->handle);
		assert_true(item->key == entry->key);
		assert_true((i < heap->near) == (entry->key <= heap->horizon));
		if (i > 0 && i < heap->near)
			assert_false(
				item_before(item, heap->items[heap->entries[(i - 1) / 4].handle]));
	}
}

/* Few different keys, so that there are ties to settle, and sequences that wrap around. */
static void fill(struct utw_heap *heap, unsigned int *seed)
{
	uint32_t i;

	utw_heap_init(heap);
	for (i = 0; i < MANY; i++) {
		items[i].key = rand_r(seed) % 100;
		items[i].sequence = UINT32_MAX - MANY / 2 + i;
		assert_int_equal(utw_heap_insert(heap, &items[i], items[i].key, items[i].sequence,
						 &items[i].handle),
				 0);
	}
	assert_consistent(heap);
}

static struct item *first_item(struct utw_heap *heap)
{
	const struct utw_heap_entry *first = utw_heap_first(heap);

	return first ? heap->items[first->handle] : NULL;
}

static uint32_t drain_in_order(struct utw_heap *heap)
{
	struct item *last = NULL, *first;
	uint32_t count = 0;

	while ((first = first_item(heap))) {
		assert_true(!last || item_before(last, first));
		utw_heap_remove(heap, first->handle);
		last = first;
		count++;
	}
	return count;
}

static void first_of_an_empty_one_is_null(void **state)
{
	struct utw_heap heap;

	(void)state;
	utw_heap_init(&heap);
	assert_null(utw_heap_first(&heap));
	utw_heap_release(&heap);
}

static void items_come_out_by_key_then_age(void **state)
{
	struct utw_heap heap;
	unsigned int seed = 1;

	(void)state;
	fill(&heap, &seed);
	assert_int_equal(drain_in_order(&heap), MANY);
	utw_heap_release(&heap);
}

static void remove_from_anywhere_keeps_the_order(void **state)
{
	struct utw_heap heap;
	unsigned int seed = 2;
	uint32_t i;

	(void)state;
	fill(&heap, &seed);
	for (i = 0; i < MANY; i += 3)
		utw_heap_remove(&heap, items[i].handle);
	assert_consistent(&heap);
	assert_int_equal(drain_in_order(&heap), MANY - (MANY + 2) / 3);
	utw_heap_release(&heap);
}

static void update_moves_both_ways(void **state)
{
	struct utw_heap heap;
	unsigned int seed = 3;
	uint32_t i;

	(void)state;
	fill(&heap, &seed);
	for (i = 0; i < MANY; i += 2) {
		items[i].key = rand_r(&seed) % 100;
		items[i].sequence += MANY;
		utw_heap_update(&heap, items[i].handle, items[i].key, items[i].sequence);
	}
	assert_consistent(&heap);
	assert_int_equal(drain_in_order(&heap), MANY);
	utw_heap_release(&heap);
}

/* Everything at once, against a plain account of what has to be in there. */
static void any_mixture_keeps_the_order(void **state)
{
	static bool inside[MANY];
	struct utw_heap heap;
	unsigned int seed = 5, step;
	uint32_t i, sequence = 0, count = 0;

	(void)state;
	utw_heap_init(&heap);
	memset(inside, 0, sizeof(inside));
	for (step = 0; step < 10 * MANY; step++) {
		struct item *item = &items[i = rand_r(&seed) % MANY];

		if (inside[i] && step % 3 == 0) {
			utw_heap_remove(&heap, item->handle);
			inside[i] = false;
			count--;
			continue;
		}
		item->key = step / 4 + rand_r(&seed) % 100000;
		item->sequence = sequence++;
		if (inside[i])
			utw_heap_update(&heap, item->handle, item->key, item->sequence);
		else
			assert_int_equal(utw_heap_insert(&heap, item, item->key, item->sequence,
							 &item->handle),
					 0);
		count += !inside[i];
		inside[i] = true;
		if (step % 2)
			continue;
		item = first_item(&heap);
		utw_heap_remove(&heap, item->handle);
		inside[item - items] = false;
		count--;
		if (step % 100000 == 0)
			assert_consistent(&heap);
	}
	assert_int_equal(heap.count, count);
	assert_consistent(&heap);
	assert_int_equal(drain_in_order(&heap), count);
	utw_heap_release(&heap);
}

/* Of keys that are all the same none is beyond the others. */
static void equal_keys_have_no_horizon(void **state)
{
	struct utw_heap heap;
	uint32_t i;

	(void)state;
	utw_heap_init(&heap);
	for (i = 0; i < MANY; i++) {
		items[i].key = UINT64_MAX - i % 2;
		items[i].sequence = i;
		utw_heap_insert(&heap, &items[i], items[i].key, i, &items[i].handle);
	}
	assert_consistent(&heap);
	assert_int_equal(drain_in_order(&heap), MANY);
	utw_heap_release(&heap);
}

static void handles_are_used_again(void **state)
{
	struct utw_heap heap;
	struct item item;
	unsigned int i;

	(void)state;
	utw_heap_init(&heap);
	for (i = 0; i < 100; i++) {
		assert_int_equal(utw_heap_insert(&heap, &item, i, i, &item.handle), 0);
		utw_heap_remove(&heap, item.handle);
	}
	assert_int_equal(heap.handles, 1);
	utw_heap_release(&heap);
}

/* The tables grow three at a time; each in its turn is refused. */
static void insert_without_memory_changes_nothing(void **state)
{
	struct utw_heap heap;
	unsigned int i = 0, nth;

	(void)state;
	utw_heap_init(&heap);
	for (nth = 1; nth <= 3; nth++) {
		alloc_fail_at(nth);
		assert_int_equal(utw_heap_insert(&heap, &items[0], 0, 0, &items[0].handle),
				 -ENOMEM);
	}
	alloc_fail_at(0);
	do {
		items[i].key = MANY - i;
		items[i].sequence = i;
		assert_int_equal(utw_heap_insert(&heap, &items[i], MANY - i, i, &items[i].handle),
				 0);
	} while (++i < heap.capacity);
	for (nth = 1; nth <= 3; nth++) {
		alloc_fail_at(nth);
		assert_int_equal(utw_heap_insert(&heap, &items[i], 0, i, &items[i].handle),
				 -ENOMEM);
		assert_consistent(&heap);
	}
	assert_int_equal(drain_in_order(&heap), i);
	utw_heap_release(&heap);
}

/* Four brothers share a cache line, which is what makes the heap quick. */
static void brothers_lie_in_one_line(void **state)
{
	struct utw_heap heap;
	unsigned int seed = 4;

	(void)state;
	fill(&heap, &seed);
	assert_int_equal((uintptr_t)&heap.entries[1] % 64, 0);
	utw_heap_release(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_of_an_empty_one_is_null),
		TEST(items_come_out_by_key_then_age),
		TEST(remove_from_anywhere_keeps_the_order),
		TEST(update_moves_both_ways),
		TEST(any_mixture_keeps_the_order),
		TEST(equal_keys_have_no_horizon),
		TEST(handles_are_used_again),
		TEST(insert_without_memory_changes_nothing),
		TEST(brothers_lie_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
