/* SPDX-License-Identifier: MIT */
/*
 * The PROXY policy: see untwist/proxy.h.
 *
 * The connection begins with a protocol that gathers the header. Then a layer
 * takes over, which knows the addresses and what had come behind the header.
 */
#include <stdlib.h>
#include <string.h>

#include <untwist/failure.h>
#include <untwist/proxy.h>
#include <untwist/timer.h>
#include <untwist/transport.h>

#include "policy.h"

struct proxied {
	struct utw_layer layer; /* first: freed by policy.c */
	struct utw_protocol protocol;
	struct utw_proxy_policy *policy;
	struct utw_timer deadline;
	struct utw_proxy_header header;
	size_t len;
	uint8_t gathered[UTW_PROXY_MAX];
};

static struct proxied *proxied_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct proxied, protocol);
}

static void proxied_free(struct utw_layer *l)
{
	free(utw_container_of(l, struct proxied, layer));
}

static const struct utw_layer_ops proxied_layer = { .free = proxied_free };

static void proxied_refuse(struct proxied *p)
{
	p->policy->refused++;
	utw_transport_close(p->protocol.transport, UTW_CLOSE_ABORT, 0);
}

static void proxied_late(struct utw_timer *timer)
{
	proxied_refuse(utw_container_of(timer, struct proxied, deadline));
}

/* Without memory for the timer it is as if the time were over. */
static void proxied_made(struct utw_protocol *protocol)
{
	struct proxied *p = proxied_of(protocol);

	if (utw_timer_start(&p->deadline, utw_transport_reactor(protocol->transport),
			    UTW_PROXY_TIMEOUT))
		proxied_refuse(p);
}

/* From here on the layer has the connection, and with it all of `p`. */
static void proxied_hand_over(struct proxied *p, const void *rest, size_t len)
{
	struct utw_transport *t = p->protocol.transport;
	const struct utw_address *peer = p->header.known ? &p->header.peer : utw_transport_peer(t);
	const struct utw_address *host = p->header.known ? &p->header.host : utw_transport_host(t);
	struct utw_protocol *above = utw_factory_build(p->policy->policy.inner, peer);

	if (!above) {
		utw_transport_close(t, UTW_CLOSE_ABORT, 0);
		return;
	}
	utw_timer_cancel(&p->deadline);
	utw_layer_init(&p->layer, &proxied_layer, above);
	utw_layer_set_addresses(&p->layer, peer, host);
	/* It is neither closing nor lost, so it can be handed over. */
	utw_transport_set_protocol(t, &p->layer.below);
	utw_layer_preload(&p->layer, rest, len);
}

static void proxied_data(struct utw_protocol *protocol, const void *data, size_t len)
{
	struct proxied *p = proxied_of(protocol);
	size_t before = p->len;
	size_t room = sizeof(p->gathered) - before;
	size_t taken = len < room ? len : room;
	const char *why;
	int whole;

	memcpy(p->gathered + before, data, taken);
	p->len += taken;
	whole = utw_proxy_parse(&p->header, p->gathered, p->len, &why);
	if (whole < 0) {
		proxied_refuse(p);
	} else if (whole) {
		taken = p->header.len - before;
		proxied_hand_over(p, (const char *)data + taken, len - taken);
	}
}

static void proxied_lost(struct utw_protocol *protocol, struct utw_failure *reason)
{
	struct proxied *p = proxied_of(protocol);

	(void)reason;
	utw_timer_cancel(&p->deadline);
	free(p);
}

static const struct utw_protocol_ops proxied_ops = { .made = proxied_made,
						     .data = proxied_data,
						     .lost = proxied_lost };

static struct utw_protocol *proxy_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct proxied *p = calloc(1, sizeof(*p));

	(void)peer;
	if (!p)
		return NULL;
	utw_protocol_init(&p->protocol, &proxied_ops);
	utw_timer_init(&p->deadline, proxied_late);
	p->policy = utw_container_of(f, struct utw_proxy_policy, policy.factory);
	return &p->protocol;
}

static const struct utw_factory_ops proxy_ops = { .start = utw_policy_start,
						  .build = proxy_build,
						  .stop = utw_policy_stop,
						  .trouble = utw_policy_trouble };

void utw_proxy_policy_init(struct utw_proxy_policy *p, struct utw_factory *inner)
{
	utw_policy_init(&p->policy, &proxy_ops, inner);
	p->refused = 0;
}
