/* SPDX-License-Identifier: MIT */
/* From one protocol to another in the middle of a stream: see untwist/layer.h. */
#include <errno.h>
#include <stdlib.h>

#include <untwist/layer.h>
#include <untwist/transport.h>

#include "base/buffer.h"

/* A layer that only gives back what was read too early. */
static void rest_free(struct utw_layer *l)
{
	free(l);
}

static const struct utw_layer_ops rest_ops = { .free = rest_free };

static struct utw_layer *rest_new(struct utw_protocol *p, const void *rest, size_t len)
{
	struct utw_layer *l = malloc(sizeof(*l));

	if (!l)
		return NULL;
	utw_layer_init(l, &rest_ops, p);
	l->held = calloc(1, sizeof(*l->held));
	if (l->held && utw_buffer_append(l->held, rest, len) == 0)
		return l;
	utw_layer_release(l);
	free(l);
	return NULL;
}

/* Nothing can fail behind the hand-over: who calls still has all, or has given it away. */
int utw_layer_switch(struct utw_transport *t, struct utw_protocol *p, const void *rest, size_t len)
{
	struct utw_layer *l;
	int error;

	if (!len)
		return utw_transport_set_protocol(t, p);
	if (!p->ops || !p->ops->lost || utw_transport_is_record(t))
		return -EINVAL;
	if (p->transport)
		return -EBUSY;
	l = rest_new(p, rest, len);
	if (!l)
		return -ENOMEM;
	error = utw_transport_set_protocol(t, &l->below);
	if (error) {
		utw_layer_release(l);
		free(l);
	} else if (len >= UTW_LAYER_ROOM) {
		l->full = true;
		utw_transport_pause(t);
	}
	return error;
}
