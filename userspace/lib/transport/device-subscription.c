// SPDX-License-Identifier: MIT
/*
 * A request with many answers: see untwist/device.h.
 *
 * What cannot be told at once, because the program has paused or older ones still
 * wait, is in a backlog of fixed size, each completion with how many were lost
 * before it. So a subscription that nobody hears cannot hold up the device's
 * other requests, nor take memory without end.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "device-private.h"

/* A completion that waits, and how many before it were lost. */
struct shot {
	struct utw_completion completion;
	uint32_t lost;
};

struct utw_subscription {
	struct utw_device_call call;
	struct utw_call drain;
	const struct utw_subscriber *subscriber;
	void *data;
	unsigned int refs; /* the request's until it is ended, and one while it calls back */
	bool paused;
	bool cancelled;
	bool over; /* the request has ended; that is told after the backlog */
	bool closing; /* it ended with a completion, which is `last` */
	uint32_t lost; /* since the last one in the backlog */
	struct utw_completion last;
	struct utw_failure *reason;
	uint32_t first;
	uint32_t count;
	struct shot backlog[UTW_SUBSCRIPTION_BACKLOG];
};

static struct utw_subscription *subscription_of(struct utw_device_call *c)
{
	return utw_container_of(c, struct utw_subscription, call);
}

static void subscription_unref(struct utw_subscription *s, unsigned int refs)
{
	s->refs -= refs;
	if (s->refs)
		return;
	utw_failure_unref(s->reason);
	free(s);
}

static void lost_tell(struct utw_subscription *s, uint32_t count)
{
	if (count && !s->cancelled && s->subscriber->lost)
		s->subscriber->lost(s, count, s->data);
}

static void lost_add(uint32_t *lost, uint32_t count)
{
	*lost = count > UINT32_MAX - *lost ? UINT32_MAX : *lost + count;
}

static uint32_t lost_take(struct utw_subscription *s)
{
	uint32_t count = s->lost;

	s->lost = 0;
	return count;
}

static void backlog_put(struct utw_subscription *s, const struct utw_completion *completion)
{
	struct shot *shot;

	if (s->count == UTW_SUBSCRIPTION_BACKLOG) {
		lost_add(&s->lost, 1);
		return;
	}
	shot = &s->backlog[(s->first + s->count++) % UTW_SUBSCRIPTION_BACKLOG];
	shot->completion = *completion;
	shot->lost = lost_take(s);
}

/* The loss is told first; if that pauses, the completion waits and its loss does not any more. */
static void backlog_tell(struct utw_subscription *s)
{
	struct shot *shot = &s->backlog[s->first];
	struct utw_completion completion;

	if (shot->lost) {
		uint32_t lost = shot->lost;

		shot->lost = 0;
		lost_tell(s, lost);
		return;
	}
	completion = shot->completion;
	s->first = (s->first + 1) % UTW_SUBSCRIPTION_BACKLOG;
	s->count--;
	s->subscriber->shot(s, &completion, s->data);
}

/* Returns whether it was told: who hears of a loss may pause, or cancel and so have it told. */
static bool end_tell(struct utw_subscription *s)
{
	lost_tell(s, lost_take(s));
	if (s->paused || !s->over)
		return false;
	s->over = false;
	s->cancelled = true;
	utw_list_remove(&s->call.link);
	s->subscriber->ended(s, s->closing ? &s->last : NULL, s->reason, s->data);
	return true;
}

/* Tell what waits, until the program has had enough. */
static void subscription_go(struct utw_subscription *s)
{
	unsigned int refs = 1;

	s->refs++;
	while (!s->paused && s->count)
		backlog_tell(s);
	if (!s->paused && s->over && end_tell(s))
		refs++;
	subscription_unref(s, refs);
}

static void subscription_drain_due(struct utw_call *call)
{
	subscription_go(utw_container_of(call, struct utw_subscription, drain));
}

static bool subscription_waits(const struct utw_subscription *s)
{
	return s->paused || utw_call_active(&s->drain);
}

