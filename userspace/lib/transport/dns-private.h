/* SPDX-License-Identifier: MIT */
/* DNS from the inside: c-ares within the reactor, and what it is asked for. */
#ifndef UTW_TRANSPORT_DNS_PRIVATE_H
#define UTW_TRANSPORT_DNS_PRIVATE_H

/* Debian 13 has 1.34, which deprecates what Debian 12 has nothing else for in 1.18. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <untwist/address.h>
#include <untwist/call.h>
#include <untwist/dns.h>
#include <untwist/failure.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "base/buffer.h"

struct utw_dns_socket;
struct utw_dns_lookup;
struct utw_dns_query;

struct utw_dns_cached {
	char *host;
	int family;
	uint64_t until; /* of the reactor's clock */
	struct utw_address *addresses; /* without a port */
	unsigned int count;
};

struct utw_dns {
	struct utw_resolver resolver;
	struct utw_reactor *reactor;
	ares_channel channel;
	struct utw_dns_socket *sockets;
	struct utw_timer timer;
	struct utw_dns_lookup *lookups;
	struct utw_dns_query *queries;
	struct utw_dns_cached cache[UTW_DNS_CACHED];
	unsigned int next; /* place of the cache to be used when all are */
	bool ending;
};

/* dns.c */

/* c-ares may have other sockets and another deadline now. */
void utw_dns_changed(struct utw_dns *d);

/* What its status means. */
struct utw_failure *utw_dns_failure(int status, const char *operation, const char *name);

/* dns-lookup.c */

extern const struct utw_resolver_ops utw_dns_resolver_ops;

/* Every lookup is over, without a word. */
void utw_dns_lookups_drop(struct utw_dns *d);

/* dns-query.c */

/* Every query fails, with UTW_CANCELLED. */
void utw_dns_queries_drop(struct utw_dns *d);

/* dns-cache.c */

/* What is remembered of a host and still good, or NULL. */
const struct utw_dns_cached *utw_dns_cache_find(const struct utw_dns *d, const char *host,
						int family);

/* Remember it for so many nanoseconds; without memory it is not remembered. */
void utw_dns_cache_keep(struct utw_dns *d, const char *host, int family,
			const struct utw_address *addresses, unsigned int count, uint64_t time);

void utw_dns_cache_clear(struct utw_dns *d);

#endif
