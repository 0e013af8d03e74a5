/* SPDX-License-Identifier: MIT */
/* The traffic policy: see untwist/policy.h. */
#include <stdlib.h>
#include <string.h>

#include <untwist/failure.h>
#include <untwist/reactor.h>
#include <untwist/transport.h>

#include "policy.h"

struct watched {
	struct utw_layer layer; /* first: freed by policy.c */
	const struct utw_traffic_policy *policy;
	struct utw_transport *transport; /* referenced: its name is told after its end */
	uint64_t number;
};

static struct watched *watched_of(struct utw_layer *l)
{
	return utw_container_of(l, struct watched, layer);
}

static void watched_tell(struct utw_layer *l, enum utw_traffic_event event, const void *bytes,
			 size_t len)
{
	const struct watched *w = watched_of(l);
	struct utw_traffic traffic = {
		.event = event,
		.connection = w->number,
		.name = utw_transport_name(w->transport),
		.time = utw_reactor_now(utw_transport_reactor(w->transport)),
		.bytes = bytes,
		.len = len,
	};

	w->policy->fn(&traffic, w->policy->data);
}

static void watched_begin(struct utw_layer *l)
{
	watched_of(l)->transport = utw_transport_ref(l->below.transport);
	watched_tell(l, UTW_TRAFFIC_MADE, NULL, 0);
}

static void watched_read(struct utw_layer *l, const void *data, size_t len)
{
	watched_tell(l, UTW_TRAFFIC_READ, data, len);
}

static void watched_written(struct utw_layer *l, const void *data, size_t len)
{
	watched_tell(l, UTW_TRAFFIC_WRITTEN, data, len);
}

static void watched_lost(struct utw_layer *l, struct utw_failure *reason)
{
	char story[256];

	if (!watched_of(l)->transport)
		return;
	utw_failure_format(reason, story, sizeof(story));
	watched_tell(l, UTW_TRAFFIC_LOST, story, strlen(story));
}

static void watched_free(struct utw_layer *l)
{
	utw_transport_unref(watched_of(l)->transport);
	free(watched_of(l));
}

static const struct utw_layer_ops watched_ops = { .begin = watched_begin,
						  .read = watched_read,
						  .written = watched_written,
						  .lost = watched_lost,
						  .free = watched_free };

static struct utw_traffic_policy *policy_of(struct utw_factory *f)
{
	return utw_container_of(f, struct utw_traffic_policy, policy.factory);
}

static struct utw_protocol *traffic_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct watched *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->policy = policy_of(f);
	w->number = ++policy_of(f)->connections;
	return utw_policy_build(policy_of(f)->policy.inner, peer, &w->layer, &watched_ops);
}

static const struct utw_factory_ops traffic_ops = { .start = utw_policy_start,
						    .build = traffic_build,
						    .stop = utw_policy_stop,
						    .trouble = utw_policy_trouble };

void utw_traffic_policy_init(struct utw_traffic_policy *p, struct utw_factory *inner,
			     utw_traffic_fn fn, void *data)
{
	utw_policy_init(&p->policy, &traffic_ops, inner);
	p->fn = fn;
	p->data = data;
	p->connections = 0;
}
