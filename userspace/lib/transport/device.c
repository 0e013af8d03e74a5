// SPDX-License-Identifier: MIT
/*
 * The request plane of a device node: calls on their way to the kernel and back,
 * through one of its doors. See untwist/device.h and device-private.h.
 */
#include "device-private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/list.h"

#define SUBMIT_BATCH   256
#define COMPLETE_BATCH 64
/* Batches of completions in one turn of the reactor. */
#define TURN_BATCHES 8

static void device_unref(struct utw_device *dev)
{
	if (--dev->refs == 0)
		free(dev);
}

static void device_schedule(struct utw_device *dev)
{
	if (!dev->closed && !dev->refusing && !utw_call_active(&dev->submit))
		utw_call_start_at_end(&dev->submit, dev->reactor);
}

static struct utw_device_call *call_of(struct utw_link *link)
{
	return utw_container_of(link, struct utw_device_call, link);
}

static void call_unlink(struct utw_device_call *c)
{
	struct utw_device *dev = c->dev;

	utw_list_remove(&c->link);
	if (c->issued)
		dev->issued_count--;
	else
		dev->waiting_count--;
	utw_arena_release(&dev->door.arena, c->place);
	c->place = UTW_ARENA_NONE;
}

static void call_fail(struct utw_device_call *c, struct utw_failure *failure)
{
	call_unlink(c);
	c->ops->fail(c, failure);
}

static struct utw_failure *call_reason(const struct utw_device_call *c, int reason, int error)
{
	const char *name = c->dev->door.info.device;

	return utw_failure_new(&utw_domain_reason, reason, "request",
			       utw_failure_from_errno(error, "request", "%s", name),
			       "%s: opcode %u", name, c->sqe.opcode);
}

struct utw_failure *utw_device_call_cancelled(const struct utw_device_call *c)
{
	return call_reason(c, UTW_CANCELLED, -ECANCELED);
}

static struct utw_failure *device_gone(const struct utw_device *dev)
{
	const char *name = dev->door.info.device;

	return utw_failure_new(&utw_domain_reason, UTW_GONE, "request",
			       utw_failure_from_errno(-ENODEV, "request", "%s", name), "%s", name);
}

static struct utw_failure *call_error(const struct utw_device_call *c, int error)
{
	switch (error) {
	case -ENODEV:
		return device_gone(c->dev);
	case -ECANCELED:
		return utw_device_call_cancelled(c);
	case -ETIME:
		return call_reason(c, UTW_TIMEOUT, error);
	}
	return utw_failure_from_errno(error, "request", "%s: opcode %u", c->dev->door.info.device,
				      c->sqe.opcode);
}

/*
 * The last completion. What is in the arena comes home, whatever the result: a driver
 * that uses payloads in place may have written before it failed, and one that does
 * not has left there what was put.
 */
static void call_end(struct utw_device_call *c, const struct untwist_cqe *cqe)
{
	if (c->place != UTW_ARENA_NONE)
		utw_arena_get(&c->dev->door.arena, c->place, c->payload, c->sqe.len);
	if (cqe->res < 0) {
		call_fail(c, call_error(c, cqe->res));
		return;
	}
	call_unlink(c);
	c->ops->complete(c, cqe);
}

static void call_complete(struct utw_device_call *c, const struct untwist_cqe *cqe)
{
	if (cqe->flags & UNTWIST_CQE_F_LOST && c->ops->lost)
		c->ops->lost(c, cqe->flags >> UNTWIST_CQE_LOST_SHIFT);
	if (!(cqe->flags & UNTWIST_CQE_F_MORE))
		call_end(c, cqe);
	else if (c->ops->shot)
		c->ops->shot(c, cqe);
}

bool utw_device_call_cancel(struct utw_device_call *c)
{
	if (c->issued) {
		c->dev->door.ops->cancel(&c->dev->door, c->sqe.user_data);
		return false;
	}
	call_unlink(c);
	return true;
}

/* Each failing call may cancel others, or close the device: look at the lists anew. */
static void device_fail_all(struct utw_device *dev, int error)
{
	while (!utw_list_empty(&dev->issued) || !utw_list_empty(&dev->waiting)) {
		struct utw_link *link = utw_list_first(&dev->issued);

		if (utw_list_empty(&dev->issued))
			link = utw_list_first(&dev->waiting);
		call_fail(call_of(link), call_error(call_of(link), error));
	}
}

static void device_stop(struct utw_device *dev)
{
	utw_watch_stop(&dev->watch);
	utw_call_stop(&dev->submit);
	utw_call_stop(&dev->reap);
}

