/* SPDX-License-Identifier: MIT */
/*
 * Stateful: a protocol as a chain of states, each of which eats one frame and
 * names the next.
 *
 * With the framing utw_fixed a state also says how many bytes it wants, which
 * is how binary protocols are read that have no framing of their own.
 */
#ifndef UNTWIST_STATEFUL_H
#define UNTWIST_STATEFUL_H

#include <stddef.h>

#include <untwist/api.h>
#include <untwist/framed.h>
#include <untwist/framing.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_failure;
struct utw_state;
struct utw_stateful;

/** Eats a frame (borrowed for the length of the call); returns the next state. */
typedef struct utw_state (*utw_state_fn)(struct utw_stateful *s, const void *data, size_t len);

/**
 * struct utw_state - what to do with the next frame
 * @fn: eats it; NULL: the conversation is done, and the connection is closed,
 *	flushed within UTW_CUTTER_CLOSE_TIMEOUT
 * @bytes: its size, with utw_fixed; at least 1
 */
struct utw_state {
	utw_state_fn fn;
	size_t bytes;
};

/**
 * struct utw_stateful_ops - what there is besides the states; both must be there
 * @begin: the transport is ready; returns the first state
 * @lost: as of struct utw_framed_ops
 */
struct utw_stateful_ops {
	struct utw_state (*begin)(struct utw_stateful *s);
	void (*lost)(struct utw_stateful *s, struct utw_failure *reason);
};

/**
 * struct utw_stateful - to be embedded in your structure
 * @framed: hand its protocol to the maker of a transport, and send with it
 *
 * All other members are the library's.
 */
struct utw_stateful {
	struct utw_framed framed;
	const struct utw_stateful_ops *ops;
	utw_state_fn fn;
};

/**
 * utw_stateful_init() - prepare a stateful protocol
 * @s: storage of the caller, which stays until lost
 * @ops: its operations, which outlive it
 * @framing: how frames are cut; outlives it
 */
UTW_API void utw_stateful_init(struct utw_stateful *s, const struct utw_stateful_ops *ops,
			       const struct utw_framing *framing);

#ifdef __cplusplus
}
#endif

#endif
