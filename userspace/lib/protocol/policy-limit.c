/* SPDX-License-Identifier: MIT */
/* The limit policy: see untwist/policy.h. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <untwist/address.h>

#include "policy.h"

/* An IP address, of either family. */
struct peer_key {
	sa_family_t family;
	uint8_t bytes[16];
};

struct utw_limit_peer {
	struct utw_limit_peer *next;
	struct peer_key key;
	size_t count;
};

struct counted {
	struct utw_layer layer; /* first: freed by policy.c */
	struct utw_limit_policy *policy;
	struct utw_limit_peer *peer; /* NULL: does not count by peer */
};

/* False for a peer without an IP address. */
static bool peer_key(const struct utw_address *a, struct peer_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!a)
		return false;
	ret->family = a->storage.ss_family;
	if (ret->family == AF_INET)
		memcpy(ret->bytes, &((const struct sockaddr_in *)&a->storage)->sin_addr, 4);
	else if (ret->family == AF_INET6)
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)&a->storage)->sin6_addr, 16);
	else
		return false;
	return true;
}

static struct utw_limit_peer **peer_bucket(struct utw_limit_policy *p, const struct peer_key *key)
{
	uint32_t hash = key->family;

	for (size_t i = 0; i < sizeof(key->bytes); i++)
		hash = (hash ^ key->bytes[i]) * 16777619u;
	return &p->peers[hash % UTW_LIMIT_BUCKETS];
}

/* Where the peer is in its list, or its end. */
static struct utw_limit_peer **peer_find(struct utw_limit_policy *p, const struct peer_key *key)
{
	struct utw_limit_peer **at = peer_bucket(p, key);

	while (*at && memcmp(&(*at)->key, key, sizeof(*key)) != 0)
		at = &(*at)->next;
	return at;
}

/* Count one more of this peer. NULL without memory. */
static struct utw_limit_peer *peer_get(struct utw_limit_policy *p, const struct peer_key *key)
{
	struct utw_limit_peer **at = peer_find(p, key);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return NULL;
		(*at)->key = *key;
	}
	(*at)->count++;
	return *at;
}

static void peer_put(struct utw_limit_policy *p, struct utw_limit_peer *peer)
{
	struct utw_limit_peer **at;

	if (!peer || --peer->count)
		return;
	at = peer_find(p, &peer->key);
	*at = peer->next;
	free(peer);
}

/* From here on there is room for another one, even if the layer lives on for a while. */
static void counted_lost(struct utw_layer *l, struct utw_failure *reason)
{
	struct counted *c = utw_container_of(l, struct counted, layer);

	(void)reason;
	c->policy->total--;
	peer_put(c->policy, c->peer);
}

static void counted_free(struct utw_layer *l)
{
	free(utw_container_of(l, struct counted, layer));
}

static const struct utw_layer_ops counted_ops = { .lost = counted_lost, .free = counted_free };

static struct utw_limit_policy *policy_of(struct utw_factory *f)
{
	return utw_container_of(f, struct utw_limit_policy, policy.factory);
}

static void limit_start(struct utw_factory *f)
{
	utw_policy_start(f);
	if (policy_of(f)->overflow)
		utw_factory_start(policy_of(f)->overflow);
}

static bool limit_reached(struct utw_limit_policy *p, const struct peer_key *key)
{
	const struct utw_limit_peer *peer;

	if (p->max && p->total >= p->max)
		return true;
	if (!key || !p->max_by_peer)
		return false;
	peer = *peer_find(p, key);
	return peer && peer->count >= p->max_by_peer;
}

static struct utw_protocol *limit_build(struct utw_factory *f, const struct utw_address *peer)
{
	struct utw_limit_policy *p = policy_of(f);
	struct peer_key key;
	bool by_peer = peer_key(peer, &key) && p->max_by_peer;
	struct utw_limit_peer *entry = NULL;
	struct utw_factory *inner = p->policy.inner;
	struct utw_protocol *protocol;
	struct counted *c;

	if (limit_reached(p, by_peer ? &key : NULL)) {
		p->refused++;
		inner = p->overflow;
		if (!inner)
			return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c && by_peer)
		entry = peer_get(p, &key);
	if (!c || (by_peer && !entry)) {
		free(c);
		return NULL;
	}
	c->policy = p;
	c->peer = entry;
	protocol = utw_policy_build(inner, peer, &c->layer, &counted_ops);
	if (protocol)
		p->total++;
	else
		peer_put(p, entry);
	return protocol;
}

static void limit_stop(struct utw_factory *f)
{
	utw_policy_stop(f);
	if (policy_of(f)->overflow)
		utw_factory_stop(policy_of(f)->overflow);
}

static const struct utw_factory_ops limit_ops = { .start = limit_start,
						  .build = limit_build,
						  .stop = limit_stop,
						  .trouble = utw_policy_trouble };

void utw_limit_policy_init(struct utw_limit_policy *p, struct utw_factory *inner, size_t max,
			   size_t max_by_peer)
{
	memset(p, 0, sizeof(*p));
	utw_policy_init(&p->policy, &limit_ops, inner);
	p->max = max;
	p->max_by_peer = max_by_peer;
}

void utw_limit_policy_set_overflow(struct utw_limit_policy *p, struct utw_factory *overflow)
{
	p->overflow = overflow;
}
