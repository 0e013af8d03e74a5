/* SPDX-License-Identifier: MIT */
/* Opening a device node: see device-node.h. */
#include "device-node.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/open.h"

int utw_device_ioctl(int fd, unsigned long command, void *argument)
{
	int result;

	do {
		result = ioctl(fd, command, argument);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : result;
}

static int node_choose(int fd, uint32_t plane, struct untwist_info *info)
{
	int error = utw_device_ioctl(fd, UNTWIST_IOC_GET_INFO, info);

	if (error)
		return error;
	if (plane == UNTWIST_PLANE_DATA && info->kind == UNTWIST_KIND_NONE)
		return -EOPNOTSUPP;
	if (plane == UNTWIST_PLANE_COMPLETIONS && !(info->features & UNTWIST_FEAT_REQUESTS))
		return -EOPNOTSUPP;
	if (plane == info->plane)
		return 0;
	return utw_device_ioctl(fd, UNTWIST_IOC_SET_PLANE, &plane);
}

int utw_device_node_open(const char *path, uint32_t plane, struct untwist_info *info)
{
	int fd = utw_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
	int error;

	if (fd < 0)
		return fd;
	error = node_choose(fd, plane, info);
	if (error) {
		close(fd);
		return error;
	}
	/* Text from the kernel, but bounded by us. */
	info->device[sizeof(info->device) - 1] = '\0';
	info->driver[sizeof(info->driver) - 1] = '\0';
	return fd;
}
