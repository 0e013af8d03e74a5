/* SPDX-License-Identifier: MIT */
/* Stuffing: see stuffing.h. */
#include "stuffing.h"

#include <stdlib.h>
#include <string.h>

#include <untwist/framed.h>

#include "base/buffer.h"

bool utw_stuffing_begun(const struct utw_framed *f)
{
	return f->state[0] || f->state[1] || (f->unwrapped && !utw_buffer_empty(f->unwrapped));
}

bool utw_stuffing_add(struct utw_framed *f, uint8_t byte, enum utw_cut_kind *ret)
{
	if (!f->unwrapped)
		f->unwrapped = calloc(1, sizeof(*f->unwrapped));
	if (f->unwrapped && utw_buffer_length(f->unwrapped) >= f->max) {
		*ret = UTW_CUT_TOO_LONG;
		return false;
	}
	if (!f->unwrapped || utw_buffer_append(f->unwrapped, &byte, 1)) {
		*ret = UTW_CUT_NO_MEMORY;
		return false;
	}
	return true;
}

enum utw_cut_kind utw_stuffing_end(struct utw_framed *f, size_t used, struct utw_cut *cut)
{
	bool idle = !utw_stuffing_begun(f);

	cut->used = used;
	f->state[0] = 0;
	f->state[1] = 0;
	if (idle)
		return UTW_CUT_SKIP;
	cut->data = f->unwrapped ? utw_buffer_data(f->unwrapped) : "";
	cut->len = f->unwrapped ? utw_buffer_length(f->unwrapped) : 0;
	/* The bytes stay where they are until something is added. */
	if (f->unwrapped)
		utw_buffer_clear(f->unwrapped);
	return UTW_CUT_FRAME;
}

enum utw_cut_kind utw_stuffing_give_up(struct utw_framed *f, size_t at, enum utw_cut_kind kind,
				       struct utw_cut *cut)
{
	f->skipping = true;
	cut->used = at;
	cut->at = at;
	cut->len = f->max + 1;
	return kind;
}

enum utw_cut_kind utw_stuffing_skip(struct utw_framed *f, const uint8_t *data, size_t len,
				    uint8_t end, struct utw_cut *cut)
{
	const uint8_t *hit = memchr(data, end, len);

	f->skipping = !hit;
	cut->used = hit ? (size_t)(hit + 1 - data) : len;
	return UTW_CUT_SKIP;
}