static void device_lose(struct utw_device *dev)
{
	struct utw_failure *reason;

	dev->refusing = true;
	dev->gone = true;
	device_stop(dev);
	device_fail_all(dev, -ENODEV);
	if (dev->closed || !dev->gone_fn)
		return;
	reason = device_gone(dev);
	dev->gone_fn(dev, reason, dev->gone_data);
	utw_failure_unref(reason);
}

static bool device_complete(struct utw_device *dev, const struct untwist_cqe *cqe, int count)
{
	for (int i = 0; i < count && !dev->closed; i++) {
		/* The kernel returns what it was given: the address of an issued call. */
		/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
		call_complete((struct utw_device_call *)(uintptr_t)cqe[i].user_data, &cqe[i]);
	}
	return !dev->closed;
}

/*
 * Returns whether there were any. What one turn leaves is for the next, without a
 * look at the node: one that has not been woken for may not be told of.
 */
static bool device_reap_all(struct utw_device *dev, bool hangup)
{
	struct untwist_cqe cqe[COMPLETE_BATCH];
	bool any = false;
	int got;

	for (int i = 0; i < TURN_BATCHES; i++) {
		got = dev->door.ops->reap(&dev->door, cqe, COMPLETE_BATCH);
		if (got < 0 || (got == 0 && hangup)) {
			device_lose(dev);
			return false;
		}
		any |= got > 0;
		if (!device_complete(dev, cqe, got))
			return false;
		if (got < COMPLETE_BATCH && !hangup)
			return any;
	}
	utw_device_look(dev);
	return any;
}

/* `room`: there may be some in the kernel, be it for what is reaped or otherwise. */
static void device_reap(struct utw_device *dev, bool hangup, bool room)
{
	dev->refs++;
	room |= device_reap_all(dev, hangup);
	if (room && dev->waiting_count)
		device_schedule(dev);
	device_unref(dev);
}

static void device_reap_due(struct utw_call *call)
{
	device_reap(utw_container_of(call, struct utw_device, reap), false, true);
}

static void device_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_device *dev = utw_container_of(w, struct utw_device, watch);

	if (events & EPOLLOUT)
		utw_watch_set_events(&dev->watch, EPOLLIN);
	device_reap(dev, events & (EPOLLHUP | EPOLLERR), events & EPOLLOUT);
}

/* Once only: what the kernel did not take is tried again as it is. */
static void call_stage(struct utw_device_call *c)
{
	if (c->place != UTW_ARENA_NONE)
		return;
	c->place = utw_arena_put(&c->dev->door.arena, c->payload, c->sqe.len);
	if (c->place == UTW_ARENA_NONE)
		return;
	c->sqe.flags |= UNTWIST_SQE_ARENA;
	c->sqe.addr = c->place;
}

static uint32_t submit_fill(struct utw_device *dev, struct untwist_sqe *sqe)
{
	struct utw_link *link;
	uint32_t count = 0;

	for (link = utw_list_first(&dev->waiting); link != &dev->waiting; link = link->next) {
		if (count == SUBMIT_BATCH || dev->issued_count + count >= dev->door.capacity)
			break;
		call_stage(call_of(link));
		sqe[count++] = call_of(link)->sqe;
	}
	return count;
}

static void submit_taken(struct utw_device *dev, int count)
{
	struct utw_link *last = &dev->waiting;

	for (int i = 0; i < count; i++) {
		last = last->next;
		call_of(last)->issued = true;
	}
	utw_list_splice_until(&dev->issued, &dev->waiting, last);
	dev->waiting_count -= (size_t)count;
	dev->issued_count += (size_t)count;
}

/*
 * The device is going. What the kernel has not taken fails now; what it has is
 * still answered, and the end is told by a hangup after the last answer.
 */
static void device_refuse(struct utw_device *dev)
{
	dev->refusing = true;
	while (!utw_list_empty(&dev->waiting))
		call_fail(call_of(utw_list_first(&dev->waiting)), device_gone(dev));
}

/* The kernel did not take the first that waits. Is there a point in going on? */
static bool submit_refused(struct utw_device *dev, int error)
{
	struct utw_device_call *first = call_of(utw_list_first(&dev->waiting));

	switch (error) {
	case -EAGAIN:
		if (utw_watch_active(&dev->watch))
			utw_watch_set_events(&dev->watch, EPOLLIN | EPOLLOUT);
		return false;
	case -ENODEV:
		device_refuse(dev);
		return false;
	}
	call_fail(first, call_error(first, error));
	return !dev->closed;
}

