/* SPDX-License-Identifier: MIT */
/* What DNS remembers: the addresses of the hosts that were asked for last, while they are good. */
#include "dns-private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <untwist/reactor.h>

static void cached_clear(struct utw_dns_cached *c)
{
	free(c->host);
	free(c->addresses);
	memset(c, 0, sizeof(*c));
}

/* Names do not know capitals. */
static bool cached_is(const struct utw_dns_cached *c, const char *host, int family)
{
	return c->host && c->family == family && !strcasecmp(c->host, host);
}

const struct utw_dns_cached *utw_dns_cache_find(const struct utw_dns *d, const char *host,
						int family)
{
	for (unsigned int i = 0; i < UTW_DNS_CACHED; i++)
		if (cached_is(&d->cache[i], host, family) &&
		    d->cache[i].until > utw_reactor_now(d->reactor))
			return &d->cache[i];
	return NULL;
}

/* Its own place, an empty one, or the one that was filled longest ago. */
static struct utw_dns_cached *cache_place(struct utw_dns *d, const char *host, int family)
{
	for (unsigned int i = 0; i < UTW_DNS_CACHED; i++)
		if (cached_is(&d->cache[i], host, family))
			return &d->cache[i];
	d->next = (d->next + 1) % UTW_DNS_CACHED;
	return &d->cache[d->next];
}

void utw_dns_cache_keep(struct utw_dns *d, const char *host, int family,
			const struct utw_address *addresses, unsigned int count, uint64_t time)
{
	struct utw_dns_cached *c;
	struct utw_dns_cached now = { .family = family, .count = count };

	if (!time || !count)
		return;
	now.until = utw_reactor_now(d->reactor) + time;
	now.host = strdup(host);
	now.addresses = malloc(count * sizeof(*addresses));
	if (!now.host || !now.addresses) {
		cached_clear(&now);
		return;
	}
	memcpy(now.addresses, addresses, count * sizeof(*addresses));
	c = cache_place(d, host, family);
	cached_clear(c);
	*c = now;
}

void utw_dns_cache_clear(struct utw_dns *d)
{
	for (unsigned int i = 0; i < UTW_DNS_CACHED; i++)
		cached_clear(&d->cache[i]);
}