static void subscription_advance(struct utw_subscription *s)
{
	if (!subscription_waits(s))
		subscription_go(s);
}

/* Nothing waits any more, and nothing more is told but the end. */
static void subscription_silence(struct utw_subscription *s)
{
	s->cancelled = true;
	s->paused = false;
	s->count = 0;
	utw_call_stop(&s->drain);
}

/*
 * Until its end is told the device knows of it, for it may be closed before. A
 * device that is being closed leaves no later turn to tell it in.
 */
static void subscription_end(struct utw_subscription *s)
{
	s->over = true;
	utw_list_append(&s->call.dev->ended, &s->call.link);
	if (s->call.dev->closed)
		subscription_silence(s);
	subscription_advance(s);
}

static void completion_set(struct utw_completion *completion, const struct untwist_cqe *cqe)
{
	completion->result = cqe->res;
	completion->value[0] = cqe->value[0];
	completion->value[1] = cqe->value[1];
}

static void subscription_shot(struct utw_device_call *c, const struct untwist_cqe *cqe)
{
	struct utw_subscription *s = subscription_of(c);
	struct utw_completion completion;

	if (s->cancelled)
		return;
	completion_set(&completion, cqe);
	backlog_put(s, &completion);
	subscription_advance(s);
}

static void subscription_lost(struct utw_device_call *c, uint32_t count)
{
	lost_add(&subscription_of(c)->lost, count);
}

static void subscription_complete(struct utw_device_call *c, const struct untwist_cqe *cqe)
{
	struct utw_subscription *s = subscription_of(c);

	completion_set(&s->last, cqe);
	s->closing = true;
	subscription_end(s);
}

static void subscription_fail(struct utw_device_call *c, struct utw_failure *failure)
{
	struct utw_subscription *s = subscription_of(c);

	s->reason = failure;
	subscription_end(s);
}

static void subscription_closed(struct utw_device_call *c)
{
	utw_subscription_cancel(subscription_of(c));
}

static const struct utw_device_call_ops subscription_ops = {
	.shot = subscription_shot,
	.lost = subscription_lost,
	.complete = subscription_complete,
	.fail = subscription_fail,
	.closed = subscription_closed,
};

static int refusal_errno(struct utw_failure *refusal)
{
	int error = -ENODEV;

	if (utw_failure_is(refusal, &utw_domain_errno, ENOBUFS))
		error = -ENOBUFS;
	utw_failure_unref(refusal);
	return error;
}

int utw_device_subscribe(struct utw_subscription **ret, struct utw_device *dev,
			 const struct utw_request *req, const struct utw_subscriber *subscriber,
			 void *data)
{
	struct utw_failure *refusal;
	struct utw_subscription *s;

	if (!subscriber->shot || !subscriber->ended)
		return -EINVAL;
	refusal = utw_device_refuses(dev);
	if (refusal)
		return refusal_errno(refusal);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->subscriber = subscriber;
	s->data = data;
	utw_call_init(&s->drain, subscription_drain_due);
	utw_device_call_start(&s->call, dev, req, &subscription_ops);
	s->call.sqe.flags |= UNTWIST_SQE_MULTISHOT;
	*ret = s;
	return 0;
}

void utw_subscription_pause(struct utw_subscription *s)
{
	if (s->cancelled)
		return;
	s->paused = true;
	utw_call_stop(&s->drain);
}

void utw_subscription_resume(struct utw_subscription *s)
{
	if (!s->paused)
		return;
	s->paused = false;
	if (s->count || s->over)
		utw_call_start(&s->drain, s->call.dev->reactor);
}

/* What is over already only has its end to tell, which is due now or in its own callback. */
void utw_subscription_cancel(struct utw_subscription *s)
{
	if (s->cancelled)
		return;
	subscription_silence(s);
	if (s->over) {
		subscription_advance(s);
	} else if (utw_device_call_cancel(&s->call)) {
		s->reason = utw_device_call_cancelled(&s->call);
		subscription_end(s);
	}
}
