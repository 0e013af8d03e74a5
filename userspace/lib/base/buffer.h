/* SPDX-License-Identifier: MIT */
/*
 * A queue of bytes in one piece: added at the end, taken from the front.
 *
 * Taking only moves an offset. The bytes are moved to the front when room is
 * wanted at the end and at least half of the storage is free in front, so each
 * byte is moved a constant number of times, however small the pieces are.
 */
#ifndef UTW_BASE_BUFFER_H
#define UTW_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct utw_buffer {
	unsigned char *storage;
	size_t capacity;
	size_t head; /* the first byte held */
	size_t tail; /* after the last */
};

/* All zero is an empty buffer too. Holds no memory until something is added. */
void utw_buffer_init(struct utw_buffer *b);
/* Give the memory back; the buffer is empty and usable again. */
void utw_buffer_release(struct utw_buffer *b);

/*
 * Make room for `length` more bytes and return where they go, or NULL when
 * memory is out (nothing is lost). utw_buffer_commit() then says how many of them
 * were filled in. The pointer is good until the next call that adds.
 */
void *utw_buffer_reserve(struct utw_buffer *b, size_t length);
void utw_buffer_commit(struct utw_buffer *b, size_t length);

/* Returns 0 or -ENOMEM, with nothing added. */
int utw_buffer_append(struct utw_buffer *b, const void *data, size_t length);

/* Drop bytes from the front, at most all there are. */
void utw_buffer_consume(struct utw_buffer *b, size_t length);
/* Drop everything, keep the memory. */
void utw_buffer_clear(struct utw_buffer *b);

/* The bytes held; never NULL, good until the buffer is changed. */
const void *utw_buffer_data(const struct utw_buffer *b);
static inline size_t utw_buffer_length(const struct utw_buffer *b)
{
	return b->tail - b->head;
}

static inline bool utw_buffer_empty(const struct utw_buffer *b)
{
	return b->tail == b->head;
}

#endif
