/* SPDX-License-Identifier: MIT */
/*
 * Resolver: finds the addresses of a host by its name, as something that
 * programs can have of several kinds, and write themselves. dns.h makes one.
 *
 * Addresses are told one by one, as they become known.
 */
#ifndef UNTWIST_RESOLVER_H
#define UNTWIST_RESOLVER_H

#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_deferred;
struct utw_factory;
struct utw_failure;
struct utw_lookup;
struct utw_reactor;
struct utw_resolver;

/**
 * struct utw_lookup_ops - what a lookup is told; both must be there
 * @found: an address, with the port that was asked for; borrowed
 * @done: that was all: the last call. @failure (borrowed) says why there was no
 *	address at all, and is NULL if there was one
 *
 * Both come from the reactor's turn, never from inside a call that you make.
 * Each may cancel the lookup.
 */
struct utw_lookup_ops {
	void (*found)(struct utw_lookup *l, const struct utw_address *address);
	void (*done)(struct utw_lookup *l, struct utw_failure *failure);
};

/**
 * struct utw_lookup - to be embedded in your structure
 * @ops: set with utw_lookup_init()
 * @resolver: which resolver is at work; NULL: none
 * @work: the resolver's own
 */
struct utw_lookup {
	const struct utw_lookup_ops *ops;
	struct utw_resolver *resolver;
	void *work;
};

/**
 * utw_lookup_init() - prepare a lookup
 * @l: the lookup, storage of the caller; stays until done or cancelled
 * @ops: its operations, which outlive it
 */
static inline void utw_lookup_init(struct utw_lookup *l, const struct utw_lookup_ops *ops)
{
	l->ops = ops;
	l->resolver = NULL;
	l->work = NULL;
}

/**
 * struct utw_resolver_ops - what a kind of resolver does; both must be there
 * @start: begin a lookup, or return -errno with nothing begun
 * @cancel: the lookup is to hear nothing any more
 *
 * A resolver sets @resolver to NULL before it tells done.
 */
struct utw_resolver_ops {
	int (*start)(struct utw_resolver *r, struct utw_lookup *l, const char *host,
		     unsigned int port, int family);
	void (*cancel)(struct utw_resolver *r, struct utw_lookup *l);
};

/**
 * struct utw_resolver - to be embedded by a kind of resolver
 * @ops: its operations
 */
struct utw_resolver {
	const struct utw_resolver_ops *ops;
};

/**
 * utw_lookup_start() - look for the addresses of a host
 * @l: the lookup, not at work
 * @r: the resolver; stays until the lookup is done or cancelled
 * @host: its name, or its number in text, which is found without asking anybody
 * @port: goes into the addresses
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for both
 *
 * Return: 0; -EBUSY when the lookup is at work; -EINVAL for a port or family
 * that there is not; -ENOMEM.
 */
UTW_API int utw_lookup_start(struct utw_lookup *l, struct utw_resolver *r, const char *host,
			     unsigned int port, int family);

/**
 * utw_lookup_cancel() - hear nothing any more
 * @l: the lookup; nothing happens if it is not at work
 */
UTW_API void utw_lookup_cancel(struct utw_lookup *l);

/**
 * utw_tcp_connect_host() - connect to a host by its name
 * @r: the reactor
 * @resolver: finds its addresses; stays until the deferred has fired
 * @host: its name
 * @port: the port
 * @f: makes the protocol of the connection, as for utw_tcp_race_new()
 * @timeout: for all of it, in nanoseconds; 0 for UTW_TCP_CONNECT_TIMEOUT
 *
 * The attempts begin while addresses still come in.
 *
 * Return: a deferred that fires as that of utw_tcp_race_new() does; without an
 * address it fails as the resolver's lookup did. NULL without memory.
 */
UTW_API struct utw_deferred *utw_tcp_connect_host(struct utw_reactor *r,
						  struct utw_resolver *resolver, const char *host,
						  unsigned int port, struct utw_factory *f,
						  uint64_t timeout);

#ifdef __cplusplus
}
#endif

#endif
