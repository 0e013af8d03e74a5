/* SPDX-License-Identifier: MIT */
/* Options of a TCP connection: see untwist/tcp.h. */
#include <untwist/tcp.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "fd-carrier.h"
#include "tcp-carrier.h"

static int set_option(int fd, int level, int name, unsigned int value)
{
	int number = (int)value;

	if (value > INT_MAX)
		return -EINVAL;
	return setsockopt(fd, level, name, &number, sizeof(number)) ? -errno : 0;
}

/* The socket of a TCP transport, or -errno. */
static int tcp_socket(const struct utw_transport *t)
{
	int fd = utw_tcp_carrier_socket(t);
	socklen_t size = sizeof(int);
	int protocol;

	if (fd == -EOPNOTSUPP)
		fd = utw_fd_carrier_socket(t);
	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) || protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	return fd;
}

int utw_tcp_set_nodelay(struct utw_transport *t, int on)
{
	int fd = tcp_socket(t);

	return fd < 0 ? fd : set_option(fd, IPPROTO_TCP, TCP_NODELAY, !!on);
}

static int set_keepalive(int fd, unsigned int idle)
{
	int error;

	if (!idle)
		return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	error = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
	return error ? error : set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int utw_tcp_set_keepalive(struct utw_transport *t, unsigned int idle)
{
	int fd = tcp_socket(t);

	return fd < 0 ? fd : set_keepalive(fd, idle);
}

int utw_tcp_set_options(struct utw_transport *t, const struct utw_tcp_options *options)
{
	const struct {
		int level;
		int name;
		unsigned int value;
	} wanted[] = {
		{ IPPROTO_TCP, TCP_NODELAY, options->nodelay },
		{ IPPROTO_TCP, TCP_KEEPINTVL, options->keep_interval },
		{ IPPROTO_TCP, TCP_KEEPCNT, options->keep_count },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, options->user_timeout },
		{ SOL_SOCKET, SO_SNDBUF, options->send_buffer },
		{ SOL_SOCKET, SO_RCVBUF, options->receive_buffer },
	};
	int fd = tcp_socket(t);
	int error = fd < 0 ? fd : 0;

	for (size_t i = 0; !error && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i].value)
			error = set_option(fd, wanted[i].level, wanted[i].name, wanted[i].value);
	if (!error && options->keep_idle)
		error = set_keepalive(fd, options->keep_idle);
	return error;
}
