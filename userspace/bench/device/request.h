/* SPDX-License-Identifier: MIT */
/* request.c: works on the request plane, by ring and by ioctl. */
#ifndef REQUEST_H
#define REQUEST_H

struct work;

/*
 * As work.data: the path of a node. The operation is a request with the opcode
 * work.argument that is complete at once.
 */
const char *ring_begin(struct work *work);
void ring_run(struct work *work, unsigned int count);

/* With the kernel's poller; and how many calls that took so far. */
const char *ring_poller_begin(struct work *work);
void ring_poller_run(struct work *work, unsigned int count);
unsigned int ring_calls(const struct work *work);

/* By UNTWIST_IOC_SUBMIT and read(). */
const char *ioctl_begin(struct work *work);
void ioctl_run(struct work *work, unsigned int count);

#endif /* REQUEST_H */
