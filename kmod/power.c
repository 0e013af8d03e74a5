// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices and systems that sleep, for drivers that ask for it.
 *
 * A device sleeps by itself when nothing is asked of it: the core holds its
 * parent awake from before a request is given to the driver until its completion
 * is posted, and as long as a file is open through which data may come.
 *
 * When the whole system goes to sleep, requests that would be started are held,
 * and those with the driver are waited for, or cancelled. All this comes before
 * the parent's own suspend, and is undone after its resume.
 */
#include <linux/device.h>
#include <linux/moduleparam.h>
#include <linux/pm_runtime.h>

#include "channel.h"
#include "compat.h"
#include "holdup.h"
#include "power.h"

static unsigned int quiesce_seconds = 5;
module_param(quiesce_seconds, uint, 0644);
MODULE_PARM_DESC(quiesce_seconds,
		 "how long a system's suspend waits for requests before it is refused (5)");

/**
 * untwist_power_init() - a device is awake
 * @power: filled in
 */
void untwist_power_init(struct untwist_power *power)
{
	spin_lock_init(&power->lock);
	init_waitqueue_head(&power->idle);
	INIT_LIST_HEAD(&power->held);
}

/* Runtime power management. */

static int parent_get(struct untwist_device *ud)
{
	if (!(ud->config.flags & UNTWIST_RUNTIME_PM))
		return 0;
	return pm_runtime_resume_and_get(ud->dev.parent);
}

static void parent_put(struct untwist_device *ud)
{
	if (!(ud->config.flags & UNTWIST_RUNTIME_PM))
		return;
	pm_runtime_mark_last_busy(ud->dev.parent);
	pm_runtime_put_autosuspend(ud->dev.parent);
}

/**
 * untwist_power_open() - an open through which data may come holds its device awake
 * @ch: channel, before the driver's open
 *
 * Context: may sleep.
 *
 * Return: 0, or what the device's resume failed with.
 */
int untwist_power_open(struct untwist_channel *ch)
{
	int ret;

	if (!untwist_device_has_data(ch->ud) || ch->client)
		return 0;
	ret = parent_get(ch->ud);
	ch->powered = !ret;
	return ret;
}

/**
 * untwist_power_close() - the open does not hold its device awake any more
 * @ch: channel, after the driver's close
 */
void untwist_power_close(struct untwist_channel *ch)
{
	if (ch->powered)
		parent_put(ch->ud);
	ch->powered = false;
}

/* Requests. */

/* A multishot request stays with the driver while the system sleeps. */
static bool slot_counts(const struct untwist_channel *ch, const struct untwist_slot *slot)
{
	return ch->ud->config.flags & UNTWIST_QUIESCE && !slot->req.multishot;
}

/* Whether its end was asked for, or its time is up, by who did not find it held yet. */
static bool slot_came_late(struct untwist_slot *slot)
{
	if (slot->deadline.expires && ktime_compare(slot->deadline.expires, ktime_get()) <= 0)
		atomic_or(UNTWIST_REQ_CANCELLED | UNTWIST_REQ_TIMED_OUT, &slot->state);
	return atomic_read(&slot->state) & UNTWIST_REQ_CANCELLED;
}

/* Returns false if it waits until the system is awake again; pinned then. */
static bool slot_count(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_power *power = &ch->ud->power;
	bool held;

	if (!(ch->ud->config.flags & UNTWIST_QUIESCE))
		return true;
	spin_lock(&power->lock);
	held = power->asleep && !slot->awake;
	if (held && slot_came_late(slot)) {
		slot->error = -ECANCELED;
		held = false;
	} else if (held) {
		refcount_inc(&slot->refs);
		WRITE_ONCE(slot->held, true);
		list_add_tail(&slot->wait, &power->held);
	} else if (slot_counts(ch, slot)) {
		power->running++;
	}
	spin_unlock(&power->lock);
	return !held;
}

static void slot_uncount(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_power *power = &ch->ud->power;

	if (!slot_counts(ch, slot))
		return;
	spin_lock(&power->lock);
	if (!--power->running)
		wake_up(&power->idle);
	spin_unlock(&power->lock);
}

/**
 * untwist_power_end() - a request is about to be posted
 * @ch: channel
 * @slot: request
 *
 * Context: process.
 */
void untwist_power_end(struct untwist_channel *ch, struct untwist_slot *slot)
{
	if (!slot->powered)
		return;
	slot->powered = false;
	parent_put(ch->ud);
	slot_uncount(ch, slot);
}

/* The oldest that is held, or a certain one; without it, nobody is asleep any more. */
static struct untwist_slot *held_take(struct untwist_power *power, struct untwist_slot *wanted)
{
	struct untwist_slot *slot = wanted;

	spin_lock(&power->lock);
	if (!wanted)
		slot = list_first_entry_or_null(&power->held, struct untwist_slot, wait);
	else if (!wanted->held)
		slot = NULL;
	if (slot) {
		WRITE_ONCE(slot->held, false);
		list_del_init(&slot->wait);
	} else if (!wanted) {
		power->asleep = false;
	}
	spin_unlock(&power->lock);
	return slot;
}

