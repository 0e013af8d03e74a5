// SPDX-License-Identifier: MIT
/*
 * The queue of slots: a ring that starts inside the deferred and moves out when it
 * grows. Its capacity is a power of two.
 */
#include "deferred/slots.h"

#include <errno.h>
#include <stdlib.h>

void utw_slots_init(struct utw_slots *slots)
{
	slots->array = slots->places;
	slots->head = 0;
	slots->count = 0;
	slots->capacity = UTW_SLOTS_INLINE;
}

void utw_slots_release(struct utw_slots *slots)
{
	if (slots->array != slots->places)
		free(slots->array);
}

int utw_slots_grow(struct utw_slots *slots)
{
	struct utw_slot *array;
	uint32_t i;

	if (slots->capacity > UINT32_MAX / 4)
		return -ENOMEM;
	array = reallocarray(NULL, slots->capacity, 2 * sizeof(*array));
	if (!array)
		return -ENOMEM;
	for (i = 0; i < slots->count; i++)
		array[i] = *utw_slots_at(slots, i);
	utw_slots_release(slots);
	slots->array = array;
	slots->head = 0;
	slots->capacity *= 2;
	return 0;
}

bool utw_slots_have_waiter(const struct utw_slots *slots)
{
	uint32_t i;

	for (i = 0; i < slots->count; i++)
		if (utw_slots_at(slots, i)->kind == UTW_SLOT_WAITER)
			return true;
	return false;
}
