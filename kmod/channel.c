// SPDX-License-Identifier: GPL-2.0-only
/*
 * One open file: its lifetime and its wake-ups. What travels through it is in
 * receive.c, transmit.c and request.c.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "channel.h"
#include "client.h"
#include "compat.h"
#include "power.h"
#include "ring.h"
#include "stream.h"
#include "trace.h"

/* Memory. */

static void channel_free_work(struct work_struct *work)
{
	struct untwist_channel *ch =
		container_of(to_rcu_work(work), struct untwist_channel, free_work);

	irq_work_sync(&ch->irq_work);
	untwist_requests_release(&ch->requests);
	untwist_stream_release(ch);
	untwist_client_free(ch->client);
	put_device(&ch->ud->dev);
	kfree(ch);
}

static void channel_free(struct kref *ref)
{
	struct untwist_channel *ch = container_of(ref, struct untwist_channel, ref);

	queue_rcu_work(untwist_wq, &ch->free_work);
}

/**
 * untwist_channel_put() - drop a reference to the memory
 * @ch: channel
 *
 * Context: any but NMI; the memory is freed elsewhere and later.
 */
void untwist_channel_put(struct untwist_channel *ch)
{
	kref_put(&ch->ref, channel_free);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_channel_put);

/* Users: whether the driver may be called. */

/* The last user has left: nothing of the driver's runs here any more. */
static void channel_close(struct untwist_channel *ch)
{
	struct untwist_device *ud = ch->ud;

	if (test_bit(UNTWIST_CH_OPENED, &ch->state) && ud->config.ops->close) {
		untwist_call_begin(ud);
		ud->config.ops->close(ch);
		untwist_call_end(ud);
	}
	untwist_power_close(ch);
	untwist_deadlines_stop(&ch->requests);
	/* A client is told of the end, as long as there is a workqueue. */
	if (ch->client)
		untwist_channel_kick(ch);
	mutex_lock(&ud->lock);
	list_del_rcu(&ch->link);
	ud->nr_channels--;
	/* Under the lock: who finds no channel in the list need not wait. */
	complete_all(&ch->closed);
	mutex_unlock(&ud->lock);
	untwist_channel_put(ch);
}

/**
 * untwist_channel_leave() - let the driver close the channel
 * @ch: channel
 * @users: how many to drop; the last one calls the driver's close
 *
 * Context: process, may sleep, no locks held.
 */
void untwist_channel_leave(struct untwist_channel *ch, unsigned int users)
{
	if (refcount_sub_and_test(users, &ch->users))
		channel_close(ch);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_channel_leave);

/**
 * untwist_channel_leave_posted() - requests were posted: tell, and drop their users
 * @ch: channel
 * @posted: how many, or 0
 *
 * Context: process, may sleep, no locks held.
 */
void untwist_channel_leave_posted(struct untwist_channel *ch, unsigned int posted)
{
	if (!posted)
		return;
	untwist_channel_wake_posted(ch);
	untwist_channel_leave(ch, posted);
}

/**
 * untwist_channel_kill() - the device goes: let go of all who wait
 * @ch: channel
 *
 * Context: process, may sleep. The driver is not called.
 */
void untwist_channel_kill(struct untwist_channel *ch)
{
	unsigned long flags;

	/* Under the lock: nothing is pushed after a reader has seen the end. */
	raw_spin_lock_irqsave(&ch->rx_lock, flags);
	set_bit(UNTWIST_CH_DEAD, &ch->state);
	raw_spin_unlock_irqrestore(&ch->rx_lock, flags);
	/* Pairs with the one in ring_publish(). */
	smp_mb();
	untwist_ring_kill(ch);
	/*
	 * Everybody: a wake-up with a key stops at the first exclusive waiter,
	 * and the others would sleep on a dead device.
	 */
	wake_up_all(&ch->wait);
	kill_fasync(&ch->fasync, SIGIO, POLL_HUP);
	untwist_requests_signal(&ch->requests);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_channel_kill);

