/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * payload.c APIs: the bytes that travel with a request.
 */
#ifndef UNTWIST_PAYLOAD_H
#define UNTWIST_PAYLOAD_H

#include <linux/types.h>

#define UNTWIST_PAYLOAD_MAX (64u << 10)

struct page;
struct untwist_ringbuf;

/**
 * struct untwist_payload - kernel copy of a request's bytes, and their home
 * @data: the copy; NULL, no payload
 * @len: length in bytes
 * @home: in the arena, where bytes go back to, if they do
 * @pages: the program's pages, pinned, if bytes go back to it
 * @nr_pages: how many
 * @offset: where in the first page the bytes start
 */
struct untwist_payload {
	void *data;
	u32 len;
	void *home;
	struct page **pages;
	unsigned int nr_pages;
	unsigned int offset;
};

int untwist_payload_take(struct untwist_payload *payload, u64 addr, u32 len, unsigned int flags);
int untwist_payload_take_arena(struct untwist_payload *payload, struct untwist_ringbuf *ring,
			       u64 offset, u32 len, unsigned int flags);
void untwist_payload_return(struct untwist_payload *payload, u32 len);

#endif /* UNTWIST_PAYLOAD_H */
