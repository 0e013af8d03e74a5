// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data plane from the driver to the program, the driver's side: what it
 * pushes, to one or to all, and what it tells besides. From any context.
 *
 * Back-pressure is told by a bit. Who finds too little room sets it and looks
 * again; who makes room looks at it after it has. Between the two accesses of
 * either side stands a full barrier, so that at least one of them sees the
 * other.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/rculist.h>

#include "channel.h"
#include "compat.h"
#include "stream.h"
#include "trace.h"

/* The driver is told when there is room; it, or who asks for it, looks again after this. */
static void wait_for_room(struct untwist_channel *ch)
{
	set_bit(UNTWIST_CH_RX_STALLED, &ch->state);
	/* Pairs with the barrier in untwist_receive_made_room(). */
	smp_mb__after_atomic();
}

static void drop_record(struct untwist_channel *ch)
{
	struct untwist_receive *receive = &ch->receive;
	struct untwist_front front;

	untwist_front_get(&ch->rx, &front);
	untwist_fifo_consume(&ch->rx, untwist_front_size(&front) + untwist_front_len(&front));
	/* In the reader's hands it is not lost, or not yet. */
	if (receive->held)
		receive->held = 0;
	else
		untwist_receive_lose_front(ch, &front);
}

static void drop_bytes(struct untwist_channel *ch, u32 len)
{
	struct untwist_receive *receive = &ch->receive;
	u32 in_hand = min(len, receive->held);

	untwist_fifo_consume(&ch->rx, len);
	receive->held -= in_hand;
	if (len > in_hand)
		untwist_receive_lose(ch, len - in_hand);
}

/* Whether so much fits, after dropping what has to go for that. */
static bool find_room(struct untwist_channel *ch, size_t need)
{
	u32 room = untwist_fifo_room(&ch->rx);

	if (room >= need || !untwist_receive_drops_oldest(ch))
		return room >= need;
	if (!untwist_stream_has_records(ch))
		drop_bytes(ch, need - room);
	while (untwist_fifo_room(&ch->rx) < need)
		drop_record(ch);
	return true;
}

static size_t put_bytes(struct untwist_channel *ch, const void *data, size_t len)
{
	/* More than the queue holds would push its own beginning out. */
	if (untwist_receive_drops_oldest(ch) && len > ch->rx.size) {
		data += len - ch->rx.size;
		len = ch->rx.size;
	}
	if (!find_room(ch, len))
		len = untwist_fifo_room(&ch->rx);
	untwist_fifo_put(&ch->rx, 0, data, len);
	untwist_fifo_publish(&ch->rx, len);
	return len;
}

static size_t put_record(struct untwist_channel *ch, const void *data, size_t len, u64 time)
{
	struct untwist_receive *receive = &ch->receive;
	u32 offset = untwist_receive_overhead(receive->headers);
	struct untwist_front front = { .word = len };

	if (len > ch->ud->config.record_max || !find_room(ch, offset + len))
		return 0;
	if (receive->headers) {
		front.word |= UNTWIST_HAS_HEADER;
		front.lost = receive->lost_behind;
		front.sequence = receive->sequence;
		front.time = time ? time : ktime_get_ns();
	}
	receive->sequence++;
	receive->lost_behind = 0;
	untwist_fifo_put(&ch->rx, 0, &front, offset);
	untwist_fifo_put(&ch->rx, offset, data, len);
	untwist_fifo_publish(&ch->rx, offset + len);
	return len;
}

/* Returns the bytes that were queued. */
static size_t put(struct untwist_channel *ch, const void *data, size_t len, u64 time)
{
	return untwist_stream_has_records(ch) ? put_record(ch, data, len, time)
					      : put_bytes(ch, data, len);
}

static void lose_newest(struct untwist_channel *ch, size_t len)
{
	if (untwist_stream_has_records(ch)) {
		ch->receive.sequence++;
		ch->receive.lost_behind++;
	}
	untwist_receive_lose(ch, len);
}

/* Whether what finds no room stays with the driver. A record that never fits does not. */
static bool driver_keeps(const struct untwist_channel *ch, size_t len)
{
	return ch->receive.overflow == UNTWIST_OVERFLOW_BLOCK &&
		(!untwist_stream_has_records(ch) || len <= ch->ud->config.record_max);
}

/* Returns the bytes that were queued; whether there is a loss that nobody was told of, in @tell. */
static size_t put_or_lose(struct untwist_channel *ch, const void *data, size_t len, u64 time,
			  bool may_keep, bool *tell)
{
	bool told = test_bit(UNTWIST_CH_LOST, &ch->state);
	size_t queued = put(ch, data, len, time);

	if (queued < len && may_keep && driver_keeps(ch, len)) {
		wait_for_room(ch);
		queued += put(ch, data + queued, len - queued, time);
	} else if (queued < len) {
		lose_newest(ch, len - queued);
	}
	*tell = !told && test_bit(UNTWIST_CH_LOST, &ch->state);
	return queued;
}

static size_t push(struct untwist_channel *ch, const void *data, size_t len, u64 time,
		   bool may_keep)
{
	bool tell = false;
	size_t queued = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	/* The program may have read the end already: nothing comes after it. */
	if (!untwist_channel_dead(ch) && !untwist_receive_ended(ch))
		queued = put_or_lose(ch, data, len, time, may_keep, &tell);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);

	trace_untwist_push(ch, len, queued);
	if (queued) {
		untwist_count(ch->ud, UNTWIST_STAT_RX_BYTES, queued);
		if (untwist_stream_has_records(ch))
			untwist_count(ch->ud, UNTWIST_STAT_RX_RECORDS, 1);
		untwist_channel_announce(ch, UNTWIST_EV_IN);
	}
	if (tell)
		untwist_channel_announce(ch, UNTWIST_EV_PRI);
	return queued;
}

