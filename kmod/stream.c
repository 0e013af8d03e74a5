// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two queues of a channel's data plane: how large they are, and what a
 * program may choose about them. What goes through them is in push.c,
 * receive.c and transmit.c.
 */
#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "stream.h"
#include "transmit.h"

/* The same for 32-bit programs. */
static_assert(sizeof(struct untwist_options) == 16);
static_assert(sizeof(struct untwist_record_header) == 32);
static_assert(sizeof(struct untwist_events) == 8);
static_assert(sizeof(struct untwist_lost) == 16);

/**
 * untwist_stream_queue_size() - the size of a queue
 * @wanted: in bytes
 * @record_max: longest record; 0, there are none
 * @headers: whether records are queued with their headers
 *
 * Return: a power of two that is large enough, and holds at least one record.
 */
u32 untwist_stream_queue_size(u32 wanted, u32 record_max, bool headers)
{
	u32 least = record_max ? record_max + untwist_receive_overhead(headers) : 2;

	return roundup_pow_of_two(max(wanted, least));
}

/* The room that a program is woken for, so that it is not woken for a byte. */
static u32 wake_size(const struct untwist_channel *ch, u32 tx_size)
{
	return untwist_stream_has_records(ch) ? ch->ud->config.record_max + UNTWIST_RECORD_WORD
					      : tx_size / 2;
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
	const struct untwist_limits *limits = &ch->ud->limits;
	u32 record_max = ch->ud->config.record_max;
	u32 rx_size = untwist_stream_queue_size(READ_ONCE(limits->rx_size), record_max, false);
	u32 tx_size = untwist_stream_queue_size(READ_ONCE(limits->tx_size), record_max, false);
	int ret;

	ret = untwist_fifo_init(&ch->rx, rx_size);
	if (ret || !ch->ud->writable)
		return ret;
	ch->tx_wake = wake_size(ch, tx_size);
	return untwist_fifo_init(&ch->tx, tx_size);
}

/**
 * untwist_stream_release() - free the queues of a channel
 * @ch: channel; its queues may never have been made
 */
void untwist_stream_release(struct untwist_channel *ch)
{
	untwist_fifo_release(&ch->rx);
	untwist_fifo_release(&ch->tx);
	kvfree(ch->receive.copy);
}

/* Options. */

/**
 * untwist_stream_get_options() - what holds for the data of a channel
 * @ch: channel
 * @options: filled in
 */
void untwist_stream_get_options(struct untwist_channel *ch, struct untwist_options *options)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	*options = (struct untwist_options){
		.rx_size = ch->rx.size,
		.tx_size = READ_ONCE(ch->tx.size),
		.overflow = ch->receive.overflow,
		.flags = ch->receive.headers ? UNTWIST_OPT_HEADERS : 0,
	};
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_stream_get_options);

/**
 * struct change - new options on their way in
 * @headers: whether records will have headers
 * @overflow: UNTWIST_OVERFLOW_*
 * @rx: memory of the new size, and afterwards of the old one; none, if the size
 *	stays
 * @tx: likewise
 * @copy: for untwist_receive.copy; NULL, it is not needed or is there already
 */
struct change {
	bool headers;
	u32 overflow;
	struct untwist_fifo rx;
	struct untwist_fifo tx;
	u8 *copy;
};

static int options_check(const struct untwist_channel *ch, const struct untwist_options *options)
{
	if (options->overflow > UNTWIST_OVERFLOW_BLOCK || options->flags & ~UNTWIST_OPT_HEADERS ||
	    options->rx_size > UNTWIST_FIFO_MAX || options->tx_size > UNTWIST_FIFO_MAX)
		return -EINVAL;
	if (options->overflow == UNTWIST_OVERFLOW_BLOCK &&
	    !(ch->ud->config.flags & UNTWIST_HOLDS_BACK))
		return -EOPNOTSUPP;
	if (options->flags & UNTWIST_OPT_HEADERS && !untwist_stream_has_records(ch))
		return -EOPNOTSUPP;
	return options->tx_size && !ch->ud->writable ? -EOPNOTSUPP : 0;
}

