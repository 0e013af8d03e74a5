/* SPDX-License-Identifier: MIT */
/*
 * Opening files. That may wait, of a device or on a network, where a signal ends it
 * early: it is begun again then. Nothing that is opened is for other programs.
 */
#ifndef UTW_BASE_OPEN_H
#define UTW_BASE_OPEN_H

#include <sys/types.h>

/* As open(2), with O_CLOEXEC in any case. Returns the descriptor, or -errno. */
int utw_open(const char *path, int flags);
/* The same, where the file may have to be made. */
int utw_open_made(const char *path, int flags, mode_t mode);

#endif
