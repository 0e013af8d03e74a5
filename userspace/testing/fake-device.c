/* SPDX-License-Identifier: MIT */
/*
 * Fake device: see untwist/testing/fake_device.h.
 *
 * Each request has the memory of its last completion from the start, so that
 * completing it cannot fail; so does a real device.
 */
#include <untwist/testing/fake_device.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A completion that the program has not fetched. */
struct utw_fake_completion {
	struct utw_fake_completion *next;
	struct utw_custom_completion told;
};

static struct utw_fake_device *device_of(struct utw_custom_device *c)
{
	return utw_container_of(c, struct utw_fake_device, custom);
}

static void ready_add(struct utw_fake_device *f, struct utw_fake_completion *completion)
{
	completion->next = NULL;
	*f->ready_end = completion;
	f->ready_end = &completion->next;
	utw_custom_device_set_ready(&f->custom);
}

static void completion_set(struct utw_fake_completion *completion, struct utw_fake_request *req,
			   int32_t result, uint64_t value0, uint64_t value1)
{
	completion->told = (struct utw_custom_completion){
		.id = req->id,
		.result = result,
		.lost = req->lost,
		.value = { value0, value1 },
	};
	req->lost = 0;
}

/* Requests. */

/* Out of the device's list and without timers; the memory stays. */
static void request_unlink(struct utw_fake_request *req)
{
	struct utw_fake_device *f = req->device;
	struct utw_fake_request **at = &f->first;

	while (*at != req)
		at = &(*at)->next;
	*at = req->next;
	f->held--;
	utw_timer_cancel(&req->deadline);
	utw_timer_cancel(&req->timer);
}

static void request_free(struct utw_fake_request *req)
{
	free(req->last);
	free(req);
}

static void request_timed_out(struct utw_timer *t)
{
	struct utw_fake_request *req = utw_container_of(t, struct utw_fake_request, deadline);

	if (!req->device->deaf)
		utw_fake_request_complete(req, -ETIME, 0, 0);
}

static void request_timer_due(struct utw_timer *t)
{
	struct utw_fake_request *req = utw_container_of(t, struct utw_fake_request, timer);

	req->fn(req, req->data);
}

static struct utw_fake_request *request_new(struct utw_fake_device *f,
					    const struct utw_custom_request *from)
{
	struct utw_fake_request *req = calloc(1, sizeof(*req));

	if (!req)
		return NULL;
	req->last = malloc(sizeof(*req->last));
	if (!req->last) {
		free(req);
		return NULL;
	}
	req->opcode = from->opcode;
	req->payload_len = from->payload_len;
	req->arg[0] = from->arg[0];
	req->arg[1] = from->arg[1];
	req->payload = from->payload;
	req->timeout = from->timeout;
	req->multishot = from->multishot;
	req->id = from->id;
	req->device = f;
	utw_timer_init(&req->deadline, request_timed_out);
	utw_timer_init(&req->timer, request_timer_due);
	return req;
}

static void request_append(struct utw_fake_device *f, struct utw_fake_request *req)
{
	struct utw_fake_request **at = &f->first;

	while (*at)
		at = &(*at)->next;
	*at = req;
	f->held++;
	f->submitted++;
}

/* What the library asks of the device. */

static int fake_refusal(struct utw_fake_device *f)
{
	if (f->unplugged)
		return -ENODEV;
	if (f->held >= f->room) {
		f->full = true;
		return -EAGAIN;
	}
	if (f->refuse_at && --f->refuse_at == 0)
		return f->refuse_error;
	return 0;
}

static int fake_submit(struct utw_custom_device *c, const struct utw_custom_request *from)
{
	struct utw_fake_device *f = device_of(c);
	int error = fake_refusal(f);
	struct utw_fake_request *req;

	if (error)
		return error;
	req = request_new(f, from);
	if (!req)
		return -ENOMEM;
	if (req->timeout)
		error = utw_timer_start(&req->deadline, f->reactor, req->timeout);
	if (error) {
		request_free(req);
		return error;
	}
	request_append(f, req);
	if (f->handler)
		f->handler(req, f->handler_data);
	return 0;
}

