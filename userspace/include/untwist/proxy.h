/* SPDX-License-Identifier: MIT */
/*
 * PROXY protocol, versions 1 and 2: a proxy in front of a server says, before
 * anything else on a connection, whom it has there.
 *
 * Only for servers that nobody but the proxy can reach: whoever speaks first
 * is believed.
 */
#ifndef UNTWIST_PROXY_H
#define UNTWIST_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/address.h>
#include <untwist/api.h>
#include <untwist/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest header that is accepted, extensions of version 2 included, in bytes. */
#define UTW_PROXY_MAX 4096

/** How long the header may take to come, in nanoseconds. */
#define UTW_PROXY_TIMEOUT UINT64_C(10000000000)

/**
 * struct utw_proxy_header - what a header says
 * @len: its length in bytes
 * @known: the addresses are told; otherwise those of the connection itself hold
 * @peer: the address of the client
 * @host: the address that it has connected to
 */
struct utw_proxy_header {
	size_t len;
	bool known;
	struct utw_address peer;
	struct utw_address host;
};

/**
 * utw_proxy_parse() - read a header
 * @ret: receives it
 * @data: the first bytes of a connection
 * @len: how many there are
 * @why: receives what is wrong, static text; untouched otherwise
 *
 * May be called from any thread.
 *
 * Return: 1 when it is whole; 0 when more bytes are needed; -EBADMSG.
 */
UTW_API int utw_proxy_parse(struct utw_proxy_header *ret, const void *data, size_t len,
			    const char **why);

/**
 * struct utw_proxy_policy - takes the header off each connection
 * @policy: has the factory
 * @refused: connections without a proper header, or with none in time
 */
struct utw_proxy_policy {
	struct utw_policy policy;
	uint64_t refused;
};

/**
 * utw_proxy_policy_init() - expect a header on each connection
 * @p: storage of the caller
 * @inner: makes the protocols, once the header has come: it is told the
 *	client's address, and so are those who ask the transport. A connection
 *	without a proper header is aborted, and never comes to @inner
 */
UTW_API void utw_proxy_policy_init(struct utw_proxy_policy *p, struct utw_factory *inner);

#ifdef __cplusplus
}
#endif

#endif
