/* SPDX-License-Identifier: MIT */
/* The timeout policy: see untwist/policy.h. */
#include <stdlib.h>

#include <untwist/failure.h>
#include <untwist/idle.h>
#include <untwist/transport.h>

#include "policy.h"

struct timed {
	struct utw_layer layer; /* first: freed by policy.c */
	struct utw_idle idle;
	uint64_t period;
};

static struct timed *timed_of(struct utw_layer *l)
{
	return utw_container_of(l, struct timed, layer);
}

static void timed_over(struct utw_idle *idle)
{
	struct timed *t = utw_container_of(idle, struct timed, idle);

	utw_layer_lose(&t->layer,
		       utw_failure_new(&utw_domain_reason, UTW_TIMEOUT, "timeout", NULL,
				       "%s: nothing moved for %.3f s",
				       utw_transport_name(t->layer.below.transport),
				       (double)t->period / 1e9));
}

/* Without memory for the timer it is as if the time were over. */
static void timed_begin(struct utw_layer *l)
{
	struct timed *t = timed_of(l);

	if (utw_idle_set(&t->idle, utw_transport_reactor(l->below.transport), t->period, NULL))
		timed_over(&t->idle);
}

static void timed_moved(struct utw_layer *l, const void *data, size_t len)
{
	(void)data;
	(void)len;
	utw_idle_reset(&timed_of(l)->idle);
}

static void timed_lost(struct utw_layer *l, struct utw_failure *reason)
{
	(void)reason;
	if (timed_of(l)->idle.reactor)
		utw_idle_set(&timed_of(l)->idle, timed_of(l)->idle.reactor, UTW_FOREVER, NULL);
}

static void timed_free(struct utw_layer *l)
{
	free(timed_of(l));
}

static const struct utw_layer_ops timed_ops = { .begin = timed_begin,
						.read = timed_moved,
						.written = timed_moved,
						.lost = timed_lost,
						.free = timed_free };

static struct utw_timeout_policy *policy_of(struct utw_factory *f)
{
	return utw_container_of(f, struct utw_timeout_policy, policy.factory);
}

static struct utw_protocol *timeout_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct timed *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	utw_idle_init(&t->idle, timed_over);
	t->period = policy_of(f)->period;
	return utw_policy_build(policy_of(f)->policy.inner, peer, &t->layer, &timed_ops);
}

static const struct utw_factory_ops timeout_ops = { .start = utw_policy_start,
						    .build = timeout_build,
						    .stop = utw_policy_stop,
						    .trouble = utw_policy_trouble };

void utw_timeout_policy_init(struct utw_timeout_policy *p, struct utw_factory *inner,
			     uint64_t period)
{
	utw_policy_init(&p->policy, &timeout_ops, inner);
	p->period = period;
}
