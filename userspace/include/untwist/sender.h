/* SPDX-License-Identifier: MIT */
/*
 * File sender: a pull producer that sends a file through a transport, no
 * faster than the transport takes it.
 */
#ifndef UNTWIST_SENDER_H
#define UNTWIST_SENDER_H

#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_transport;

/** Bytes read at a time when utw_file_send() is told 0. */
#define UTW_FILE_CHUNK 16384

/**
 * struct utw_file_sent - what became of it
 * @bytes: how many were handed to the transport
 * @last: the last of them, 0 to 255; -1 when there was none, or it cannot be read
 *	again (somebody else has moved the file's end)
 */
struct utw_file_sent {
	uint64_t bytes;
	int last;
};

/**
 * utw_file_send() - send a file from where it stands to its end
 * @t: the transport, which must have no producer
 * @fd: a regular file, which stays open until the deferred has fired and is the
 *	caller's. Reading it may wait for the disk
 * @chunk: bytes to read at a time, 0 for UTW_FILE_CHUNK; where the kernel sends
 *	the file by itself, 0 for UTW_TURN_BYTES
 *
 * To a stream socket the kernel sends it by sendfile(), past our memory, if it
 * can for that kind of file. Else, and through TLS and other layers, it is read
 * and written. One chunk waits in the transport at a time. To close behind the file, close
 * with UTW_CLOSE_AFTER_PRODUCER at once.
 *
 * The deferred fires, from the reactor's turn, with a const struct
 * utw_file_sent * that its chain owns, when the end of the file was read (which
 * is before the last chunk has left); or fails: errno domain with what read()
 * or the transport said, UTW_LOST when the transport ended first, UTW_CANCELLED
 * after a cancel, which sends no more than what was handed over already.
 *
 * Return: the deferred, one reference of which is the caller's, failed already
 * when @t takes no producer (EBUSY, EPIPE); NULL without memory.
 */
UTW_API struct utw_deferred *utw_file_send(struct utw_transport *t, int fd, size_t chunk);

#ifdef __cplusplus
}
#endif

#endif
