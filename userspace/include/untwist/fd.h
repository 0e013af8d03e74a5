/* SPDX-License-Identifier: MIT */
/*
 * Transport over file descriptors that the program has already: pipes,
 * sockets, terminals, regular files.
 *
 * Sockets that keep boundaries (SOCK_SEQPACKET, SOCK_DGRAM) make a record
 * transport, all else a stream. Regular files, which no poller takes, are
 * always ready and are read and written in turns of UTW_TURN_BYTES.
 */
#ifndef UNTWIST_FD_H
#define UNTWIST_FD_H

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_factory;
struct utw_fd_listener;
struct utw_protocol;
struct utw_reactor;
struct utw_transport;

/**
 * utw_fd_transport_new() - make a transport over descriptors
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @in: descriptor to read from, -1 for none
 * @out: descriptor to write to, -1 for none; may be the same as @in
 * @p: the protocol, told made in a later callback
 *
 * On success the transport owns the descriptors and closes them in the end.
 * They are made non-blocking, for all who share their open file: do not give
 * it what other processes use as well (standard streams: see stdio.h).
 *
 * The end of @in ends the read side only; close_write closes @out if it is
 * a descriptor of its own, and shuts down the write side of a socket.
 *
 * Return: 0; -EINVAL when both are -1, when one keeps boundaries and the other
 * does not, or when @p lacks lost; -EBUSY when @p has a
 * transport, -EBADF, -EEXIST when the reactor watches that descriptor
 * already, -ENOMEM. After an error the descriptors are still the caller's.
 */
UTW_API int utw_fd_transport_new(struct utw_transport **ret, struct utw_reactor *r, int in, int out,
				 struct utw_protocol *p);

/**
 * utw_fd_listen() - take connections from a socket that listens already
 * @ret: receives the listener, owned by the caller
 * @r: the reactor
 * @fd: a listening socket of any family, as systemd or a parent hands it over;
 *	made non-blocking, and closed on exec
 * @f: makes the protocols; started now, stopped with the listener
 *
 * Connections are what they are with utw_tcp_listen() and utw_unix_listen();
 * those of other families are as with utw_fd_transport_new(). So is a want of
 * descriptors: clients are turned away, and the factory is told of trouble.
 *
 * Return: 0, and the listener owns @fd; -EINVAL when it does not listen,
 * -ENOTSOCK, -EBADF, -EEXIST when the reactor watches it already, -EMFILE,
 * -ENOMEM. After an error @fd is still the caller's.
 */
UTW_API int utw_fd_listen(struct utw_fd_listener **ret, struct utw_reactor *r, int fd,
			  struct utw_factory *f);

/**
 * utw_fd_listener_close() - stop listening
 * @l: the listener or NULL; gone when this returns, and its descriptor closed
 *
 * Legal from any callback. Connections that were accepted live on.
 */
UTW_API void utw_fd_listener_close(struct utw_fd_listener *l);

/**
 * utw_fd_listener_host() - where a listener listens
 * @l: the listener
 *
 * Return: the address, borrowed from the listener.
 */
UTW_API const struct utw_address *utw_fd_listener_host(const struct utw_fd_listener *l);

#ifdef __cplusplus
}
#endif

#endif
