// SPDX-License-Identifier: MIT
/* Places for payloads in the arena of a ring: see device-arena.h. */
#include "device-arena.h"

#include <string.h>

void utw_arena_init(struct utw_arena *a, char *base, uint32_t place_size)
{
	a->base = base;
	a->place_size = place_size;
	a->free_count = place_size ? UTW_ARENA_PLACES : 0;
	for (uint32_t i = 0; i < a->free_count; i++)
		a->free[i] = (UTW_ARENA_PLACES - 1 - i) * place_size;
}

uint32_t utw_arena_put(struct utw_arena *a, const void *data, uint32_t len)
{
	uint32_t offset;

	if (!len || len > a->place_size || !a->free_count)
		return UTW_ARENA_NONE;
	offset = a->free[--a->free_count];
	memcpy(a->base + offset, data, len);
	return offset;
}

void utw_arena_get(const struct utw_arena *a, uint32_t offset, void *data, uint32_t len)
{
	if (len && memcmp(data, a->base + offset, len) != 0)
		memcpy(data, a->base + offset, len);
}

void utw_arena_release(struct utw_arena *a, uint32_t offset)
{
	if (offset != UTW_ARENA_NONE)
		a->free[a->free_count++] = offset;
}
