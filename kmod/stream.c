// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data plane of a channel: two queues, of bytes or of records, between a
 * program and a driver. In the queues a record is its length, as a u32, and
 * its bytes.
 *
 * Back-pressure is told by two bits. Who finds too little room sets the bit
 * and looks again; who makes room looks at the bit after it has. Between the
 * two accesses of either side stands a full barrier, so that at least one of
 * them sees the other.
 */
#include <linux/minmax.h>
#include <linux/uio.h>

#include "channel.h"
#include "compat.h"
#include "stream.h"
#include "trace.h"

#define RECORD_HEADER sizeof(u32)

static bool is_record(const struct untwist_channel *ch)
{
	return ch->ud->config.kind == UNTWIST_KIND_RECORD;
}

static u32 record_next(const struct untwist_fifo *fifo)
{
	u32 len = 0;

	if (untwist_fifo_used(fifo))
		untwist_fifo_get(fifo, 0, &len, RECORD_HEADER);
	return len;
}

/* What one read or one pull could take: bytes, or the length of a record. */
static size_t fifo_next(const struct untwist_channel *ch, const struct untwist_fifo *fifo)
{
	return is_record(ch) ? record_next(fifo) : untwist_fifo_used(fifo);
}

/**
 * untwist_stream_init() - make the queues of a channel
 * @ch: channel of a device with a data plane
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int untwist_stream_init(struct untwist_channel *ch)
{
	const struct untwist_config *config = &ch->ud->config;
	int ret;

	ret = untwist_fifo_init(&ch->rx, config->rx_size);
	if (ret || !ch->ud->writable)
		return ret;
	ret = untwist_fifo_init(&ch->tx, config->tx_size);
	/* The room that a program is woken for, so that it is not woken for a byte. */
	ch->tx_wake = is_record(ch) ? config->record_max + RECORD_HEADER : config->tx_size / 2;
	return ret;
}

/**
 * untwist_stream_release() - free the queues of a channel
 * @ch: channel; its queues may never have been made
 */
void untwist_stream_release(struct untwist_channel *ch)
{
	untwist_fifo_release(&ch->rx);
	untwist_fifo_release(&ch->tx);
}

/* The program's side. */

/**
 * untwist_stream_ready() - whether a read would return something
 * @ch: channel
 *
 * Return: true if data waits.
 */
bool untwist_stream_ready(const struct untwist_channel *ch)
{
	return untwist_fifo_used(&ch->rx);
}

/**
 * untwist_stream_next() - what a read would return
 * @ch: channel, its rd_mutex held
 *
 * Return: bytes that wait; for records, the length of the next; 0 if nothing
 * waits.
 */
size_t untwist_stream_next(const struct untwist_channel *ch)
{
	lockdep_assert_held(&ch->rd_mutex);
	return fifo_next(ch, &ch->rx);
}

/**
 * untwist_stream_after_read() - the program has made room
 * @ch: channel
 *
 * Tells the driver, if it waits for that. Context: process, no locks held.
 */
