// SPDX-License-Identifier: MIT
/* The program itself as a device: see untwist/custom_device.h and device-door.h. */
#include <untwist/custom_device.h>

#include <errno.h>
#include <stdio.h>

#include "device-private.h"

/* More than a completion can tell are told as so many: see linux/untwist.h. */
#define LOST_MOST 65535u

static int custom_submit_one(struct utw_custom_device *c, const struct untwist_sqe *sqe)
{
	const struct utw_custom_request req = {
		.id = sqe->user_data,
		.opcode = sqe->opcode,
		.payload_len = sqe->len,
		.arg = { sqe->arg[0], sqe->arg[1] },
		/* It came as a pointer of this very program. */
		/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
		.payload = (void *)(uintptr_t)sqe->addr,
		.timeout = sqe->timeout_ns,
		.multishot = sqe->flags & UNTWIST_SQE_MULTISHOT,
	};

	return c->ops->submit(c, &req);
}

static int custom_submit(struct utw_door *door, const struct untwist_sqe *sqe, uint32_t count)
{
	uint32_t taken;
	int error = 0;

	for (taken = 0; taken < count && !error; taken += !error)
		error = custom_submit_one(door->custom, &sqe[taken]);
	return taken ? (int)taken : error;
}

static void cqe_set(struct untwist_cqe *cqe, const struct utw_custom_completion *completion)
{
	uint32_t lost = completion->lost < LOST_MOST ? completion->lost : LOST_MOST;

	*cqe = (struct untwist_cqe){
		.user_data = completion->id,
		.res = completion->result,
		.flags = completion->more ? UNTWIST_CQE_F_MORE : 0,
		.value = { completion->value[0], completion->value[1] },
	};
	if (lost)
		cqe->flags |= UNTWIST_CQE_F_LOST | lost << UNTWIST_CQE_LOST_SHIFT;
}

static int custom_reap(struct utw_door *door, struct untwist_cqe *cqe, uint32_t count)
{
	struct utw_custom_completion completion;
	struct utw_custom_device *c = door->custom;
	uint32_t got = 0;
	int more = 1;

	while (got < count && more > 0) {
		completion = (struct utw_custom_completion){ .id = 0 };
		more = c->ops->fetch(c, &completion);
		if (more > 0)
			cqe_set(&cqe[got++], &completion);
	}
	/* What comes after the last ones is told in its own time. */
	if (more < 0 && got)
		utw_custom_device_set_ready(c);
	return more < 0 && !got ? more : (int)got;
}

static void custom_cancel(struct utw_door *door, uint64_t user_data)
{
	door->custom->ops->cancel(door->custom, user_data);
}

static void custom_close(struct utw_door *door)
{
	struct utw_custom_device *c = door->custom;

	/* Also after a failure to open, of which it is not to know. */
	if (!c->device)
		return;
	c->device = NULL;
	c->ops->close(c);
}

static const struct utw_door_ops custom_ops = {
	.name = "custom",
	.submit = custom_submit,
	.reap = custom_reap,
	.close = custom_close,
	.cancel = custom_cancel,
};

int utw_custom_device_open(struct utw_device **ret, struct utw_reactor *r,
			   struct utw_custom_device *c, const struct utw_custom_device_ops *ops,
			   const char *name, uint32_t capacity)
{
	struct utw_door door = { .ops = &custom_ops, .fd = -1, .capacity = capacity, .custom = c };
	int error;

	if (!capacity)
		return -EINVAL;
	c->ops = ops;
	c->device = NULL;
	snprintf(door.info.device, sizeof(door.info.device), "%s", name);
	snprintf(door.info.driver, sizeof(door.info.driver), "%s", name);
	error = utw_device_make(ret, r, &door);
	if (!error)
		c->device = *ret;
	return error;
}

void utw_custom_device_set_ready(struct utw_custom_device *c)
{
	if (c->device)
		utw_device_look(c->device);
}
