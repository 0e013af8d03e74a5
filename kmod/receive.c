// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data plane from the driver to the program, the program's side: what it
 * reads, and what it is told of losses and events. The driver's is in push.c.
 *
 * As a rule the reader copies from the queue with no lock, for nobody else
 * takes anything from there. With UNTWIST_OVERFLOW_DROP_OLDEST the producer
 * does. The reader then copies twice: under the lock to memory of its own, and
 * from there to the program. What it has in hand in between counts as read,
 * unless the program's memory turns out not to be there.
 */
#include <linux/minmax.h>
#include <linux/uio.h>

#include "channel.h"
#include "compat.h"
#include "stream.h"

/**
 * untwist_receive_overhead() - what a record takes in the queue beyond its bytes
 * @headers: whether with its header
 *
 * Return: bytes.
 */
u32 untwist_receive_overhead(bool headers)
{
	return headers ? sizeof(struct untwist_front) : UNTWIST_RECORD_WORD;
}

/**
 * untwist_receive_copy_size() - what untwist_receive.copy has to hold
 * @ch: channel
 *
 * Return: bytes.
 */
u32 untwist_receive_copy_size(const struct untwist_channel *ch)
{
	return untwist_stream_has_records(ch) ? ch->ud->config.record_max : PAGE_SIZE;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_receive_copy_size);

/**
 * untwist_front_get() - look at what the oldest record has in front of it
 * @fifo: queue of records
 * @front: filled in
 *
 * Context: the queue's one consumer.
 *
 * Return: true; or false, nothing is queued.
 */
bool untwist_front_get(const struct untwist_fifo *fifo, struct untwist_front *front)
{
	*front = (struct untwist_front){};
	if (!untwist_fifo_used(fifo))
		return false;
	untwist_fifo_get(fifo, 0, &front->word, UNTWIST_RECORD_WORD);
	untwist_fifo_get(fifo, 0, front, untwist_front_size(front));
	return true;
}

/**
 * untwist_receive_drops_oldest() - what the program has chosen
 * @ch: channel
 *
 * Return: whether that is UNTWIST_OVERFLOW_DROP_OLDEST.
 */
bool untwist_receive_drops_oldest(const struct untwist_channel *ch)
{
	return READ_ONCE(ch->receive.overflow) == UNTWIST_OVERFLOW_DROP_OLDEST;
}

/* Losses. */

/**
 * untwist_receive_lose() - count a loss
 * @ch: channel, its rx_lock held
 * @len: bytes, or the length of one record
 */
void untwist_receive_lose(struct untwist_channel *ch, u32 len)
{
	struct untwist_lost *lost = &ch->receive.lost;

	lockdep_assert_held(&ch->rx_lock);
	lost->bytes += len;
	untwist_count(ch->ud, UNTWIST_STAT_RX_LOST_BYTES, len);
	if (untwist_stream_has_records(ch)) {
		lost->records++;
		untwist_count(ch->ud, UNTWIST_STAT_RX_LOST_RECORDS, 1);
	}
	set_bit(UNTWIST_CH_LOST, &ch->state);
}

/**
 * untwist_receive_lose_front() - count the loss of the oldest record
 * @ch: channel, its rx_lock held
 * @front: what it had in front of it
 */
void untwist_receive_lose_front(struct untwist_channel *ch, const struct untwist_front *front)
{
	ch->receive.lost_ahead += front->lost + 1;
	untwist_receive_lose(ch, untwist_front_len(front));
}

/**
 * untwist_receive_get_lost() - read the count of losses
 * @ch: channel
 * @lost: filled in
 */
void untwist_receive_get_lost(struct untwist_channel *ch, struct untwist_lost *lost)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	*lost = ch->receive.lost;
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
}

/**
 * untwist_receive_take_lost() - read and reset the count of losses
 * @ch: channel
 * @lost: filled in
 */
void untwist_receive_take_lost(struct untwist_channel *ch, struct untwist_lost *lost)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	*lost = ch->receive.lost;
	ch->receive.lost = (struct untwist_lost){};
	clear_bit(UNTWIST_CH_LOST, &ch->state);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_receive_take_lost);

/* Events. */

/**
 * untwist_receive_has_events() - whether there are events to be fetched
 * @ch: channel
 *
 * Return: true if there are.
 */
bool untwist_receive_has_events(const struct untwist_channel *ch)
{
	return READ_ONCE(ch->receive.events);
}

