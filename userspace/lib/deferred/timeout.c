// SPDX-License-Identifier: MIT
/*
 * Timeouts: a timer that cancels, and a place in the chain that takes the timer
 * away when the result comes by - and renames the failure if it was the timer's doing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <untwist/timer.h>

#include "base/clock.h"
#include "base/list.h"
#include "deferred/deferred-private.h"

struct timeout {
	struct utw_timer timer;
	struct utw_link link; /* among the deferred's, for when it dies unfired */
	struct utw_deferred *deferred;
	uint64_t delay;
	bool expired;
};

static void timeout_free(struct timeout *t)
{
	utw_timer_cancel(&t->timer);
	utw_list_remove(&t->link);
	free(t);
}

void utw_timeouts_release(struct utw_deferred *d)
{
	while (!utw_list_empty(&d->timeouts))
		timeout_free(utw_container_of(utw_list_first(&d->timeouts), struct timeout, link));
}

/* The chain it starts may end this very timeout: only the deferred is held. */
static void timeout_expired(struct utw_timer *timer)
{
	struct timeout *t = utw_container_of(timer, struct timeout, timer);
	struct utw_deferred *d = utw_deferred_ref(t->deferred);

	t->expired = true;
	utw_deferred_cancel(d);
	utw_deferred_unref(d);
}

static struct utw_failure *timeout_failure(const struct timeout *t, struct utw_failure *cause)
{
	return utw_failure_new_at(t->deferred->file, t->deferred->line, &utw_domain_reason,
				  UTW_TIMEOUT, "timeout", utw_failure_ref(cause),
				  "no result within %" PRIu64 ".%03" PRIu64 " s",
				  t->delay / UTW_NSEC_PER_SEC,
				  t->delay % UTW_NSEC_PER_SEC / UTW_NSEC_PER_MSEC);
}

static struct utw_result timeout_settled(void *value, struct utw_failure *failure, void *data)
{
	struct utw_result result = utw_result_pass();
	struct timeout *t = data;

	(void)value;
	if (t->expired && failure && utw_failure_has(failure, &utw_domain_reason, UTW_CANCELLED))
		result = utw_result_fail(timeout_failure(t, failure));
	timeout_free(t);
	return result;
}

int utw_deferred_add_timeout(struct utw_deferred *d, struct utw_reactor *r, uint64_t delay)
{
	struct timeout *t = calloc(1, sizeof(*t));
	struct utw_slot slot = { .kind = UTW_SLOT_BOTH, .both = timeout_settled, .data = t };
	int err;

	if (!t)
		return -ENOMEM;
	t->deferred = d;
	t->delay = delay;
	utw_timer_init(&t->timer, timeout_expired);
	utw_list_append(&d->timeouts, &t->link);
	err = utw_timer_start(&t->timer, r, delay);
	if (err == 0)
		err = utw_deferred_add_slot(d, &slot);
	if (err < 0)
		timeout_free(t);
	return err;
}
