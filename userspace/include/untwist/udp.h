/* SPDX-License-Identifier: MIT */
/* UDP: ports over IPv4 and IPv6, and multicast. What a port does is in datagram.h. */
#ifndef UNTWIST_UDP_H
#define UNTWIST_UDP_H

#include <stdbool.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_address;
struct utw_datagram;
struct utw_datagram_receiver;
struct utw_reactor;

/** Options of utw_udp_open(). */
enum utw_udp_flags {
	UTW_UDP_SHARE_ADDRESS = 1 << 0, /* several ports may have it, for multicast */
	UTW_UDP_SHARE_LOAD = 1 << 1, /* several ports of one user share what comes */
	UTW_UDP_BROADCAST = 1 << 2, /* may send to broadcast addresses */
	UTW_UDP_V6_ONLY = 1 << 3, /* an IPv6 port takes no IPv4 datagrams */
};

/**
 * utw_udp_open() - open a UDP port
 * @ret: receives the port, owned by the caller
 * @r: the reactor
 * @at: its address; port number 0 lets the kernel choose
 * @flags: of enum utw_udp_flags, or 0
 * @receiver: told what comes; stays until the port is closed
 *
 * Return: 0; -EADDRINUSE, -EACCES and others of bind(); -EINVAL for an address
 * of another family, for an unknown flag, or when @receiver lacks received;
 * -EBUSY when @receiver has a port; -EMFILE, -ENOMEM.
 */
UTW_API int utw_udp_open(struct utw_datagram **ret, struct utw_reactor *r,
			 const struct utw_address *at, unsigned int flags,
			 struct utw_datagram_receiver *receiver);

/**
 * utw_udp_join() - receive what is sent to a group
 * @d: a UDP port, best opened on all interfaces or on the group's address
 * @group: the group's address, of the port's family; its port number is ignored
 * @interface: name of the interface to listen on, NULL for the kernel's choice
 *
 * Return: 0; -ENODEV for an interface that is not there or cannot do it,
 * -EADDRINUSE when joined already, -EINVAL for an address that is no group,
 * -EOPNOTSUPP for another kind of port, -EPIPE.
 */
UTW_API int utw_udp_join(struct utw_datagram *d, const struct utw_address *group,
			 const char *interface);

/**
 * utw_udp_leave() - end a membership
 * @d: the port
 * @group: as it was joined
 * @interface: as it was joined
 *
 * Return: 0; -EADDRNOTAVAIL when it was not joined; others as utw_udp_join().
 */
UTW_API int utw_udp_leave(struct utw_datagram *d, const struct utw_address *group,
			  const char *interface);

/**
 * utw_udp_set_multicast() - say how datagrams to groups leave
 * @d: the port
 * @interface: name of the interface, NULL for the kernel's choice
 * @hops: routers they may pass, 0 to 255; 1 keeps them in the local network
 * @loop: whether ports of this machine that have joined receive them too
 *
 * Return: 0, -EINVAL for @hops out of range, -ENODEV, -EOPNOTSUPP, -EPIPE.
 */
UTW_API int utw_udp_set_multicast(struct utw_datagram *d, const char *interface, unsigned int hops,
				  bool loop);

#ifdef __cplusplus
}
#endif

#endif
