/* SPDX-License-Identifier: MIT */
/*
 * Descriptor: what a file descriptor is, and how to read and write it so that
 * neither a wait nor a SIGPIPE comes of it.
 */
#ifndef UTW_TRANSPORT_DESCRIPTOR_H
#define UTW_TRANSPORT_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum utw_descriptor_kind {
	UTW_DESCRIPTOR_PLAIN, /* does not raise signals; blocks as it is set to */
	UTW_DESCRIPTOR_FILE, /* regular: never blocks */
	UTW_DESCRIPTOR_PIPE,
	UTW_DESCRIPTOR_TERMINAL,
	UTW_DESCRIPTOR_SOCKET,
};

struct utw_descriptor {
	enum utw_descriptor_kind kind;
	bool record; /* a socket that keeps boundaries */
	bool sequenced; /* a record socket with an end: 0 bytes mean that */
	bool polled; /* may block: ask before each step, and take small ones */
	bool borrowed; /* others use the same open file: it is not ours to end */
};

/* Find out what `fd` is. Returns 0, or -errno as -EBADF. */
int utw_descriptor_probe(int fd, struct utw_descriptor *ret);

/* Never waits for `d` if it is a socket, is polled, or has O_NONBLOCK. */
ssize_t utw_descriptor_read(const struct utw_descriptor *d, int fd, void *data, size_t size);
ssize_t utw_descriptor_write(const struct utw_descriptor *d, int fd, const void *data, size_t len);

/* One record; its full length may be more than the size. */
ssize_t utw_descriptor_read_record(int fd, void *data, size_t size, size_t *full_len);

#endif
