/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * channel.c APIs: one open, of a file or of a client, its lifetime and its
 * wake-ups.
 *
 * Three counts, one for each lifetime:
 *   ref     the memory. Held by the file, by queued work, and by users > 0.
 *   users   the driver may be called, or holds something of the channel: one
 *           until the channel is shut, one for each operation in progress,
 *           one for each live request. At zero the driver's close is called.
 *   device  pinned by the memory.
 *
 * Locks, outer to inner:
 *   ring.sq_lock           the one who takes entries from a ring; held over
 *                          copies from programs, and over the driver's close
 *                          if that submission was the channel's last user
 *   device.lock
 *   requests.setup_lock    who allocates
 *   rd_mutex, wr_mutex     the one consumer, the one producer; held over copies
 *                          to and from programs, never while waiting for events
 *   requests.lock          spinlock, process context only
 *   device.bytes_lock, device.power.lock
 *                          spinlocks, process context only
 *   rx_lock, tx_lock, requests.shots.lock
 *                          raw spinlocks, any context; only copies of bytes
 * Of two on a line, the first is taken first.
 * The driver is called with none of them held, but for what comes from a ring:
 * that runs under sq_lock.
 */
#ifndef UNTWIST_CHANNEL_H
#define UNTWIST_CHANNEL_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "device.h"
#include "fifo.h"
#include "receive.h"
#include "request.h"

struct untwist_client;

/* Bits of untwist_channel.state. */
enum untwist_channel_state {
	UNTWIST_CH_DEAD, /* the device is gone, or is going */
	UNTWIST_CH_SHUT, /* the users' count of the open has been dropped */
	UNTWIST_CH_OPENED, /* the driver's open succeeded: close is due */
	UNTWIST_CH_TX_STALLED, /* a program waits for room to write */
	UNTWIST_CH_RX_STALLED, /* the driver waits for room to push */
	UNTWIST_CH_LOST, /* data was lost and nobody has asked yet */
	UNTWIST_CH_ENDED, /* the driver has said that no more data comes */
};

/* Bits of untwist_channel.events: what is still to be done. */
enum untwist_channel_event {
	/* By the irq_work, or at the end of a call: */
	UNTWIST_EV_IN, /* wake readers */
	UNTWIST_EV_OUT, /* wake writers */
	UNTWIST_EV_PRI, /* wake who waits for losses and events */
	UNTWIST_EV_END, /* wake everybody: no more data comes */
	/* By the work: */
	UNTWIST_EV_SIGIO_IN,
	UNTWIST_EV_SIGIO_OUT,
	UNTWIST_EV_SIGIO_PRI,
	UNTWIST_EV_TRANSMIT, /* call the driver, see UNTWIST_DEFER */
	UNTWIST_EV_RESUME,
};

/**
 * struct untwist_channel - one open file
 * @ud: its device
 * @id: number of this open, for traces
 * @uid: user who opened it
 * @pid: process that did, in the initial namespace
 * @comm: its name at that time
 * @bytes: memory that it holds, as far as it counts; guarded by
 *	untwist_device.bytes_lock
 * @powered: it holds its device awake
 * @plane: UNTWIST_PLANE_*
 * @drvdata: the driver's
 * @state: see enum untwist_channel_state
 * @events: see enum untwist_channel_event
 * @wait: the only wait queue, for all that poll() speaks of
 * @fasync: who wants SIGIO
 * @work: signals, completes requests; never runs twice at a time
 * @irq_work: wakes for those who announce where they cannot wake
 * @nr_calls: calls of the driver in progress at whose end somebody looks at
 *	@events, and so needs no @irq_work
 * @rx: received, for the program to read
 * @tx: written, for the driver to pull
 * @receive: what goes with @rx
 * @rd_mutex: makes the reader of @rx or of the completions one
 * @wr_mutex: makes the writer of @tx one
 * @rx_lock: makes the driver, from any context, one producer of @rx; guards
 *	@receive
 * @tx_lock: makes the driver, from any context, one consumer of @tx
 * @tx_wake: room in bytes at which writers are woken
 * @requests: the request plane
 * @client: whom its completions are told; NULL, it is a file's
 * @pinned: pages that it uses in place
 * @ref: see above
 * @users: see above
 * @closed: the driver's close has returned
 * @link: in untwist_device.channels, guarded by its lock, while users > 0; who
 *	finds it there under RCU may look at the channel until then and a grace
 *	period more
 * @free_work: frees the memory after a grace period: untwist_complete() may
 *	look at the channel until then
 */
struct untwist_channel {
	struct untwist_device *ud;
	unsigned int id;
	kuid_t uid;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	size_t bytes;
	bool powered;
	u32 plane;
	void *drvdata;
	unsigned long state;
	unsigned long events;
	wait_queue_head_t wait;
	struct fasync_struct *fasync;
	struct work_struct work;
	struct irq_work irq_work;
	atomic_t nr_calls;

	struct untwist_fifo rx;
	struct untwist_fifo tx;
	struct untwist_receive receive;
	struct mutex rd_mutex; /* see above */
	struct mutex wr_mutex; /* see above */
	raw_spinlock_t rx_lock; /* see above */
	raw_spinlock_t tx_lock; /* see above */
	u32 tx_wake;

	struct untwist_requests requests;
	struct untwist_client *client;
	atomic_long_t pinned;

	struct kref ref;
	refcount_t users;
	struct completion closed;
	struct list_head link;
	struct rcu_work free_work;
};

static inline bool untwist_channel_dead(const struct untwist_channel *ch)
{
	return test_bit(UNTWIST_CH_DEAD, &ch->state);
}

/**
 * untwist_channel_enter() - keep the driver from closing the channel
 * @ch: channel
 *
 * Never held while waiting for events: unplug waits for who is inside.
 *
 * Return: true, and untwist_channel_leave() is due; false, the device is gone.
 */
static inline bool untwist_channel_enter(struct untwist_channel *ch)
{
	return !untwist_channel_dead(ch) && refcount_inc_not_zero(&ch->users);
}

struct untwist_channel *untwist_channel_open(struct untwist_device *ud);
struct untwist_channel *untwist_channel_open_client(struct untwist_device *ud,
						    struct untwist_client *client);
void untwist_channel_release(struct untwist_channel *ch);
void untwist_channel_put(struct untwist_channel *ch);

void untwist_channel_kill(struct untwist_channel *ch);
void untwist_channel_shut(struct untwist_channel *ch);

void untwist_channel_leave(struct untwist_channel *ch, unsigned int users);
void untwist_channel_leave_posted(struct untwist_channel *ch, unsigned int posted);

void untwist_channel_kick(struct untwist_channel *ch);
void untwist_channel_wake(struct untwist_channel *ch, __poll_t key);
void untwist_channel_wake_posted(struct untwist_channel *ch);
void untwist_channel_announce(struct untwist_channel *ch, enum untwist_channel_event event);

void untwist_channel_transmit(struct untwist_channel *ch);
void untwist_channel_resume(struct untwist_channel *ch);

#endif /* UNTWIST_CHANNEL_H */
