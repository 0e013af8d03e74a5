/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.c APIs: what a device has done since it was registered.
 */
#ifndef UNTWIST_STATS_H
#define UNTWIST_STATS_H

#include <linux/percpu.h>
#include <linux/sysfs.h>

/* One file each in the device's statistics folder, under the name in stats.c. */
enum untwist_stat {
	UNTWIST_STAT_OPENS,
	UNTWIST_STAT_RX_BYTES,
	UNTWIST_STAT_RX_RECORDS,
	UNTWIST_STAT_RX_LOST_BYTES,
	UNTWIST_STAT_RX_LOST_RECORDS,
	UNTWIST_STAT_TX_BYTES,
	UNTWIST_STAT_TX_RECORDS,
	UNTWIST_STAT_WAKEUPS,
	UNTWIST_STAT_REQUESTS,
	UNTWIST_STAT_COMPLETIONS,
	UNTWIST_STAT_SHOTS,
	UNTWIST_STAT_SHOTS_LOST,
	UNTWIST_STAT_ERRORS,
	UNTWIST_STAT_CANCELS,
	UNTWIST_STAT_MISUSES,
	UNTWIST_NR_STATS,
};

/*
 * unsigned long, so that an addition is one instruction in any context; on
 * 32-bit kernels the counters wrap at 2^32.
 */
struct untwist_stats {
	unsigned long count[UNTWIST_NR_STATS];
};

#define untwist_count(ud, stat, n) this_cpu_add((ud)->stats->count[stat], n)

unsigned long untwist_stats_read(const struct untwist_stats __percpu *stats,
				 enum untwist_stat stat);

extern const struct attribute_group untwist_stats_group;

#endif /* UNTWIST_STATS_H */
