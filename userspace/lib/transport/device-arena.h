/* SPDX-License-Identifier: MIT */
/*
 * The arena of a ring as equal places for payloads: taking and giving one back
 * is a step on a stack. What is larger, or finds none, goes by its address.
 */
#ifndef UTW_TRANSPORT_DEVICE_ARENA_H
#define UTW_TRANSPORT_DEVICE_ARENA_H

#include <stdint.h>

#define UTW_ARENA_PLACES 64
#define UTW_ARENA_NONE	 UINT32_MAX

struct utw_arena {
	char *base; /* borrowed from the mapping */
	uint32_t place_size;
	uint32_t free_count; /* 0, too, while there is no arena */
	uint32_t free[UTW_ARENA_PLACES]; /* offsets, the one given back last on top */
};

void utw_arena_init(struct utw_arena *a, char *base, uint32_t place_size);

/* Returns the offset of a place with the bytes in it, or UTW_ARENA_NONE. */
uint32_t utw_arena_put(struct utw_arena *a, const void *data, uint32_t len);

/*
 * Bring bytes home from a place. Memory that has them already is not written to:
 * a payload that only goes out may be in memory that cannot be.
 */
void utw_arena_get(const struct utw_arena *a, uint32_t offset, void *data, uint32_t len);

/* Give a place back; UTW_ARENA_NONE is ignored. */
void utw_arena_release(struct utw_arena *a, uint32_t offset);

#endif
