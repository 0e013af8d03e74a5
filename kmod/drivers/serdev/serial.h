/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * line.c, properties.c and sysfs.c APIs: what the parts of the driver share.
 */
#ifndef UNTWIST_SERIAL_H
#define UNTWIST_SERIAL_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/serdev.h>
#include <linux/untwist.h>
#include <linux/untwist_framing.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/**
 * enum serial_count - what is counted
 * @SERIAL_MALFORMED: frames received that no sender makes
 * @SERIAL_TOO_LONG: frames received that hold more than a record may
 * @SERIAL_UNHEARD: bytes received while no file was open
 * @SERIAL_UNSENT: bytes written that a close gave up
 * @SERIAL_COUNTS: how many there are
 */
enum serial_count {
	SERIAL_MALFORMED,
	SERIAL_TOO_LONG,
	SERIAL_UNHEARD,
	SERIAL_UNSENT,
	SERIAL_COUNTS,
};

/**
 * struct serial - one peripheral
 * @serdev: its place on the bus
 * @name: of the node
 * @id: number that makes @name, if the firmware gave none
 * @framing: how records are framed; NULL, there are none
 * @speed: in bits a second
 * @parity: of a character
 * @rts_cts: whether the handshake lines are there
 * @size: longest record, or the chunk of a stream, in bytes
 * @wq: where @work runs; drained after the line is closed
 * @work: sends, and sets RTS
 * @drained: woken when something has been sent, or never will be
 * @leaving: the driver is being unbound: nobody waits for the line any more
 * @lock: guards all below but the counters
 * @quiet: the line is closed, or about to be
 * @ch: the one open, or NULL
 * @held: the peer shall wait, as the program does not read
 * @rts_off: and has been told so
 * @unframer: receiver, with @framing
 * @record: room for what is taken from the program, @size bytes
 * @frame: its frame, or the chunk of a stream
 * @frame_len: its length in bytes
 * @frame_sent: and how much of it is on its way
 * @counts: for sysfs
 */
struct serial {
	struct serdev_device *serdev;
	const char *name;
	int id;
	const struct untwist_framing *framing;
	u32 speed;
	enum serdev_parity parity;
	bool rts_cts;
	u32 size;
	struct workqueue_struct *wq;
	struct work_struct work;
	wait_queue_head_t drained;
	bool leaving;
	struct mutex lock; /* see above */
	bool quiet;
	struct untwist_channel *ch;
	bool held;
	bool rts_off;
	struct untwist_unframer unframer;
	u8 *record;
	u8 *frame;
	size_t frame_len;
	size_t frame_sent;
	atomic_long_t counts[SERIAL_COUNTS];
};

/* line.c */
extern const struct serdev_device_ops untwist_serial_line_ops;
extern const struct untwist_ops untwist_serial_ops;
void untwist_serial_work(struct work_struct *work);

/* properties.c */
int untwist_serial_read_properties(struct serial *serial);

/* sysfs.c */
extern const struct attribute_group *untwist_serial_groups[];

#endif /* UNTWIST_SERIAL_H */
