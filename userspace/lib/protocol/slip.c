/* SPDX-License-Identifier: MIT */
/* SLIP, RFC 1055. state[0]: an escape has come, and what it escapes has not. */
#include <errno.h>
#include <stdlib.h>

#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/transport.h>

#include "stuffing.h"

enum slip_byte {
	SLIP_END = 0xc0,
	SLIP_ESC = 0xdb,
	SLIP_ESC_END = 0xdc,
	SLIP_ESC_ESC = 0xdd,
};

/* The byte that `byte` stands for; -1 when an escape is followed by nonsense. */
static int slip_byte(uint8_t byte, bool escaped)
{
	if (!escaped)
		return byte;
	if (byte == SLIP_ESC_END)
		return SLIP_END;
	return byte == SLIP_ESC_ESC ? SLIP_ESC : -1;
}

static enum utw_cut_kind slip_decode(struct utw_framed *f, const uint8_t *data, size_t len,
				     struct utw_cut *cut)
{
	enum utw_cut_kind kind = UTW_CUT_BAD;

	if (f->skipping)
		return utw_stuffing_skip(f, data, len, SLIP_END, cut);
	for (size_t i = 0; i < len; i++) {
		int byte = slip_byte(data[i], f->state[0]);

		cut->why = "an escape before what needs none";
		if (byte < 0)
			return utw_stuffing_give_up(f, i, UTW_CUT_BAD, cut);
		if (!f->state[0] && byte == SLIP_END)
			return utw_stuffing_end(f, i + 1, cut);
		if (!f->state[0] && byte == SLIP_ESC) {
			f->state[0] = 1;
			continue;
		}
		f->state[0] = 0;
		if (!utw_stuffing_add(f, (uint8_t)byte, &kind))
			return utw_stuffing_give_up(f, i, kind, cut);
	}
	cut->used = len;
	return UTW_CUT_SKIP;
}

static uint8_t *slip_stuff(uint8_t *to, uint8_t byte)
{
	if (byte == SLIP_END || byte == SLIP_ESC) {
		*to++ = SLIP_ESC;
		byte = byte == SLIP_END ? SLIP_ESC_END : SLIP_ESC_ESC;
	}
	*to++ = byte;
	return to;
}

static int slip_send(struct utw_framed *f, const void *data, size_t len)
{
	const uint8_t *from = data;
	uint8_t *frame, *to;
	int status;

	if (len > (SIZE_MAX - 2) / 2)
		return -EMSGSIZE;
	frame = malloc(2 * len + 2);
	if (!frame)
		return -ENOMEM;
	to = frame;
	*to++ = SLIP_END;
	for (size_t i = 0; i < len; i++)
		to = slip_stuff(to, from[i]);
	*to++ = SLIP_END;
	status = utw_transport_write(f->protocol.transport, frame, (size_t)(to - frame));
	free(frame);
	return status;
}

const struct utw_framing utw_slip = { .name = "slip",
				      .max = UTW_STUFFING_MAX,
				      .resumes = true,
				      .decode = slip_decode,
				      .send = slip_send };
