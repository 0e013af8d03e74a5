/* SPDX-License-Identifier: MIT */
/* A node under /dev/untwist, opened on one of its planes: the one place that opens them. */
#ifndef UTW_TRANSPORT_DEVICE_NODE_H
#define UTW_TRANSPORT_DEVICE_NODE_H

#include <stdint.h>

#include <linux/untwist.h>

/*
 * Open a node and choose a plane, UNTWIST_PLANE_*. Returns the descriptor,
 * non-blocking, or -errno: -EOPNOTSUPP when the device lacks that plane.
 */
int utw_device_node_open(const char *path, uint32_t plane, struct untwist_info *info);

/* ioctl() that returns -errno and is not interrupted. */
int utw_device_ioctl(int fd, unsigned long command, void *argument);

#endif