static int fake_fetch(struct utw_custom_device *c, struct utw_custom_completion *told)
{
	struct utw_fake_device *f = device_of(c);
	struct utw_fake_completion *completion = f->ready;

	if (!completion)
		return f->unplugged ? -ENODEV : 0;
	f->ready = completion->next;
	if (!f->ready)
		f->ready_end = &f->ready;
	*told = completion->told;
	free(completion);
	return 1;
}

static void fake_cancel(struct utw_custom_device *c, uint64_t id)
{
	struct utw_fake_device *f = device_of(c);
	struct utw_fake_request *req = f->first;

	while (req && req->id != id)
		req = req->next;
	f->cancels++;
	if (!req)
		return;
	req->cancelled = true;
	if (!f->deaf)
		utw_fake_request_complete(req, -ECANCELED, 0, 0);
}

static void fake_forget(struct utw_fake_device *f)
{
	struct utw_custom_completion told;

	while (f->first) {
		struct utw_fake_request *req = f->first;

		request_unlink(req);
		request_free(req);
	}
	while (fake_fetch(&f->custom, &told) > 0)
		;
}

static void fake_close(struct utw_custom_device *c)
{
	device_of(c)->closed = true;
	fake_forget(device_of(c));
}

static const struct utw_custom_device_ops fake_ops = {
	.submit = fake_submit,
	.fetch = fake_fetch,
	.cancel = fake_cancel,
	.close = fake_close,
};

int utw_fake_device_open(struct utw_fake_device *f, struct utw_device **ret, struct utw_reactor *r)
{
	memset(f, 0, sizeof(*f));
	f->reactor = r;
	f->ready_end = &f->ready;
	f->room = UTW_FAKE_DEVICE_CAPACITY;
	return utw_custom_device_open(ret, r, &f->custom, &fake_ops, "fake",
				      UTW_FAKE_DEVICE_CAPACITY);
}

void utw_fake_device_release(struct utw_fake_device *f)
{
	fake_forget(f);
}

/* What the test has it do. */

void utw_fake_device_set_handler(struct utw_fake_device *f, utw_fake_device_fn fn, void *data)
{
	f->handler = fn;
	f->handler_data = data;
}

struct utw_fake_request *utw_fake_device_first(struct utw_fake_device *f)
{
	return f->first;
}

/* Who was turned away looks again. */
static void fake_room_made(struct utw_fake_device *f)
{
	if (!f->full || f->held >= f->room)
		return;
	f->full = false;
	utw_custom_device_set_ready(&f->custom);
}

void utw_fake_request_complete(struct utw_fake_request *req, int32_t result, uint64_t value0,
			       uint64_t value1)
{
	struct utw_fake_device *f = req->device;

	completion_set(req->last, req, result, value0, value1);
	ready_add(f, req->last);
	req->last = NULL;
	request_unlink(req);
	request_free(req);
	fake_room_made(f);
}

int utw_fake_request_post(struct utw_fake_request *req, int32_t result, uint64_t value0,
			  uint64_t value1)
{
	struct utw_fake_completion *completion;

	if (!req->multishot)
		return -EINVAL;
	completion = malloc(sizeof(*completion));
	if (!completion) {
		utw_fake_request_lose(req, 1);
		return -ENOMEM;
	}
	completion_set(completion, req, result, value0, value1);
	completion->told.more = true;
	ready_add(req->device, completion);
	return 0;
}

void utw_fake_request_lose(struct utw_fake_request *req, uint32_t count)
{
	req->lost += count;
}

int utw_fake_request_after(struct utw_fake_request *req, uint64_t delay, utw_fake_device_fn fn,
			   void *data)
{
	req->fn = fn;
	req->data = data;
	utw_timer_cancel(&req->timer);
	return utw_timer_start(&req->timer, req->device->reactor, delay);
}

void utw_fake_device_set_room(struct utw_fake_device *f, unsigned int room)
{
	f->room = room;
	fake_room_made(f);
}

void utw_fake_device_refuse(struct utw_fake_device *f, unsigned int nth, int error)
{
	f->refuse_at = nth;
	f->refuse_error = error;
}

void utw_fake_device_set_deaf(struct utw_fake_device *f, bool deaf)
{
	f->deaf = deaf;
}

void utw_fake_device_unplug(struct utw_fake_device *f)
{
	f->unplugged = true;
	while (f->first)
		utw_fake_request_complete(f->first, -ENODEV, 0, 0);
	utw_custom_device_set_ready(&f->custom);
}
