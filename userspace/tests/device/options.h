/* SPDX-License-Identifier: MIT */
/*
 * options.c: what a program chooses about its queues. A failure ends the test,
 * but for the one call that says so.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <linux/untwist.h>

/* 0 or -1 with errno; the options are then what holds. */
int options_try(int fd, struct untwist_options *options);

struct untwist_options options_get(int fd);

/* Sizes of 0 stay what they are. */
void options_set(int fd, struct untwist_options options);

/* What was lost since it was last asked for. */
struct untwist_lost options_take_lost(int fd);

/* A record with its header. */
struct stamped {
	struct untwist_record_header header;
	char record[64];
};

/* The length of the record; its text ends in NUL. */
unsigned int stamped_read(int fd, struct stamped *stamped);

#endif /* OPTIONS_H */
