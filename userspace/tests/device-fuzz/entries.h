/* SPDX-License-Identifier: MIT */
/* entries.c: Untwist's structures, filled in as programs might, rightly and wrongly. */
#ifndef ENTRIES_H
#define ENTRIES_H

#include <stdbool.h>

#include <linux/untwist.h>

#include "dice.h"

struct untwist_sqe any_sqe(struct dice *dice);
struct untwist_ring_setup any_setup(struct dice *dice);
struct untwist_ring_enter any_enter(struct dice *dice);
struct untwist_options any_options(struct dice *dice);

/* What requests are known by: few values, so that cancels find some. */
__u64 any_user_data(struct dice *dice);

/* The number of an ioctl that may speak of a structure of another size. */
unsigned long any_size(struct dice *dice, unsigned long cmd);

#endif /* ENTRIES_H */
