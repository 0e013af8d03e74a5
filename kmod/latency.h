/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.c APIs: how long requests take from one stage of their life to the
 * next. Off as long as nobody asks, and then each place that measures is a nop.
 */
#ifndef UNTWIST_LATENCY_H
#define UNTWIST_LATENCY_H

#include <linux/jump_label.h>

#include "device.h"
#include "slot.h"

struct untwist_channel;

/* The last takes all from 2^39 ns on, which are nine minutes. */
#define UNTWIST_LATENCY_BUCKETS 40

enum untwist_stage {
	UNTWIST_STAGE_SUBMIT, /* from the submission until the driver has it */
	UNTWIST_STAGE_DRIVER, /* until the driver has completed it */
	UNTWIST_STAGE_POST, /* until its completion is posted */
	UNTWIST_STAGE_REAP, /* until the program has read that */
	UNTWIST_NR_STAGES,
};

DECLARE_STATIC_KEY_FALSE(untwist_latency_key);

/* Whether a device's requests are measured. */
static inline bool untwist_latency_on(const struct untwist_device *ud)
{
	/* Pairs with the store in untwist_latency_switch(). */
	return static_branch_unlikely(&untwist_latency_key) && smp_load_acquire(&ud->latency_on);
}

void untwist_latency_submitted(struct untwist_channel *ch, struct untwist_slot *slot);
void untwist_latency_passed(struct untwist_slot *slot, enum untwist_stage stage);
void untwist_latency_posted(struct untwist_channel *ch, u32 n);
void untwist_latency_reaped(struct untwist_channel *ch, u32 n);
void untwist_latency_told(struct untwist_device *ud, u64 posted);

int untwist_latency_switch(struct untwist_device *ud, bool on);
unsigned long untwist_latency_read(const struct untwist_device *ud, enum untwist_stage stage,
				   unsigned int bucket);

void untwist_latency_add(struct untwist_device *ud);
void untwist_latency_remove(struct untwist_device *ud);
void untwist_latency_init(void);
void untwist_latency_exit(void);

#endif /* UNTWIST_LATENCY_H */
