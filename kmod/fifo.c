// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bounded byte queue between one producer and one consumer. Who may be the
 * one producer and the one consumer is settled by the caller's locks; this
 * file knows only bytes, positions and the order between them.
 */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "compat.h"
#include "fifo.h"

/**
 * untwist_fifo_init() - make an empty queue
 * @fifo: queue
 * @size: capacity in bytes, a power of two of at most UNTWIST_FIFO_MAX
 *
 * The memory is charged to the cgroup of the caller.
 *
 * Context: may sleep.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int untwist_fifo_init(struct untwist_fifo *fifo, u32 size)
{
	if (!is_power_of_2(size) || size > UNTWIST_FIFO_MAX)
		return -EINVAL;
	fifo->data = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!fifo->data)
		return -ENOMEM;
	fifo->size = size;
	fifo->head = 0;
	fifo->tail = 0;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_init);

/**
 * untwist_fifo_release() - free the memory of a queue
 * @fifo: queue; may be all zeros, and may be released again
 */
void untwist_fifo_release(struct untwist_fifo *fifo)
{
	kvfree(fifo->data);
	fifo->data = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_release);

/**
 * untwist_fifo_used() - bytes that can be consumed
 * @fifo: queue
 *
 * Exact for the consumer up to what is published meanwhile. Others get a value
 * that was true or too large a moment ago, never above the capacity: reading
 * the tail first cannot make the difference negative.
 *
 * Return: bytes.
 */
u32 untwist_fifo_used(const struct untwist_fifo *fifo)
{
	/* Pairs with the store in untwist_fifo_consume(). */
	u32 tail = smp_load_acquire(&fifo->tail);
	/* Pairs with the store in untwist_fifo_publish(). */
	u32 head = smp_load_acquire(&fifo->head);

	return min(head - tail, fifo->size);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_used);

/**
 * untwist_fifo_room() - bytes that can be put
 * @fifo: queue
 *
 * For the producer: at least this much, until it publishes.
 *
 * Return: bytes.
 */
u32 untwist_fifo_room(const struct untwist_fifo *fifo)
{
	return fifo->size - untwist_fifo_used(fifo);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_room);

/* Bytes from @pos on that lie before the end of the memory. */
static u32 fifo_straight(const struct untwist_fifo *fifo, u32 pos, u32 len)
{
	return min(len, fifo->size - (pos & (fifo->size - 1)));
}

static u8 *fifo_at(const struct untwist_fifo *fifo, u32 pos)
{
	return fifo->data + (pos & (fifo->size - 1));
}

/**
 * untwist_fifo_put() - write bytes that are not visible yet
 * @fifo: queue
 * @offset: where, in bytes beyond what is published
 * @src: the bytes
 * @len: how many; @offset + @len is at most untwist_fifo_room()
 *
 * Context: any.
 */
void untwist_fifo_put(struct untwist_fifo *fifo, u32 offset, const void *src, u32 len)
{
	u32 pos = fifo->head + offset;
	u32 first = fifo_straight(fifo, pos, len);

	memcpy(fifo_at(fifo, pos), src, first);
	memcpy(fifo->data, src + first, len - first);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_put);

/**
 * untwist_fifo_put_iter() - as untwist_fifo_put(), from a program's memory
 * @fifo: queue
 * @offset: where, in bytes beyond what is published
 * @len: how many; @offset + @len is at most untwist_fifo_room()
 * @from: source, advanced by what was copied
 *
 * Context: may fault and sleep.
 *
 * Return: bytes copied; less than @len after a fault.
 */
u32 untwist_fifo_put_iter(struct untwist_fifo *fifo, u32 offset, u32 len, struct iov_iter *from)
{
	u32 pos = fifo->head + offset;
	u32 first = fifo_straight(fifo, pos, len);
	u32 copied = copy_from_iter(fifo_at(fifo, pos), first, from);

	if (copied == first && len > first)
		copied += copy_from_iter(fifo->data, len - first, from);
	return copied;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_put_iter);

/**
 * untwist_fifo_publish() - let the consumer see what was put
 * @fifo: queue
 * @len: bytes
 */
void untwist_fifo_publish(struct untwist_fifo *fifo, u32 len)
{
	/* Pairs with the load of head in untwist_fifo_used(). */
	smp_store_release(&fifo->head, fifo->head + len);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_publish);

/**
 * untwist_fifo_get() - copy published bytes and leave them queued
 * @fifo: queue
 * @offset: from where, in bytes after the oldest
 * @dst: destination
 * @len: how many; @offset + @len is at most untwist_fifo_used()
 *
 * Context: any.
 */
void untwist_fifo_get(const struct untwist_fifo *fifo, u32 offset, void *dst, u32 len)
{
	u32 pos = fifo->tail + offset;
	u32 first = fifo_straight(fifo, pos, len);

	memcpy(dst, fifo_at(fifo, pos), first);
	memcpy(dst + first, fifo->data, len - first);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_get);

/**
 * untwist_fifo_get_iter() - as untwist_fifo_get(), to a program's memory
 * @fifo: queue
 * @offset: from where, in bytes after the oldest
 * @len: how many; @offset + @len is at most untwist_fifo_used()
 * @to: destination, advanced by what was copied
 *
 * Context: may fault and sleep.
 *
 * Return: bytes copied; less than @len after a fault.
 */
u32 untwist_fifo_get_iter(const struct untwist_fifo *fifo, u32 offset, u32 len, struct iov_iter *to)
{
	u32 pos = fifo->tail + offset;
	u32 first = fifo_straight(fifo, pos, len);
	u32 copied = copy_to_iter(fifo_at(fifo, pos), first, to);

	if (copied == first && len > first)
		copied += copy_to_iter(fifo->data, len - first, to);
	return copied;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_get_iter);

/**
 * untwist_fifo_consume() - give the space of the oldest bytes back
 * @fifo: queue
 * @len: bytes
 */
void untwist_fifo_consume(struct untwist_fifo *fifo, u32 len)
{
	/* Pairs with the load of tail in untwist_fifo_used(). */
	smp_store_release(&fifo->tail, fifo->tail + len);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_consume);
