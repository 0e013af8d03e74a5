/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uring.c APIs: requests as commands of io_uring.
 */
#ifndef UNTWIST_URING_H
#define UNTWIST_URING_H

#include <linux/types.h>

struct io_uring_cmd;

bool untwist_uring_works(void);
int untwist_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* UNTWIST_URING_H */
