// SPDX-License-Identifier: GPL-2.0-only
/*
 * SLIP (RFC 1055): a byte ends the frame, and another one escapes both where
 * they occur in the record.
 */
#include "framing.h"

#define SLIP_END     0xc0
#define SLIP_ESC     0xdb
#define SLIP_ESC_END 0xdc
#define SLIP_ESC_ESC 0xdd

/* Every byte escaped, and a delimiter at either end. */
static size_t slip_frame_max(size_t len)
{
	return 2 * len + 2;
}

/*
 * The delimiter in front, which the RFC recommends, ends what noise on the line
 * has begun; the receiver drops that as a frame of its own.
 */
static size_t slip_frame(const u8 *record, size_t len, u8 *frame)
{
	u8 *out = frame;
	size_t i;

	*out++ = SLIP_END;
	for (i = 0; i < len; i++) {
		if (record[i] == SLIP_END || record[i] == SLIP_ESC) {
			*out++ = SLIP_ESC;
			*out++ = record[i] == SLIP_END ? SLIP_ESC_END : SLIP_ESC_ESC;
		} else {
			*out++ = record[i];
		}
	}
	*out++ = SLIP_END;
	return out - frame;
}

static void slip_unescape(struct untwist_unframer *u, u8 byte)
{
	u->escaped = false;
	if (byte == SLIP_ESC_END)
		untwist_unframer_put(u, SLIP_END);
	else if (byte == SLIP_ESC_ESC)
		untwist_unframer_put(u, SLIP_ESC);
	else
		u->fault = UNTWIST_UNFRAMED_MALFORMED;
}

static void slip_content(struct untwist_unframer *u, u8 byte)
{
	if (u->escaped)
		slip_unescape(u, byte);
	else if (byte == SLIP_ESC)
		u->escaped = true;
	else
		untwist_unframer_put(u, byte);
}

static bool slip_is_whole(const struct untwist_unframer *u)
{
	return !u->escaped;
}

const struct untwist_framing untwist_framing_slip = {
	.name = "slip",
	.delimiter = SLIP_END,
	.frame_max = slip_frame_max,
	.frame = slip_frame,
	.content = slip_content,
	.is_whole = slip_is_whole,
};
