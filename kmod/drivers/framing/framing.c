// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all framings have in common: a frame ends at a delimiter, a fault lasts
 * until then, and a frame without content is idle fill between two others.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "framing.h"

static const struct untwist_framing *const framings[] = {
	&untwist_framing_slip,
	&untwist_framing_cobs,
};

/**
 * untwist_framing_find() - look a framing up
 * @name: "slip" or "cobs"
 *
 * Return: the framing, which is there as long as this module is; NULL, there is
 * none of that name.
 */
const struct untwist_framing *untwist_framing_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(framings); i++)
		if (!strcmp(framings[i]->name, name))
			return framings[i];
	return NULL;
}
EXPORT_SYMBOL_GPL(untwist_framing_find);

/**
 * untwist_frame_max() - room that the frame of any record needs
 * @framing: how it is framed
 * @len: length of the record in bytes
 *
 * Return: bytes.
 */
size_t untwist_frame_max(const struct untwist_framing *framing, size_t len)
{
	return framing->frame_max(len);
}
EXPORT_SYMBOL_GPL(untwist_frame_max);

/**
 * untwist_frame() - make the frame of a record
 * @framing: how to frame it
 * @record: the record
 * @len: its length in bytes, at least 1
 * @frame: destination of untwist_frame_max() bytes; not @record
 *
 * Return: length of the frame in bytes, delimiters included.
 */
size_t untwist_frame(const struct untwist_framing *framing, const u8 *record, size_t len, u8 *frame)
{
	return framing->frame(record, len, frame);
}
EXPORT_SYMBOL_GPL(untwist_frame);

/**
 * untwist_unframer_init() - begin to receive, at the start of a frame
 * @u: receiver
 * @framing: how records are framed
 * @buf: where to put them; stays the caller's
 * @size: length of @buf in bytes, and of the longest record
 */
void untwist_unframer_init(struct untwist_unframer *u, const struct untwist_framing *framing,
			   u8 *buf, size_t size)
{
	*u = (struct untwist_unframer){ .framing = framing, .buf = buf, .size = size };
}
EXPORT_SYMBOL_GPL(untwist_unframer_init);

/**
 * untwist_unframer_put() - add a byte to the record
 * @u: receiver; without room, the frame is at fault from here on
 * @byte: the byte
 */
void untwist_unframer_put(struct untwist_unframer *u, u8 byte)
{
	if (u->len == u->size)
		u->fault = UNTWIST_UNFRAMED_TOO_LONG;
	else
		u->buf[u->len++] = byte;
}

static enum untwist_unframed unframer_end(struct untwist_unframer *u)
{
	u->ended = true;
	if (u->fault != UNTWIST_UNFRAMED_MORE)
		return u->fault;
	if (!u->framing->is_whole(u))
		return UNTWIST_UNFRAMED_MALFORMED;
	return u->len ? UNTWIST_UNFRAMED_RECORD : UNTWIST_UNFRAMED_MORE;
}

static enum untwist_unframed unframer_step(struct untwist_unframer *u, u8 byte)
{
	if (u->ended)
		untwist_unframer_init(u, u->framing, u->buf, u->size);
	if (byte == u->framing->delimiter)
		return unframer_end(u);
	if (u->fault == UNTWIST_UNFRAMED_MORE)
		u->framing->content(u, byte);
	return UNTWIST_UNFRAMED_MORE;
}

/**
 * untwist_unframe() - take received bytes, up to the end of a frame
 * @u: receiver
 * @data: the bytes
 * @len: how many
 * @unframed: what came of them; after UNTWIST_UNFRAMED_RECORD, @u->buf holds a
 *	record of @u->len bytes, at least 1, until the next call
 *
 * Return: how many of the bytes were taken; all, with UNTWIST_UNFRAMED_MORE.
 */
size_t untwist_unframe(struct untwist_unframer *u, const u8 *data, size_t len,
		       enum untwist_unframed *unframed)
{
	size_t taken = 0;

	*unframed = UNTWIST_UNFRAMED_MORE;
	while (taken < len && *unframed == UNTWIST_UNFRAMED_MORE)
		*unframed = unframer_step(u, data[taken++]);
	return taken;
}
EXPORT_SYMBOL_GPL(untwist_unframe);

MODULE_DESCRIPTION("SLIP and COBS framing for Untwist drivers");
MODULE_LICENSE("GPL");
