// SPDX-License-Identifier: GPL-2.0-only
/* What sysfs shows of a peripheral, beside what the core shows of any device. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "serial.h"

static struct serial *serial_of(struct device *dev)
{
	return untwist_device_drvdata(untwist_device_of(dev));
}

static ssize_t framing_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct untwist_framing *framing = serial_of(dev)->framing;

	return sysfs_emit(buf, "%s\n", framing ? framing->name : "none");
}
static DEVICE_ATTR_RO(framing);

static ssize_t speed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", serial_of(dev)->speed);
}
static DEVICE_ATTR_RO(speed);

static ssize_t count_show(struct device *dev, struct device_attribute *attr, char *buf);

static struct device_attribute counts[SERIAL_COUNTS] = {
	[SERIAL_MALFORMED] = __ATTR(malformed, 0444, count_show, NULL),
	[SERIAL_TOO_LONG] = __ATTR(too_long, 0444, count_show, NULL),
	[SERIAL_UNHEARD] = __ATTR(unheard, 0444, count_show, NULL),
	[SERIAL_UNSENT] = __ATTR(unsent, 0444, count_show, NULL),
};

static ssize_t count_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&serial_of(dev)->counts[attr - counts]));
}

static struct attribute *serial_attrs[] = {
	&dev_attr_framing.attr,
	&dev_attr_speed.attr,
	&counts[SERIAL_MALFORMED].attr,
	&counts[SERIAL_TOO_LONG].attr,
	&counts[SERIAL_UNHEARD].attr,
	&counts[SERIAL_UNSENT].attr,
	NULL,
};

static const struct attribute_group serial_group = { .attrs = serial_attrs };

const struct attribute_group *untwist_serial_groups[] = { &serial_group, NULL };
