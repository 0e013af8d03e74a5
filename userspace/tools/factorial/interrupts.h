/* SPDX-License-Identifier: MIT */
/* How often a driver was interrupted, as the kernel counts it. */
#ifndef FACTORIAL_INTERRUPTS_H
#define FACTORIAL_INTERRUPTS_H

#include <stdint.h>

/*
 * Sum over all processors, from /proc/interrupts, of the lines that name
 * `driver` as a handler. Returns 0 with the sum in *ret, or -ENOENT when
 * there is no such line, or why the file cannot be read.
 */
int interrupts_read(const char *driver, uint64_t *ret);

#endif
