/* SPDX-License-Identifier: MIT */
/*
 * requests.c: requests submitted and their completions read, by the system
 * calls alone.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stddef.h>

#include <linux/untwist.h>

/* An ioctl of Untwist's for a structure that is shorter or longer than ours. */
#define IOC_SIZED(cmd, size) _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size)

/* What an array of entries would be submitted with. */
struct untwist_submit submit_of(const struct untwist_sqe *sqes, unsigned int count);

/* How many were taken; or -1, with errno. */
int requests_submit(int fd, const struct untwist_sqe *sqes, unsigned int count);
int requests_cancel(int fd, __u64 user_data);
int requests_plane(int fd, __u32 plane);

/* A loop device opened for requests. */
int requests_open(const char *path, int flags);

/* Late by so many nanoseconds, with a value to come back. */
struct untwist_sqe request_echo(__u64 user_data, __u64 delay_ns, __u64 value);
struct untwist_sqe request_payload(__u64 user_data, __u64 delay_ns, void *payload, __u32 len);

/*
 * One request, whose payload's memory is all zeros when this returns and is
 * surely so before the bytes come back to it: that they do can then be seen.
 */
void request_payload_and_wipe(int fd, void *payload, __u32 len);

/* The next completion. A failure ends the test. */
struct untwist_cqe completion_read(int fd);

/* Longer than a test: ends by a cancel, or not at all. */
#define REQUEST_FOREVER 60000000000ULL

#endif /* REQUESTS_H */
