/* SPDX-License-Identifier: MIT */
/* Socket: see socket.h. */
#include "socket.h"

#include <errno.h>
#include <sys/socket.h>

#include <untwist/transport.h>

ssize_t utw_socket_read(int fd, void *data, size_t size)
{
	ssize_t got;

	do
		got = recv(fd, data, size, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

ssize_t utw_socket_write(int fd, const void *data, size_t len)
{
	ssize_t put;

	do
		put = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

int utw_socket_error(int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

static void end_rudely(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/*
 * Closing a TCP socket with unread bytes makes the kernel send a reset, which
 * destroys what the peer has not read yet. So they are read, within the budget
 * of a turn: a peer that never stops sending gets its reset.
 */
static void end_politely(int fd)
{
	char unread[4096];

	shutdown(fd, SHUT_WR);
	for (size_t left = UTW_TURN_BYTES; left >= sizeof(unread); left -= sizeof(unread))
		if (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) <= 0)
			break;
}

void utw_socket_end(int fd, bool abort)
{
	if (abort)
		end_rudely(fd);
	else
		end_politely(fd);
}
