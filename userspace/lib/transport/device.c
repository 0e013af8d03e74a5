/* SPDX-License-Identifier: MIT */
/*
 * The request plane of a device node: see untwist/device.h.
 *
 * Every request is a call, in one of two lists: waiting (the kernel does not
 * know it) or issued (it will answer it once, and names it by its address).
 * Whoever fires a call's deferred takes it from its list first. Deferreds run
 * code of the program, which may close the device: after each of them the
 * descriptor tells (-1) whether there is anything left to do.
 */
#include <untwist/device.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <untwist/call.h>
#include <untwist/deferred.h>
#include <untwist/failure.h>
#include <untwist/watch.h>

#include "base/list.h"
#include "device-node.h"

#define SUBMIT_BATCH   256
#define COMPLETE_BATCH 64
/* Batches of completions in one turn of the reactor. */
#define TURN_BATCHES 8

struct utw_device {
	unsigned int refs; /* the owner's, and one while it calls back */
	int fd; /* -1: closed */
	bool refusing; /* the kernel takes no more requests; what it has, it answers */
	struct utw_reactor *reactor;
	struct utw_watch watch;
	struct utw_call submit;
	struct utw_link waiting;
	struct utw_link issued;
	size_t waiting_count;
	size_t issued_count;
	utw_device_gone_fn gone_fn;
	void *gone_data;
	struct untwist_info info;
};

struct call {
	struct utw_link link;
	struct utw_device *dev;
	struct utw_deferred *deferred;
	bool issued;
	struct untwist_sqe sqe;
	struct utw_completion completion;
};

static void device_unref(struct utw_device *dev)
{
	if (--dev->refs == 0)
		free(dev);
}

static void device_schedule(struct utw_device *dev)
{
	if (dev->fd >= 0 && !dev->refusing && !utw_call_active(&dev->submit))
		utw_call_start_at_end(&dev->submit, dev->reactor);
}

/* Take a call from its list; its deferred is returned, with the reference. */
static struct utw_deferred *call_unlink(struct call *c)
{
	utw_list_remove(&c->link);
	if (c->issued)
		c->dev->issued_count--;
	else
		c->dev->waiting_count--;
	return c->deferred;
}

static void call_fail(struct call *c, struct utw_failure *failure)
{
	struct utw_deferred *d = call_unlink(c);

	free(c);
	utw_deferred_errback(d, failure);
	utw_deferred_unref(d);
}

static struct utw_failure *call_cancelled(const struct call *c)
{
	return utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "request",
			       utw_failure_from_errno(-ECANCELED, "request", "%s",
						      c->dev->info.device),
			       "%s: opcode %u", c->dev->info.device, c->sqe.opcode);
}

static struct utw_failure *device_gone(const struct utw_device *dev)
{
	return utw_failure_new(&utw_domain_reason, UTW_GONE, "request",
			       utw_failure_from_errno(-ENODEV, "request", "%s", dev->info.device),
			       "%s", dev->info.device);
}

static void call_fail_errno(struct call *c, int error)
{
	if (error == -ENODEV)
		call_fail(c, device_gone(c->dev));
	else if (error == -ECANCELED)
		call_fail(c, call_cancelled(c));
	else
		call_fail(c,
			  utw_failure_from_errno(error, "request", "%s: opcode %u",
						 c->dev->info.device, c->sqe.opcode));
}

static void completion_free(void *ptr)
{
	free(utw_container_of(ptr, struct call, completion));
}

static void call_complete(struct call *c, const struct untwist_cqe *cqe)
{
	struct utw_deferred *d;

	if (cqe->res < 0) {
		call_fail_errno(c, cqe->res);
		return;
	}
	d = call_unlink(c);
	c->completion.result = cqe->res;
	c->completion.value[0] = cqe->value[0];
	c->completion.value[1] = cqe->value[1];
	utw_deferred_callback_owned(d, &c->completion, completion_free);
	utw_deferred_unref(d);
}

/*
 * The kernel may write to the payload until it has answered, so what it has
 * is only asked to end; that it cannot be asked any more makes no difference.
 */
static enum utw_cancel call_cancel(struct utw_deferred *d, void *data)
{
	struct call *c = data;
	struct untwist_cancel cancel = { .user_data = c->sqe.user_data };

