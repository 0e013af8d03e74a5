// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device has done since it was registered: counters of its own on each
 * CPU, added up when a file in /sys/class/untwist/NAME/statistics is read.
 */
#include <linux/cpumask.h>
#include <linux/device.h>

#include "compat.h"
#include "device.h"
#include "stats.h"

/**
 * untwist_stats_read() - add up one counter
 * @stats: counters of a device
 * @stat: which
 *
 * Return: the sum over all CPUs.
 */
unsigned long untwist_stats_read(const struct untwist_stats __percpu *stats, enum untwist_stat stat)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->count[stat]);
	return sum;
}
EXPORT_SYMBOL_IF_KUNIT(untwist_stats_read);

struct stat_attribute {
	struct device_attribute dev;
	enum untwist_stat stat;
};

static ssize_t stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct stat_attribute *sa = container_of(attr, struct stat_attribute, dev);

	return sysfs_emit(buf, "%lu\n", untwist_stats_read(dev_to_untwist(dev)->stats, sa->stat));
}

#define STAT_ATTR(_name, _stat)                              \
	static struct stat_attribute stat_##_name = {        \
		.dev = __ATTR(_name, 0444, stat_show, NULL), \
		.stat = UNTWIST_STAT_##_stat,                \
	}

STAT_ATTR(opens, OPENS);
STAT_ATTR(rx_bytes, RX_BYTES);
STAT_ATTR(rx_records, RX_RECORDS);
STAT_ATTR(rx_lost_bytes, RX_LOST_BYTES);
STAT_ATTR(rx_lost_records, RX_LOST_RECORDS);
STAT_ATTR(tx_bytes, TX_BYTES);
STAT_ATTR(tx_records, TX_RECORDS);
STAT_ATTR(wakeups, WAKEUPS);
STAT_ATTR(requests, REQUESTS);
STAT_ATTR(completions, COMPLETIONS);
STAT_ATTR(shots, SHOTS);
STAT_ATTR(shots_lost, SHOTS_LOST);
STAT_ATTR(errors, ERRORS);
STAT_ATTR(cancels, CANCELS);
STAT_ATTR(misuses, MISUSES);

static struct attribute *stat_attrs[] = {
	&stat_opens.dev.attr,		&stat_rx_bytes.dev.attr,
	&stat_rx_records.dev.attr,	&stat_rx_lost_bytes.dev.attr,
	&stat_rx_lost_records.dev.attr, &stat_tx_bytes.dev.attr,
	&stat_tx_records.dev.attr,	&stat_wakeups.dev.attr,
	&stat_requests.dev.attr,	&stat_completions.dev.attr,
	&stat_shots.dev.attr,		&stat_shots_lost.dev.attr,
	&stat_errors.dev.attr,		&stat_cancels.dev.attr,
	&stat_misuses.dev.attr,		NULL,
};

static_assert(ARRAY_SIZE(stat_attrs) == UNTWIST_NR_STATS + 1);

const struct attribute_group untwist_stats_group = {
	.name = "statistics",
	.attrs = stat_attrs,
};
