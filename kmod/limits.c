// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the administrator allows on a device: one file for each limit in
 * /sys/class/untwist/NAME/limits. A limit counts for what comes after it.
 */
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/rculist.h>
#include <linux/sizes.h>

#include "channel.h"
#include "fifo.h"
#include "limits.h"
#include "stream.h"

#define DEFAULT_SIZE_MAX   SZ_1M
#define DEFAULT_PINNED_MAX SZ_64M

static u32 size_max(u32 wanted, u32 size)
{
	return wanted ? max(wanted, size) : max_t(u32, DEFAULT_SIZE_MAX, size);
}

/**
 * untwist_limits_init() - begin with what the driver has described
 * @limits: filled in
 * @config: description, defaults filled in but for the largest sizes
 */
void untwist_limits_init(struct untwist_limits *limits, const struct untwist_config *config)
{
	*limits = (struct untwist_limits){
		.rx_size = config->rx_size,
		.rx_size_max = size_max(config->rx_size_max, config->rx_size),
		.tx_size = config->tx_size,
		.tx_size_max = size_max(config->tx_size_max, config->tx_size),
		.opens_max = config->flags & UNTWIST_EXCLUSIVE ? 1 : config->opens_max,
		.pinned_max = DEFAULT_PINNED_MAX,
	};
}

/* What one user may hold. */

static u64 bytes_of(const struct untwist_device *ud, kuid_t uid)
{
	const struct untwist_channel *ch;
	u64 bytes = 0;

	lockdep_assert_held(&ud->bytes_lock);
	rcu_read_lock();
	list_for_each_entry_rcu(ch, &ud->channels, link) bytes += uid_eq(ch->uid, uid) ? ch->bytes
										       : 0;
	rcu_read_unlock();
	return bytes;
}

static bool may_hold(const struct untwist_channel *ch, size_t more)
{
	u32 max = READ_ONCE(ch->ud->limits.user_bytes_max);

	return !max || bytes_of(ch->ud, ch->uid) + more <= max;
}

/**
 * untwist_limits_charge() - an open is to hold more memory
 * @ch: channel that is in its device's list
 * @bytes: how much more
 *
 * It counts as long as the channel is there, or until it is taken back.
 *
 * Context: process.
 *
 * Return: 0; -EDQUOT, its user's opens would hold more than they may.
 */
int untwist_limits_charge(struct untwist_channel *ch, size_t bytes)
{
	struct untwist_device *ud = ch->ud;
	bool allowed;

	spin_lock(&ud->bytes_lock);
	allowed = may_hold(ch, bytes);
	if (allowed)
		WRITE_ONCE(ch->bytes, ch->bytes + bytes);
	spin_unlock(&ud->bytes_lock);
	if (allowed)
		return 0;
	/* Not under the lock: the answer may be audited. */
	if (!capable(CAP_SYS_RESOURCE))
		return -EDQUOT;
	spin_lock(&ud->bytes_lock);
	WRITE_ONCE(ch->bytes, ch->bytes + bytes);
	spin_unlock(&ud->bytes_lock);
	return 0;
}

/**
 * untwist_limits_uncharge() - an open holds less memory, or does not get more
 * @ch: channel
 * @bytes: how much less
 */
void untwist_limits_uncharge(struct untwist_channel *ch, size_t bytes)
{
	spin_lock(&ch->ud->bytes_lock);
	WRITE_ONCE(ch->bytes, ch->bytes - bytes);
	spin_unlock(&ch->ud->bytes_lock);
}

/* The files. */

struct limit_attribute {
	struct device_attribute dev;
	size_t offset;
};

static u32 *limit_of(struct untwist_limits *limits, const struct device_attribute *attr)
{
	return (void *)limits + container_of(attr, struct limit_attribute, dev)->offset;
}

static ssize_t limit_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(*limit_of(&dev_to_untwist(dev)->limits, attr)));
}

static int limits_check(const struct untwist_device *ud, const struct untwist_limits *limits)
{
	if (limits->rx_size > limits->rx_size_max || limits->tx_size > limits->tx_size_max ||
	    limits->rx_size_max > UNTWIST_FIFO_MAX || limits->tx_size_max > UNTWIST_FIFO_MAX)
		return -ERANGE;
	/* More than one is what the driver cannot serve. */
	if (ud->config.flags & UNTWIST_EXCLUSIVE && limits->opens_max != 1)
		return -EPERM;
	return 0;
}

static ssize_t limit_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t len)
{
	struct untwist_device *ud = dev_to_untwist(dev);
	struct untwist_limits limits;
	u32 value;
	int ret = kstrtou32(buf, 0, &value);

	if (ret)
		return ret;
	mutex_lock(&ud->lock);
	limits = ud->limits;
	*limit_of(&limits, attr) = value;
	ret = limits_check(ud, &limits);
	if (!ret)
		WRITE_ONCE(*limit_of(&ud->limits, attr), value);
	mutex_unlock(&ud->lock);
	return ret ? ret : len;
}

#define LIMIT_ATTR(_name, _offset)                                   \
	static struct limit_attribute limit_##_name = {              \
		.dev = __ATTR(_name, 0644, limit_show, limit_store), \
		.offset = _offset,                                   \
	}

LIMIT_ATTR(rx_size, offsetof(struct untwist_limits, rx_size));
LIMIT_ATTR(rx_size_max, offsetof(struct untwist_limits, rx_size_max));
LIMIT_ATTR(tx_size, offsetof(struct untwist_limits, tx_size));
LIMIT_ATTR(tx_size_max, offsetof(struct untwist_limits, tx_size_max));
LIMIT_ATTR(opens_max, offsetof(struct untwist_limits, opens_max));
LIMIT_ATTR(user_opens_max, offsetof(struct untwist_limits, user_opens_max));
LIMIT_ATTR(user_bytes_max, offsetof(struct untwist_limits, user_bytes_max));
LIMIT_ATTR(pinned_max, offsetof(struct untwist_limits, pinned_max));

static struct attribute *limit_attrs[] = {
	&limit_rx_size.dev.attr,	&limit_rx_size_max.dev.attr, &limit_tx_size.dev.attr,
	&limit_tx_size_max.dev.attr,	&limit_opens_max.dev.attr,   &limit_user_opens_max.dev.attr,
	&limit_user_bytes_max.dev.attr, &limit_pinned_max.dev.attr,  NULL,
};

/* A device has no files for what it does not have. */
static umode_t limit_is_visible(struct kobject *kobj, struct attribute *attr, int index)
{
	const struct untwist_device *ud = dev_to_untwist(kobj_to_dev(kobj));

	if (attr == &limit_rx_size.dev.attr || attr == &limit_rx_size_max.dev.attr)
		return untwist_device_has_data(ud) ? attr->mode : 0;
	if (attr == &limit_tx_size.dev.attr || attr == &limit_tx_size_max.dev.attr)
		return ud->writable ? attr->mode : 0;
	if (attr == &limit_pinned_max.dev.attr)
		return ud->in_place ? attr->mode : 0;
	return attr->mode;
}

const struct attribute_group untwist_limits_group = {
	.name = "limits",
	.attrs = limit_attrs,
	.is_visible = limit_is_visible,
};
