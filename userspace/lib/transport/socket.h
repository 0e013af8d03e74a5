/* SPDX-License-Identifier: MIT */
/* Socket: how a connected one is read, written and ended, whatever carries it. */
#ifndef UTW_TRANSPORT_SOCKET_H
#define UTW_TRANSPORT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Never wait, never raise SIGPIPE. Return bytes, 0 at the end (of a read), or -errno. */
ssize_t utw_socket_read(int fd, void *data, size_t size);
ssize_t utw_socket_write(int fd, const void *data, size_t len);

/* What befell it, as -errno; 0: nothing. */
int utw_socket_error(int fd);

/* Before it is closed: with `abort` the peer sees a reset, else all that was sent. */
void utw_socket_end(int fd, bool abort);

#endif
