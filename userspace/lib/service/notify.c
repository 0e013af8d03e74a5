/* SPDX-License-Identifier: MIT */
/* The notification protocol of systemd, sd_notify(3): one datagram for each message. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <untwist/program.h>

static int notify_address(const char *path, struct sockaddr_un *ret, socklen_t *size)
{
	size_t len = strlen(path);

	if ((*path != '/' && *path != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, path, len);
	/* An abstract name: its first byte is NUL, and none follows it. */
	if (*path == '@')
		ret->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*path == '/'));
	return 0;
}

int utw_notify(const char *state)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	socklen_t size;
	int error;
	int fd;

	if (!path)
		return 0;
	error = notify_address(path, &to, &size);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, size) < 0)
		error = -errno;
	close(fd);
	return error ? error : 1;
}
