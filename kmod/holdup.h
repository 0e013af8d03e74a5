/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holdup.c APIs: waiting for the end of a channel, and telling who holds it up.
 */
#ifndef UNTWIST_HOLDUP_H
#define UNTWIST_HOLDUP_H

struct untwist_channel;

void untwist_holdup_report(struct untwist_channel *ch);
void untwist_channel_await_closed(struct untwist_channel *ch, const char *what);

#endif /* UNTWIST_HOLDUP_H */
