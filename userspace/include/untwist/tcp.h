/* SPDX-License-Identifier: MIT */
/*
 * TCP: listen for connections, and connect.
 *
 * Both make a transport for each connection with a protocol from a factory.
 * An abort resets the connection (linger 0). A close that flushes ends the
 * write side first and drops what the peer has sent unread, so that the
 * kernel has no cause to reset what is still under way.
 */
#ifndef UNTWIST_TCP_H
#define UNTWIST_TCP_H

#include <stdint.h>

#include <untwist/address.h>
#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_factory;
struct utw_reactor;
struct utw_tcp_listener;
struct utw_transport;

/** Connections that one listener accepts in one turn of the reactor. */
#define UTW_TURN_ACCEPTS 64

/** Pending connections that the kernel keeps for a listener. */
#define UTW_TCP_BACKLOG 128

/** How long utw_tcp_connect() tries when told 0, in nanoseconds. */
#define UTW_TCP_CONNECT_TIMEOUT UINT64_C(30000000000)

/**
 * utw_tcp_listen() - listen for connections
 * @ret: receives the listener, owned by the caller
 * @r: the reactor
 * @at: where to listen; port 0 lets the kernel choose
 * @f: makes the protocols; started now, stopped with the listener
 *
 * The address may be taken over from connections that have just ended
 * (SO_REUSEADDR). A process out of descriptors still accepts and closes at
 * once, so that clients are told and the reactor does not spin: one
 * descriptor is kept in reserve for that.
 *
 * Return: 0; -EADDRINUSE, -EACCES and others of bind(); -EINVAL for an
 * address without a port; -EMFILE, -ENOMEM.
 */
UTW_API int utw_tcp_listen(struct utw_tcp_listener **ret, struct utw_reactor *r,
			   const struct utw_address *at, struct utw_factory *f);

/**
 * utw_tcp_listener_close() - stop listening
 * @l: the listener or NULL; gone when this returns
 *
 * Legal from any callback. Connections that were accepted live on.
 */
UTW_API void utw_tcp_listener_close(struct utw_tcp_listener *l);

/**
 * utw_tcp_listener_host() - where a listener listens
 * @l: the listener
 *
 * Return: the address with its true port, borrowed from the listener.
 */
UTW_API const struct utw_address *utw_tcp_listener_host(const struct utw_tcp_listener *l);

/**
 * utw_tcp_connect() - connect to an address
 * @r: the reactor
 * @to: the address of the peer
 * @f: makes the protocol once the connection stands; started now, stopped
 *	when the attempt has ended. It stays until then
 * @timeout: how long to try, in nanoseconds; 0 for UTW_TCP_CONNECT_TIMEOUT
 *
 * The deferred fires, never inside this call, with the struct utw_protocol *
 * (borrowed: it owns itself), after the protocol was told made; or fails:
 * errno domain (as ECONNREFUSED), UTW_TIMEOUT, UTW_CANCELLED after a cancel,
 * ECONNABORTED when the factory refused. Cancelling closes the socket.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory.
 */
UTW_API struct utw_deferred *utw_tcp_connect(struct utw_reactor *r, const struct utw_address *to,
					     struct utw_factory *f, uint64_t timeout);

/**
 * utw_tcp_set_nodelay() - send small segments at once
 * @t: a transport over TCP
 * @on: 1 for at once, 0 for Nagle's way, which is the default
 *
 * Return: 0; -EOPNOTSUPP for another kind of transport, -EPIPE.
 */
UTW_API int utw_tcp_set_nodelay(struct utw_transport *t, int on);

/**
 * utw_tcp_set_keepalive() - let the kernel probe an idle connection
 * @t: a transport over TCP
 * @idle: seconds of silence before the first probe; 0 turns it off
 *
 * Return: 0; -EOPNOTSUPP for another kind of transport, -EINVAL for seconds
 * that the kernel does not take, -EPIPE.
 */
UTW_API int utw_tcp_set_keepalive(struct utw_transport *t, unsigned int idle);

#ifdef __cplusplus
}
#endif

#endif
