/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames on a line of bytes: how a record is told from the next one. Functions
 * of their arguments alone: no locks, no memory of their own, any context.
 *
 * Both framings keep one byte, the delimiter, out of what they carry. So a
 * receiver that lost its way finds the next frame at the next delimiter, and
 * what is wrong with one frame never reaches into another. Neither carries a
 * checksum: damage that leaves a frame well-formed is for the records to tell.
 */
#ifndef _LINUX_UNTWIST_FRAMING_H
#define _LINUX_UNTWIST_FRAMING_H

#include <linux/types.h>

struct untwist_unframer;

/**
 * enum untwist_unframed - what came of received bytes
 * @UNTWIST_UNFRAMED_MORE: no record yet: more bytes are needed
 * @UNTWIST_UNFRAMED_RECORD: a record is whole
 * @UNTWIST_UNFRAMED_MALFORMED: a frame ended that no sender makes; it is dropped
 * @UNTWIST_UNFRAMED_TOO_LONG: a frame ended that did not fit; it is dropped
 */
enum untwist_unframed {
	UNTWIST_UNFRAMED_MORE,
	UNTWIST_UNFRAMED_RECORD,
	UNTWIST_UNFRAMED_MALFORMED,
	UNTWIST_UNFRAMED_TOO_LONG,
};

/**
 * struct untwist_framing - one way to frame records
 * @name: what untwist_framing_find() knows it by
 * @delimiter: ends a frame, and is nowhere inside one
 * @frame_max: longest frame in bytes of a record of so many bytes
 * @frame: make the frame of a record; returns its length in bytes
 * @content: take one byte, not the delimiter, of a frame without a fault
 * @is_whole: whether the frame may end here
 */
struct untwist_framing {
	const char *name;
	u8 delimiter;
	size_t (*frame_max)(size_t len);
	size_t (*frame)(const u8 *record, size_t len, u8 *frame);
	void (*content)(struct untwist_unframer *u, u8 byte);
	bool (*is_whole)(const struct untwist_unframer *u);
};

/**
 * struct untwist_unframer - a receiver between two bytes
 * @framing: how records are framed
 * @buf: the record so far
 * @size: length of @buf in bytes
 * @len: length of the record so far in bytes
 * @fault: what is wrong with the frame, or UNTWIST_UNFRAMED_MORE
 * @ended: the frame is over, and the next byte begins another
 * @escaped: SLIP: the next byte is an escaped one
 * @code: COBS: first byte of the block, 0 before the first block
 * @block: COBS: bytes that are left of the block
 */
struct untwist_unframer {
	const struct untwist_framing *framing;
	u8 *buf;
	size_t size;
	size_t len;
	enum untwist_unframed fault;
	bool ended;
	bool escaped;
	u8 code;
	u8 block;
};

const struct untwist_framing *untwist_framing_find(const char *name);

size_t untwist_frame_max(const struct untwist_framing *framing, size_t len);
size_t untwist_frame(const struct untwist_framing *framing, const u8 *record, size_t len,
		     u8 *frame);

void untwist_unframer_init(struct untwist_unframer *u, const struct untwist_framing *framing,
			   u8 *buf, size_t size);
size_t untwist_unframe(struct untwist_unframer *u, const u8 *data, size_t len,
		       enum untwist_unframed *unframed);

#endif /* _LINUX_UNTWIST_FRAMING_H */
