/* SPDX-License-Identifier: MIT */
/*
 * DNS: a resolver that asks name servers, within the reactor, without threads.
 *
 * Addresses come from /etc/hosts, from the cache, or from the servers, with the
 * search list of /etc/resolv.conf. Answers are remembered for as long as
 * they say, at most UTW_DNS_CACHED of them. In a library that was built without
 * c-ares, utw_dns_new() fails with -EOPNOTSUPP.
 */
#ifndef UNTWIST_DNS_H
#define UNTWIST_DNS_H

#include <untwist/api.h>
#include <untwist/resolver.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_dns;
struct utw_domain;
struct utw_reactor;

/** Hosts of which the addresses are remembered. */
#define UTW_DNS_CACHED 256

/** Codes are enum utw_dns_error. */
UTW_API extern const struct utw_domain utw_domain_dns;

enum utw_dns_error {
	UTW_DNS_NO_NAME = 1, /* the name does not exist */
	UTW_DNS_NO_DATA, /* it exists, and has no such record */
	UTW_DNS_BAD_NAME, /* it cannot be a name */
	UTW_DNS_TIMEOUT, /* no server has answered in time */
	UTW_DNS_REFUSED, /* a server would not answer */
	UTW_DNS_FAILED, /* none could be reached, or could say, or what it said was nonsense */
};

/** Kinds of records; the numbers are those of the protocol. */
enum utw_dns_type {
	UTW_DNS_PTR = 12,
	UTW_DNS_TXT = 16,
	UTW_DNS_SRV = 33,
};

/**
 * struct utw_dns_options - zeroes are the default
 * @servers: "HOST[:PORT]" separated by commas; NULL: those of /etc/resolv.conf
 * @timeout: milliseconds before a server is asked again; 0: 5000
 * @tries: how often each is asked; 0: 4
 */
struct utw_dns_options {
	const char *servers;
	unsigned int timeout;
	unsigned int tries;
};

/**
 * struct utw_dns_record - one record of an answer
 * @text: PTR, SRV: a name. TXT: the text, NUL added; bytes may be anything
 * @len: length of @text in bytes
 * @priority: SRV: lower ones are to be tried first
 * @weight: SRV: how often among those of the same priority
 * @port: SRV
 */
struct utw_dns_record {
	char *text;
	unsigned int len;
	unsigned int priority;
	unsigned int weight;
	unsigned int port;
};

/** An answer: as many records, in the order of the server. */
struct utw_dns_answer {
	unsigned int count;
	struct utw_dns_record *records;
};

/**
 * utw_dns_new() - make a resolver
 * @ret: receives it, owned by the caller
 * @r: the reactor
 * @options: copied; NULL: the default
 *
 * Return: 0; -EINVAL for servers that cannot be read; -EOPNOTSUPP, -ENOMEM.
 */
UTW_API int utw_dns_new(struct utw_dns **ret, struct utw_reactor *r,
			const struct utw_dns_options *options);

/**
 * utw_dns_free() - end a resolver
 * @d: the resolver or NULL; gone when this returns
 *
 * Lookups at work hear nothing any more; queries fail with UTW_CANCELLED, from
 * inside this call.
 */
UTW_API void utw_dns_free(struct utw_dns *d);

/**
 * utw_dns_resolver() - what utw_lookup_start() and others take
 * @d: the resolver
 *
 * Return: the same as a struct utw_resolver, borrowed.
 */
UTW_API struct utw_resolver *utw_dns_resolver(struct utw_dns *d);

/**
 * utw_dns_query() - ask for records
 * @d: the resolver
 * @name: of which; for PTR: an address in text
 * @type: of which kind
 *
 * The deferred fires in a later callback with a struct utw_dns_answer *, which
 * the chain owns, or fails: utw_domain_dns, UTW_CANCELLED. These are not cached.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory.
 */
UTW_API struct utw_deferred *utw_dns_query(struct utw_dns *d, const char *name,
					   enum utw_dns_type type);

#ifdef __cplusplus
}
#endif

#endif
