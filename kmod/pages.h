/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.c APIs: payloads that stay where they are.
 */
#ifndef UNTWIST_PAGES_H
#define UNTWIST_PAGES_H

#include <linux/dma-direction.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "charge.h"
#include "payload.h"

#define UNTWIST_PAGES_MAX (64u << 20)

struct device;
struct page;
struct untwist_channel;

/**
 * struct untwist_pages - a payload that a driver uses in place
 * @table: where its bytes are
 * @direction: which way they go
 * @mapped: the device that it is mapped for, or NULL
 * @pages: the program's pages, pinned; NULL, it is the kernel's memory
 * @nr_pages: how many
 * @charge: for them
 */
struct untwist_pages {
	struct sg_table table;
	enum dma_data_direction direction;
	struct device *mapped;
	struct page **pages;
	unsigned int nr_pages;
	struct untwist_charge charge;
};

struct untwist_pages *untwist_pages_take(struct untwist_channel *ch, u64 addr, u32 len,
					 unsigned int flags);
struct untwist_pages *untwist_pages_take_arena(struct untwist_channel *ch, u64 offset, u32 len,
					       unsigned int flags);
struct untwist_pages *untwist_pages_take_copy(struct untwist_channel *ch, void *data, u32 len,
					      unsigned int flags);
void untwist_pages_unmap(struct untwist_pages *pages);
void untwist_pages_return(struct untwist_pages *pages);

u32 untwist_pages_segment_max(struct device *dev);

/* Where a payload is that the driver uses in place; NULL, it has a copy or there is none. */
static inline struct sg_table *untwist_payload_table(const struct untwist_payload *payload)
{
	return payload->in_place ? &payload->in_place->table : NULL;
}

#endif /* UNTWIST_PAGES_H */