/* It has waited long enough: to the driver, or to its end. */
static void held_follow(struct untwist_slot *slot, int error)
{
	struct untwist_channel *ch = slot->req.channel;
	struct untwist_consequences after;

	/* Its own user may be gone before the driver's submit has returned. */
	refcount_inc(&ch->users);
	untwist_consequences_none(&after);
	slot->error = error;
	slot->awake = true;
	list_add_tail(&slot->wait, &after.start);
	untwist_channel_leave_posted(ch, untwist_consequences_follow(ch, &after));
	untwist_channel_leave(ch, 1);
}

/**
 * untwist_power_unhold() - the early end of a request is asked for
 * @ch: channel
 * @slot: request, pinned
 * @why: UNTWIST_REQ_CANCELLED, and UNTWIST_REQ_TIMED_OUT besides if so
 *
 * Context: process, may sleep.
 *
 * Return: true if it was held, and is at its end; false, somebody else has it.
 */
bool untwist_power_unhold(struct untwist_channel *ch, struct untwist_slot *slot, int why)
{
	if (!READ_ONCE(slot->held) || !held_take(&ch->ud->power, slot))
		return false;
	atomic_or(why, &slot->state);
	held_follow(slot, -ECANCELED);
	return true;
}

/**
 * untwist_power_begin() - a request is about to be given to the driver
 * @ch: channel
 * @slot: request of the driver's; if its device cannot be woken, that is its error
 *	from now on
 *
 * Context: process, may sleep.
 *
 * Return: true; false, the system sleeps, and the request is started when it is
 * awake, or its end was asked for meanwhile: in either case not by the caller.
 */
bool untwist_power_begin(struct untwist_channel *ch, struct untwist_slot *slot)
{
	int ret;

	if (!slot_count(ch, slot)) {
		/* Held first, looked second; who shuts the channel marks first. */
		smp_mb();
		if (test_bit(UNTWIST_CH_SHUT, &ch->state))
			untwist_power_unhold(ch, slot, UNTWIST_REQ_CANCELLED);
		untwist_slot_put(ch, slot);
		return false;
	}
	if (slot->error)
		return true;
	ret = parent_get(ch->ud);
	if (ret) {
		slot_uncount(ch, slot);
		slot->error = ret;
		return true;
	}
	slot->powered = true;
	return true;
}

/* The system. */

/* Those that were opened meanwhile have nothing that runs. */
static struct untwist_channel *next_channel(struct untwist_device *ud, unsigned int last)
{
	struct untwist_channel *ch, *next = NULL;

	mutex_lock(&ud->lock);
	list_for_each_entry(ch, &ud->channels, link) {
		if (ch->id > last) {
			next = ch;
			kref_get(&ch->ref);
			break;
		}
	}
	mutex_unlock(&ud->lock);
	return next;
}

static void channels_do(struct untwist_device *ud, void (*fn)(struct untwist_channel *ch))
{
	struct untwist_channel *ch;
	unsigned int last = 0;

	while ((ch = next_channel(ud, last))) {
		last = ch->id;
		if (untwist_channel_enter(ch)) {
			fn(ch);
			untwist_channel_leave(ch, 1);
		}
		untwist_channel_put(ch);
	}
}

/* Returns false for a device that is being unregistered. */
static bool fall_asleep(struct untwist_power *power)
{
	spin_lock(&power->lock);
	power->asleep = !power->abandoned;
	spin_unlock(&power->lock);
	return power->asleep;
}

static void wake(struct untwist_power *power, int error)
{
	struct untwist_slot *slot;

	while ((slot = held_take(power, NULL)))
		held_follow(slot, error);
}

/**
 * untwist_power_suspend() - the system goes to sleep
 * @dev: the device in /sys/class/untwist
 *
 * Context: may sleep.
 *
 * Return: 0; -EBUSY, the driver did not complete what it has.
 */
int untwist_power_suspend(struct device *dev)
{
	struct untwist_device *ud = dev_to_untwist(dev);
	struct untwist_power *power = &ud->power;

	if (!(ud->config.flags & UNTWIST_QUIESCE) || !fall_asleep(power))
		return 0;
	if (ud->config.flags & UNTWIST_QUIESCE_CANCEL)
		channels_do(ud, untwist_requests_cancel_running);
	if (wait_event_timeout(power->idle, !READ_ONCE(power->running),
			       READ_ONCE(quiesce_seconds) * HZ))
		return 0;
	dev_err(dev, "cannot sleep: driver %s has not completed %u requests\n", ud->driver,
		READ_ONCE(power->running));
	channels_do(ud, untwist_holdup_report);
	wake(power, 0);
	return -EBUSY;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_power_suspend);

/**
 * untwist_power_resume() - the system is awake again
 * @dev: the device in /sys/class/untwist
 *
 * Starts what was held, in its order; what comes meanwhile waits behind it.
 *
 * Context: may sleep.
 *
 * Return: 0.
 */
int untwist_power_resume(struct device *dev)
{
	wake(&dev_to_untwist(dev)->power, 0);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_power_resume);

/**
 * untwist_power_abandon() - a device goes: nothing of it is held any more
 * @ud: device, dead
 *
 * The driver does not see what was: it could not complete it.
 *
 * Context: may sleep.
 */
void untwist_power_abandon(struct untwist_device *ud)
{
	spin_lock(&ud->power.lock);
	ud->power.abandoned = true;
	spin_unlock(&ud->power.lock);
	wake(&ud->power, -ENODEV);
}

const struct dev_pm_ops untwist_power_ops = { SYSTEM_SLEEP_PM_OPS(untwist_power_suspend,
								  untwist_power_resume) };
