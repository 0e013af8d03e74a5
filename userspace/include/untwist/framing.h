/* SPDX-License-Identifier: MIT */
/*
 * Framings: how frames lie in a stream of bytes. For struct utw_framed.
 *
 * A framing is a constant table of two functions without any input or output;
 * write one of your own where none of these is spoken.
 */
#ifndef UNTWIST_FRAMING_H
#define UNTWIST_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_framed;

/** What a framing has found. */
enum utw_cut_kind {
	UTW_CUT_MORE, /* nothing can be said before @need bytes are there */
	UTW_CUT_SKIP, /* @used bytes are done with, and make no frame (yet) */
	UTW_CUT_FRAME, /* a frame, and @used bytes are done with */
	UTW_CUT_TOO_LONG, /* a frame over the limit, of @len bytes so far or as announced */
	UTW_CUT_BAD, /* a breach of the rules, at @at, because of @why */
	UTW_CUT_NO_MEMORY,
};

/**
 * struct utw_cut - the answer of a framing
 * @used: bytes from the front that are done with; after TOO_LONG and BAD of a
 *	framing that resumes: up to where it can go on
 * @need: bytes that must be there before it is worth to ask again
 * @data: the frame
 * @len: its length
 * @at: the byte that is wrong, counted from the front
 * @why: what is wrong with it; static text
 */
struct utw_cut {
	size_t used;
	size_t need;
	const void *data;
	size_t len;
	size_t at;
	const char *why;
};

/**
 * struct utw_framing - a way to put frames into a stream
 * @name: for messages
 * @max: limit of a new struct utw_framed, in bytes
 * @resumes: finds the next frame after a bad one
 * @decode: look at @len > 0 bytes, the first of which is where the framing
 *	left off; may keep a state in @f and unwrap into its buffer
 * @send: write a frame around @len bytes to the transport; as utw_framed_send()
 */
struct utw_framing {
	const char *name;
	size_t max;
	bool resumes;
	enum utw_cut_kind (*decode)(struct utw_framed *f, const uint8_t *data, size_t len,
				    struct utw_cut *cut);
	int (*send)(struct utw_framed *f, const void *data, size_t len);
};

/** "5:hello,": decimal length without leading zeros; at most 99 999 bytes. */
UTW_API extern const struct utw_framing utw_netstring;

/** A big-endian length of 1, 2 or 4 bytes in front; at most 255, 65 535, 99 999 bytes. */
UTW_API extern const struct utw_framing utw_prefix8;
UTW_API extern const struct utw_framing utw_prefix16;
UTW_API extern const struct utw_framing utw_prefix32;

/** Frames of the size that utw_framed_set_size() says, with nothing around them. */
UTW_API extern const struct utw_framing utw_fixed;

/**
 * Consistent Overhead Byte Stuffing, each frame ended by a byte 0; at most
 * 16 384 bytes. Nothing between two ends is taken for idling.
 */
UTW_API extern const struct utw_framing utw_cobs;

/**
 * SLIP, RFC 1055, with an END on both sides of what is sent; at most 16 384
 * bytes. Nothing between two ENDs is taken for idling: SLIP has no empty frames.
 */
UTW_API extern const struct utw_framing utw_slip;

#ifdef __cplusplus
}
#endif

#endif
