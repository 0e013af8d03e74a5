/* SPDX-License-Identifier: MIT */
/*
 * Double: a transport whose other side is the test.
 *
 * The test says what comes and looks at what was written; it can make the other
 * side slow, end it, unplug it, and let any read or write fail. To the protocol
 * it is a transport like any other. A record double stands for a device.
 */
#ifndef UNTWIST_TESTING_DOUBLE_H
#define UNTWIST_TESTING_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/custom.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_double_record;
struct utw_protocol;
struct utw_reactor;

enum utw_double_kind {
	UTW_DOUBLE_STREAM,
	UTW_DOUBLE_RECORD,
};

enum utw_double_call {
	UTW_DOUBLE_READ,
	UTW_DOUBLE_WRITE,
};

/* A queue of bytes or records. The members are private. */
struct utw_double_queue {
	struct utw_double_record *first;
	struct utw_double_record **end;
	size_t len;
};

/**
 * struct utw_double - storage of the test
 * @reads: calls that asked for input so far, and @writes: for output
 * @closed: the transport has let go of it
 * @aborted: by an abort
 * @shut: no more will be written
 *
 * All other members are the library's.
 */
struct utw_double {
	struct utw_custom custom;
	unsigned int reads;
	unsigned int writes;
	bool closed;
	bool aborted;
	bool shut;
	enum utw_double_kind kind;
	struct utw_double_queue in;
	struct utw_double_queue out;
	struct utw_double_record *told;
	char *text;
	size_t room;
	size_t piece;
	bool ended;
	unsigned int fail_at[2];
	int error[2];
};

/**
 * utw_double_open() - make the transport
 * @d: storage of the test
 * @r: the reactor
 * @kind: bytes or records
 * @p: the protocol, told made in a later callback
 *
 * Return: as utw_custom_transport_new().
 */
UTW_API int utw_double_open(struct utw_double *d, struct utw_reactor *r, enum utw_double_kind kind,
			    struct utw_protocol *p);

/**
 * utw_double_release() - free what it holds
 * @d: a double whose transport is lost
 */
UTW_API void utw_double_release(struct utw_double *d);

/**
 * utw_double_feed() - let something come
 * @d: the double
 * @data: bytes, or one record; copied
 * @len: how many bytes
 *
 * Return: 0 or -ENOMEM.
 */
UTW_API int utw_double_feed(struct utw_double *d, const void *data, size_t len);

/**
 * utw_double_feed_cut() - let a record come whose end was cut off
 * @d: a double of records
 * @data: what is left of it; copied
 * @len: how many bytes
 * @full_len: how long it was
 *
 * Return: 0 or -ENOMEM.
 */
UTW_API int utw_double_feed_cut(struct utw_double *d, const void *data, size_t len,
				size_t full_len);

/**
 * utw_double_set_piece() - say how much a read gives at most
 * @d: the double
 * @piece: bytes; 0 for no limit, as at first
 */
UTW_API void utw_double_set_piece(struct utw_double *d, size_t piece);

/**
 * utw_double_set_room() - say how much the other side takes
 * @d: the double
 * @room: bytes that may wait in it; SIZE_MAX for no limit, as at first
 */
UTW_API void utw_double_set_room(struct utw_double *d, size_t room);

/**
 * utw_double_fail() - let a call fail
 * @d: the double
 * @call: a read or a write
 * @nth: which one from now on, counted from 1; 0: none
 * @error: -errno
 */
UTW_API void utw_double_fail(struct utw_double *d, enum utw_double_call call, unsigned int nth,
			     int error);

/**
 * utw_double_end() - the other side sends no more
 * @d: the double
 */
UTW_API void utw_double_end(struct utw_double *d);

/**
 * utw_double_lose() - the transport is lost
 * @d: the double
 * @reason: as UTW_LOST, or UTW_GONE for a device that was unplugged
 */
UTW_API void utw_double_lose(struct utw_double *d, int reason);

/**
 * utw_double_written() - what was written and not taken yet
 * @d: the double
 * @len: receives how many bytes; may be NULL
 *
 * Return: all of it, records joined, with a NUL behind it; valid until the next
 * call. NULL without memory.
 */
UTW_API const char *utw_double_written(struct utw_double *d, size_t *len);

/**
 * utw_double_take() - take the first that was written
 * @d: the double
 * @data: receives it
 * @size: room at @data
 *
 * Makes room for more.
 *
 * Return: how many bytes (of a record: how long it was, even if @size is less);
 * -EAGAIN when nothing is there.
 */
UTW_API ssize_t utw_double_take(struct utw_double *d, void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
