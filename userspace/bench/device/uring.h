/* SPDX-License-Identifier: MIT */
/* uring.c: works on io_uring, by its bare system calls. */
#ifndef URING_H
#define URING_H

struct work;

/* IORING_OP_NOP. */
const char *uring_nop_begin(struct work *work);

/* Commands of a node, whose path is in work.data: with their entry in the ring (SQE128). */
const char *uring_command_begin(struct work *work);

/* The same, with the entry elsewhere in the program's memory. */
const char *uring_pointer_begin(struct work *work);

void uring_run(struct work *work, unsigned int count);

#endif /* URING_H */