/**
 * untwist_channel_shut() - no one needs the channel any more
 * @ch: channel
 *
 * Called at the close of the file and at unplug; the first one counts. What is
 * in flight is cancelled, and the driver's close follows when it is done:
 * closing a file does not wait for the hardware.
 *
 * Context: process, may sleep.
 */
void untwist_channel_shut(struct untwist_channel *ch)
{
	if (test_and_set_bit(UNTWIST_CH_SHUT, &ch->state))
		return;
	untwist_requests_cancel_all(ch);
	untwist_channel_leave(ch, 1);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_channel_shut);

/* Wake-ups. */

static const __poll_t wake_keys[] = {
	/*
	 * One direction at a time: a key with both would wake every exclusive
	 * waiter, as epoll does not count one as woken then.
	 */
	[UNTWIST_EV_IN] = EPOLLIN | EPOLLRDNORM,
	[UNTWIST_EV_OUT] = EPOLLOUT | EPOLLWRNORM,
	/*
	 * io_uring looks past EPOLLPRI in a key, and so at a key of it alone past all of
	 * it. It lets EPOLLRDHUP in for everybody; others wait for that seldom.
	 */
	[UNTWIST_EV_PRI] = EPOLLPRI | EPOLLRDHUP,
};

/**
 * untwist_channel_kick() - have the channel's work run
 * @ch: channel; within a read-side section of RCU, if the caller has no
 *	reference and is not a user
 *
 * Context: any but NMI.
 */
void untwist_channel_kick(struct untwist_channel *ch)
{
	/* Without a reference all its users have left, and so no work is left. */
	if (!kref_get_unless_zero(&ch->ref))
		return;
	if (!queue_work(ch->ud->wq, &ch->work))
		untwist_channel_put(ch);
}

/**
 * untwist_channel_wake() - wake who waits for something, if anybody does
 * @ch: channel; what is announced is visible already
 * @key: what to look for
 *
 * Context: where a spinlock may be taken.
 */
void untwist_channel_wake(struct untwist_channel *ch, __poll_t key)
{
	/* The barrier inside pairs with the one of who is about to sleep. */
	if (!wq_has_sleeper(&ch->wait))
		return;
	untwist_count(ch->ud, UNTWIST_STAT_WAKEUPS, 1);
	trace_untwist_wake(ch, (__force unsigned int)key);
	wake_up_interruptible_poll(&ch->wait, key);
}

/**
 * untwist_channel_wake_posted() - completions were posted, or are not due any more
 * @ch: channel
 *
 * After unplug the last one is the end, and that is for everybody, whatever
 * they wait for. A client is told by the work.
 *
 * Context: process, with a user of the channel if it is a client's.
 */
void untwist_channel_wake_posted(struct untwist_channel *ch)
{
	if (ch->client) {
		untwist_channel_kick(ch);
		return;
	}
	/* Posted first, looked second; unplug marks the channel first and wakes second. */
	smp_mb();
	if (untwist_channel_dead(ch)) {
		wake_up_all(&ch->wait);
		kill_fasync(&ch->fasync, SIGIO, POLL_HUP);
	} else if (!ch->requests.ring || untwist_ring_wants_wake(&ch->requests)) {
		untwist_channel_wake(ch, wake_keys[UNTWIST_EV_IN]);
		if (READ_ONCE(ch->fasync))
			kill_fasync(&ch->fasync, SIGIO, POLL_IN);
	} else {
		return;
	}
	untwist_requests_signal(&ch->requests);
}

/*
 * A wake-up takes a spinlock, which is not to be taken inside a raw one, nor,
 * with PREEMPT_RT, where the caller must not sleep.
 */
static bool may_wake_here(void)
{
	return !irqs_disabled() && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible());
}

static void channel_wake_for(struct untwist_channel *ch, enum untwist_channel_event event)
{
	/* The end is for everybody, as in untwist_channel_kill(). */
	if (event == UNTWIST_EV_END)
		wake_up_all(&ch->wait);
	else
		untwist_channel_wake(ch, wake_keys[event]);
}

