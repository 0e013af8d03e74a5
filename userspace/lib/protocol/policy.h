/* SPDX-License-Identifier: MIT */
/* What policies have in common: a layer is put around each protocol of the inner factory. */
#ifndef UTW_PROTOCOL_POLICY_H
#define UTW_PROTOCOL_POLICY_H

#include <untwist/layer.h>
#include <untwist/policy.h>

void utw_policy_init(struct utw_policy *p, const struct utw_factory_ops *ops,
		     struct utw_factory *inner);

/* For the operations of a policy's factory: the inner one shares its life, and what is told. */
void utw_policy_start(struct utw_factory *f);
void utw_policy_stop(struct utw_factory *f);
void utw_policy_trouble(struct utw_factory *f, const struct utw_failure *why);

/*
 * Build a protocol and put `layer` (from calloc(), taken) around it. NULL when
 * either cannot be had; `layer` is freed then. Returns what build is to return.
 */
struct utw_protocol *utw_policy_build(struct utw_factory *inner, const struct utw_address *peer,
				      struct utw_layer *layer, const struct utw_layer_ops *ops);

#endif
