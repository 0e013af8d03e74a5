/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.c APIs: the two queues of a channel's data plane and their options.
 */
#ifndef UNTWIST_STREAM_H
#define UNTWIST_STREAM_H

#include <linux/types.h>

#include "channel.h"

static inline bool untwist_stream_has_records(const struct untwist_channel *ch)
{
	return ch->ud->config.kind == UNTWIST_KIND_RECORD;
}

u32 untwist_stream_queue_size(u32 wanted, u32 record_max, bool headers);

int untwist_stream_init(struct untwist_channel *ch);
void untwist_stream_release(struct untwist_channel *ch);

void untwist_stream_get_options(struct untwist_channel *ch, struct untwist_options *options);
int untwist_stream_set_options(struct untwist_channel *ch, const struct untwist_options *options);

#endif /* UNTWIST_STREAM_H */
