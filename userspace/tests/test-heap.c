// SPDX-License-Identifier: MIT
/* The heap, against orders that are known otherwise. */
#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness-alloc.h"
#include "harness.h"

#define MANY 2000

static struct utw_heap_node nodes[MANY];

static bool node_before(const struct utw_heap_node *a, const struct utw_heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static void assert_positions(const struct utw_heap *heap)
{
	uint32_t i;

	for (i = 0; i < heap->count; i++)
		assert_int_equal(heap->entries[i].node->position, i);
}

/* Few different keys, so that there are ties to settle. */
static void fill(struct utw_heap *heap, unsigned int *seed)
{
	uint32_t i;

	utw_heap_init(heap);
	memset(nodes, 0, sizeof(nodes));
	for (i = 0; i < MANY; i++) {
		nodes[i].key = rand_r(seed) % 100;
		nodes[i].sequence = i;
		assert_int_equal(utw_heap_insert(heap, &nodes[i]), 0);
	}
	assert_positions(heap);
}

static uint32_t drain_in_order(struct utw_heap *heap)
{
	struct utw_heap_node *last = NULL, *first;
	uint32_t count = 0;

	while ((first = utw_heap_first(heap))) {
		assert_true(!last || node_before(last, first));
		utw_heap_remove(heap, first);
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

static void nodes_come_out_by_key_then_age(void **state)
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
		utw_heap_remove(&heap, &nodes[i]);
	assert_positions(&heap);
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
		nodes[i].key = rand_r(&seed) % 100;
		nodes[i].sequence = MANY + i;
		utw_heap_update(&heap, &nodes[i]);
	}
	assert_positions(&heap);
	assert_int_equal(drain_in_order(&heap), MANY);
	utw_heap_release(&heap);
}

static void insert_without_memory_changes_nothing(void **state)
{
	struct utw_heap heap;
	struct utw_heap_node extra[17] = { 0 };
	unsigned int i;

	(void)state;
	utw_heap_init(&heap);
	alloc_fail_at(1);
	assert_int_equal(utw_heap_insert(&heap, &extra[0]), -ENOMEM);
	for (i = 0; i < 16; i++)
		assert_int_equal(utw_heap_insert(&heap, &extra[i]), 0);
	alloc_fail_at(1);
	assert_int_equal(utw_heap_insert(&heap, &extra[16]), -ENOMEM);
	assert_int_equal(heap.count, 16);
	assert_positions(&heap);
	utw_heap_release(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_of_an_empty_one_is_null),	     TEST(nodes_come_out_by_key_then_age),
		TEST(remove_from_anywhere_keeps_the_order),  TEST(update_moves_both_ways),
		TEST(insert_without_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
