// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes that travel with a request. The driver works on a kernel copy, or,
 * if its opcode says so, on the pages themselves (pages.c). If bytes of a copy
 * go back, the program's pages are pinned at submission: the completion runs
 * on a workqueue, where no program's memory is mapped, and who reads the
 * completion later may be another process than the one that submitted.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/untwist.h>

#include "channel.h"
#include "pages.h"
#include "payload.h"
#include "ring.h"

static int payload_pin(struct untwist_payload *payload, u64 addr)
{
	unsigned int nr;
	int pinned;

	payload->offset = offset_in_page(addr);
	nr = DIV_ROUND_UP(payload->offset + payload->len, PAGE_SIZE);
	payload->pages = kcalloc(nr, sizeof(*payload->pages), GFP_KERNEL_ACCOUNT);
	if (!payload->pages)
		return -ENOMEM;

	/* Long: how long is up to the hardware. */
	pinned = pin_user_pages_fast((unsigned long)addr & PAGE_MASK, nr,
				     FOLL_WRITE | FOLL_LONGTERM, payload->pages);
	payload->nr_pages = max(pinned, 0);
	if (pinned == nr)
		return 0;
	return pinned < 0 ? pinned : -EFAULT;
}

static int payload_use(struct untwist_payload *payload, struct untwist_pages *pages, u32 len)
{
	if (IS_ERR(pages))
		return (int)PTR_ERR(pages);
	payload->in_place = pages;
	payload->len = len;
	return 0;
}

/**
 * untwist_payload_take() - take a payload out of a program, or in its place
 * @payload: filled in; empty after an error
 * @ch: channel that it is submitted to
 * @addr: address in the memory of the calling program
 * @len: length in bytes, at least 1, at most what the opcode takes
 * @flags: set of enum untwist_payload_flags, not empty
 *
 * Of a copy, bytes that only come from the device are zero at first, so that a
 * driver which returns more than it wrote shows no kernel memory.
 *
 * Context: process, of the program; may sleep.
 *
 * Return: 0, -ENOMEM or -EFAULT; of pages also what untwist_pages_take() says.
 */
int untwist_payload_take(struct untwist_payload *payload, struct untwist_channel *ch, u64 addr,
			 u32 len, unsigned int flags)
{
	int ret = 0;

	*payload = (struct untwist_payload){};
	if (flags & UNTWIST_PAGES)
		return payload_use(payload, untwist_pages_take(ch, addr, len, flags), len);
	payload->len = len;
	if (addr != (unsigned long)addr || addr + len < addr)
		return -EFAULT;
	payload->data = kzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!payload->data)
		return -ENOMEM;

	if (flags & UNTWIST_TO_DEVICE && copy_from_user(payload->data, u64_to_user_ptr(addr), len))
		ret = -EFAULT;
	if (!ret && flags & UNTWIST_FROM_DEVICE)
		ret = payload_pin(payload, addr);
	if (ret)
		untwist_payload_return(payload, 0);
	return ret;
}

/**
 * untwist_payload_take_arena() - take a payload out of an arena, or in its place
 * @payload: filled in; empty after an error
 * @ch: channel with a ring, which stays until the payload is returned
 * @offset: where in the arena, as a program says
 * @len: length in bytes, at least 1, at most what the opcode takes
 * @flags: set of enum untwist_payload_flags, not empty
 *
 * A copy all the same, unless the opcode says otherwise: the program may write
 * there at any time, and what a driver has checked is to stay as it was.
 *
 * Context: may sleep.
 *
 * Return: 0, -ENOMEM or -EFAULT.
 */
int untwist_payload_take_arena(struct untwist_payload *payload, struct untwist_channel *ch,
			       u64 offset, u32 len, unsigned int flags)
{
	void *bytes;

	*payload = (struct untwist_payload){};
	if (flags & UNTWIST_PAGES)
		return payload_use(payload, untwist_pages_take_arena(ch, offset, len, flags), len);
	bytes = untwist_ring_arena(ch->requests.ring, offset, len);
	if (!bytes)
		return -EFAULT;
	payload->data = kzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!payload->data)
		return -ENOMEM;
	payload->len = len;
	if (flags & UNTWIST_TO_DEVICE)
		memcpy(payload->data, bytes, len);
	if (flags & UNTWIST_FROM_DEVICE)
		payload->home = bytes;
	return 0;
}

static void payload_copy_out(struct untwist_payload *payload, u32 len)
{
	unsigned int offset = payload->offset;
	u32 done = 0;
	unsigned int i;

	for (i = 0; done < len; i++) {
		u32 n = min_t(u32, len - done, PAGE_SIZE - offset);

		memcpy_to_page(payload->pages[i], offset, payload->data + done, n);
		done += n;
		offset = 0;
	}
}

/**
 * untwist_payload_list() - a copy for a driver that works in place
 * @payload: with a copy; empty after an error
 * @ch: channel that it is submitted to
 * @flags: set of enum untwist_payload_flags
 *
 * What a client gives may be memory that no device can be shown.
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int untwist_payload_list(struct untwist_payload *payload, struct untwist_channel *ch,
			 unsigned int flags)
{
	int ret = payload_use(payload,
			      untwist_pages_take_copy(ch, payload->data, payload->len, flags),
			      payload->len);

	if (ret)
		untwist_payload_return(payload, 0);
	return ret;
}

/**
 * untwist_payload_unmap() - the device is done with a payload
 * @payload: as taken
 *
 * Context: process, while the driver may be called.
 */
void untwist_payload_unmap(struct untwist_payload *payload)
{
	if (payload->in_place)
		untwist_pages_unmap(payload->in_place);
}

/**
 * untwist_payload_return() - give bytes back to the program, and free the rest
 * @payload: as taken; empty afterwards
 * @len: how many bytes go back, if the payload has a home
 *
 * Context: process, any; may sleep.
 */
void untwist_payload_return(struct untwist_payload *payload, u32 len)
{
	len = min(len, payload->len);
	/* Before anything is copied home. */
	untwist_payload_unmap(payload);
	if (payload->home)
		memcpy(payload->home, payload->data, len);
	if (payload->pages) {
		if (len)
			payload_copy_out(payload, len);
		unpin_user_pages_dirty_lock(payload->pages, payload->nr_pages, len);
		kfree(payload->pages);
	}
	if (payload->in_place)
		untwist_pages_return(payload->in_place);
	kfree(payload->data);
	*payload = (struct untwist_payload){};
}