	(void)d;
	if (c->issued) {
		utw_device_ioctl(c->dev->fd, UNTWIST_IOC_CANCEL, &cancel);
		return UTW_CANCEL_LATER;
	}
	utw_deferred_unref(call_unlink(c));
	free(c);
	return UTW_CANCEL_NOW;
}

/* Each failing deferred may cancel others, or close the device: look at the lists anew. */
static void device_fail_all(struct utw_device *dev,
			    struct utw_failure *(*failure)(const struct call *c))
{
	struct utw_link *link;

	while (!utw_list_empty(&dev->issued) || !utw_list_empty(&dev->waiting)) {
		struct call *c;

		link = utw_list_empty(&dev->issued) ? dev->waiting.next : dev->issued.next;
		c = utw_container_of(link, struct call, link);
		call_fail(c, failure(c));
	}
}

static struct utw_failure *call_gone(const struct call *c)
{
	return device_gone(c->dev);
}

static void device_lose(struct utw_device *dev)
{
	struct utw_failure *reason;

	dev->refusing = true;
	utw_watch_stop(&dev->watch);
	utw_call_stop(&dev->submit);
	device_fail_all(dev, call_gone);
	if (dev->fd < 0 || !dev->gone_fn)
		return;
	reason = device_gone(dev);
	dev->gone_fn(dev, reason, dev->gone_data);
	utw_failure_unref(reason);
}

static int device_complete(struct utw_device *dev, const struct untwist_cqe *cqe, size_t count)
{
	for (size_t i = 0; i < count && dev->fd >= 0; i++) {
		/* The kernel returns what it was given: the address of an issued call. */
		/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
		struct call *c = (struct call *)(uintptr_t)cqe[i].user_data;

		call_complete(c, &cqe[i]);
	}
	return dev->fd >= 0;
}

/* Returns how many answers were read, 0 for none now, or -errno. */
static ssize_t device_reap(struct utw_device *dev, struct untwist_cqe *cqe, size_t size)
{
	ssize_t got;

	do {
		got = read(dev->fd, cqe, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	return got ? got / (ssize_t)sizeof(*cqe) : -ENODEV;
}

static void device_reap_all(struct utw_device *dev, bool hangup)
{
	struct untwist_cqe cqe[COMPLETE_BATCH];
	ssize_t got = 0;

	for (int i = 0; i < TURN_BATCHES; i++) {
		got = device_reap(dev, cqe, sizeof(cqe));
		if (got <= 0)
			break;
		if (!device_complete(dev, cqe, (size_t)got))
			return;
		if (got < COMPLETE_BATCH && !hangup)
			break;
	}
	if (got < 0 || (got == 0 && hangup))
		device_lose(dev);
}

static void device_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_device *dev = utw_container_of(w, struct utw_device, watch);

	dev->refs++;
	if (events & EPOLLOUT)
		utw_watch_set_events(&dev->watch, EPOLLIN);
	device_reap_all(dev, events & (EPOLLHUP | EPOLLERR));
	if (dev->waiting_count)
		device_schedule(dev);
	device_unref(dev);
}

static uint32_t submit_fill(struct utw_device *dev, struct untwist_sqe *sqe)
{
	struct utw_link *link;
	uint32_t count = 0;

	for (link = dev->waiting.next; link != &dev->waiting; link = link->next) {
		if (count == SUBMIT_BATCH || dev->issued_count + count >= dev->info.requests_max)
			break;
		sqe[count++] = utw_container_of(link, struct call, link)->sqe;
	}
	return count;
}

static void submit_taken(struct utw_device *dev, int count)
{
	for (int i = 0; i < count; i++) {
		struct utw_link *link = utw_list_pop(&dev->waiting);

		utw_container_of(link, struct call, link)->issued = true;
		utw_list_append(&dev->issued, link);
	}
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
	while (!utw_list_empty(&dev->waiting)) {
		struct call *c = utw_container_of(dev->waiting.next, struct call, link);

		call_fail(c, device_gone(dev));
	}
}

/* The kernel did not take the first that waits. Is there a point in going on? */
static bool submit_refused(struct utw_device *dev, int error)
{
	switch (error) {
	case -EAGAIN:
		utw_watch_set_events(&dev->watch, EPOLLIN | EPOLLOUT);
		return false;
	case -ENODEV:
		device_refuse(dev);
		return false;
	}
	call_fail_errno(utw_container_of(dev->waiting.next, struct call, link), error);
	return dev->fd >= 0;
}

static bool submit_batch(struct utw_device *dev)
{
	struct untwist_sqe sqe[SUBMIT_BATCH];
	struct untwist_submit submit = { .entry_size = sizeof(sqe[0]) };
	int taken;

	submit.count = submit_fill(dev, sqe);
	if (!submit.count)
		return false;
	submit.entries = (uintptr_t)sqe;
	taken = utw_device_ioctl(dev->fd, UNTWIST_IOC_SUBMIT, &submit);
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
	device_unref(dev);
}

static struct utw_failure *device_refuses(const struct utw_device *dev)
{
	if (dev->refusing)
		return device_gone(dev);
	if (dev->fd < 0)
		return utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "request", NULL,
				       "%s is closed", dev->info.device);
	if (dev->waiting_count >= UTW_DEVICE_BACKLOG)
		return utw_failure_from_errno(-ENOBUFS, "request", "%s: %zu requests wait already",
					      dev->info.device, dev->waiting_count);
	return NULL;
}

