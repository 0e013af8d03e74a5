/* SPDX-License-Identifier: MIT */
/* Policies: see policy.h. */
#include "policy.h"

#include <stdlib.h>

void utw_policy_init(struct utw_policy *p, const struct utw_factory_ops *ops,
		     struct utw_factory *inner)
{
	utw_factory_init(&p->factory, ops);
	p->inner = inner;
}

void utw_policy_start(struct utw_factory *f)
{
	utw_factory_start(utw_container_of(f, struct utw_policy, factory)->inner);
}

void utw_policy_stop(struct utw_factory *f)
{
	utw_factory_stop(utw_container_of(f, struct utw_policy, factory)->inner);
}

void utw_policy_trouble(struct utw_factory *f, const struct utw_failure *why)
{
	utw_factory_trouble(utw_container_of(f, struct utw_policy, factory)->inner, why);
}

struct utw_protocol *utw_policy_build(struct utw_factory *inner, const struct utw_address *peer,
				      struct utw_layer *layer, const struct utw_layer_ops *ops)
{
	/* In this order: a protocol that was built would have to be told lost. */
	struct utw_protocol *p = layer ? utw_factory_build(inner, peer) : NULL;

	if (!p) {
		free(layer);
		return NULL;
	}
	utw_layer_init(layer, ops, p);
	return &layer->below;
}
