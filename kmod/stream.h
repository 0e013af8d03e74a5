/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.c APIs: the data plane, bytes or records.
 */
#ifndef UNTWIST_STREAM_H
#define UNTWIST_STREAM_H

#include <linux/types.h>

struct iov_iter;
struct untwist_channel;

int untwist_stream_init(struct untwist_channel *ch);
void untwist_stream_release(struct untwist_channel *ch);

bool untwist_stream_ready(const struct untwist_channel *ch);
size_t untwist_stream_next(const struct untwist_channel *ch);
bool untwist_stream_stalled(struct untwist_channel *ch, size_t need);

ssize_t untwist_stream_read(struct untwist_channel *ch, struct iov_iter *to);
void untwist_stream_after_read(struct untwist_channel *ch);
ssize_t untwist_stream_write(struct untwist_channel *ch, struct iov_iter *from);
size_t untwist_stream_need(const struct untwist_channel *ch, const struct iov_iter *from);
void untwist_stream_take_lost(struct untwist_channel *ch, struct untwist_lost *lost);

#endif /* UNTWIST_STREAM_H */
