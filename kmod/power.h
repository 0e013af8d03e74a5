/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * power.c APIs: devices and systems that sleep.
 */
#ifndef UNTWIST_POWER_H
#define UNTWIST_POWER_H

#include <linux/pm.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/untwist.h>
#include <linux/wait.h>

struct device;
struct untwist_channel;
struct untwist_slot;

/**
 * struct untwist_power - what keeps a device and its sleep apart
 * @lock: guards the rest
 * @asleep: the system sleeps, or is about to: no request is started
 * @abandoned: the device is being unregistered, and does not fall asleep any more
 * @running: requests with the driver, but for multishot ones; only counted with
 *	UNTWIST_QUIESCE
 * @idle: for who waits until there is none
 * @held: requests that would have been started, oldest first
 */
struct untwist_power {
	spinlock_t lock; /* see above */
	bool asleep;
	bool abandoned;
	unsigned int running;
	wait_queue_head_t idle;
	struct list_head held;
};

#define UNTWIST_POWER_FLAGS (UNTWIST_RUNTIME_PM | UNTWIST_QUIESCE | UNTWIST_QUIESCE_CANCEL)

/* Whether requests may not be started just so. */
static inline bool untwist_power_managed(const struct untwist_config *config)
{
	return config->flags & UNTWIST_POWER_FLAGS;
}

void untwist_power_init(struct untwist_power *power);

int untwist_power_open(struct untwist_channel *ch);
void untwist_power_close(struct untwist_channel *ch);

bool untwist_power_begin(struct untwist_channel *ch, struct untwist_slot *slot);
void untwist_power_end(struct untwist_channel *ch, struct untwist_slot *slot);
bool untwist_power_unhold(struct untwist_channel *ch, struct untwist_slot *slot, int why);

int untwist_power_suspend(struct device *dev);
int untwist_power_resume(struct device *dev);
void untwist_power_abandon(struct untwist_device *ud);

extern const struct dev_pm_ops untwist_power_ops;

#endif /* UNTWIST_POWER_H */
