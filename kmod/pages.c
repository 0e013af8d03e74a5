// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payloads that stay where they are: the driver gets the program's own pages,
 * or those of the ring's arena, as a scatter list. What is pinned stays so
 * until the request is posted, whatever becomes of the mapping, the program or
 * the device. The device's view of the pages ends before the completion can be
 * seen, for only then is what it wrote sure to be in memory.
 *
 * Nothing in here is ever called twice for a request: it is taken before there
 * is a slot, and returned by who posts, or by who drops what was never begun.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/untwist.h>

#include "channel.h"
#include "compat.h"
#include "pages.h"
#include "ring.h"

static enum dma_data_direction direction_of(unsigned int flags)
{
	if (!(flags & UNTWIST_FROM_DEVICE))
		return DMA_TO_DEVICE;
	return flags & UNTWIST_TO_DEVICE ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static struct untwist_pages *pages_new(unsigned int flags)
{
	struct untwist_pages *pages = kzalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);

	if (pages)
		pages->direction = direction_of(flags);
	return pages;
}

static int pages_pin(struct untwist_pages *pages, u64 addr, unsigned int nr)
{
	unsigned int flags = FOLL_LONGTERM;
	int pinned;

	pages->pages = kvcalloc(nr, sizeof(*pages->pages), GFP_KERNEL_ACCOUNT);
	if (!pages->pages)
		return -ENOMEM;
	if (pages->direction != DMA_TO_DEVICE)
		flags |= FOLL_WRITE;
	pinned = pin_user_pages_fast((unsigned long)addr & PAGE_MASK, (int)nr, flags, pages->pages);
	pages->nr_pages = max(pinned, 0);
	if (pages->nr_pages == nr)
		return 0;
	return pinned < 0 ? pinned : -EFAULT;
}

static int pages_list(struct untwist_pages *pages, const struct untwist_channel *ch,
		      struct page **list, unsigned int nr, unsigned int offset, u32 len)
{
	return sg_alloc_table_from_pages_segment(&pages->table, list, nr, offset, len,
						 ch->ud->segment_max, GFP_KERNEL_ACCOUNT);
}

static struct untwist_pages *pages_result(struct untwist_pages *pages, int ret)
{
	if (!ret)
		return pages;
	untwist_pages_return(pages);
	return ERR_PTR(ret);
}

/**
 * untwist_pages_take() - pin a payload
 * @ch: channel that it is submitted to
 * @addr: address in the memory of the calling program
 * @len: length in bytes, 1 to UNTWIST_PAGES_MAX
 * @flags: set of enum untwist_payload_flags
 *
 * Context: process, of the program; may sleep, for as long as its memory takes.
 *
 * Return: the payload; or an ERR_PTR: -EDQUOT, see untwist_charge_take();
 * -ENOMEM; or what the memory has to say: -EFAULT, it is not there or may not
 * be written; -EOPNOTSUPP, it cannot be pinned for long.
 */
struct untwist_pages *untwist_pages_take(struct untwist_channel *ch, u64 addr, u32 len,
					 unsigned int flags)
{
	unsigned int offset = offset_in_page(addr);
	unsigned int nr = DIV_ROUND_UP(offset + len, PAGE_SIZE);
	struct untwist_pages *pages;
	int ret;

	if (!current->mm || addr != (unsigned long)addr || addr + len < addr)
		return ERR_PTR(-EFAULT);
	pages = pages_new(flags);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	ret = untwist_charge_take(&pages->charge, ch, nr);
	if (!ret)
		ret = pages_pin(pages, addr, nr);
	if (!ret)
		ret = pages_list(pages, ch, pages->pages, nr, offset, len);
	return pages_result(pages, ret);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_pages_take);

/**
 * untwist_pages_take_arena() - use a payload in the arena
 * @ch: channel with a ring, which stays until the payload is returned
 * @offset: where in the arena, as a program says
 * @len: length in bytes, 1 to UNTWIST_PAGES_MAX
 * @flags: set of enum untwist_payload_flags
 *
 * The arena is the kernel's memory as long as the ring is there: nothing is
 * pinned, and nobody charged.
 *
 * Context: may sleep.
 *
 * Return: the payload; or an ERR_PTR: -EFAULT, it is not in the arena; -ENOMEM.
 */
