/* SPDX-License-Identifier: MIT */
/* Cutter: see cutter.h. */
#include "cutter.h"

#include <stdlib.h>

#include <untwist/failure.h>
#include <untwist/protocol.h>
#include <untwist/transport.h>

#include "base/buffer.h"

static bool may_deliver(const struct utw_cutter *c)
{
	return !c->paused && !utw_transport_closing(c->protocol->transport);
}

/* Deliver what can be. Returns how many bytes are done with. */
static size_t deliver(struct utw_cutter *c, const char *data, size_t len)
{
	size_t done = 0;

	c->delivering = true;
	while (done < len && may_deliver(c)) {
		size_t used = 0;

		if (!c->ops->step(c, data + done, len - done, &used))
			break;
		done += used;
		c->offset += used;
	}
	c->delivering = false;
	return done;
}

/* What is left when another protocol has taken over is that one's, or nobody's. */
static void hold(struct utw_cutter *c, const char *data, size_t len)
{
	if (!len || !c->protocol->transport)
		return;
	if (!c->held)
		c->held = calloc(1, sizeof(*c->held));
	if (!c->held || utw_buffer_append(c->held, data, len))
		utw_transport_close(c->protocol->transport, UTW_CLOSE_ABORT, 0);
}

static bool holds(const struct utw_cutter *c)
{
	return c->held && !utw_buffer_empty(c->held);
}

static void deliver_held(struct utw_cutter *c)
{
	utw_buffer_consume(c->held,
			   deliver(c, utw_buffer_data(c->held), utw_buffer_length(c->held)));
	if (!c->protocol->transport)
		utw_cutter_release(c);
}

static void cutter_later(struct utw_call *call)
{
	struct utw_cutter *c = utw_container_of(call, struct utw_cutter, later);

	if (holds(c))
		deliver_held(c);
	if (!c->paused)
		utw_transport_resume(c->protocol->transport);
}

void utw_cutter_init(struct utw_cutter *c, const struct utw_cutter_ops *ops,
		     struct utw_protocol *protocol)
{
	*c = (struct utw_cutter){ .ops = ops, .protocol = protocol };
	utw_call_init(&c->later, cutter_later);
}

void utw_cutter_release(struct utw_cutter *c)
{
	utw_call_stop(&c->later);
	if (c->held)
		utw_buffer_release(c->held);
	free(c->held);
	c->held = NULL;
	utw_failure_unref(c->failure);
	c->failure = NULL;
}

void utw_cutter_begin(struct utw_cutter *c)
{
	c->offset = 0;
}

void utw_cutter_feed(struct utw_cutter *c, const void *data, size_t len)
{
	size_t used;

	if (holds(c)) {
		hold(c, data, len);
		deliver_held(c);
	} else {
		used = deliver(c, data, len);
		hold(c, (const char *)data + used, len - used);
	}
	/* Paused and resumed again meanwhile. */
	if (!c->paused)
		utw_transport_resume(c->protocol->transport);
}

void utw_cutter_pause(struct utw_cutter *c)
{
	c->paused = true;
	utw_call_stop(&c->later);
	utw_transport_pause(c->protocol->transport);
}

void utw_cutter_resume(struct utw_cutter *c)
{
	if (!c->paused)
		return;
	c->paused = false;
	/* Inside a callback the loop that made it goes on by itself. */
	if (!c->delivering && c->protocol->transport)
		utw_call_start_at_end(&c->later, utw_transport_reactor(c->protocol->transport));
}

size_t utw_cutter_held(const struct utw_cutter *c, const char **ret)
{
	if (c->delivering) {
		*ret = c->undelivered;
		return c->undelivered_len;
	}
	*ret = holds(c) ? utw_buffer_data(c->held) : "";
	return holds(c) ? utw_buffer_length(c->held) : 0;
}

void utw_cutter_fail(struct utw_cutter *c, struct utw_failure *failure)
{
	if (c->failure)
		utw_failure_unref(failure);
	else
		c->failure = failure;
	utw_transport_close(c->protocol->transport, UTW_CLOSE_FLUSH, UTW_CUTTER_CLOSE_TIMEOUT);
}

struct utw_failure *utw_cutter_end(struct utw_cutter *c, struct utw_failure *reason)
{
	struct utw_failure *told = utw_failure_ref(c->failure ? c->failure : reason);

	utw_cutter_release(c);
	return told;
}
