/* SPDX-License-Identifier: MIT */
/*
 * A door: one way in which requests go to a device and completions come back.
 *
 *   ioctl   entries are copied in by a call, completions copied out by read();
 *   ring    both are in shared memory: a call takes many entries, none is needed
 *           to reap, and payloads that fit are in the shared arena.
 *
 * The node's descriptor is readable when there are completions, whichever it is.
 *
 *   custom  the program itself is the device: there is no node, and it says when
 *           to look.
 */
#ifndef UTW_TRANSPORT_DEVICE_DOOR_H
#define UTW_TRANSPORT_DEVICE_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/untwist.h>

#include <untwist/device.h>

#include "device-arena.h"

struct utw_custom_device;
struct utw_door;

struct utw_door_ops {
	const char *name;
	/* It costs no system call: reap after each submission, which does not wake us. */
	bool reap_is_free;
	/* Returns how many entries the kernel took, in order, or why it took not even the first. */
	int (*submit)(struct utw_door *door, const struct untwist_sqe *sqe, uint32_t count);
	/*
	 * Returns how many completions there were, at most `count`, or -errno. Fewer: the next
	 * one makes the node readable.
	 */
	int (*reap)(struct utw_door *door, struct untwist_cqe *cqe, uint32_t count);
	/* What there is beside the descriptor; NULL: nothing. */
	void (*close)(struct utw_door *door);
	/* Ask for the early end of the request that the device has under this name. */
	void (*cancel)(struct utw_door *door, uint64_t user_data);
};

/* A mapped ring; indices of our own are kept here and only stored there. */
struct utw_ring {
	void *map;
	size_t map_size;
	struct untwist_ring *head;
	struct untwist_sqe *sqes;
	const struct untwist_cqe *cqes;
	uint32_t sq_entries;
	uint32_t cq_entries;
	uint32_t sq_tail;
	uint32_t cq_head;
};

struct utw_door {
	const struct utw_door_ops *ops;
	int fd; /* -1: closed, or custom */
	int refusal; /* why it is not the ring that was preferred, or 0 */
	uint32_t capacity; /* requests that the kernel takes at once */
	struct untwist_info info;
	struct utw_ring ring;
	struct utw_arena arena;
	struct utw_custom_device *custom;
};

/*
 * Open the request plane of a node by a door. UTW_DEVICE_DOOR_ANY is what the
 * environment says; else the ring, or ioctl where there is none to be had. Returns
 * 0 or -errno, and then it is closed.
 */
int utw_door_open(struct utw_door *door, const char *path, enum utw_device_door which);

/* Close it: the device lets go of all requests. */
void utw_door_close(struct utw_door *door);

/* What a node does for utw_door_ops.cancel, whichever door it is. */
void utw_door_cancel(struct utw_door *door, uint64_t user_data);

/* The two of a node, each on a node that is open on its completions. */
void utw_door_ioctl_init(struct utw_door *door);
int utw_door_ring_init(struct utw_door *door);

#endif
