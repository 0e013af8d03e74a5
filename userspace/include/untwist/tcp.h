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

#include <stdbool.h>
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

/** Pending connections that the kernel keeps for a listener, if net.core.somaxconn allows it. */
#define UTW_TCP_BACKLOG 4096

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
 * descriptor is kept in reserve for that. @f is told trouble.
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

/** How long a race waits for one address before it tries the next one as well, in nanoseconds. */
#define UTW_TCP_RACE_DELAY UINT64_C(250000000)

struct utw_tcp_race;

/**
 * utw_tcp_race_new() - connect to whichever of several addresses answers first
 * @ret: receives the race, which is given addresses as they become known
 * @r: the reactor
 * @f: makes the protocol of the one connection that wins; started now, stopped
 *	when the race has ended. It stays until then
 * @timeout: how long to try, in nanoseconds; 0 for UTW_TCP_CONNECT_TIMEOUT
 *
 * Addresses are tried in the order in which they come, the two families in
 * turns; the next one when UTW_TCP_RACE_DELAY has passed, or at once when the one
 * before has failed. The first that answers wins, and the others are dropped
 * (RFC 8305).
 *
 * The deferred fires as that of utw_tcp_connect() does. When all have failed, the
 * failure is that of the last, with it as its cause; EADDRNOTAVAIL when there
 * was no address at all.
 *
 * The race is the caller's until utw_tcp_race_complete(), which must come, even
 * if the deferred has fired or was cancelled before.
 *
 * Return: the deferred, one reference of which is the caller's; NULL without
 * memory, and then there is no race.
 */
UTW_API struct utw_deferred *utw_tcp_race_new(struct utw_tcp_race **ret, struct utw_reactor *r,
					      struct utw_factory *f, uint64_t timeout);

/**
 * utw_tcp_race_add() - here is another address
 * @race: the race
 * @to: the address; copied
 *
 * Return: 0, also when the race is over; -EINVAL for an address without a port
 * or of another family; -ENOMEM.
 */
UTW_API int utw_tcp_race_add(struct utw_tcp_race *race, const struct utw_address *to);

/**
 * utw_tcp_race_complete() - there are no more addresses
 * @race: the race, which is not the caller's any more
 */
UTW_API void utw_tcp_race_complete(struct utw_tcp_race *race);

/**
 * struct utw_tcp_options - how one connection is to behave; zeroes leave all as it is
 * @nodelay: send small segments at once
 * @keep_idle: seconds of silence before the kernel probes; 0: it does not
 * @keep_interval: seconds between probes; 0: the system's
 * @keep_count: probes without an answer that end the connection; 0: the system's
 * @user_timeout: milliseconds that what was sent may stay unacknowledged before
 *	the connection is lost with ETIMEDOUT; 0: the system's
 * @send_buffer: bytes that the kernel keeps for us; 0: as many as suit it
 * @receive_buffer: likewise
 */
struct utw_tcp_options {
	bool nodelay;
	unsigned int keep_idle;
	unsigned int keep_interval;
	unsigned int keep_count;
	unsigned int user_timeout;
	unsigned int send_buffer;
	unsigned int receive_buffer;
};

/**
 * utw_tcp_set_options() - say how a connection is to behave
 * @t: a transport over TCP, from made on
 * @options: the options
 *
 * Return: 0; -EOPNOTSUPP for another kind of transport, -EINVAL for numbers
 * that the kernel does not take, -EPIPE.
 */
UTW_API int utw_tcp_set_options(struct utw_transport *t, const struct utw_tcp_options *options);

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
