/* SPDX-License-Identifier: MIT */
/*
 * rings.c: the ring of an open, as a program uses it that keeps all the rules.
 * What breaks them writes to the members itself.
 */
#ifndef RINGS_H
#define RINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/untwist.h>

struct ring {
	int fd;
	struct untwist_ring_setup setup;
	unsigned char *map;
	struct untwist_ring *head;
	struct untwist_sqe *sqes;
	struct untwist_cqe *cqes;
	unsigned char *arena;
};

/* An open of the first loop device with a ring, and that mapped. A failure ends the test. */
struct ring ring_open(const struct untwist_ring_setup *wanted);
struct ring ring_open_entries(__u32 sq_entries, __u32 cq_entries);

/* The same of an fd; and only the mapping of a ring that is there. */
struct ring ring_of(int fd, const struct untwist_ring_setup *wanted);
void ring_map(struct ring *ring);

/* How many entries may be put. */
unsigned int ring_room(const struct ring *ring);

/* Entries put into the ring, and shown to the kernel. There has to be room. */
void ring_put(struct ring *ring, const struct untwist_sqe *sqes, unsigned int count);
void ring_put_nops(struct ring *ring, __u64 first_user_data, unsigned int count);

/* How many were taken; or -1, with errno. */
int ring_enter(const struct ring *ring, unsigned int to_submit, unsigned int min_complete);
int ring_enter_as(const struct ring *ring, struct untwist_ring_enter enter);

/* What there is to reap; and the oldest of it. Without one, the test ends. */
unsigned int ring_ready(const struct ring *ring);
struct untwist_cqe ring_reap(struct ring *ring);

/* As the rules for sleeping want it: both after a full barrier. */
__u32 ring_kernel_flags(const struct ring *ring);
void ring_user_flags(struct ring *ring, __u32 flags);

/* As ring_enter() without entries, in a sleeper; len: completions to wait for. */
struct sleeper;
long sleep_in_enter(struct sleeper *sleeper);

#endif /* RINGS_H */
