/* SPDX-License-Identifier: MIT */
/*
 * Cutter: what the protocols that cut a stream into units (line.h, framed.h)
 * have in common. It is here because their structures embed it.
 */
#ifndef UNTWIST_CUTTER_H
#define UNTWIST_CUTTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <untwist/api.h>
#include <untwist/call.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_buffer;
struct utw_cutter_ops;
struct utw_failure;
struct utw_protocol;

/** How long a stream that is no longer understood may take to be closed, in nanoseconds. */
#define UTW_CUTTER_CLOSE_TIMEOUT UINT64_C(10000000000)

/* The members are private. */
struct utw_cutter {
	const struct utw_cutter_ops *ops;
	struct utw_protocol *protocol;
	uint64_t offset;
	bool paused;
	bool delivering;
	const char *undelivered;
	size_t undelivered_len;
	struct utw_buffer *held;
	struct utw_failure *failure;
	struct utw_call later;
};

#ifdef __cplusplus
}
#endif

#endif
