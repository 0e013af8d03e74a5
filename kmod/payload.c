// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes that travel with a request. The driver works on a kernel copy. If
 * bytes go back, the program's pages are pinned at submission: the completion
 * runs on a workqueue, where no program's memory is mapped, and who reads the
 * completion later may be another process than the one that submitted.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/untwist.h>

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

/**
 * untwist_payload_take() - make the kernel copy of a payload
 * @payload: filled in; empty after an error
 * @addr: address in the memory of the calling program
 * @len: length in bytes, 1 to UNTWIST_PAYLOAD_MAX
 * @flags: set of enum untwist_payload_flags, not empty
 *
 * Bytes that only come from the device are zero at first, so that a driver
 * which returns more than it wrote shows no kernel memory.
 *
 * Context: process, of the program; may sleep.
 *
 * Return: 0, -ENOMEM or -EFAULT.
 */
int untwist_payload_take(struct untwist_payload *payload, u64 addr, u32 len, unsigned int flags)
{
	int ret = 0;

	*payload = (struct untwist_payload){ .len = len };
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
 * untwist_payload_take_arena() - make the kernel copy of a payload in an arena
 * @payload: filled in; empty after an error
 * @ring: ring, which stays until the payload is returned
 * @offset: where in the arena, as a program says
 * @len: length in bytes, 1 to UNTWIST_PAYLOAD_MAX
 * @flags: set of enum untwist_payload_flags, not empty
 *
 * A copy all the same: the program may write there at any time, and what a
 * driver has checked is to stay as it was.
 *
 * Context: may sleep.
 *
 * Return: 0, -ENOMEM or -EFAULT.
 */
int untwist_payload_take_arena(struct untwist_payload *payload, struct untwist_ringbuf *ring,
			       u64 offset, u32 len, unsigned int flags)
{
	void *bytes = untwist_ring_arena(ring, offset, len);

	*payload = (struct untwist_payload){};
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
 * untwist_payload_return() - give bytes back to the program, and free the rest
 * @payload: as taken; empty afterwards
 * @len: how many bytes go back, if the payload has a home
 *
 * Context: process, any; may sleep.
 */
void untwist_payload_return(struct untwist_payload *payload, u32 len)
{
	len = min(len, payload->len);
	if (payload->home)
		memcpy(payload->home, payload->data, len);
	if (payload->pages) {
		if (len)
			payload_copy_out(payload, len);
		unpin_user_pages_dirty_lock(payload->pages, payload->nr_pages, len);
		kfree(payload->pages);
	}
	kfree(payload->data);
	*payload = (struct untwist_payload){};
}
