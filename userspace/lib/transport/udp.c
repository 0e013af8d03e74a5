/* SPDX-License-Identifier: MIT */
/* UDP ports and multicast: see untwist/udp.h. */
#include <untwist/udp.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram-private.h"

#define FLAGS_KNOWN \
	(UTW_UDP_SHARE_ADDRESS | UTW_UDP_SHARE_LOAD | UTW_UDP_BROADCAST | UTW_UDP_V6_ONLY)

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int udp_set_options(int fd, int family, unsigned int flags)
{
	int error = set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);

	if (!error && family == AF_INET)
		error = set_int(fd, IPPROTO_IP, IP_RECVERR, 1);
	if (!error && family == AF_INET6)
		error = set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	if (!error && family == AF_INET6)
		error = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, !!(flags & UTW_UDP_V6_ONLY));
	if (!error && (flags & UTW_UDP_SHARE_ADDRESS))
		error = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!error && (flags & UTW_UDP_SHARE_LOAD))
		error = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!error && (flags & UTW_UDP_BROADCAST))
		error = set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	return error;
}

int utw_udp_open(struct utw_datagram **ret, struct utw_reactor *r, const struct utw_address *at,
		 unsigned int flags, struct utw_datagram_receiver *receiver)
{
	int family = at->storage.ss_family;
	int error;
	int fd;

	if ((family != AF_INET && family != AF_INET6) || (flags & ~(unsigned int)FLAGS_KNOWN))
		return -EINVAL;
	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = udp_set_options(fd, family, flags);
	if (!error && bind(fd, (const struct sockaddr *)&at->storage, at->length))
		error = -errno;
	if (!error)
		error = utw_datagram_new(ret, r, fd, "udp", NULL, receiver);
	if (error)
		close(fd);
	return error;
}

/* IPPROTO_IP or IPPROTO_IPV6, or -errno. */
static int udp_level(const struct utw_datagram *d)
{
	if (!d)
		return -EPIPE;
	switch (d->host.storage.ss_family) {
	case AF_INET:
		return IPPROTO_IP;
	case AF_INET6:
		return IPPROTO_IPV6;
	}
	return -EOPNOTSUPP;
}

/* 0 leaves the choice to the kernel. */
static int interface_index(const char *interface, unsigned int *ret)
{
	*ret = interface ? if_nametoindex(interface) : 0;
	return interface && !*ret ? -ENODEV : 0;
}

static int udp_membership(struct utw_datagram *d, int option, const struct utw_address *group,
			  const char *interface)
{
	struct group_req request;
	int level = udp_level(d);
	unsigned int index;
	int error;

	if (level < 0)
		return level;
	if (group->storage.ss_family != d->host.storage.ss_family)
		return -EINVAL;
	error = interface_index(interface, &index);
	if (error)
		return error;
	memset(&request, 0, sizeof(request));
	request.gr_interface = index;
	memcpy(&request.gr_group, &group->storage, group->length);
	return setsockopt(d->fd, level, option, &request, sizeof(request)) ? -errno : 0;
}

int utw_udp_join(struct utw_datagram *d, const struct utw_address *group, const char *interface)
{
	return udp_membership(d, MCAST_JOIN_GROUP, group, interface);
}

int utw_udp_leave(struct utw_datagram *d, const struct utw_address *group, const char *interface)
{
	return udp_membership(d, MCAST_LEAVE_GROUP, group, interface);
}

static int set_multicast_v4(int fd, unsigned int index, unsigned int hops, bool loop)
{
	struct ip_mreqn via = { .imr_ifindex = (int)index };

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &via, sizeof(via)) ||
	    set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, (int)hops) ||
	    set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, loop))
		return -errno;
	return 0;
}

static int set_multicast_v6(int fd, unsigned int index, unsigned int hops, bool loop)
{
	if (set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index) ||
	    set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, (int)hops) ||
	    set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop))
		return -errno;
	return 0;
}

int utw_udp_set_multicast(struct utw_datagram *d, const char *interface, unsigned int hops,
			  bool loop)
{
	int level = udp_level(d);
	unsigned int index;
	int error;

	if (level < 0)
		return level;
	if (hops > 255)
		return -EINVAL;
	error = interface_index(interface, &index);
	if (error)
		return error;
	if (level == IPPROTO_IP)
		return set_multicast_v4(d->fd, index, hops, loop);
	return set_multicast_v6(d->fd, index, hops, loop);
}
