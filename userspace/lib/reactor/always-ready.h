/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the kernel refuses to poll because they never block: regular
 * files, /dev/null and their like. As for poll(2), they are always ready.
 */
#ifndef UTW_REACTOR_ALWAYS_READY_H
#define UTW_REACTOR_ALWAYS_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "reactor/poller.h"

struct utw_always_ready_entry;

struct utw_always_ready {
	struct utw_always_ready_entry *entries;
	unsigned int count;
	unsigned int capacity;
	unsigned int armed; /* how many will tell of themselves */
	unsigned int next; /* whose turn it is when not all fit */
};

void utw_always_ready_init(struct utw_always_ready *set);
void utw_always_ready_release(struct utw_always_ready *set);

/* The three return 0 or -errno: -EEXIST, -ENOENT, -ENOMEM. */
int utw_always_ready_add(struct utw_always_ready *set, int fd, uint32_t events, uint64_t tag);
int utw_always_ready_modify(struct utw_always_ready *set, int fd, uint32_t events, uint64_t tag);
int utw_always_ready_remove(struct utw_always_ready *set, int fd);

/* Store what is ready, at most `room` events; returns how many. */
unsigned int utw_always_ready_take(struct utw_always_ready *set, struct utw_poller_event *events,
				   unsigned int room);

#endif