/**
 * untwist_receive_take_events() - read and reset the events
 * @ch: channel
 *
 * Return: their bits.
 */
u32 untwist_receive_take_events(struct untwist_channel *ch)
{
	unsigned long flags;
	u32 events;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	events = ch->receive.events;
	WRITE_ONCE(ch->receive.events, 0);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	return events;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_receive_take_events);

/* Reading. */

/**
 * untwist_receive_ready() - whether data waits
 * @ch: channel
 *
 * Return: true if a read would return some.
 */
bool untwist_receive_ready(const struct untwist_channel *ch)
{
	return untwist_fifo_used(&ch->rx);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_receive_ready);

/**
 * untwist_receive_ended() - whether the driver has said that no more data comes
 * @ch: channel
 *
 * Return: true, and what waits is the last.
 */
bool untwist_receive_ended(const struct untwist_channel *ch)
{
	return test_bit(UNTWIST_CH_ENDED, &ch->state);
}

/**
 * untwist_receive_next() - what a read would return
 * @ch: channel, its rd_mutex held
 *
 * Return: bytes that wait; for records, the length of the next and of its
 * header; 0 if nothing waits.
 */
size_t untwist_receive_next(struct untwist_channel *ch)
{
	struct untwist_front front;
	unsigned long flags;
	size_t next;

	lockdep_assert_held(&ch->rd_mutex);
	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	next = untwist_fifo_used(&ch->rx);
	if (untwist_stream_has_records(ch) && untwist_front_get(&ch->rx, &front)) {
		next = untwist_front_len(&front);
		if (ch->receive.headers)
			next += sizeof(struct untwist_record_header);
	}
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	return next;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_receive_next);

/*
 * Take the bytes into the reader's own hands; they stay queued, but may be
 * dropped from there.
 */
static u32 hold_bytes(struct untwist_channel *ch, size_t want)
{
	struct untwist_receive *receive = &ch->receive;
	unsigned long flags;
	u32 len;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	len = min3((size_t)untwist_fifo_used(&ch->rx), want, (size_t)receive->copy_size);
	untwist_fifo_get(&ch->rx, 0, receive->copy, len);
	receive->held = len;
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	return len;
}

/* Of the bytes in hand, some have arrived: these are queued no more. */
static void release_bytes(struct untwist_channel *ch, u32 len, u32 arrived)
{
	struct untwist_receive *receive = &ch->receive;
	unsigned long flags;
	u32 dropped;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	dropped = len - receive->held;
	receive->held = 0;
	if (arrived > dropped)
		untwist_fifo_consume(&ch->rx, arrived - dropped);
	else if (arrived < dropped)
		untwist_receive_lose(ch, dropped - arrived);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	if (arrived < dropped)
		untwist_channel_announce(ch, UNTWIST_EV_PRI);
}

static ssize_t read_bytes_held(struct untwist_channel *ch, struct iov_iter *to)
{
	size_t done = 0;
	u32 len;

	while ((len = hold_bytes(ch, iov_iter_count(to)))) {
		u32 arrived = copy_to_iter(ch->receive.copy, len, to);

		release_bytes(ch, len, arrived);
		done += arrived;
		if (arrived < len)
			return done ? done : -EFAULT;
	}
	return done;
}

static ssize_t read_bytes(struct untwist_channel *ch, struct iov_iter *to)
{
	u32 len = min_t(size_t, untwist_fifo_used(&ch->rx), iov_iter_count(to));
	u32 copied = untwist_fifo_get_iter(&ch->rx, 0, len, to);

	untwist_fifo_consume(&ch->rx, copied);
	if (len && !copied)
		return -EFAULT;
	return copied;
}

/**
 * struct next - the next record as a read sees it
 * @front: what the queue has in front of it
 * @len: length of the record
 * @header: its header
 * @header_len: length of that; 0, the program does not want it
 * @ahead: of untwist_receive.lost_ahead, what the header tells
 */
struct next {
	struct untwist_front front;
	size_t len;
	struct untwist_record_header header;
	size_t header_len;
	u32 ahead;
};