static struct call *call_new(struct utw_device *dev, const struct utw_request *req)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->deferred = utw_deferred_new();
	if (!c->deferred) {
		free(c);
		return NULL;
	}
	c->dev = dev;
	c->sqe.user_data = (uintptr_t)c;
	c->sqe.opcode = req->opcode;
	c->sqe.addr = (uintptr_t)req->payload;
	c->sqe.len = req->payload_len;
	c->sqe.arg[0] = req->arg[0];
	c->sqe.arg[1] = req->arg[1];
	utw_deferred_set_canceller(c->deferred, call_cancel, c);
	return c;
}

struct utw_deferred *utw_device_submit(struct utw_device *dev, const struct utw_request *req)
{
	struct utw_failure *refusal = device_refuses(dev);
	struct call *c;

	if (refusal)
		return utw_deferred_fail(refusal);
	c = call_new(dev, req);
	if (!c)
		return NULL;
	utw_list_append(&dev->waiting, &c->link);
	dev->waiting_count++;
	device_schedule(dev);
	return utw_deferred_ref(c->deferred);
}

int utw_device_open(struct utw_device **ret, struct utw_reactor *r, const char *path)
{
	struct utw_device *dev = calloc(1, sizeof(*dev));
	int error;

	if (!dev)
		return -ENOMEM;
	dev->refs = 1;
	dev->reactor = r;
	utw_list_init(&dev->waiting);
	utw_list_init(&dev->issued);
	utw_watch_init(&dev->watch, device_ready);
	utw_call_init(&dev->submit, device_submit_due);
	dev->fd = utw_device_node_open(path, UNTWIST_PLANE_COMPLETIONS, &dev->info);
	error = dev->fd < 0 ? dev->fd : utw_watch_start(&dev->watch, r, dev->fd, EPOLLIN);
	if (error) {
		if (dev->fd >= 0)
			close(dev->fd);
		free(dev);
		return error;
	}
	*ret = dev;
	return 0;
}

void utw_device_close(struct utw_device *dev)
{
	if (!dev || dev->fd < 0)
		return;
	utw_watch_stop(&dev->watch);
	utw_call_stop(&dev->submit);
	close(dev->fd);
	dev->fd = -1;
	device_fail_all(dev, call_cancelled);
	device_unref(dev);
}

size_t utw_device_pending(const struct utw_device *dev)
{
	return dev->waiting_count + dev->issued_count;
}

size_t utw_device_capacity(const struct utw_device *dev)
{
	return dev->info.requests_max;
}

const char *utw_device_name(const struct utw_device *dev)
{
	return dev->info.device;
}

const char *utw_device_driver(const struct utw_device *dev)
{
	return dev->info.driver;
}

void utw_device_set_gone(struct utw_device *dev, utw_device_gone_fn fn, void *data)
{
	dev->gone_fn = fn;
	dev->gone_data = data;
}
