/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transmit.c APIs: the data plane from the program to the driver.
 */
#ifndef UNTWIST_TRANSMIT_H
#define UNTWIST_TRANSMIT_H

#include <linux/types.h>

struct iov_iter;
struct untwist_channel;

ssize_t untwist_transmit_write(struct untwist_channel *ch, struct iov_iter *from);
size_t untwist_transmit_need(const struct untwist_channel *ch, const struct iov_iter *from);
bool untwist_transmit_stalled(struct untwist_channel *ch, size_t need);
void untwist_transmit_made_room(struct untwist_channel *ch);

#endif /* UNTWIST_TRANSMIT_H */
