/* SPDX-License-Identifier: MIT */
/* From a file to the kernel's side of a transport, without a way through our memory. */
#ifndef UTW_TRANSPORT_SEND_FILE_H
#define UTW_TRANSPORT_SEND_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct utw_transport;

/*
 * For a producer, when it is asked: send at most `len` bytes from where the file
 * stands. Returns how many went, and the producer is asked again; 0 at the end of
 * the file; -EAGAIN when the kernel has no room: what is written then waits for it,
 * and the producer with it; another -errno when it cannot be done this way.
 */
ssize_t utw_transport_send_file(struct utw_transport *t, int file, size_t len);

#endif