static void channel_wake_announced(struct untwist_channel *ch)
{
	int event;

	for (event = UNTWIST_EV_IN; event <= UNTWIST_EV_END; event++)
		if (test_bit(event, &ch->events) && test_and_clear_bit(event, &ch->events))
			channel_wake_for(ch, event);
}

static void channel_irq_work(struct irq_work *work)
{
	channel_wake_announced(container_of(work, struct untwist_channel, irq_work));
}

static void channel_defer(struct untwist_channel *ch, enum untwist_channel_event event)
{
	set_bit(event, &ch->events);
	untwist_channel_kick(ch);
}

static const enum untwist_channel_event sigio_events[] = {
	[UNTWIST_EV_IN] = UNTWIST_EV_SIGIO_IN,
	[UNTWIST_EV_OUT] = UNTWIST_EV_SIGIO_OUT,
	[UNTWIST_EV_PRI] = UNTWIST_EV_SIGIO_PRI,
	[UNTWIST_EV_END] = UNTWIST_EV_SIGIO_IN,
};

/**
 * untwist_channel_announce() - tell of data, room, a loss, an event or the end
 * @ch: channel; what is announced is visible already
 * @event: UNTWIST_EV_IN, UNTWIST_EV_OUT, UNTWIST_EV_PRI or UNTWIST_EV_END
 *
 * Wakes at once where that is possible; else at the end of the call of the
 * driver that is in progress, or as soon as interrupts are on.
 * Signals are always the work's: their locks are not made for interrupts.
 *
 * Context: any but NMI; hard interrupts of PREEMPT_RT included.
 */
void untwist_channel_announce(struct untwist_channel *ch, enum untwist_channel_event event)
{
	if (may_wake_here()) {
		channel_wake_for(ch, event);
	} else {
		set_bit(event, &ch->events);
		/* Pairs with the one in call_end(). */
		smp_mb__after_atomic();
		if (!atomic_read(&ch->nr_calls))
			irq_work_queue(&ch->irq_work);
	}
	if (READ_ONCE(ch->fasync))
		channel_defer(ch, sigio_events[event]);
}

/* Calls of the driver that a program's reads and writes cause. */

static bool calls_deferred(const struct untwist_channel *ch)
{
	return ch->ud->config.flags & UNTWIST_DEFER;
}

/*
 * What the driver announces with a lock held is told at the end of the call,
 * which costs less than an interrupt to oneself. Not so where the call may
 * sleep, and the end be far.
 */
static void call_begin(struct untwist_channel *ch)
{
	if (!calls_deferred(ch))
		atomic_inc(&ch->nr_calls);
	untwist_call_begin(ch->ud);
}

static void call_end(struct untwist_channel *ch)
{
	untwist_call_end(ch->ud);
	if (calls_deferred(ch))
		return;
	atomic_dec(&ch->nr_calls);
	/* Pairs with the one in untwist_channel_announce(). */
	smp_mb__after_atomic();
	if (READ_ONCE(ch->events))
		channel_wake_announced(ch);
}

static void call_transmit(struct untwist_channel *ch)
{
	/* Only inside are the driver's operations sure to be there. */
	if (!untwist_channel_enter(ch))
		return;
	call_begin(ch);
	if (ch->ud->config.ops->transmit)
		ch->ud->config.ops->transmit(ch);
	call_end(ch);
	untwist_channel_leave(ch, 1);
}

static void call_resume(struct untwist_channel *ch)
{
	if (!untwist_channel_enter(ch))
		return;
	call_begin(ch);
	if (ch->ud->config.ops->resume)
		ch->ud->config.ops->resume(ch);
	call_end(ch);
	untwist_channel_leave(ch, 1);
}

/*
 * A deferred call needs the work, and the work needs the device's workqueue,
 * which is there as long as there are users.
 */
