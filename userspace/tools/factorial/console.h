/* SPDX-License-Identifier: MIT */
/* Console: the session on the standard streams of the process. */
#ifndef FACTORIAL_CONSOLE_H
#define FACTORIAL_CONSOLE_H

struct unit;

/*
 * Read questions from standard input, write answers to standard output and
 * complaints to standard error; where the latter two are one and the same, in
 * the order of the input. Returns 0 or -errno.
 */
int console_open(struct unit *u);

#endif
