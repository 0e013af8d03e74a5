/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * limits.c APIs: what the administrator allows on a device.
 */
#ifndef UNTWIST_LIMITS_H
#define UNTWIST_LIMITS_H

#include <linux/sysfs.h>
#include <linux/types.h>

struct untwist_channel;
struct untwist_config;

/**
 * struct untwist_limits - how much a device may be used
 * @rx_size: receive queue that a channel begins with, in bytes
 * @rx_size_max: largest that a program may choose without CAP_SYS_RESOURCE
 * @tx_size: transmit queue, likewise
 * @tx_size_max: likewise
 * @opens_max: opens at a time; 0, any number
 * @user_opens_max: opens at a time of one user without CAP_SYS_RESOURCE; 0, any
 *	number
 * @user_bytes_max: bytes of queues, requests and rings that the opens of one
 *	user without CAP_SYS_RESOURCE may hold; 0, any number
 * @pinned_max: bytes of programs' pages that one open may use in place at once
 *
 * One file each in the device's limits folder. They are written one at a time
 * under the device's lock, and read at any time: what is there already stays
 * as it is.
 */
struct untwist_limits {
	u32 rx_size;
	u32 rx_size_max;
	u32 tx_size;
	u32 tx_size_max;
	u32 opens_max;
	u32 user_opens_max;
	u32 user_bytes_max;
	u32 pinned_max;
};

void untwist_limits_init(struct untwist_limits *limits, const struct untwist_config *config);

int untwist_limits_charge(struct untwist_channel *ch, size_t bytes);
void untwist_limits_uncharge(struct untwist_channel *ch, size_t bytes);

extern const struct attribute_group untwist_limits_group;

#endif /* UNTWIST_LIMITS_H */