struct untwist_pages *untwist_pages_take_arena(struct untwist_channel *ch, u64 offset, u32 len,
					       unsigned int flags)
{
	struct untwist_ringbuf *ring = ch->requests.ring;
	void *bytes = untwist_ring_arena(ring, offset, len);
	unsigned int start = offset_in_page(bytes);
	struct untwist_pages *pages;

	if (!bytes)
		return ERR_PTR(-EFAULT);
	pages = pages_new(flags);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	return pages_result(pages,
			    pages_list(pages, ch, untwist_ring_pages(ring, bytes),
				       DIV_ROUND_UP(start + len, PAGE_SIZE), start, len));
}
EXPORT_SYMBOL_IF_KUNIT(untwist_pages_take_arena);

/**
 * untwist_pages_take_copy() - use a payload in memory of the kernel
 * @ch: channel that it is submitted to
 * @data: payload, from kmalloc(); stays the caller's
 * @len: length in bytes
 * @flags: set of enum untwist_payload_flags
 *
 * Context: may sleep.
 *
 * Return: the payload, or an ERR_PTR: -ENOMEM.
 */
struct untwist_pages *untwist_pages_take_copy(struct untwist_channel *ch, void *data, u32 len,
					      unsigned int flags)
{
	unsigned int start = offset_in_page(data);
	unsigned int nr = DIV_ROUND_UP(start + len, PAGE_SIZE);
	struct untwist_pages *pages = pages_new(flags);
	struct page **list = kvcalloc(nr, sizeof(*list), GFP_KERNEL);
	unsigned int i;
	int ret = -ENOMEM;

	for (i = 0; list && i < nr; i++)
		list[i] = virt_to_page(data - start + i * PAGE_SIZE);
	if (pages && list)
		ret = pages_list(pages, ch, list, nr, start, len);
	kvfree(list);
	return pages ? pages_result(pages, ret) : ERR_PTR(ret);
}

/**
 * untwist_pages_unmap() - the device does not see a payload any more
 * @pages: payload, mapped or not
 *
 * Context: process, while the driver may be called.
 */
void untwist_pages_unmap(struct untwist_pages *pages)
{
	if (!pages->mapped)
		return;
	dma_unmap_sgtable(pages->mapped, &pages->table, pages->direction, 0);
	pages->mapped = NULL;
}

/**
 * untwist_pages_return() - the payload is the program's alone again
 * @pages: payload, which is freed
 *
 * What a device may have written to is marked as changed, written to or not:
 * nobody else knows.
 *
 * Context: process, any; may sleep.
 */
void untwist_pages_return(struct untwist_pages *pages)
{
	untwist_pages_unmap(pages);
	sg_free_table(&pages->table);
	if (pages->nr_pages)
		unpin_user_pages_dirty_lock(pages->pages, pages->nr_pages,
					    pages->direction != DMA_TO_DEVICE);
	kvfree(pages->pages);
	untwist_charge_return(&pages->charge);
	kfree(pages);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_pages_return);

/**
 * untwist_pages_segment_max() - the longest piece of memory that a device takes
 * @dev: device that moves payloads by itself; NULL, the driver does
 *
 * Return: how many bytes.
 */
u32 untwist_pages_segment_max(struct device *dev)
{
	size_t max = U32_MAX;

	if (dev)
		max = min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev));
	return min_t(size_t, max, UNTWIST_PAGES_MAX);
}

/**
 * untwist_request_map() - let the device see a payload
 * @req: request that the driver holds, of an opcode with UNTWIST_PAGES, and
 *	with a payload
 *
 * Maps untwist_request.sgt for untwist_config.dma_dev, in the direction that
 * the opcode says: from here on sg_dma_address() and sg_dma_len() of its
 * segments count, sgt->nents of them. The core undoes it before the opcode's
 * done operation, so that the driver need not, and must not. When the driver
 * completes the request, the device must not touch the payload any more.
 *
 * Context: any but NMI, once for a request.
 *
 * Return: 0, or a negative errno: -EINVAL, there is nothing to be mapped, or
 * nothing to be mapped for; else as dma_map_sgtable().
 */
int untwist_request_map(struct untwist_request *req)
{
	struct device *dev = req->channel->ud->config.dma_dev;
	struct untwist_pages *pages;
	int ret;

	if (!dev || !req->sgt)
		return -EINVAL;
	pages = container_of(req->sgt, struct untwist_pages, table);
	ret = dma_map_sgtable(dev, &pages->table, pages->direction, 0);
	if (!ret)
		pages->mapped = dev;
	return ret;
}
EXPORT_SYMBOL_GPL(untwist_request_map);
