/* SPDX-License-Identifier: MIT */
/*
 * Transport over the standard input and output of the process.
 *
 * Whether a descriptor blocks is a property of the open file, which the shell
 * and other processes share; so O_NONBLOCK is never set on an inherited one:
 *  - pipes and terminals are opened anew through /proc/self/fd;
 *  - sockets are read and written with MSG_DONTWAIT;
 *  - regular files never block, and keep the offset that they share;
 *  - everything else, and what cannot be opened anew, is polled before each
 *    read and each write of at most PIPE_BUF bytes, or of one byte to a
 *    terminal: the master of a pair, which promises room for no more. A second
 *    process that takes the input between the poll and the read, or the room
 *    between the poll and the write, can make that one block.
 */
#ifndef UNTWIST_STDIO_H
#define UNTWIST_STDIO_H

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_protocol;
struct utw_reactor;
struct utw_transport;

/**
 * utw_stdio_transport_new() - make a transport over descriptors 0 and 1
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @p: the protocol, told made in a later callback
 *
 * Descriptors 0 and 1 themselves stay open when the transport ends: a reader
 * of the output sees its end when the process exits or closes 1.
 *
 * Return: 0; -EBADF when one is closed, -EBUSY when @p has a transport,
 * -EINVAL when it lacks lost, -EMFILE, -ENOMEM.
 */
UTW_API int utw_stdio_transport_new(struct utw_transport **ret, struct utw_reactor *r,
				    struct utw_protocol *p);

/**
 * utw_stdio_transport_from() - the same over other inherited descriptors
 * @ret: receives the caller's reference; may be NULL
 * @r: the reactor
 * @in: descriptor to read from, -1 for none; stays the caller's
 * @out: descriptor to write to, -1 for none; stays the caller's
 * @p: the protocol, told made in a later callback
 *
 * Return: as utw_stdio_transport_new().
 */
UTW_API int utw_stdio_transport_from(struct utw_transport **ret, struct utw_reactor *r, int in,
				     int out, struct utw_protocol *p);

#ifdef __cplusplus
}
#endif

#endif
