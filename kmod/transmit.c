// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data plane from the program to the driver: what is written, and what is
 * pulled. In the queue a record is its length as a u32 and its bytes.
 *
 * Back-pressure is told by a bit, as in push.c.
 */
#include <linux/minmax.h>
#include <linux/uio.h>

#include "channel.h"
#include "compat.h"
#include "stream.h"
#include "transmit.h"

/* What one pull could take: bytes, or the length of a record. */
static size_t next_len(const struct untwist_channel *ch)
{
	u32 len = 0;

	if (!untwist_stream_has_records(ch))
		return untwist_fifo_used(&ch->tx);
	if (untwist_fifo_used(&ch->tx))
		untwist_fifo_get(&ch->tx, 0, &len, UNTWIST_RECORD_WORD);
	return len;
}

/* Writing. */

/**
 * untwist_transmit_need() - room without which a write gets nowhere
 * @ch: channel
 * @from: what is to be written
 *
 * Return: bytes of the transmit queue.
 */
size_t untwist_transmit_need(const struct untwist_channel *ch, const struct iov_iter *from)
{
	return untwist_stream_has_records(ch) ? UNTWIST_RECORD_WORD + iov_iter_count(from) : 1;
}

/**
 * untwist_transmit_stalled() - whether a writer has to wait
 * @ch: channel
 * @need: room in bytes that it needs
 *
 * Return: true, and the writer is woken when there is room; or false.
 */
bool untwist_transmit_stalled(struct untwist_channel *ch, size_t need)
{
	if (untwist_fifo_room(&ch->tx) >= need)
		return false;
	set_bit(UNTWIST_CH_TX_STALLED, &ch->state);
	/* Pairs with the barrier in untwist_transmit_made_room(). */
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
	if (untwist_fifo_room(&ch->tx) < UNTWIST_RECORD_WORD + len)
		return 0;
	untwist_fifo_put(&ch->tx, 0, &len, UNTWIST_RECORD_WORD);
	if (untwist_fifo_put_iter(&ch->tx, UNTWIST_RECORD_WORD, len, from) != len)
		return -EFAULT;
	untwist_fifo_publish(&ch->tx, UNTWIST_RECORD_WORD + len);
	return len;
}

/**
 * untwist_transmit_write() - take data from a program
 * @ch: channel, its wr_mutex held
 * @from: source, not empty
 *
 * Context: may fault and sleep.
 *
 * Return: bytes; 0, no room; -EMSGSIZE, longer than a record may be; -EFAULT.
 */
ssize_t untwist_transmit_write(struct untwist_channel *ch, struct iov_iter *from)
{
	ssize_t ret;

	lockdep_assert_held(&ch->wr_mutex);
	ret = untwist_stream_has_records(ch) ? write_record(ch, from) : write_bytes(ch, from);
	if (ret > 0) {
		untwist_count(ch->ud, UNTWIST_STAT_TX_BYTES, ret);
		if (untwist_stream_has_records(ch))
			untwist_count(ch->ud, UNTWIST_STAT_TX_RECORDS, 1);
	}
	return ret;
}

/* Pulling. */

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
	pending = next_len(ch);
	raw_spin_unlock_irqrestore(&ch->tx_lock, flags);
	return pending;
}
EXPORT_SYMBOL_GPL(untwist_pending);

/**
 * untwist_transmit_made_room() - there is more room in the queue
 * @ch: channel
 *
 * Wakes who waits for that. Context: as untwist_push().
 */
void untwist_transmit_made_room(struct untwist_channel *ch)
{
	/* Pairs with the barrier in untwist_transmit_stalled(). */
	smp_mb();
	if (test_bit(UNTWIST_CH_TX_STALLED, &ch->state) &&
	    untwist_fifo_room(&ch->tx) >= READ_ONCE(ch->tx_wake) &&
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
	header = untwist_stream_has_records(ch) ? UNTWIST_RECORD_WORD : 0;
	len = next_len(ch);
	if (len > size)
		len = header ? 0 : size;
	if (len) {
		untwist_fifo_get(&ch->tx, header, buf, len);
		untwist_fifo_consume(&ch->tx, header + len);
	}
	raw_spin_unlock_irqrestore(&ch->tx_lock, flags);

	if (len)
		untwist_transmit_made_room(ch);
	return len;
}
EXPORT_SYMBOL_GPL(untwist_pull);