static void channel_defer_call(struct untwist_channel *ch, enum untwist_channel_event event)
{
	if (!untwist_channel_enter(ch))
		return;
	channel_defer(ch, event);
	untwist_channel_leave(ch, 1);
}

/**
 * untwist_channel_transmit() - the program has written something
 * @ch: channel
 *
 * Context: process, no locks held.
 */
void untwist_channel_transmit(struct untwist_channel *ch)
{
	if (calls_deferred(ch))
		channel_defer_call(ch, UNTWIST_EV_TRANSMIT);
	else
		call_transmit(ch);
}

/**
 * untwist_channel_resume() - the program has made room in the receive queue
 * @ch: channel
 *
 * Context: process, no locks held.
 */
void untwist_channel_resume(struct untwist_channel *ch)
{
	if (calls_deferred(ch))
		channel_defer_call(ch, UNTWIST_EV_RESUME);
	else
		call_resume(ch);
}

/* The work. */

static void channel_work(struct work_struct *work)
{
	struct untwist_channel *ch = container_of(work, struct untwist_channel, work);
	bool wake;
	unsigned int posted = untwist_requests_run(ch, &wake);

	if (ch->client)
		untwist_client_run(ch->client);
	else if (wake)
		untwist_channel_wake_posted(ch);
	if (test_and_clear_bit(UNTWIST_EV_SIGIO_IN, &ch->events))
		kill_fasync(&ch->fasync, SIGIO, POLL_IN);
	if (test_and_clear_bit(UNTWIST_EV_SIGIO_OUT, &ch->events))
		kill_fasync(&ch->fasync, SIGIO, POLL_OUT);
	if (test_and_clear_bit(UNTWIST_EV_SIGIO_PRI, &ch->events))
		kill_fasync(&ch->fasync, SIGIO, POLL_PRI);
	if (test_and_clear_bit(UNTWIST_EV_TRANSMIT, &ch->events))
		call_transmit(ch);
	if (test_and_clear_bit(UNTWIST_EV_RESUME, &ch->events))
		call_resume(ch);
	if (posted)
		untwist_channel_leave(ch, posted);
	untwist_channel_put(ch);
}

/* Birth and death. */

static struct untwist_channel *channel_new(struct untwist_device *ud)
{
	struct untwist_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL_ACCOUNT);

	if (!ch)
		return NULL;
	ch->ud = ud;
	get_device(&ud->dev);
	ch->uid = current_uid();
	ch->pid = task_tgid_nr(current);
	get_task_comm(ch->comm, current);
	ch->plane = untwist_device_has_data(ud) ? UNTWIST_PLANE_DATA : UNTWIST_PLANE_COMPLETIONS;
	init_waitqueue_head(&ch->wait);
	INIT_WORK(&ch->work, channel_work);
	init_irq_work(&ch->irq_work, channel_irq_work);
	INIT_RCU_WORK(&ch->free_work, channel_free_work);
	mutex_init(&ch->rd_mutex);
	mutex_init(&ch->wr_mutex);
	raw_spin_lock_init(&ch->rx_lock);
	raw_spin_lock_init(&ch->tx_lock);
	untwist_requests_init(&ch->requests);
	kref_init(&ch->ref);
	refcount_set(&ch->users, 1);
	init_completion(&ch->closed);
	INIT_LIST_HEAD(&ch->link);
	return ch;
}

static unsigned int opens_of(const struct untwist_device *ud, kuid_t uid)
{
	const struct untwist_channel *ch;
	unsigned int opens = 0;

	list_for_each_entry(ch, &ud->channels, link)
		opens += uid_eq(ch->uid, uid);
	return opens;
}

/* Whether the device takes one more. */
static int channel_allowed(const struct untwist_channel *ch)
{
	const struct untwist_device *ud = ch->ud;
	const struct untwist_limits *limits = &ud->limits;

	lockdep_assert_held(&ud->lock);
	if (ud->dead)
		return -ENODEV;
	if (limits->opens_max && ud->nr_channels >= limits->opens_max)
		return -EBUSY;
	if (limits->user_opens_max && opens_of(ud, ch->uid) >= limits->user_opens_max &&
	    !capable(CAP_SYS_RESOURCE))
		return -EDQUOT;
	return 0;
}

