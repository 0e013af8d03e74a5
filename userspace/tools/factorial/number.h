/* SPDX-License-Identifier: MIT */
/* Number: what a line of input asks for, or what is wrong with it. */
#ifndef FACTORIAL_NUMBER_H
#define FACTORIAL_NUMBER_H

#include <stddef.h>

/* Bytes that hold any complaint. */
#define NUMBER_COMPLAINT 160

/*
 * Read a decimal number from 0 to `max`, blanks around it allowed. Returns it,
 * or -EINVAL (no number) or -ERANGE with the reason in `complaint`.
 */
int number_read(const char *line, size_t len, int max, char complaint[NUMBER_COMPLAINT]);

#endif
