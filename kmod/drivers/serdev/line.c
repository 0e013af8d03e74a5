// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between the line and the open file: what is sent, what is received, and when
 * the peer is held. The bus calls from the UART's interrupt and from a work
 * that has received something; programs call through the core.
 */
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "serial.h"

/* As of a terminal, where it is called closing_wait. */
static unsigned int drain_ms = 30000;
module_param(drain_ms, uint, 0644);
MODULE_PARM_DESC(drain_ms,
		 "milliseconds that a close waits for what was written to leave (default 30000)");

/* What receive_buf returns: int, and from 6.8 on size_t. */
#define serial_taken typeof(((struct serdev_device_ops *)NULL)->receive_buf(NULL, NULL, 0))

/* Sending. */

/* Returns false if there is nothing to send. */
static bool serial_take(struct serial *serial)
{
	size_t len = 0;

	if (serial->ch && serial->framing) {
		len = untwist_pull(serial->ch, serial->record, serial->size);
		if (len)
			len = untwist_frame(serial->framing, serial->record, len, serial->frame);
	} else if (serial->ch) {
		len = untwist_pull(serial->ch, serial->frame, serial->size);
	}
	serial->frame_len = len;
	serial->frame_sent = 0;
	return len;
}

/*
 * As much as the UART takes; it calls serial_write_wakeup() when it takes more.
 * A frame that was begun is finished, also when its file is closed by then:
 * half a frame would run into the next one.
 */
static void serial_send(struct serial *serial)
{
	int sent;

	lockdep_assert_held(&serial->lock);
	while (serial->frame_sent < serial->frame_len || serial_take(serial)) {
		sent = serdev_device_write_buf(serial->serdev, serial->frame + serial->frame_sent,
					       serial->frame_len - serial->frame_sent);
		if (sent <= 0)
			break;
		serial->frame_sent += sent;
	}
}

static void serial_set_rts(struct serial *serial)
{
	if (!serial->rts_cts || serial->rts_off == serial->held)
		return;
	serial->rts_off = serial->held;
	serdev_device_set_rts(serial->serdev, !serial->held);
}

/**
 * untwist_serial_work() - send what there is, and set RTS
 * @work: of the peripheral
 *
 * Context: its workqueue.
 */
void untwist_serial_work(struct work_struct *work)
{
	struct serial *serial = container_of(work, struct serial, work);

	mutex_lock(&serial->lock);
	if (!serial->quiet) {
		serial_send(serial);
		serial_set_rts(serial);
	}
	mutex_unlock(&serial->lock);
	wake_up(&serial->drained);
}

/* May be called with the UART's own lock held, so not a byte is sent from here. */
static void serial_write_wakeup(struct serdev_device *serdev)
{
	struct serial *serial = serdev_device_get_drvdata(serdev);

	queue_work(serial->wq, &serial->work);
}

/* Receiving. */

static void serial_deliver(struct serial *serial, const u8 *data, size_t len)
{
	if (serial->ch)
		untwist_push(serial->ch, data, len);
	else
		atomic_long_add(len, &serial->counts[SERIAL_UNHEARD]);
}

static void serial_unframe(struct serial *serial, const u8 *data, size_t len)
{
	enum untwist_unframed unframed;
	size_t taken;

	for (; len; data += taken, len -= taken) {
		taken = untwist_unframe(&serial->unframer, data, len, &unframed);
		switch (unframed) {
		case UNTWIST_UNFRAMED_MORE:
			break;
		case UNTWIST_UNFRAMED_RECORD:
			serial_deliver(serial, serial->unframer.buf, serial->unframer.len);
			break;
		case UNTWIST_UNFRAMED_MALFORMED:
			atomic_long_inc(&serial->counts[SERIAL_MALFORMED]);
			break;
		case UNTWIST_UNFRAMED_TOO_LONG:
			atomic_long_inc(&serial->counts[SERIAL_TOO_LONG]);
			break;
		}
	}
}

/*
 * Where the peer can be held, it is while there is room for what is still on
 * its way; serial_resume() lets it go on. Without handshake lines, what finds no
 * room is lost, and counted by the core.
 */
static void serial_hold_peer(struct serial *serial)
{
	if (!serial->rts_cts || !serial->ch || serial->held ||
	    untwist_room(serial->ch, serial->size) >= serial->size)
		return;
	serial->held = true;
	queue_work(serial->wq, &serial->work);
}

static serial_taken serial_receive(struct serdev_device *serdev, const u8 *data, size_t len)
{
	struct serial *serial = serdev_device_get_drvdata(serdev);

	mutex_lock(&serial->lock);
	if (serial->framing)
		serial_unframe(serial, data, len);
	else
		serial_deliver(serial, data, len);
	serial_hold_peer(serial);
	mutex_unlock(&serial->lock);
	return len;
}

const struct serdev_device_ops untwist_serial_line_ops = {
	.receive_buf = serial_receive,
	.write_wakeup = serial_write_wakeup,
};

/* The node. */

static void serial_let_peer_go(struct serial *serial)
{
	serial->held = false;
	queue_work(serial->wq, &serial->work);
}

/* There is one line: two programs would take each other's answers. */
static int serial_open(struct untwist_channel *ch)
{
	struct serial *serial = untwist_device_drvdata(untwist_channel_device(ch));
	int ret = 0;

	mutex_lock(&serial->lock);
	if (serial->ch)
		ret = -EBUSY;
	else
		serial->ch = ch;
	mutex_unlock(&serial->lock);
	return ret;
}

static void serial_discard(struct serial *serial, struct untwist_channel *ch)
{
	size_t len;

	while ((len = untwist_pull(ch, serial->record, serial->size)))
		atomic_long_add(len, &serial->counts[SERIAL_UNSENT]);
}

/* As of a terminal: what was written leaves, unless a signal says otherwise. */
static void serial_close(struct untwist_channel *ch)
{
	struct serial *serial = untwist_device_drvdata(untwist_channel_device(ch));

	queue_work(serial->wq, &serial->work);
	wait_event_interruptible_timeout(serial->drained,
					 !untwist_pending(ch) || READ_ONCE(serial->leaving),
					 msecs_to_jiffies(READ_ONCE(drain_ms)));
	mutex_lock(&serial->lock);
	serial_discard(serial, ch);
	serial->ch = NULL;
	serial_let_peer_go(serial);
	mutex_unlock(&serial->lock);
}

static void serial_transmit(struct untwist_channel *ch)
{
	struct serial *serial = untwist_device_drvdata(untwist_channel_device(ch));

	mutex_lock(&serial->lock);
	serial_send(serial);
	mutex_unlock(&serial->lock);
}

static void serial_resume(struct untwist_channel *ch)
{
	struct serial *serial = untwist_device_drvdata(untwist_channel_device(ch));

	mutex_lock(&serial->lock);
	serial_let_peer_go(serial);
	mutex_unlock(&serial->lock);
}

const struct untwist_ops untwist_serial_ops = {
	.open = serial_open,
	.close = serial_close,
	.transmit = serial_transmit,
	.resume = serial_resume,
};
