/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * payload.c APIs: the bytes that travel with a request.
 */
#ifndef UNTWIST_PAYLOAD_H
#define UNTWIST_PAYLOAD_H

#include <linux/types.h>

#define UNTWIST_PAYLOAD_MAX (64u << 10)

struct page;
struct untwist_channel;
struct untwist_pages;

/**
 * struct untwist_payload - a request's bytes: a kernel copy and its home, or
 *	themselves in place
 * @data: the copy; NULL, none
 * @len: length in bytes; 0, no payload
 * @in_place: instead of the copy; with it, where the copy is
 * @home: in the arena, where bytes go back to, if they do
 * @pages: the program's pages, pinned, if bytes go back to it
 * @nr_pages: how many
 * @offset: where in the first page the bytes start
 */
struct untwist_payload {
	void *data;
	u32 len;
	struct untwist_pages *in_place;
	void *home;
	struct page **pages;
	unsigned int nr_pages;
	unsigned int offset;
};

int untwist_payload_take(struct untwist_payload *payload, struct untwist_channel *ch, u64 addr,
			 u32 len, unsigned int flags);
int untwist_payload_take_arena(struct untwist_payload *payload, struct untwist_channel *ch,
			       u64 offset, u32 len, unsigned int flags);
int untwist_payload_list(struct untwist_payload *payload, struct untwist_channel *ch,
			 unsigned int flags);
void untwist_payload_unmap(struct untwist_payload *payload);
void untwist_payload_return(struct untwist_payload *payload, u32 len);

#endif /* UNTWIST_PAYLOAD_H */
