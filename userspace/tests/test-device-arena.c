/* SPDX-License-Identifier: MIT */
/* Places in the arena of a ring: taken, given back, never more than there are. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"
#include "transport/device-arena.h"

#define PLACE 128

static char *memory;

static void begin(struct utw_arena *a)
{
	memory = calloc(UTW_ARENA_PLACES, PLACE);
	assert_non_null(memory);
	utw_arena_init(a, memory, PLACE);
}

static void places_are_distinct_and_counted(void **state)
{
	uint32_t offset[UTW_ARENA_PLACES];
	struct utw_arena a;

	(void)state;
	begin(&a);
	for (uint32_t i = 0; i < UTW_ARENA_PLACES; i++) {
		char data[PLACE];

		memset(data, (int)i, sizeof(data));
		offset[i] = utw_arena_put(&a, data, sizeof(data));
		assert_true(offset[i] <= (UTW_ARENA_PLACES - 1) * PLACE);
	}
	assert_int_equal(utw_arena_put(&a, "x", 1), UTW_ARENA_NONE);
	for (uint32_t i = 0; i < UTW_ARENA_PLACES; i++)
		for (uint32_t k = 0; k < PLACE; k++)
			assert_int_equal((unsigned char)memory[offset[i] + k], i);
	utw_arena_release(&a, offset[7]);
	assert_int_equal(utw_arena_put(&a, "x", 1), offset[7]);
	free(memory);
}

static void what_does_not_fit_finds_no_place(void **state)
{
	char data[PLACE + 1] = "";
	struct utw_arena a;
	struct utw_arena none = { .free_count = 0 };

	(void)state;
	begin(&a);
	assert_int_equal(utw_arena_put(&a, data, sizeof(data)), UTW_ARENA_NONE);
	assert_int_equal(utw_arena_put(&a, NULL, 0), UTW_ARENA_NONE);
	assert_int_equal(utw_arena_put(&none, data, 1), UTW_ARENA_NONE);
	utw_arena_release(&a, UTW_ARENA_NONE);
	assert_int_equal(a.free_count, UTW_ARENA_PLACES);
	free(memory);
}

static void memory_that_has_the_bytes_is_not_written_to(void **state)
{
	size_t size = 4096;
	struct utw_arena a;
	uint32_t offset;
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(page != MAP_FAILED);
	begin(&a);
	strcpy(page, "read only");
	assert_int_equal(mprotect(page, size, PROT_READ), 0);
	offset = utw_arena_put(&a, page, 10);
	utw_arena_get(&a, offset, page, 10);

	assert_int_equal(mprotect(page, size, PROT_READ | PROT_WRITE), 0);
	strcpy(memory + offset, "came home");
	utw_arena_get(&a, offset, page, 10);
	assert_string_equal(page, "came home");
	munmap(page, size);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(places_are_distinct_and_counted),
		TEST(what_does_not_fit_finds_no_place),
		TEST(memory_that_has_the_bytes_is_not_written_to),
	};

	return cmocka_run_group_tests_name("device-arena", tests, NULL, NULL);
}
