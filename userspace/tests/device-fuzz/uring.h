/* SPDX-License-Identifier: MIT */
/*
 * uring.c: io_uring, by its system calls alone: reads, writes, polls and
 * commands on the nodes under test. Each thread has at most one.
 */
#ifndef URING_H
#define URING_H

#include <stddef.h>

#include <linux/io_uring.h>

struct fuzzer;

struct uring {
	int fd; /* 0, there is none */
	struct io_uring_params params;
	unsigned char *rings;
	size_t rings_size;
	unsigned char *sqes;
	size_t sqes_size;
};

/* Makes one if there is none, else uses or ends it; as a system call. */
long uring_use(struct fuzzer *fuzzer);

#endif /* URING_H */
