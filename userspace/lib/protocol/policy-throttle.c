/* SPDX-License-Identifier: MIT */
/*
 * The throttle policy: see untwist/policy.h.
 *
 * A bucket for each direction fills with time. What moves is taken from it
 * afterwards, so it may be overdrawn by a record; nothing more moves until it
 * has recovered. One timer, for as long as a bucket is empty, tells all layers.
 */
#include <stdlib.h>

#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "base/clock.h"
#include "base/list.h"
#include "policy.h"

/* A burst, and the pace at which waiting layers are asked again: a tenth of a second. */
#define PACE (UTW_NSEC_PER_SEC / 10)

struct throttled {
	struct utw_layer layer; /* first: freed by policy.c */
	struct utw_link link;
	struct utw_throttle_policy *policy;
	struct utw_reactor *reactor;
};

static struct throttled *throttled_of(struct utw_layer *l)
{
	return utw_container_of(l, struct throttled, layer);
}

static int64_t bucket_burst(const struct utw_throttle_bucket *b)
{
	return b->rate < 10 ? 1 : (int64_t)(b->rate / 10);
}

/* What comes in some time, in whole bytes; the product may have more than 64 bits. */
static uint64_t bytes_in(uint64_t time, uint64_t rate)
{
	uint64_t rest = time % UTW_NSEC_PER_SEC;
	uint64_t bytes;

	if (__builtin_mul_overflow(time / UTW_NSEC_PER_SEC, rate, &bytes))
		return UINT64_MAX;
	rest = rest * (rate / UTW_NSEC_PER_SEC) +
		rest * (rate % UTW_NSEC_PER_SEC) / UTW_NSEC_PER_SEC;
	return bytes > UINT64_MAX - rest ? UINT64_MAX : bytes + rest;
}

/* In which time so many bytes come, rounded down. */
static uint64_t time_of(uint64_t bytes, uint64_t rate)
{
	uint64_t rest = bytes % rate;

	/* At such rates a nanosecond has many bytes, and the rounding is below one. */
	if (rate > UINT64_MAX / UTW_NSEC_PER_SEC)
		rest /= rate / UTW_NSEC_PER_SEC;
	else
		rest = rest * UTW_NSEC_PER_SEC / rate;
	return bytes / rate * UTW_NSEC_PER_SEC + rest;
}

/* Whole bytes only: the rest of the time counts the next time. */
static void bucket_fill(struct utw_throttle_bucket *b, uint64_t now)
{
	uint64_t bytes = bytes_in(now - b->last, b->rate);
	int64_t burst = bucket_burst(b);

	if (!bytes)
		return;
	if (bytes > (uint64_t)(burst - b->level)) {
		b->level = burst;
		b->last = now;
		return;
	}
	b->level += (int64_t)bytes;
	b->last += time_of(bytes, b->rate);
}

static size_t bucket_allows(struct throttled *t, struct utw_throttle_bucket *b)
{
	struct utw_throttle_policy *p = t->policy;

	if (!b->rate)
		return SIZE_MAX;
	bucket_fill(b, utw_reactor_now(t->reactor));
	if (b->level > 0)
		return (size_t)b->level;
	/* Without memory for the timer it is better not to limit than to stop. */
	if (!utw_timer_active(&p->timer) && utw_timer_start(&p->timer, t->reactor, PACE))
		return SIZE_MAX;
	return 0;
}

static void throttle_expired(struct utw_timer *timer)
{
	struct utw_throttle_policy *p = utw_container_of(timer, struct utw_throttle_policy, timer);
	struct utw_link *link;

	/* The first may take it all: each is first in its turn. */
	link = utw_list_pop(&p->layers);
	utw_list_append(&p->layers, link);
	for (link = utw_list_first(&p->layers); link != &p->layers; link = link->next)
		utw_layer_update(&utw_container_of(link, struct throttled, link)->layer);
}

static size_t throttled_may_read(struct utw_layer *l)
{
	return bucket_allows(throttled_of(l), &throttled_of(l)->policy->in);
}

static size_t throttled_may_write(struct utw_layer *l)
{
	return bucket_allows(throttled_of(l), &throttled_of(l)->policy->out);
}

static void throttled_read(struct utw_layer *l, const void *data, size_t len)
{
	(void)data;
	throttled_of(l)->policy->in.level -= (int64_t)len;
}

static void throttled_written(struct utw_layer *l, const void *data, size_t len)
{
	(void)data;
	throttled_of(l)->policy->out.level -= (int64_t)len;
}

static void throttled_begin(struct utw_layer *l)
{
	struct throttled *t = throttled_of(l);

	t->reactor = utw_transport_reactor(l->below.transport);
	utw_list_append(&t->policy->layers, &t->link);
}

static void throttled_free(struct utw_layer *l)
{
	struct throttled *t = throttled_of(l);
	struct utw_throttle_policy *p = t->policy;

	if (t->reactor) {
		utw_list_remove(&t->link);
		if (utw_list_empty(&p->layers))
			utw_timer_cancel(&p->timer);
	}
	free(t);
}

static const struct utw_layer_ops throttled_ops = { .begin = throttled_begin,
						    .may_read = throttled_may_read,
						    .may_write = throttled_may_write,
						    .read = throttled_read,
						    .written = throttled_written,
						    .free = throttled_free };

static struct utw_throttle_policy *policy_of(struct utw_factory *f)
{
	return utw_container_of(f, struct utw_throttle_policy, policy.factory);
}

static struct utw_protocol *throttle_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct throttled *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->policy = policy_of(f);
	return utw_policy_build(policy_of(f)->policy.inner, peer, &t->layer, &throttled_ops);
}

static const struct utw_factory_ops throttle_ops = { .start = utw_policy_start,
						     .build = throttle_build,
						     .stop = utw_policy_stop,
						     .trouble = utw_policy_trouble };

void utw_throttle_policy_init(struct utw_throttle_policy *p, struct utw_factory *inner, uint64_t in,
			      uint64_t out)
{
	utw_policy_init(&p->policy, &throttle_ops, inner);
	p->in = (struct utw_throttle_bucket){ .rate = in };
	p->out = (struct utw_throttle_bucket){ .rate = out };
	utw_list_init(&p->layers);
	utw_timer_init(&p->timer, throttle_expired);
}
