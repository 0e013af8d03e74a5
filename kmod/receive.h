/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * receive.c APIs: the data plane from the driver to the program. What drivers
 * call is in push.c.
 */
#ifndef UNTWIST_RECEIVE_H
#define UNTWIST_RECEIVE_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/untwist.h>

struct iov_iter;
struct untwist_channel;
struct untwist_fifo;

/* In a queue a record comes after a word that has its length. */
#define UNTWIST_RECORD_WORD sizeof(u32)

/* In that word: what a header tells comes after it. */
#define UNTWIST_HAS_HEADER BIT(31)

/**
 * struct untwist_front - what a received record has in front of it in the queue
 * @word: its length, and UNTWIST_HAS_HEADER
 * @lost: records lost right before it; as what follows, only with
 *	UNTWIST_HAS_HEADER
 * @sequence: its number
 * @time: when it was pushed
 */
struct untwist_front {
	u32 word;
	u32 lost;
	u64 sequence;
	u64 time;
};

static_assert(offsetof(struct untwist_front, lost) == UNTWIST_RECORD_WORD);

/**
 * struct untwist_receive - what goes with the queue of received data
 * @overflow: UNTWIST_OVERFLOW_*
 * @headers: records are queued with what their headers tell
 * @events: what the driver announced and nobody has fetched
 * @lost: what was lost and nobody has asked about
 * @sequence: number of the next record
 * @lost_behind: records lost since the last that was queued
 * @lost_ahead: records lost before the oldest that is queued, beyond what it
 *	tells itself
 * @copy: what the reader is about to return; used with
 *	UNTWIST_OVERFLOW_DROP_OLDEST, where the queue may lose it meanwhile
 * @copy_size: length of @copy
 * @held: how much of the front of the queue is what the reader is about to
 *	return
 *
 * Guarded by the channel's rx_lock; what the options are made of, @overflow,
 * @headers and @copy, changes only with rd_mutex held besides.
 */
struct untwist_receive {
	u32 overflow;
	bool headers;
	u32 events;
	struct untwist_lost lost;
	u64 sequence;
	u32 lost_behind;
	u32 lost_ahead;
	u8 *copy;
	u32 copy_size;
	u32 held;
};

u32 untwist_receive_overhead(bool headers);
u32 untwist_receive_copy_size(const struct untwist_channel *ch);

/* Both sides'. */
static inline u32 untwist_front_size(const struct untwist_front *front)
{
	return untwist_receive_overhead(front->word & UNTWIST_HAS_HEADER);
}

static inline u32 untwist_front_len(const struct untwist_front *front)
{
	return front->word & ~UNTWIST_HAS_HEADER;
}

bool untwist_front_get(const struct untwist_fifo *fifo, struct untwist_front *front);
bool untwist_receive_drops_oldest(const struct untwist_channel *ch);
void untwist_receive_lose(struct untwist_channel *ch, u32 len);
void untwist_receive_lose_front(struct untwist_channel *ch, const struct untwist_front *front);

/* The program's side. */
bool untwist_receive_ready(const struct untwist_channel *ch);
bool untwist_receive_ended(const struct untwist_channel *ch);
bool untwist_receive_has_events(const struct untwist_channel *ch);
size_t untwist_receive_next(struct untwist_channel *ch);
ssize_t untwist_receive_read(struct untwist_channel *ch, struct iov_iter *to);
void untwist_receive_made_room(struct untwist_channel *ch);
void untwist_receive_get_lost(struct untwist_channel *ch, struct untwist_lost *lost);
void untwist_receive_take_lost(struct untwist_channel *ch, struct untwist_lost *lost);
u32 untwist_receive_take_events(struct untwist_channel *ch);

#endif /* UNTWIST_RECEIVE_H */
