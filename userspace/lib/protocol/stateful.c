/* SPDX-License-Identifier: MIT */
/* Stateful: see untwist/stateful.h. */
#include <untwist/stateful.h>

#include <errno.h>

#include <untwist/failure.h>
#include <untwist/transport.h>

#include "cutter.h"

static struct utw_stateful *stateful_of(struct utw_framed *f)
{
	return utw_container_of(f, struct utw_stateful, framed);
}

static void stateful_enter(struct utw_stateful *s, struct utw_state state)
{
	struct utw_framed *f = &s->framed;

	s->fn = state.fn;
	if (!state.fn)
		utw_transport_close(f->protocol.transport, UTW_CLOSE_FLUSH,
				    UTW_CUTTER_CLOSE_TIMEOUT);
	else if (f->framing == &utw_fixed && utw_framed_set_size(f, state.bytes))
		utw_cutter_fail(&f->cutter,
				utw_failure_from_errno(-EINVAL, "stateful", "a state of 0 bytes"));
}

static void stateful_made(struct utw_framed *f)
{
	struct utw_stateful *s = stateful_of(f);

	stateful_enter(s, s->ops->begin(s));
}

static void stateful_frame(struct utw_framed *f, const void *data, size_t len)
{
	struct utw_stateful *s = stateful_of(f);

	stateful_enter(s, s->fn(s, data, len));
}

static void stateful_lost(struct utw_framed *f, struct utw_failure *reason)
{
	struct utw_stateful *s = stateful_of(f);

	s->ops->lost(s, reason);
}

static const struct utw_framed_ops stateful_ops = { .made = stateful_made,
						    .frame = stateful_frame,
						    .lost = stateful_lost };

void utw_stateful_init(struct utw_stateful *s, const struct utw_stateful_ops *ops,
		       const struct utw_framing *framing)
{
	utw_framed_init(&s->framed, &stateful_ops, framing);
	s->ops = ops;
	s->fn = NULL;
}
