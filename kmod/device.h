/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device.c APIs: the registered device, from registration to the last
 * reference.
 */
#ifndef UNTWIST_DEVICE_H
#define UNTWIST_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/lockdep_types.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <linux/untwist.h>

#include "limits.h"
#include "power.h"
#include "stats.h"

struct dentry;
struct untwist_latency;

/**
 * struct untwist_device - a device and its node
 * @dev: in /sys/class/untwist; its last reference frees all this
 * @cdev: the node, pinning @dev as long as a file is open
 * @name: name under /dev/untwist
 * @config: as registered, defaults filled in; its pointers are the driver's
 *	and not to be followed once the last channel is closed
 * @writable: programs may write, for the driver has a transmit operation
 * @in_place: some opcodes use payloads in place
 * @segment_max: longest piece of memory that they take, in bytes
 * @driver: name of the driver's module
 * @wq: runs the channels' work; gone when untwist_unregister() returns
 * @stats: counters
 * @latency: how long requests took, or NULL
 * @latency_since: since when that is measured, in ns
 * @latency_on: whether it is
 * @debugfs: folder there
 * @limits: what the administrator allows; written under @lock
 * @power: of it, and of the system
 * @bytes_lock: guards what each channel holds; innermost
 * @lock: guards @channels, its count, @opens and @dead
 * @channels: all that the driver has not been told to close yet; read under RCU
 *	as well
 * @nr_channels: how many
 * @opens: how many there ever were
 * @dead: set first in untwist_unregister(); no channel is added any more
 * @registry: in the list of names in use
 * @published: clients may find it there; guarded by the list's lock
 * @calls: lockdep's stand-in for "inside an operation of the driver", which
 *	untwist_unregister() waits for
 */
struct untwist_device {
	struct device dev;
	struct cdev cdev;
	struct untwist_config config;
	char name[UNTWIST_NAME_LEN];
	char driver[UNTWIST_NAME_LEN];
	bool writable;
	bool in_place;
	u32 segment_max;
	struct workqueue_struct *wq;
	struct untwist_stats __percpu *stats;
	struct untwist_latency __percpu *latency;
	u64 latency_since;
	bool latency_on;
	struct dentry *debugfs;
	struct untwist_limits limits;
	struct untwist_power power;
	spinlock_t bytes_lock; /* see above */
	struct mutex lock; /* see above */
	struct list_head channels;
	unsigned int nr_channels;
	unsigned int opens;
	bool dead;
	struct list_head registry;
	bool published;
#ifdef CONFIG_LOCKDEP
	struct lockdep_map calls;
#endif
};

#define dev_to_untwist(d) container_of(d, struct untwist_device, dev)

static inline bool untwist_device_has_data(const struct untwist_device *ud)
{
	return ud->config.kind != UNTWIST_KIND_NONE;
}

static inline bool untwist_device_has_requests(const struct untwist_device *ud)
{
	return ud->config.nr_opcodes > 0;
}

/* Around each call of the driver, so that waiting for it from inside shows. */
static inline void untwist_call_begin(struct untwist_device *ud)
{
	lock_map_acquire_read(&ud->calls);
}

static inline void untwist_call_end(struct untwist_device *ud)
{
	lock_map_release(&ud->calls);
}

extern struct workqueue_struct *untwist_wq;

int untwist_device_init(void);
void untwist_device_exit(void);

#endif /* UNTWIST_DEVICE_H */