void untwist_stream_after_read(struct untwist_channel *ch)
{
	/* Pairs with the barrier in untwist_room(). */
	smp_mb();
	if (test_bit(UNTWIST_CH_RX_STALLED, &ch->state) &&
	    untwist_fifo_room(&ch->rx) >= ch->rx.size / 2 &&
	    test_and_clear_bit(UNTWIST_CH_RX_STALLED, &ch->state))
		untwist_channel_resume(ch);
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

/* All or nothing: what does not fit, or faults, is still there. */
static ssize_t read_record(struct untwist_channel *ch, struct iov_iter *to)
{
	u32 len = record_next(&ch->rx);

	if (!len)
		return 0;
	if (iov_iter_count(to) < len)
		return -EMSGSIZE;
	if (untwist_fifo_get_iter(&ch->rx, RECORD_HEADER, len, to) != len)
		return -EFAULT;
	untwist_fifo_consume(&ch->rx, RECORD_HEADER + len);
	return len;
}

/**
 * untwist_stream_read() - move received data to a program
 * @ch: channel, its rd_mutex held
 * @to: destination, not empty
 *
 * What is consumed has arrived. untwist_stream_after_read() is due when the lock
 * is dropped. Context: may fault and sleep.
 *
 * Return: bytes; 0, nothing waits; -EMSGSIZE, the next record is longer than
 * @to and still waits; -EFAULT.
 */
ssize_t untwist_stream_read(struct untwist_channel *ch, struct iov_iter *to)
{
	lockdep_assert_held(&ch->rd_mutex);
	return is_record(ch) ? read_record(ch, to) : read_bytes(ch, to);
}

/**
 * untwist_stream_need() - room without which a write gets nowhere
 * @ch: channel
 * @from: what is to be written
 *
 * Return: bytes of the transmit queue.
 */
size_t untwist_stream_need(const struct untwist_channel *ch, const struct iov_iter *from)
{
	return is_record(ch) ? RECORD_HEADER + iov_iter_count(from) : 1;
}

/**
 * untwist_stream_stalled() - whether a writer has to wait
 * @ch: channel
 * @need: room in bytes that it needs
 *
 * Return: true, and the writer is woken when there is room; or false.
 */
bool untwist_stream_stalled(struct untwist_channel *ch, size_t need)
{
	if (untwist_fifo_room(&ch->tx) >= need)
		return false;
	set_bit(UNTWIST_CH_TX_STALLED, &ch->state);
	/* Pairs with the barrier in tx_made_room(). */
	smp_mb__after_atomic();
	return untwist_fifo_room(&ch->tx) < need;
}

static ssize_t write_bytes(struct untwist_channel *ch, struct iov_iter *from)
{
	u32 len = min_t(size_t, untwist_fifo_room(&ch->tx), iov_iter_count(from));
	u32 copied = untwist_fifo_put_iter(&ch->tx, 0, len, from);

	untwist_fifo_publish(&ch->tx, copied);
	if (len && !copied)
		return -EFAULT;
	return copied;
}

static ssize_t write_record(struct untwist_channel *ch, struct iov_iter *from)
{
	size_t count = iov_iter_count(from);
	u32 len = count;

	if (count > ch->ud->config.record_max)
		return -EMSGSIZE;
	if (untwist_fifo_room(&ch->tx) < RECORD_HEADER + len)
		return 0;
	untwist_fifo_put(&ch->tx, 0, &len, RECORD_HEADER);
	if (untwist_fifo_put_iter(&ch->tx, RECORD_HEADER, len, from) != len)
		return -EFAULT;
	untwist_fifo_publish(&ch->tx, RECORD_HEADER + len);
	return len;
}

/**
 * untwist_stream_write() - take data from a program
 * @ch: channel, its wr_mutex held
 * @from: source, not empty
 *
 * Context: may fault and sleep.
 *
 * Return: bytes; 0, no room; -EMSGSIZE, longer than a record may be; -EFAULT.
 */
ssize_t untwist_stream_write(struct untwist_channel *ch, struct iov_iter *from)
{
	ssize_t ret;

	lockdep_assert_held(&ch->wr_mutex);
	ret = is_record(ch) ? write_record(ch, from) : write_bytes(ch, from);
	if (ret > 0) {
		untwist_count(ch->ud, UNTWIST_STAT_TX_BYTES, ret);
		if (is_record(ch))
			untwist_count(ch->ud, UNTWIST_STAT_TX_RECORDS, 1);
	}
	return ret;
}

/**
 * untwist_stream_take_lost() - read and reset the count of losses
 * @ch: channel
 * @lost: filled in
 */
void untwist_stream_take_lost(struct untwist_channel *ch, struct untwist_lost *lost)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	*lost = ch->lost;
	ch->lost = (struct untwist_lost){};
	clear_bit(UNTWIST_CH_LOST, &ch->state);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_stream_take_lost);

/* The driver's side. */

/* Returns the bytes that were queued. */
static size_t rx_put(struct untwist_channel *ch, const void *data, size_t len)
{
	u32 room = untwist_fifo_room(&ch->rx);
	u32 header = len;

	if (!is_record(ch)) {
		len = min_t(size_t, len, room);
		untwist_fifo_put(&ch->rx, 0, data, len);
		untwist_fifo_publish(&ch->rx, len);
		return len;
	}
	if (len > ch->ud->config.record_max || len + RECORD_HEADER > room)
		return 0;
	untwist_fifo_put(&ch->rx, 0, &header, RECORD_HEADER);
	untwist_fifo_put(&ch->rx, RECORD_HEADER, data, len);
	untwist_fifo_publish(&ch->rx, RECORD_HEADER + len);
	return len;
}

/* Returns true if the program has not been told of a loss since it last asked. */
static bool rx_lose(struct untwist_channel *ch, size_t len)
{
	lockdep_assert_held(&ch->rx_lock);
	ch->lost.bytes += len;
	untwist_count(ch->ud, UNTWIST_STAT_RX_LOST_BYTES, len);
	if (is_record(ch)) {
		ch->lost.records++;
		untwist_count(ch->ud, UNTWIST_STAT_RX_LOST_RECORDS, 1);
	}
	return !test_and_set_bit(UNTWIST_CH_LOST, &ch->state);
}

