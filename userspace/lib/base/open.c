// SPDX-License-Identifier: MIT
/* Opening files: see open.h. */
#include "open.h"

#include <errno.h>
#include <fcntl.h>

int utw_open_made(const char *path, int flags, mode_t mode)
{
	int fd;

	do {
		fd = open(path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int utw_open(const char *path, int flags)
{
	return utw_open_made(path, flags, 0);
}
