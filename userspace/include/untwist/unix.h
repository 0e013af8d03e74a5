/* SPDX-License-Identifier: MIT */
/*
 * UNIX sockets: streams that can hand descriptors to another process, and
 * datagrams.
 *
 * A listener on a path holds a lock beside it ("PATH.lock") for as long as it
 * lives. So a socket file that a dead process left behind is known to be stale
 * and is replaced, while one that is served is left alone; the listener takes
 * its own file away with it. Abstract names have no file and need none of this.
 *
 * Ownership of descriptors: those given to utw_unix_write_fds() are the
 * transport's from its success on, which closes them once they are sent.
 * Those that arrive are dropped by the kernel, until utw_unix_accept_fds() asks
 * for them; then they wait in the transport for utw_unix_take_fd(), with which
 * each becomes the caller's. What nobody took is closed with the transport.
 */
#ifndef UNTWIST_UNIX_H
#define UNTWIST_UNIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_datagram;
struct utw_datagram_receiver;
struct utw_deferred;
struct utw_factory;
struct utw_protocol;
struct utw_reactor;
struct utw_transport;
struct utw_unix_listener;

/** Most descriptors that one write can carry. */
#define UTW_UNIX_FDS 253

/** Pending connections that the kernel keeps for a listener. */
#define UTW_UNIX_BACKLOG 128

/** How long utw_unix_connect() tries when told 0, in nanoseconds. */
#define UTW_UNIX_CONNECT_TIMEOUT UINT64_C(30000000000)

/** Who is at the other end: as it was when that end connected or listened. */
struct utw_unix_credentials {
	pid_t pid; /* 0: in a process namespace that cannot be seen from here */
	uid_t uid;
	gid_t gid;
};

/**
 * utw_unix_listen() - listen for connections
 * @ret: receives the listener, owned by the caller
 * @r: the reactor
 * @at: a UNIX address: see utw_address_unix()
 * @mode: permissions of the socket file, as for chmod(); 0 for those that the
 *	process's umask leaves. Never wider than asked for, not even for a moment
 * @f: makes the protocols; started now, stopped with the listener. A process
 *	out of descriptors turns clients away, and tells it trouble
 *
 * Return: 0; -EADDRINUSE when another listener has that path or name;
 * -EINVAL for an address of another family; -EACCES, -ENOENT and others of
 * bind() and of opening the lock; -EMFILE, -ENOMEM.
 */
UTW_API int utw_unix_listen(struct utw_unix_listener **ret, struct utw_reactor *r,
			    const struct utw_address *at, mode_t mode, struct utw_factory *f);

/**
 * utw_unix_listener_close() - stop listening
 * @l: the listener or NULL; gone when this returns, and its file and lock too
 *
 * Legal from any callback. Connections that were accepted live on.
 */
UTW_API void utw_unix_listener_close(struct utw_unix_listener *l);

/**
 * utw_unix_connect() - connect to a UNIX socket
 * @r: the reactor
 * @to: the address of the listener
 * @f: makes the protocol once the connection stands; started now, stopped
 *	when the attempt has ended. It stays until then
 * @timeout: how long to try, in nanoseconds; 0 for UTW_UNIX_CONNECT_TIMEOUT.
 *	A listener whose queue is full is tried again until then
 *
 * Return: a deferred that fires as that of utw_tcp_connect() does; NULL
 * without memory.
 */
UTW_API struct utw_deferred *utw_unix_connect(struct utw_reactor *r, const struct utw_address *to,
					      struct utw_factory *f, uint64_t timeout);

/**
 * utw_unix_transport_new() - make a transport over a connected socket
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @fd: a connected UNIX stream socket, as one of a socketpair()
 * @p: the protocol, told made in a later callback
 *
 * Return: 0, after which the transport owns @fd; -EINVAL for a descriptor of
 * another kind or when @p lacks lost; -EBUSY when @p has a transport; -EBADF,
 * -EEXIST, -ENOMEM. After an error @fd is still the caller's.
 */
UTW_API int utw_unix_transport_new(struct utw_transport **ret, struct utw_reactor *r, int fd,
				   struct utw_protocol *p);

/**
 * utw_unix_peer_credentials() - ask the kernel who is at the other end
 * @t: a transport over a UNIX socket
 * @ret: receives the credentials
 *
 * Return: 0, -EOPNOTSUPP for another kind of transport, -EPIPE.
 */
UTW_API int utw_unix_peer_credentials(const struct utw_transport *t,
				      struct utw_unix_credentials *ret);

/**
 * utw_unix_write_fds() - send bytes and descriptors that arrive with the first of them
 * @t: a transport over a UNIX socket
 * @data: the bytes; copied
 * @len: their length; at least 1, since descriptors cannot travel alone
 * @fds: the descriptors; the array is copied
 * @count: how many, 1 to UTW_UNIX_FDS
 *
 * Return: as utw_transport_write(); the descriptors were taken if it is not
 * negative and are still the caller's if it is. -EINVAL for a @len or @count
 * out of range, -EOPNOTSUPP for another kind of transport.
 */
UTW_API int utw_unix_write_fds(struct utw_transport *t, const void *data, size_t len,
			       const int *fds, unsigned int count);

/**
 * utw_unix_accept_fds() - say how many received descriptors may wait
 * @t: a transport over a UNIX socket
 * @most: as many; 0, as in the beginning: the kernel drops what comes
 *
 * A peer that sends more than are taken ends the transport: UTW_LOST, cause
 * ENOBUFS. So does one whose descriptors the process has no room for: EMFILE.
 *
 * Return: 0, -EOPNOTSUPP for another kind of transport, -ENOMEM, -EPIPE;
 * -EBUSY when more than @most wait already.
 */
UTW_API int utw_unix_accept_fds(struct utw_transport *t, unsigned int most);

/**
 * utw_unix_take_fd() - take the next descriptor that has arrived
 * @t: a transport over a UNIX socket
 *
 * A descriptor is there when the data operation is told the bytes that it
 * came with, or earlier.
 *
 * Return: a descriptor with FD_CLOEXEC set, which is the caller's now;
 * -EAGAIN when none waits, -EOPNOTSUPP for another kind of transport, -EPIPE.
 */
UTW_API int utw_unix_take_fd(struct utw_transport *t);

/**
 * utw_unix_datagram_open() - open a datagram port
 * @ret: receives the port, owned by the caller; see datagram.h for what it does
 * @r: the reactor
 * @at: its address, with a lock for a path as a listener has; NULL for none,
 *	so that nobody can answer
 * @mode: permissions of the socket file, as for utw_unix_listen()
 * @receiver: told what comes; stays until the port is closed
 *
 * A datagram is refused (-ECONNREFUSED) when nobody has the address, and waits
 * (-EAGAIN) while its receiver has too many. When that has room again is known
 * of the address that the port is connected to, and not of others: a port that
 * is not connected is told writable when its own buffer has room.
 *
 * Return: 0; -EADDRINUSE when another has that path or name; -EINVAL for an
 * address of another family or when @receiver lacks received; -EBUSY when
 * @receiver has a port; -EACCES, -ENOENT and others of bind(); -EMFILE, -ENOMEM.
 */
UTW_API int utw_unix_datagram_open(struct utw_datagram **ret, struct utw_reactor *r,
				   const struct utw_address *at, mode_t mode,
				   struct utw_datagram_receiver *receiver);

#ifdef __cplusplus
}
#endif

#endif
