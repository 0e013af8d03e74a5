/* SPDX-License-Identifier: MIT */
/*
 * Stuffing: what COBS and SLIP have in common. One byte value ends a frame and
 * never comes inside of one; so frames are unwrapped as they trickle in, and
 * after a bad one the next end is a new begin.
 */
#ifndef UTW_PROTOCOL_STUFFING_H
#define UTW_PROTOCOL_STUFFING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/framing.h>

#define UTW_STUFFING_MAX 16384

struct utw_framed;

/* Has a part of a frame come? */
bool utw_stuffing_begun(const struct utw_framed *f);

/* Add a byte to the frame. False when it is full or memory is out: see *ret. */
bool utw_stuffing_add(struct utw_framed *f, uint8_t byte, enum utw_cut_kind *ret);

/* The end of a frame, after `used` bytes: the frame, if any has begun. */
enum utw_cut_kind utw_stuffing_end(struct utw_framed *f, size_t used, struct utw_cut *cut);

/* Give this frame up, at the byte `at`, for this cause. Its rest is to be skipped. */
enum utw_cut_kind utw_stuffing_give_up(struct utw_framed *f, size_t at, enum utw_cut_kind kind,
				       struct utw_cut *cut);

/* Skip to behind the next `end`. */
enum utw_cut_kind utw_stuffing_skip(struct utw_framed *f, const uint8_t *data, size_t len,
				    uint8_t end, struct utw_cut *cut);

#endif
