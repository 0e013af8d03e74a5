// SPDX-License-Identifier: GPL-2.0-only
/*
 * COBS (Cheshire and Baker, 1999): a record is cut into blocks at its zeroes,
 * which are left out. The first byte of a block, its code, is the length of the
 * block, itself included. Behind a block stands a zero, except behind one of the
 * greatest length, and behind the last one. So a frame is hardly longer than its
 * record, whatever that holds.
 */
#include "framing.h"

#define COBS_DELIMITER 0x00
#define COBS_CODE_MAX  0xff

/* The first code, one for each full block, and the delimiter. */
static size_t cobs_frame_max(size_t len)
{
	return len + len / (COBS_CODE_MAX - 1) + 2;
}

static size_t cobs_frame(const u8 *record, size_t len, u8 *frame)
{
	u8 *code = frame;
	u8 *out = frame + 1;
	size_t i;

	for (i = 0; i < len; i++) {
		if (record[i])
			*out++ = record[i];
		/* A full block at the very end needs no empty one behind it. */
		if (!record[i] || (out - code == COBS_CODE_MAX && i + 1 < len)) {
			*code = out - code;
			code = out++;
		}
	}
	*code = out - code;
	*out++ = COBS_DELIMITER;
	return out - frame;
}

/* What stands behind a block is known when another one follows. */
static void cobs_begin_block(struct untwist_unframer *u, u8 code)
{
	if (u->code && u->code != COBS_CODE_MAX)
		untwist_unframer_put(u, 0);
	u->code = code;
	u->block = code - 1;
}

static void cobs_content(struct untwist_unframer *u, u8 byte)
{
	if (u->block) {
		u->block--;
		untwist_unframer_put(u, byte);
	} else {
		cobs_begin_block(u, byte);
	}
}

static bool cobs_is_whole(const struct untwist_unframer *u)
{
	return !u->block;
}

const struct untwist_framing untwist_framing_cobs = {
	.name = "cobs",
	.delimiter = COBS_DELIMITER,
	.frame_max = cobs_frame_max,
	.frame = cobs_frame,
	.content = cobs_content,
	.is_whole = cobs_is_whole,
};