/* From here on unplug finds the channel, and waits for its users. */
static int channel_link(struct untwist_channel *ch)
{
	struct untwist_device *ud = ch->ud;
	int ret;

	mutex_lock(&ud->lock);
	ret = channel_allowed(ch);
	if (!ret) {
		ch->id = ++ud->opens;
		kref_get(&ch->ref); /* for users > 0; dropped by channel_close() */
		refcount_inc(&ch->users); /* for the call of the driver's open */
		list_add_tail_rcu(&ch->link, &ud->channels);
		ud->nr_channels++;
	}
	mutex_unlock(&ud->lock);
	return ret;
}

static int channel_call_open(struct untwist_channel *ch)
{
	struct untwist_device *ud = ch->ud;
	int ret = 0;

	if (ud->config.ops->open) {
		untwist_call_begin(ud);
		ret = ud->config.ops->open(ch);
		untwist_call_end(ud);
	}
	if (!ret)
		set_bit(UNTWIST_CH_OPENED, &ch->state);
	return ret;
}

/* Takes the reference over. */
static struct untwist_channel *channel_begin(struct untwist_channel *ch, int ret)
{
	if (!ret)
		ret = channel_link(ch);
	if (ret) {
		untwist_channel_put(ch);
		return ERR_PTR(ret);
	}

	ret = untwist_limits_charge(ch, (size_t)ch->rx.size + ch->tx.size);
	if (!ret)
		ret = untwist_power_open(ch);
	if (!ret)
		ret = channel_call_open(ch);
	untwist_channel_leave(ch, 1);
	if (ret) {
		untwist_channel_release(ch);
		return ERR_PTR(ret);
	}
	untwist_count(ch->ud, UNTWIST_STAT_OPENS, 1);
	return ch;
}

/**
 * untwist_channel_open() - make the channel of a file that is being opened
 * @ud: device, pinned by the caller
 *
 * Context: process, may sleep.
 *
 * Return: the channel, with a reference that untwist_channel_release() drops;
 * or -ENODEV, -ENOMEM, -EBUSY or -EDQUOT for a limit, or what the driver's open
 * said.
 */
struct untwist_channel *untwist_channel_open(struct untwist_device *ud)
{
	struct untwist_channel *ch = channel_new(ud);
	int ret = 0;

	if (!ch)
		return ERR_PTR(-ENOMEM);
	if (untwist_device_has_data(ud))
		ret = untwist_stream_init(ch);
	return channel_begin(ch, ret);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_channel_open);

/**
 * untwist_channel_open_client() - make the channel of a client
 * @ud: device that takes requests, pinned by the caller
 * @client: client without a channel, taken over even after an error
 *
 * Context: process, may sleep.
 *
 * Return: as untwist_channel_open(), or -ERESTARTSYS. The channel has no queues,
 * and the memory of its requests is there.
 */
struct untwist_channel *untwist_channel_open_client(struct untwist_device *ud,
						    struct untwist_client *client)
{
	struct untwist_channel *ch = channel_new(ud);

	if (!ch) {
		untwist_client_free(client);
		return ERR_PTR(-ENOMEM);
	}
	untwist_client_attach(client, ch);
	ch->plane = UNTWIST_PLANE_COMPLETIONS;
	/* Nobody would read what is pushed. */
	set_bit(UNTWIST_CH_ENDED, &ch->state);
	return channel_begin(ch, untwist_requests_make(ch));
}

/**
 * untwist_channel_release() - the file is closed
 * @ch: channel
 *
 * Context: process, may sleep; does not wait for the hardware.
 */
void untwist_channel_release(struct untwist_channel *ch)
{
	untwist_ring_stop(ch);
	untwist_channel_shut(ch);
	untwist_channel_put(ch);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_channel_release);
