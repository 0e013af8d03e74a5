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
 * The memory is charged to the cgroup of the caller, and does not send its
 * programs to death when there is not enough.
 *
 * Context: may sleep.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int untwist_fifo_init(struct untwist_fifo *fifo, u32 size)
{
	if (!is_power_of_2(size) || size > UNTWIST_FIFO_MAX)
		return -EINVAL;
	fifo->data = kvmalloc(size, UNTWIST_FIFO_GFP);
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

	return min(head - tail, READ_ONCE(fifo->size));
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
	u32 size = READ_ONCE(fifo->size);

	/* Who only looks on may find another size a moment later. */
	return size - min(untwist_fifo_used(fifo), size);
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
 * untwist_fifo_movable() - whether what is queued can go to other memory
 * @fifo: queue
 * @size: length of that memory
 *
 * Return: true if it fits there, and is not too much to be copied at once.
 */
bool untwist_fifo_movable(const struct untwist_fifo *fifo, u32 size)
{
	return untwist_fifo_used(fifo) <= min(size, UNTWIST_FIFO_MOVE_MAX);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_movable);

/**
 * untwist_fifo_move() - give a queue the memory of another
 * @fifo: queue, untwist_fifo_movable() to the size of @other
 * @other: empty queue, which gets the memory of @fifo
 *
 * The positions stay what they are, so that somebody who only looks on, as
 * poll() does, finds as much as before at every moment.
 *
 * Context: any; neither side of @fifo runs meanwhile.
 */
void untwist_fifo_move(struct untwist_fifo *fifo, struct untwist_fifo *other)
{
	u32 used = untwist_fifo_used(fifo);
	u32 size = other->size;
	u32 done = 0;

	while (done < used) {
		u32 pos = fifo->tail + done;
		u32 len = fifo_straight(fifo, pos, used - done);

		len = fifo_straight(other, pos, len);
		memcpy(fifo_at(other, pos), fifo_at(fifo, pos), len);
		done += len;
	}
	swap(fifo->data, other->data);
	other->size = fifo->size;
	WRITE_ONCE(fifo->size, size);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_fifo_move);

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
