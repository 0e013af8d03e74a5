/* SPDX-License-Identifier: MIT */
/*
 * Framed: a protocol that cuts a stream into frames by the rules of a framing.
 *
 * Embed a struct utw_framed in a structure of your own, give it a framing
 * (framing.h has netstrings, length prefixes, fixed sizes, COBS and SLIP), and
 * hand its protocol member to whatever makes the transport.
 *
 * Every frame is limited. What breaks the limit or the framing's rules is a
 * failure that names the limit and the offset in the stream: UTW_LIMIT of the
 * reason domain, or EBADMSG of the errno domain.
 *
 * Work is linear in the bytes received, however they are cut. Without memory
 * for a part of a frame that must be kept, the connection is aborted. On a
 * record transport the records are taken for pieces of one stream.
 */
#ifndef UNTWIST_FRAMED_H
#define UNTWIST_FRAMED_H

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
struct utw_framed;
struct utw_framing;

/**
 * struct utw_framed_ops - what is done with frames; @frame and @lost must be there
 * @made: as of a protocol
 * @frame: a frame, unwrapped, borrowed for the length of the call
 * @bad: what came is no frame, and @why (borrowed) says so. If the framing can
 *	find the next frame (COBS, SLIP) and the connection is still open when
 *	this returns, the bad one is dropped and reading goes on. Otherwise, and
 *	without this operation, the connection is closed: flushed, within
 *	UTW_CUTTER_CLOSE_TIMEOUT, and @lost hears @why
 * @overflow: as of a protocol: bytes are missing, perhaps inside of a frame
 * @eof: the other side sends no more; utw_framed_held() tells whether it ended
 *	inside of a frame. Without this operation the connection ends
 * @hangup: as of a protocol
 * @pause: as of a protocol
 * @resume: as of a protocol
 * @lost: as of a protocol, but for the reason as above; the buffers are freed
 *	already
 */
struct utw_framed_ops {
	void (*made)(struct utw_framed *f);
	void (*frame)(struct utw_framed *f, const void *data, size_t len);
	void (*bad)(struct utw_framed *f, struct utw_failure *why);
	void (*overflow)(struct utw_framed *f, uint64_t bytes, uint64_t records);
	void (*eof)(struct utw_framed *f);
	void (*hangup)(struct utw_framed *f);
	void (*pause)(struct utw_framed *f);
	void (*resume)(struct utw_framed *f);
	void (*lost)(struct utw_framed *f, struct utw_failure *reason);
};

/**
 * struct utw_framed - to be embedded in your structure
 * @protocol: what to hand to the maker of a transport
 * @framing: set with utw_framed_init()
 * @max: longest frame accepted, in bytes; set with utw_framed_set_max()
 * @size: for fixed sizes: that of the next frame
 * @state: of the framing, inside of a frame; both 0 between frames
 *
 * All other members are the library's.
 */
struct utw_framed {
	struct utw_protocol protocol;
	const struct utw_framing *framing;
	const struct utw_framed_ops *ops;
	size_t max;
	size_t size;
	uint32_t state[2];
	bool skipping;
	size_t need;
	uint64_t begun;
	struct utw_buffer *unwrapped;
	struct utw_cutter cutter;
};

/**
 * utw_framed_init() - prepare a framed protocol
 * @f: storage of the caller, which stays until lost
 * @ops: its operations, which outlive it
 * @framing: how frames are cut, as &utw_netstring; outlives it
 *
 * The limit is that of the framing. For fixed sizes, set the size before there
 * is a transport.
 */
UTW_API void utw_framed_init(struct utw_framed *f, const struct utw_framed_ops *ops,
			     const struct utw_framing *framing);

/**
 * utw_framed_release() - free what it holds
 * @f: the framed protocol, not from inside its own operations
 *
 * Done by itself before lost; see utw_line_release().
 */
UTW_API void utw_framed_release(struct utw_framed *f);

/**
 * utw_framed_set_max() - how long a frame may be
 * @f: the framed protocol
 * @max: bytes, unwrapped. Applies to frames whose begin has not come yet
 */
UTW_API void utw_framed_set_max(struct utw_framed *f, size_t max);

/**
 * utw_framed_set_size() - how long the next frames are, where sizes are fixed
 * @f: the framed protocol with the framing utw_fixed
 * @size: bytes, at least 1; the limit does not apply
 *
 * From inside @frame it applies to what follows.
 *
 * Return: 0, or -EINVAL for 0.
 */
UTW_API int utw_framed_set_size(struct utw_framed *f, size_t size);

/**
 * utw_framed_pause() - deliver nothing more for now
 * @f: the framed protocol
 *
 * Works in the middle of a chunk: what is left of it is kept. The transport
 * is paused as well.
 */
UTW_API void utw_framed_pause(struct utw_framed *f);

/**
 * utw_framed_resume() - deliver again
 * @f: the framed protocol
 *
 * What was kept comes first, from a later callback; then the transport is
 * resumed.
 */
UTW_API void utw_framed_resume(struct utw_framed *f);

/**
 * utw_framed_send() - send a frame
 * @f: the framed protocol
 * @data: its bytes; copied
 * @len: how many; the limit of what is received does not apply
 *
 * Return: as utw_transport_write(); -EMSGSIZE for a length that the framing
 * cannot express.
 */
UTW_API int utw_framed_send(struct utw_framed *f, const void *data, size_t len);

/**
 * utw_framed_held() - what has come and was not delivered
 * @f: the framed protocol
 * @ret: receives the first byte, borrowed until the next callback
 *
 * Inside of @frame that is what follows in the same chunk: look at it before
 * another protocol takes over the transport. Of a frame that COBS or SLIP has
 * begun to unwrap, nothing is held here.
 *
 * Return: how many bytes are held.
 */
UTW_API size_t utw_framed_held(const struct utw_framed *f, const char **ret);

/**
 * utw_framed_offset() - where in the stream the frame begins that is being told
 * @f: the framed protocol
 *
 * Return: bytes received before it.
 */
UTW_API uint64_t utw_framed_offset(const struct utw_framed *f);

#ifdef __cplusplus
}
#endif

#endif