/**
 * untwist_push() - received data arrives
 * @ch: channel
 * @data: the bytes, or one record; copied
 * @len: length in bytes, at least 1
 *
 * What finds no room is lost; it is counted, and the program is told by
 * EPOLLPRI and UNTWIST_IOC_GET_LOST. A record is queued whole or lost whole.
 * A driver that can hold data back asks untwist_room() before.
 *
 * Context: any but NMI; hard interrupts of PREEMPT_RT included.
 *
 * Return: the bytes that were queued.
 */
size_t untwist_push(struct untwist_channel *ch, const void *data, size_t len)
{
	bool tell_loss = false;
	unsigned long flags;
	size_t queued;

	if (WARN_ON_ONCE(!untwist_device_has_data(ch->ud)) || !len)
		return 0;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	/* The program may have read the end already: nothing comes after it. */
	if (untwist_channel_dead(ch)) {
		raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
		return 0;
	}
	queued = rx_put(ch, data, len);
	if (queued < len)
		tell_loss = rx_lose(ch, len - queued);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);

	trace_untwist_push(ch, len, queued);
	if (queued) {
		untwist_count(ch->ud, UNTWIST_STAT_RX_BYTES, queued);
		if (is_record(ch))
			untwist_count(ch->ud, UNTWIST_STAT_RX_RECORDS, 1);
		untwist_channel_announce(ch, UNTWIST_EV_IN);
	}
	if (tell_loss)
		untwist_channel_announce(ch, UNTWIST_EV_PRI);
	return queued;
}
EXPORT_SYMBOL_GPL(untwist_push);

static size_t rx_room(const struct untwist_channel *ch)
{
	size_t room = untwist_fifo_room(&ch->rx);

	if (!is_record(ch))
		return room;
	return min_t(size_t, room - min(room, RECORD_HEADER), ch->ud->config.record_max);
}

/**
 * untwist_room() - how much could be pushed
 * @ch: channel
 * @want: bytes that the driver has to push
 *
 * If the answer is less than @want, the driver's resume operation is called
 * once there is more. Where several contexts push to one channel, the driver's
 * own lock makes the answer hold until the push.
 *
 * Context: as untwist_push().
 *
 * Return: bytes; for records, the length of the longest that fits.
 */
size_t untwist_room(struct untwist_channel *ch, size_t want)
{
	size_t room = rx_room(ch);

	if (room >= want)
		return room;
	set_bit(UNTWIST_CH_RX_STALLED, &ch->state);
	/* Pairs with the barrier in untwist_stream_after_read(). */
	smp_mb__after_atomic();
	return rx_room(ch);
}
EXPORT_SYMBOL_GPL(untwist_room);

/**
 * untwist_pending() - how much could be pulled
 * @ch: channel
 *
 * Context: as untwist_push(); the driver's own lock makes the answer hold.
 *
 * Return: bytes that the program has written and the driver has not pulled; for
 * records, the length of the next.
 */
size_t untwist_pending(struct untwist_channel *ch)
{
	unsigned long flags;
	size_t pending;

	raw_spin_lock_irqsave(&ch->tx_lock, flags);
	pending = fifo_next(ch, &ch->tx);
	raw_spin_unlock_irqrestore(&ch->tx_lock, flags);
	return pending;
}
EXPORT_SYMBOL_GPL(untwist_pending);

/* After the driver made room in tx: wake who waits for it. */
static void tx_made_room(struct untwist_channel *ch)
{
	/* Pairs with the barrier in untwist_stream_stalled(). */
	smp_mb();
	if (test_bit(UNTWIST_CH_TX_STALLED, &ch->state) &&
	    untwist_fifo_room(&ch->tx) >= ch->tx_wake &&
	    test_and_clear_bit(UNTWIST_CH_TX_STALLED, &ch->state))
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/**
 * untwist_pull() - take what the program has written
 * @ch: channel
 * @buf: destination
 * @size: its size in bytes; for records, at least untwist_config.record_max,
 *	for a longer one stays where it is
 *
 * Context: as untwist_push().
 *
 * Return: bytes, or the length of the one record; 0, there is nothing (that
 * fits).
 */
size_t untwist_pull(struct untwist_channel *ch, void *buf, size_t size)
{
	unsigned long flags;
	size_t len, header;

	raw_spin_lock_irqsave(&ch->tx_lock, flags);
	header = is_record(ch) ? RECORD_HEADER : 0;
	len = fifo_next(ch, &ch->tx);
	if (len > size)
		len = header ? 0 : size;
	if (len) {
		untwist_fifo_get(&ch->tx, header, buf, len);
		untwist_fifo_consume(&ch->tx, header + len);
	}
	raw_spin_unlock_irqrestore(&ch->tx_lock, flags);

	if (len)
		tx_made_room(ch);
	return len;
}
EXPORT_SYMBOL_GPL(untwist_pull);
