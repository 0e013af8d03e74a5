/* SPDX-License-Identifier: MIT */
/* DNS in a library that was built without it: it cannot be made. */
#include <untwist/dns.h>

#include <errno.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>

int utw_dns_new(struct utw_dns **ret, struct utw_reactor *r, const struct utw_dns_options *options)
{
	(void)ret;
	(void)r;
	(void)options;
	return -EOPNOTSUPP;
}

void utw_dns_free(struct utw_dns *d)
{
	(void)d;
}

struct utw_resolver *utw_dns_resolver(struct utw_dns *d)
{
	(void)d;
	return NULL;
}

struct utw_deferred *utw_dns_query(struct utw_dns *d, const char *name, enum utw_dns_type type)
{
	(void)d;
	(void)type;
	return utw_deferred_fail(utw_failure_from_errno(-EOPNOTSUPP, "query", "%s", name));
}
