/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * framing.c APIs: what the framings share.
 */
#ifndef UNTWIST_FRAMING_H
#define UNTWIST_FRAMING_H

#include <linux/untwist_framing.h>

extern const struct untwist_framing untwist_framing_slip;
extern const struct untwist_framing untwist_framing_cobs;

void untwist_unframer_put(struct untwist_unframer *u, u8 byte);

#endif /* UNTWIST_FRAMING_H */
