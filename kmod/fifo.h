/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fifo.c APIs: a bounded byte queue between one producer and one consumer.
 */
#ifndef UNTWIST_FIFO_H
#define UNTWIST_FIFO_H

#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/types.h>

struct iov_iter;

/* Largest queue; positions are free-running u32, so this could be 2^31. */
#define UNTWIST_FIFO_MAX (16u << 20)

/* Charged to the cgroup of the program, which gets an error and is not killed when it is full. */
#define UNTWIST_FIFO_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* What is moved to other memory at most: it is copied with interrupts off. */
#define UNTWIST_FIFO_MOVE_MAX (16u << 10)

/**
 * struct untwist_fifo - byte queue
 * @data: the bytes
 * @size: length of @data, a power of two
 * @head: end of what is published; written by the producer
 * @tail: start of what is published; written by the consumer
 *
 * Neither side takes a lock against the other: the producer publishes with a
 * store-release of @head that pairs with the consumer's load-acquire, and the
 * consumer gives space back with a store-release of @tail that pairs with the
 * producer's load-acquire. What lies between is stable for the consumer, so it
 * can be copied to a program with page faults and all, and is given back only
 * once it has arrived.
 */
struct untwist_fifo {
	u8 *data;
	u32 size;
	u32 head ____cacheline_aligned_in_smp;
	u32 tail ____cacheline_aligned_in_smp;
};

int untwist_fifo_init(struct untwist_fifo *fifo, u32 size);
void untwist_fifo_release(struct untwist_fifo *fifo);

/* Neither side may run during these. */
bool untwist_fifo_movable(const struct untwist_fifo *fifo, u32 size);
void untwist_fifo_move(struct untwist_fifo *fifo, struct untwist_fifo *other);

u32 untwist_fifo_used(const struct untwist_fifo *fifo);
u32 untwist_fifo_room(const struct untwist_fifo *fifo);

/* The producer's: write beyond what is published, then publish. */
void untwist_fifo_put(struct untwist_fifo *fifo, u32 offset, const void *src, u32 len);
u32 untwist_fifo_put_iter(struct untwist_fifo *fifo, u32 offset, u32 len, struct iov_iter *from);
void untwist_fifo_publish(struct untwist_fifo *fifo, u32 len);

/* The consumer's: read what is published, then give the space back. */
void untwist_fifo_get(const struct untwist_fifo *fifo, u32 offset, void *dst, u32 len);
u32 untwist_fifo_get_iter(const struct untwist_fifo *fifo, u32 offset, u32 len,
			  struct iov_iter *to);
void untwist_fifo_consume(struct untwist_fifo *fifo, u32 len);

#endif /* UNTWIST_FIFO_H */