static bool submit_batch(struct utw_device *dev)
{
	struct untwist_sqe sqe[SUBMIT_BATCH];
	uint32_t count = submit_fill(dev, sqe);
	int taken;

	if (!count)
		return false;
	taken = dev->door.ops->submit(&dev->door, sqe, count);
	if (taken <= 0)
		return submit_refused(dev, taken ? taken : -EAGAIN);
	submit_taken(dev, taken);
	return true;
}

static void device_submit_due(struct utw_call *call)
{
	struct utw_device *dev = utw_container_of(call, struct utw_device, submit);

	dev->refs++;
	while (submit_batch(dev))
		;
	if (dev->door.ops->reap_is_free && !dev->closed)
		device_reap(dev, false, false);
	device_unref(dev);
}

struct utw_failure *utw_device_refuses(const struct utw_device *dev)
{
	if (dev->refusing)
		return device_gone(dev);
	if (dev->closed)
		return utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "request", NULL,
				       "%s is closed", dev->door.info.device);
	if (dev->waiting_count >= UTW_DEVICE_BACKLOG)
		return utw_failure_from_errno(-ENOBUFS, "request", "%s: %zu requests wait already",
					      dev->door.info.device, dev->waiting_count);
	return NULL;
}

void utw_device_call_start(struct utw_device_call *c, struct utw_device *dev,
			   const struct utw_request *req, const struct utw_device_call_ops *ops)
{
	c->ops = ops;
	c->dev = dev;
	c->payload = req->payload;
	c->place = UTW_ARENA_NONE;
	c->issued = false;
	c->sqe = (struct untwist_sqe){
		.user_data = (uintptr_t)c,
		.opcode = req->opcode,
		.addr = (uintptr_t)req->payload,
		.len = req->payload_len,
		.arg = { req->arg[0], req->arg[1] },
		.timeout_ns = req->timeout,
	};
	utw_list_append(&dev->waiting, &c->link);
	dev->waiting_count++;
	device_schedule(dev);
}

int utw_device_make(struct utw_device **ret, struct utw_reactor *r, struct utw_door *door)
{
	struct utw_device *dev = calloc(1, sizeof(*dev));
	int error = dev ? 0 : -ENOMEM;

	if (!error) {
		dev->refs = 1;
		dev->reactor = r;
		dev->door = *door;
		utw_list_init(&dev->waiting);
		utw_list_init(&dev->issued);
		utw_list_init(&dev->ended);
		utw_watch_init(&dev->watch, device_ready);
		utw_call_init(&dev->submit, device_submit_due);
		utw_call_init(&dev->reap, device_reap_due);
	}
	if (!error && door->fd >= 0)
		error = utw_watch_start(&dev->watch, r, door->fd, EPOLLIN);
	if (error) {
		utw_door_close(door);
		free(dev);
		return error;
	}
	*ret = dev;
	return 0;
}

void utw_device_look(struct utw_device *dev)
{
	if (!dev->closed && !dev->gone && !utw_call_active(&dev->reap))
		utw_call_start(&dev->reap, dev->reactor);
}

int utw_device_open_door(struct utw_device **ret, struct utw_reactor *r, const char *path,
			 enum utw_device_door which)
{
	struct utw_door door;
	int error = utw_door_open(&door, path, which);

	return error ? error : utw_device_make(ret, r, &door);
}

int utw_device_open(struct utw_device **ret, struct utw_reactor *r, const char *path)
{
	return utw_device_open_door(ret, r, path, UTW_DEVICE_DOOR_ANY);
}

void utw_device_close(struct utw_device *dev)
{
	if (!dev || dev->closed)
		return;
	dev->closed = true;
	device_stop(dev);
	utw_door_close(&dev->door);
	device_fail_all(dev, -ECANCELED);
	while (!utw_list_empty(&dev->ended))
		call_of(utw_list_first(&dev->ended))
			->ops->closed(call_of(utw_list_first(&dev->ended)));
	device_unref(dev);
}

size_t utw_device_pending(const struct utw_device *dev)
{
	return dev->waiting_count + dev->issued_count;
}

size_t utw_device_capacity(const struct utw_device *dev)
{
	return dev->door.capacity;
}

const char *utw_device_name(const struct utw_device *dev)
{
	return dev->door.info.device;
}

const char *utw_device_driver(const struct utw_device *dev)
{
	return dev->door.info.driver;
}

int utw_device_door_refusal(const struct utw_device *dev)
{
	return dev->door.refusal;
}

const char *utw_device_door_name(const struct utw_device *dev)
{
	return dev->door.ops->name;
}

void utw_device_set_gone(struct utw_device *dev, utw_device_gone_fn fn, void *data)
{
	dev->gone_fn = fn;
	dev->gone_data = data;
}
