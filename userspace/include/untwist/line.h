/* SPDX-License-Identifier: MIT */
/*
 * Line: a protocol that cuts a stream into lines, with a limit.
 *
 * Embed a struct utw_line in a structure of your own and hand its protocol
 * member to whatever makes the transport. Lines end with a delimiter, CR LF
 * unless it is set; the delimiter is not part of the line.
 *
 * One rule limits every line: a line is too long as soon as no delimiter can
 * end it any more within the limit, which is at the latest when limit plus
 * length of the delimiter bytes have come. A first part of the delimiter at
 * the limit waits for the rest of it.
 *
 * Work is linear in the bytes received, however they are cut. Without memory
 * for the part of a line that must be kept, the connection is aborted. On a
 * record transport the records are taken for pieces of one stream.
 */
#ifndef UNTWIST_LINE_H
#define UNTWIST_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/cutter.h>
#include <untwist/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_failure;
struct utw_line;

/** Longest line of a new struct utw_line, in bytes. */
#define UTW_LINE_MAX 16384

/** Longest delimiter, in bytes. */
#define UTW_LINE_DELIMITER_MAX 8

/** For utw_line_set_raw(): until utw_line_set_lines(). */
#define UTW_LINE_RAW_ALL UINT64_MAX

/**
 * struct utw_line_ops - what is done with lines; @line and @lost must be there
 * @made: as of a protocol
 * @line: a line without its delimiter, borrowed for the length of the call;
 *	it is not terminated by NUL and may hold any byte
 * @raw: bytes that came in raw mode, borrowed likewise
 * @too_long: a line over the limit, with what has come of it. If the
 *	connection is still open when this returns, the rest of that line is
 *	dropped and the next one is delivered. Without this operation the
 *	connection is closed: flushed, within UTW_CUTTER_CLOSE_TIMEOUT, and @lost
 *	hears UTW_LIMIT with the limit and the offset
 * @overflow: as of a protocol: bytes are missing, perhaps inside of a line
 * @eof: the other side sends no more; utw_line_held() has what came after the
 *	last delimiter. Without this operation the connection ends
 * @hangup: as of a protocol
 * @pause: as of a protocol
 * @resume: as of a protocol
 * @lost: as of a protocol, but for UTW_LIMIT as above; the line's buffers are
 *	freed already
 */
struct utw_line_ops {
	void (*made)(struct utw_line *l);
	void (*line)(struct utw_line *l, const char *line, size_t len);
	void (*raw)(struct utw_line *l, const void *data, size_t len);
	void (*too_long)(struct utw_line *l, const char *data, size_t len);
	void (*overflow)(struct utw_line *l, uint64_t bytes, uint64_t records);
	void (*eof)(struct utw_line *l);
	void (*hangup)(struct utw_line *l);
	void (*pause)(struct utw_line *l);
	void (*resume)(struct utw_line *l);
	void (*lost)(struct utw_line *l, struct utw_failure *reason);
};

/**
 * struct utw_line - to be embedded in your structure
 * @protocol: what to hand to the maker of a transport
 *
 * All other members are the library's.
 */
struct utw_line {
	struct utw_protocol protocol;
	const struct utw_line_ops *ops;
	char delimiter[UTW_LINE_DELIMITER_MAX];
	size_t delimiter_len;
	size_t max;
	bool skipping;
	uint64_t raw_left;
	size_t raw_chunk;
	size_t raw_rest;
	size_t scanned;
	struct utw_cutter cutter;
};

/**
 * utw_line_init() - prepare a line protocol
 * @l: storage of the caller, which stays until lost
 * @ops: its operations, which outlive it
 */
UTW_API void utw_line_init(struct utw_line *l, const struct utw_line_ops *ops);

/**
 * utw_line_release() - free what the line holds
 * @l: the line protocol, not from inside its own operations
 *
 * Done by itself before lost. For a line that never hears lost, because its
 * transport was handed to another protocol: what it held is dropped. From
 * inside @line and @raw such a hand-over needs no release, but @l must stay
 * until the operation has returned.
 */
UTW_API void utw_line_release(struct utw_line *l);

/**
 * utw_line_set_delimiter() - what ends a line
 * @l: the line protocol
 * @delimiter: its bytes; copied
 * @len: how many, 1 to UTW_LINE_DELIMITER_MAX
 *
 * Applies to lines that were not delivered yet.
 *
 * Return: 0 or -EINVAL.
 */
UTW_API int utw_line_set_delimiter(struct utw_line *l, const char *delimiter, size_t len);

/**
 * utw_line_set_max() - how long a line may be
 * @l: the line protocol
 * @max: bytes without the delimiter, 0 or more
 */
UTW_API void utw_line_set_max(struct utw_line *l, size_t max);

/**
 * utw_line_set_raw() - take what follows as it is
 * @l: the line protocol
 * @bytes: how many bytes are raw, then come lines again; or UTW_LINE_RAW_ALL
 *
 * From inside @line it applies to what follows that line. Without the
 * operation raw the bytes are dropped.
 */
UTW_API void utw_line_set_raw(struct utw_line *l, uint64_t bytes);

/**
 * utw_line_set_lines() - go back to lines
 * @l: the line protocol
 * @rest: from inside @raw: how many bytes at the end of that chunk are lines
 *	already; elsewhere: 0
 *
 * Return: 0, or -EINVAL when @rest is more than the chunk.
 */
UTW_API int utw_line_set_lines(struct utw_line *l, size_t rest);

/**
 * utw_line_pause() - deliver nothing more for now
 * @l: the line protocol
 *
 * Works in the middle of a chunk: what is left of it is kept. The transport
 * is paused as well.
 */
UTW_API void utw_line_pause(struct utw_line *l);

/**
 * utw_line_resume() - deliver again
 * @l: the line protocol
 *
 * What was kept comes first, from a later callback; then the transport is
 * resumed.
 */
UTW_API void utw_line_resume(struct utw_line *l);

/**
 * utw_line_send() - send a line
 * @l: the line protocol
 * @line: its bytes without the delimiter; copied
 * @len: how many
 *
 * Return: as utw_transport_write().
 */
UTW_API int utw_line_send(struct utw_line *l, const char *line, size_t len);

/**
 * utw_line_held() - what has come and was not delivered
 * @l: the line protocol
 * @ret: receives the first byte, borrowed until the next callback
 *
 * Inside of @line and @raw that is what follows in the same chunk: look at it
 * before another protocol takes over the transport.
 *
 * Return: how many bytes are held.
 */
UTW_API size_t utw_line_held(const struct utw_line *l, const char **ret);

/**
 * utw_line_offset() - where in the stream the line protocol is
 * @l: the line protocol
 *
 * Return: bytes received before the line or raw chunk that is being told, or
 * before the one that is told next.
 */
UTW_API uint64_t utw_line_offset(const struct utw_line *l);

#ifdef __cplusplus
}
#endif

#endif
