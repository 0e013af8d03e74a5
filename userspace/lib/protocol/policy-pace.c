/* SPDX-License-Identifier: MIT */
/* The pace policy: see untwist/policy.h. */
#include <inttypes.h>
#include <stdlib.h>

#include <untwist/failure.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "base/buffer.h"
#include "policy.h"

struct paced {
	struct utw_layer layer; /* first: freed by policy.c */
	struct utw_timer timer;
	uint64_t period;
	uint64_t in, out; /* what is demanded */
	uint64_t received, written; /* in this period */
	size_t waiting; /* for the peer to take it, at its begin */
};

static struct paced *paced_of(struct utw_layer *l)
{
	return utw_container_of(l, struct paced, layer);
}

/* What the protocol above has left lying is not for the peer to answer for. */
static bool sends_slowly(const struct paced *p)
{
	bool above_is_slow = p->layer.held && !utw_buffer_empty(p->layer.held);

	return p->received < p->in && !above_is_slow && !p->layer.ended;
}

static bool takes_slowly(const struct paced *p)
{
	size_t waiting = utw_transport_queued(p->layer.below.transport);

	return waiting && p->waiting && p->waiting + p->written - waiting < p->out;
}

static void paced_over(struct paced *p, const char *what, uint64_t demanded)
{
	utw_layer_lose(&p->layer,
		       utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "pace", NULL,
				       "%s: %s less than %" PRIu64 " bytes in %.3f s",
				       utw_transport_name(p->layer.below.transport), what, demanded,
				       (double)p->period / 1e9));
}

static void paced_begin(struct utw_layer *l)
{
	struct paced *p = paced_of(l);
	struct utw_transport *below = l->below.transport;

	p->received = 0;
	p->written = 0;
	p->waiting = utw_transport_queued(below);
	/* Without memory for the timer it is as if the time were over. */
	if (utw_timer_start(&p->timer, utw_transport_reactor(below), p->period))
		utw_layer_lose(l,
			       utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "pace", NULL,
					       "%s: no memory for a timer",
					       utw_transport_name(below)));
}

static void paced_due(struct utw_timer *t)
{
	struct paced *p = utw_container_of(t, struct paced, timer);

	if (sends_slowly(p))
		paced_over(p, "sent", p->in);
	else if (takes_slowly(p))
		paced_over(p, "took", p->out);
	else
		paced_begin(&p->layer);
}

static void paced_read(struct utw_layer *l, const void *data, size_t len)
{
	(void)data;
	paced_of(l)->received += len;
}

static void paced_written(struct utw_layer *l, const void *data, size_t len)
{
	(void)data;
	paced_of(l)->written += len;
}

static void paced_lost(struct utw_layer *l, struct utw_failure *reason)
{
	(void)reason;
	utw_timer_cancel(&paced_of(l)->timer);
}

static void paced_free(struct utw_layer *l)
{
	free(paced_of(l));
}

static const struct utw_layer_ops paced_ops = { .begin = paced_begin,
						.read = paced_read,
						.written = paced_written,
						.lost = paced_lost,
						.free = paced_free };

static struct utw_protocol *pace_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_pace_policy *policy =
		utw_container_of(f, struct utw_pace_policy, policy.factory);
	struct paced *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	utw_timer_init(&p->timer, paced_due);
	p->period = policy->period;
	p->in = policy->in;
	p->out = policy->out;
	return utw_policy_build(policy->policy.inner, peer, &p->layer, &paced_ops);
}

static const struct utw_factory_ops pace_ops = { .start = utw_policy_start,
						 .build = pace_build,
						 .stop = utw_policy_stop,
						 .trouble = utw_policy_trouble };

void utw_pace_policy_init(struct utw_pace_policy *p, struct utw_factory *inner, uint64_t period,
			  uint64_t in, uint64_t out)
{
	utw_policy_init(&p->policy, &pace_ops, inner);
	p->period = period;
	p->in = in;
	p->out = out;
}
