/* SPDX-License-Identifier: MIT */
/* Connector: one attempt to connect a stream socket of any family, as a deferred. */
#ifndef UTW_TRANSPORT_CONNECTOR_H
#define UTW_TRANSPORT_CONNECTOR_H

#include <stdint.h>

struct utw_address;
struct utw_connection_kind;
struct utw_deferred;
struct utw_factory;
struct utw_reactor;

/*
 * What utw_tcp_connect() promises, for a connection of `kind`; `timeout` is in
 * nanoseconds. NULL without memory.
 */
struct utw_deferred *utw_connector_start(const struct utw_connection_kind *kind,
					 struct utw_reactor *r, const struct utw_address *to,
					 struct utw_factory *f, uint64_t timeout);

#endif
