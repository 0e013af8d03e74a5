/* SPDX-License-Identifier: MIT */
/*
 * COBS. A block is a code and code - 1 bytes that are not 0; a 0 follows that
 * was left out, unless the code is 255 or the frame ends there.
 * state[0]: bytes left of the block; state[1]: a 0 is due before the next block.
 */
#include <errno.h>
#include <stdlib.h>

#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/transport.h>

#include "stuffing.h"

#define COBS_END  0
#define COBS_FULL 255

/* One byte of a frame. False when the frame cannot go on: see *ret. */
static bool cobs_byte(struct utw_framed *f, uint8_t byte, enum utw_cut_kind *ret)
{
	bool due = f->state[1];

	if (f->state[0]) {
		f->state[0]--;
		return utw_stuffing_add(f, byte, ret);
	}
	f->state[0] = byte - 1u;
	f->state[1] = byte != COBS_FULL;
	return !due || utw_stuffing_add(f, 0, ret);
}

static enum utw_cut_kind cobs_decode(struct utw_framed *f, const uint8_t *data, size_t len,
				     struct utw_cut *cut)
{
	enum utw_cut_kind kind = UTW_CUT_BAD;

	if (f->skipping)
		return utw_stuffing_skip(f, data, len, COBS_END, cut);
	for (size_t i = 0; i < len; i++) {
		if (data[i] == COBS_END && f->state[0]) {
			cut->why = "the end of a frame inside of a block";
			return utw_stuffing_give_up(f, i, UTW_CUT_BAD, cut);
		}
		if (data[i] == COBS_END)
			return utw_stuffing_end(f, i + 1, cut);
		if (!cobs_byte(f, data[i], &kind))
			return utw_stuffing_give_up(f, i, kind, cut);
	}
	cut->used = len;
	return UTW_CUT_SKIP;
}

static size_t cobs_stuff(uint8_t *frame, const uint8_t *data, size_t len)
{
	uint8_t *code = frame;
	uint8_t *to = frame + 1;

	*code = 1;
	for (size_t i = 0; i < len; i++) {
		if (data[i]) {
			*to++ = data[i];
			++*code;
		}
		if (!data[i] || (*code == COBS_FULL && i + 1 < len)) {
			code = to++;
			*code = 1;
		}
	}
	*to++ = COBS_END;
	return (size_t)(to - frame);
}

static int cobs_send(struct utw_framed *f, const void *data, size_t len)
{
	uint8_t *frame;
	int status;

	if (len > SIZE_MAX / 2)
		return -EMSGSIZE;
	frame = malloc(len + len / (COBS_FULL - 1) + 3);
	if (!frame)
		return -ENOMEM;
	status = utw_transport_write(f->protocol.transport, frame, cobs_stuff(frame, data, len));
	free(frame);
	return status;
}

const struct utw_framing utw_cobs = { .name = "cobs",
				      .max = UTW_STUFFING_MAX,
				      .resumes = true,
				      .decode = cobs_decode,
				      .send = cobs_send };