/**
 * untwist_push() - received data arrives
 * @ch: channel
 * @data: the bytes, or one record; copied
 * @len: length in bytes, at least 1
 *
 * When the queue is full, the program's choice counts: what finds no room is
 * lost, or as much of the oldest that waits; that is counted, and the program
 * is told by EPOLLPRI and UNTWIST_IOC_GET_LOST. A record is queued whole or
 * lost whole. Or what finds no room stays with the driver, and its resume
 * operation is called once there is more: see UNTWIST_HOLDS_BACK. A record
 * longer than untwist_config.record_max is always lost.
 * A driver that asks untwist_room() before never finds too little, whatever the
 * program has chosen.
 *
 * Context: any but NMI; hard interrupts of PREEMPT_RT included.
 *
 * Return: the bytes that were queued.
 */
size_t untwist_push(struct untwist_channel *ch, const void *data, size_t len)
{
	if (WARN_ON_ONCE(!untwist_device_has_data(ch->ud)) || !len)
		return 0;
	return push(ch, data, len, 0, true);
}
EXPORT_SYMBOL_GPL(untwist_push);

/**
 * untwist_broadcast() - received data arrives for all who listen
 * @ud: device
 * @data: the bytes, or one record; copied for each channel
 * @len: length in bytes, at least 1
 *
 * As untwist_push() to each channel, from the moment its open operation is
 * called until its close operation is; where records have headers, all have the
 * same time. There is nobody whom the driver could hold back for all: a channel
 * with UNTWIST_OVERFLOW_BLOCK loses what finds no room, and counts it.
 * The time it takes grows with the number of channels.
 *
 * Context: as untwist_push(); not once untwist_unregister() has returned.
 *
 * Return: how many channels have got all of it.
 */
unsigned int untwist_broadcast(struct untwist_device *ud, const void *data, size_t len)
{
	u64 time = ktime_get_ns();
	struct untwist_channel *ch;
	unsigned int got = 0;

	if (WARN_ON_ONCE(!untwist_device_has_data(ud)) || !len)
		return 0;
	rcu_read_lock();
	list_for_each_entry_rcu(ch, &ud->channels, link)
		got += push(ch, data, len, time, false) == len;
	rcu_read_unlock();
	return got;
}
EXPORT_SYMBOL_GPL(untwist_broadcast);

static size_t room_now(const struct untwist_channel *ch)
{
	size_t room = untwist_receive_drops_oldest(ch) ? READ_ONCE(ch->rx.size)
						       : untwist_fifo_room(&ch->rx);
	size_t overhead = untwist_receive_overhead(READ_ONCE(ch->receive.headers));

	if (!untwist_stream_has_records(ch))
		return room;
	return min_t(size_t, room - min(room, overhead), ch->ud->config.record_max);
}

/**
 * untwist_room() - how much could be pushed
 * @ch: channel
 * @want: bytes that the driver has to push
 *
 * If the answer is less than @want, the driver's resume operation is called
 * once there is more. Where several contexts push to one channel, the driver's
 * own lock makes the answer hold until the push. With
 * UNTWIST_OVERFLOW_DROP_OLDEST there is always room.
 *
 * Context: as untwist_push().
 *
 * Return: bytes; for records, the length of the longest that fits.
 */
size_t untwist_room(struct untwist_channel *ch, size_t want)
{
	size_t room = room_now(ch);

	if (room >= want)
		return room;
	wait_for_room(ch);
	return room_now(ch);
}
EXPORT_SYMBOL_GPL(untwist_room);

/* Beside the data. */

/**
 * untwist_event() - something happened that is not data
 * @ch: channel
 * @events: set of bits, as the driver defines them, not 0
 *
 * The program is told by EPOLLPRI, and UNTWIST_IOC_GET_EVENTS returns all bits
 * of all events since it last asked.
 *
 * Context: as untwist_push().
 */
void untwist_event(struct untwist_channel *ch, u32 events)
{
	struct untwist_receive *receive = &ch->receive;
	unsigned long flags;
	bool news;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	news = events & ~receive->events;
	WRITE_ONCE(receive->events, receive->events | events);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	if (news)
		untwist_channel_announce(ch, UNTWIST_EV_PRI);
}
EXPORT_SYMBOL_GPL(untwist_event);

/**
 * untwist_end_of_stream() - no more data comes
 * @ch: channel of a device with a data plane
 *
 * The program reads what is left, and then 0. It is told by EPOLLRDHUP. What is
 * pushed from now on is refused. What the program writes still comes.
 *
 * Context: as untwist_push().
 */
void untwist_end_of_stream(struct untwist_channel *ch)
{
	unsigned long flags;
	bool before;

	/* Under the lock: nothing is pushed after a reader has seen the end. */
	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	before = test_and_set_bit(UNTWIST_CH_ENDED, &ch->state);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	if (!before)
		untwist_channel_announce(ch, UNTWIST_EV_END);
}
EXPORT_SYMBOL_GPL(untwist_end_of_stream);
