/* SPDX-License-Identifier: MIT */
/*
 * Pool resolver: finds hosts as the rest of the system does, by getaddrinfo()
 * in the threads of a pool.
 *
 * It knows what nsswitch.conf(5) names besides DNS: mDNS, LDAP, names of
 * containers and of this machine, and whatever a site has of its own; the
 * resolver of dns.h knows the hosts file and DNS, and needs no threads. Each
 * lookup keeps one thread busy until the system has answered, which takes many
 * seconds if nobody does: give it a pool of its own.
 *
 * Its failures are those of dns.h (utw_domain_dns), or of the errno domain.
 */
#ifndef UNTWIST_POOL_RESOLVER_H
#define UNTWIST_POOL_RESOLVER_H

#include <untwist/api.h>
#include <untwist/resolver.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_pool;

/**
 * struct utw_pool_resolver - to be embedded, or used as it is
 * @resolver: hand this one to what wants a resolver
 * @pool: where it works
 */
struct utw_pool_resolver {
	struct utw_resolver resolver;
	struct utw_pool *pool;
};

/**
 * utw_pool_resolver_init() - prepare a resolver
 * @r: storage of the caller, which stays until its lookups are done or cancelled;
 *	needs no release
 * @p: the pool, which fires in the reactor that the lookups are made in. Freeing
 *	it ends them with UTW_CANCELLED from inside that call, and waits for those
 *	that have a thread
 *
 * A lookup cannot be started (-EAGAIN) when the pool is stopping, has as much to
 * do as it may, or could start no thread.
 * All addresses of a host are told in one turn. A lookup that is cancelled
 * gives its thread back only when the system has answered.
 */
UTW_API void utw_pool_resolver_init(struct utw_pool_resolver *r, struct utw_pool *p);

#ifdef __cplusplus
}
#endif

#endif
