/* SPDX-License-Identifier: MIT */
/*
 * window.c: memory that calls are made with, good and bad, and the addresses
 * where rings are mapped. Those are reserved once: what a thread believes to be
 * a ring is a ring or a hole, and never memory of somebody else.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/untwist.h>

#include "dice.h"

#define WINDOW_SIZE (20UL << 20)
#define GROUND_SIZE (1UL << 20)

struct window {
	unsigned char *base;
	struct untwist_ring_setup setup; /* as it was when something was mapped last */
};

/* Before all else; false if there is no memory. */
bool window_init(struct window *windows, unsigned int nr);

/* Memory that may be read and written, and ends at one that may not. */
unsigned char *ground(void);

/* An address for @len bytes: in most cases good, else of each kind of bad. */
void *ground_any(struct dice *dice, size_t len);

/* mmap(), mremap() and munmap() of what is at windows; 0 or -1. */
long window_map(const struct window *window, size_t size, int prot, int flags, int fd,
		off_t offset);
long window_move(const struct window *from, const struct window *to, size_t size, size_t grown);
long window_unmap(const struct window *window, size_t at, size_t size);

/* What is mapped where the kernel likes, and never at a window; NULL, it was refused. */
void *window_outside(size_t size, int fd, off_t offset);

/* A copy of at most a page, which fails with -1 where there is a hole. */
int window_copy(void *to, const void *from, size_t len);

#endif /* WINDOW_H */
