/* SPDX-License-Identifier: MIT */
/*
 * Writes that never raise SIGPIPE, whatever the process has made
 * of that signal, and without touching what it has made of it.
 */
#ifndef UTW_TRANSPORT_SILENT_WRITE_H
#define UTW_TRANSPORT_SILENT_WRITE_H

#include <stddef.h>
#include <sys/types.h>

/* As write(), but returns -errno. May be called from any thread. */
ssize_t utw_silent_write(int fd, const void *data, size_t len);

/* As sendfile() from where the file stands, but returns -errno. May be called from any thread. */
ssize_t utw_silent_sendfile(int fd, int file, size_t len);

#endif