/* Returns false if there is no next one. */
static bool next_look(const struct untwist_channel *ch, struct next *next)
{
	u32 lost;

	if (!untwist_front_get(&ch->rx, &next->front))
		return false;
	next->len = untwist_front_len(&next->front);
	next->header_len = ch->receive.headers ? sizeof(next->header) : 0;
	next->ahead = ch->receive.lost_ahead;
	lost = next->front.lost + next->ahead;
	next->header = (struct untwist_record_header){
		.sequence = next->front.sequence,
		.time = next->front.time,
		.length = next->len,
		.flags = lost ? UNTWIST_RECORD_LOST : 0,
		.lost = lost,
	};
	if (!(next->front.word & UNTWIST_HAS_HEADER))
		next->header.flags |= UNTWIST_RECORD_BARE;
	return true;
}

/* As hold_bytes(), if there is room for it where it goes. */
static bool hold_next(struct untwist_channel *ch, struct next *next, size_t room)
{
	struct untwist_receive *receive = &ch->receive;
	unsigned long flags;
	bool there;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	there = next_look(ch, next);
	if (there && next->header_len + next->len <= room) {
		u32 offset = untwist_front_size(&next->front);

		untwist_fifo_get(&ch->rx, offset, receive->copy, next->len);
		receive->held = offset + next->len;
	}
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	return there;
}

static void release_next(struct untwist_channel *ch, const struct next *next, bool arrived)
{
	struct untwist_receive *receive = &ch->receive;
	unsigned long flags;
	bool lost;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	lost = !arrived && !receive->held;
	if (lost)
		untwist_receive_lose_front(ch, &next->front);
	if (arrived) {
		untwist_fifo_consume(&ch->rx, receive->held);
		receive->lost_ahead -= next->ahead;
	}
	receive->held = 0;
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	if (lost)
		untwist_channel_announce(ch, UNTWIST_EV_PRI);
}

static bool header_arrives(const struct next *next, struct iov_iter *to)
{
	return copy_to_iter(&next->header, next->header_len, to) == next->header_len;
}

static ssize_t read_record_held(struct untwist_channel *ch, struct iov_iter *to)
{
	struct next next;
	bool arrived;

	if (!hold_next(ch, &next, iov_iter_count(to)))
		return 0;
	if (iov_iter_count(to) < next.header_len + next.len)
		return -EMSGSIZE;
	arrived = header_arrives(&next, to) &&
		copy_to_iter(ch->receive.copy, next.len, to) == next.len;
	release_next(ch, &next, arrived);
	return arrived ? next.header_len + next.len : -EFAULT;
}

/* All or nothing: what does not fit, or faults, is still there. */
static ssize_t read_record(struct untwist_channel *ch, struct iov_iter *to)
{
	struct next next;
	u32 offset;

	if (!next_look(ch, &next))
		return 0;
	if (iov_iter_count(to) < next.header_len + next.len)
		return -EMSGSIZE;
	offset = untwist_front_size(&next.front);
	if (!header_arrives(&next, to) ||
	    untwist_fifo_get_iter(&ch->rx, offset, next.len, to) != next.len)
		return -EFAULT;
	untwist_fifo_consume(&ch->rx, offset + next.len);
	ch->receive.lost_ahead = 0;
	return next.header_len + next.len;
}

/**
 * untwist_receive_read() - move received data to a program
 * @ch: channel, its rd_mutex held
 * @to: destination, not empty
 *
 * What is consumed has arrived. untwist_receive_made_room() is due when the
 * lock is dropped. Context: may fault and sleep.
 *
 * Return: bytes; 0, nothing waits; -EMSGSIZE, the next record is longer than
 * @to and still waits; -EFAULT.
 */
ssize_t untwist_receive_read(struct untwist_channel *ch, struct iov_iter *to)
{
	lockdep_assert_held(&ch->rd_mutex);
	if (untwist_receive_drops_oldest(ch))
		return untwist_stream_has_records(ch) ? read_record_held(ch, to)
						      : read_bytes_held(ch, to);
	return untwist_stream_has_records(ch) ? read_record(ch, to) : read_bytes(ch, to);
}

/**
 * untwist_receive_made_room() - the program has made room
 * @ch: channel
 *
 * Tells the driver, if it waits for that. Context: process, no locks held.
 */
void untwist_receive_made_room(struct untwist_channel *ch)
{
	/* Pairs with the barrier in wait_for_room() of push.c. */
	smp_mb();
	if (test_bit(UNTWIST_CH_RX_STALLED, &ch->state) &&
	    (untwist_receive_drops_oldest(ch) ||
	     untwist_fifo_room(&ch->rx) >= READ_ONCE(ch->rx.size) / 2) &&
	    test_and_clear_bit(UNTWIST_CH_RX_STALLED, &ch->state))
		untwist_channel_resume(ch);
}
