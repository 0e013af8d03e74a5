// SPDX-License-Identifier: MIT
/* Choosing a door, and the one that is always there: see device-door.h. */
#include "device-door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device-node.h"

#define VARIABLE "UNTWIST_DEVICE_DOOR"

static int door_ioctl_submit(struct utw_door *door, const struct untwist_sqe *sqe, uint32_t count)
{
	struct untwist_submit submit = { .entries = (uintptr_t)sqe,
					 .count = count,
					 .entry_size = sizeof(*sqe) };

	return utw_device_ioctl(door->fd, UNTWIST_IOC_SUBMIT, &submit);
}

static int door_ioctl_reap(struct utw_door *door, struct untwist_cqe *cqe, uint32_t count)
{
	ssize_t got;

	do {
		got = read(door->fd, cqe, count * sizeof(*cqe));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	return got ? (int)(got / (ssize_t)sizeof(*cqe)) : -ENODEV;
}

static const struct utw_door_ops door_ioctl_ops = {
	.name = "ioctl",
	.submit = door_ioctl_submit,
	.reap = door_ioctl_reap,
	.cancel = utw_door_cancel,
};

void utw_door_ioctl_init(struct utw_door *door)
{
	door->ops = &door_ioctl_ops;
	door->capacity = door->info.requests_max;
}

/* What UTW_DEVICE_DOOR_ANY stands for. */
static int door_from_environment(enum utw_device_door *which)
{
	/* As any library must hope: nobody changes the environment while others read it. */
	const char *name = getenv(VARIABLE); /* NOLINT(concurrency-mt-unsafe) */

	if (!name || !*name)
		*which = UTW_DEVICE_DOOR_ANY;
	else if (!strcmp(name, "ring"))
		*which = UTW_DEVICE_DOOR_RING;
	else if (!strcmp(name, "ioctl"))
		*which = UTW_DEVICE_DOOR_IOCTL;
	else
		return -EINVAL;
	return 0;
}

static int door_open_node(struct utw_door *door, const char *path)
{
	*door = (struct utw_door){ .fd = -1 };
	door->fd = utw_device_node_open(path, UNTWIST_PLANE_COMPLETIONS, &door->info);
	return door->fd < 0 ? door->fd : 0;
}

static int door_try_ring(struct utw_door *door)
{
	if (!(door->info.features & UNTWIST_FEAT_RING))
		return -EOPNOTSUPP;
	return utw_door_ring_init(door);
}

/* An attempt at a ring may leave one behind that is of no use: ioctl has its own open. */
static int door_fall_back(struct utw_door *door, const char *path, int refusal)
{
	int error;

	utw_door_close(door);
	error = door_open_node(door, path);
	if (error)
		return error;
	utw_door_ioctl_init(door);
	door->refusal = refusal;
	return 0;
}

static int door_choose(struct utw_door *door, const char *path, enum utw_device_door which)
{
	int error = 0;

	switch (which) {
	case UTW_DEVICE_DOOR_IOCTL:
		utw_door_ioctl_init(door);
		return 0;
	case UTW_DEVICE_DOOR_RING:
		return door_try_ring(door);
	case UTW_DEVICE_DOOR_ANY:
		error = door_try_ring(door);
		return error ? door_fall_back(door, path, error) : 0;
	}
	return -EINVAL;
}

int utw_door_open(struct utw_door *door, const char *path, enum utw_device_door which)
{
	int error = 0;

	if (which == UTW_DEVICE_DOOR_ANY)
		error = door_from_environment(&which);
	if (!error)
		error = door_open_node(door, path);
	if (error)
		return error;
	error = door_choose(door, path, which);
	if (error)
		utw_door_close(door);
	return error;
}

void utw_door_close(struct utw_door *door)
{
	if (door->ops && door->ops->close)
		door->ops->close(door);
	if (door->fd >= 0)
		close(door->fd);
	door->fd = -1;
}

/* That it cannot be asked any more makes no difference: its completion comes in any case. */
void utw_door_cancel(struct utw_door *door, uint64_t user_data)
{
	struct untwist_cancel cancel = { .user_data = user_data };

	utw_device_ioctl(door->fd, UNTWIST_IOC_CANCEL, &cancel);
}