/* Makes memory if the size is another than now. */
static int change_size(struct untwist_fifo *fifo, u32 now, u32 wanted, u32 maximum)
{
	if (wanted == now)
		return 0;
	if (wanted > now && wanted > maximum && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	return untwist_fifo_init(fifo, wanted);
}

static int change_prepare(struct untwist_channel *ch, struct change *change,
			  const struct untwist_options *options)
{
	const struct untwist_limits *limits = &ch->ud->limits;
	u32 record_max = ch->ud->config.record_max;
	u32 rx_size = options->rx_size ? options->rx_size : ch->rx.size;
	u32 tx_size = options->tx_size ? options->tx_size : ch->tx.size;
	u32 rx_least;
	int ret;

	change->overflow = options->overflow;
	change->headers = options->flags & UNTWIST_OPT_HEADERS;
	rx_least = untwist_stream_queue_size(0, record_max, change->headers);
	rx_size = untwist_stream_queue_size(rx_size, record_max, change->headers);
	ret = change_size(&change->rx, ch->rx.size, rx_size,
			  max(rx_least, READ_ONCE(limits->rx_size_max)));
	if (ret || !ch->ud->writable)
		return ret;
	tx_size = untwist_stream_queue_size(tx_size, record_max, false);
	return change_size(&change->tx, ch->tx.size, tx_size, READ_ONCE(limits->tx_size_max));
}

static int change_prepare_copy(struct untwist_channel *ch, struct change *change)
{
	if (change->overflow != UNTWIST_OVERFLOW_DROP_OLDEST || ch->receive.copy)
		return 0;
	change->copy = kvmalloc(untwist_receive_copy_size(ch), UNTWIST_FIFO_GFP);
	return change->copy ? 0 : -ENOMEM;
}

static bool queue_movable(const struct untwist_fifo *fifo, const struct untwist_fifo *other)
{
	return !other->data || untwist_fifo_movable(fifo, other->size);
}

/* All or nothing, with neither side of either queue inside. */
static int change_apply(struct untwist_channel *ch, struct change *change)
{
	struct untwist_receive *receive = &ch->receive;

	lockdep_assert_held(&ch->rx_lock);
	lockdep_assert_held(&ch->tx_lock);
	if (!queue_movable(&ch->rx, &change->rx) || !queue_movable(&ch->tx, &change->tx))
		return -EBUSY;
	if (change->rx.data)
		untwist_fifo_move(&ch->rx, &change->rx);
	if (change->tx.data) {
		untwist_fifo_move(&ch->tx, &change->tx);
		WRITE_ONCE(ch->tx_wake, wake_size(ch, ch->tx.size));
	}
	if (change->copy) {
		receive->copy_size = untwist_receive_copy_size(ch);
		swap(receive->copy, change->copy);
	}
	WRITE_ONCE(receive->overflow, change->overflow);
	WRITE_ONCE(receive->headers, change->headers);
	return 0;
}

static int change_commit(struct untwist_channel *ch, struct change *change)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	raw_spin_lock(&ch->tx_lock);
	ret = change_apply(ch, change);
	raw_spin_unlock(&ch->tx_lock);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	return ret;
}

/* Bytes that the channel will hold beyond what it does. */
static ssize_t change_growth(struct untwist_channel *ch, const struct change *change)
{
	ssize_t bytes = 0;

	if (change->rx.data)
		bytes += (ssize_t)change->rx.size - ch->rx.size;
	if (change->tx.data)
		bytes += (ssize_t)change->tx.size - ch->tx.size;
	if (change->copy)
		bytes += untwist_receive_copy_size(ch);
	return bytes;
}

/* What is more is counted before it counts, and what is less afterwards. */
static int change_charged(struct untwist_channel *ch, struct change *change)
{
	ssize_t growth = change_growth(ch, change);
	int ret = growth > 0 ? untwist_limits_charge(ch, growth) : 0;

	if (ret)
		return ret;
	ret = change_commit(ch, change);
	if (ret && growth > 0)
		untwist_limits_uncharge(ch, growth);
	if (!ret && growth < 0)
		untwist_limits_uncharge(ch, -growth);
	return ret;
}

static int change_options(struct untwist_channel *ch, struct change *change,
			  const struct untwist_options *options)
{
	int ret;

	lockdep_assert_held(&ch->rd_mutex);
	lockdep_assert_held(&ch->wr_mutex);
	ret = change_prepare(ch, change, options);
	if (!ret)
		ret = change_prepare_copy(ch, change);
	if (!ret)
		ret = change_charged(ch, change);
	untwist_fifo_release(&change->rx);
	untwist_fifo_release(&change->tx);
	kvfree(change->copy);
	return ret;
}

/**
 * untwist_stream_set_options() - change what holds for the data of a channel
 * @ch: channel of a device with a data plane
 * @options: what is to hold
 *
 * Waits for a read or write that is copying, not for one that waits for events.
 * Context: process, may sleep; not inside the channel, for a copy may take as
 * long as the program likes.
 *
 * Return: 0 or an error as UNTWIST_IOC_SET_OPTIONS; nothing has changed then.
 */
int untwist_stream_set_options(struct untwist_channel *ch, const struct untwist_options *options)
{
	struct change change = {};
	int ret;

	ret = options_check(ch, options);
	if (ret)
		return ret;
	if (mutex_lock_interruptible(&ch->rd_mutex))
		return -ERESTARTSYS;
	if (mutex_lock_interruptible(&ch->wr_mutex)) {
		mutex_unlock(&ch->rd_mutex);
		return -ERESTARTSYS;
	}
	ret = change_options(ch, &change, options);
	mutex_unlock(&ch->wr_mutex);
	mutex_unlock(&ch->rd_mutex);
	if (ret)
		return ret;
	/* There may be room now where there was none. */
	untwist_receive_made_room(ch);
	untwist_transmit_made_room(ch);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_stream_set_options);
