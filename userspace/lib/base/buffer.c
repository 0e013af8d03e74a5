// SPDX-License-Identifier: MIT
/* The byte queue. See buffer.h for its invariant and its cost. */
#include "base/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 256

void utw_buffer_init(struct utw_buffer *b)
{
	memset(b, 0, sizeof(*b));
}

void utw_buffer_release(struct utw_buffer *b)
{
	free(b->storage);
	utw_buffer_init(b);
}

static void buffer_move_to_front(struct utw_buffer *b)
{
	size_t length = utw_buffer_length(b);

	memmove(b->storage, b->storage + b->head, length);
	b->head = 0;
	b->tail = length;
}

static int buffer_grow(struct utw_buffer *b, size_t capacity)
{
	unsigned char *storage = realloc(b->storage, capacity);

	if (!storage)
		return -ENOMEM;
	b->storage = storage;
	b->capacity = capacity;
	return 0;
}

/*
 * Room is kept for twice what is held, so as many bytes as were copied are added
 * before anything is copied again, be it by growing or by moving to the front.
 */
void *utw_buffer_reserve(struct utw_buffer *b, size_t length)
{
	size_t held = utw_buffer_length(b);
	size_t wanted;

	if (b->storage && length <= b->capacity - b->tail)
		return b->storage + b->tail;
	if (length > SIZE_MAX / 2 - held)
		return NULL;
	wanted = 2 * (held + length);
	if (wanted < SMALLEST)
		wanted = SMALLEST;
	if ((!b->storage || wanted > b->capacity) && buffer_grow(b, wanted) < 0)
		return NULL;
	if (length > b->capacity - b->tail)
		buffer_move_to_front(b);
	return b->storage + b->tail;
}

void utw_buffer_commit(struct utw_buffer *b, size_t length)
{
	b->tail += length;
}

int utw_buffer_append(struct utw_buffer *b, const void *data, size_t length)
{
	void *room;

	if (!length)
		return 0;
	room = utw_buffer_reserve(b, length);
	if (!room)
		return -ENOMEM;
	memcpy(room, data, length);
	utw_buffer_commit(b, length);
	return 0;
}

void utw_buffer_consume(struct utw_buffer *b, size_t length)
{
	if (length >= utw_buffer_length(b))
		utw_buffer_clear(b);
	else
		b->head += length;
}

void utw_buffer_clear(struct utw_buffer *b)
{
	b->head = 0;
	b->tail = 0;
}

const void *utw_buffer_data(const struct utw_buffer *b)
{
	return b->storage ? b->storage + b->head : (const unsigned char *)"";
}
