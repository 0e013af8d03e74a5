/* SPDX-License-Identifier: MIT */
/*
 * pattern.c: bytes that tell where in a stream they belong, so that one that is
 * lost, doubled, changed or out of order is seen.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>

/* The bytes from a position on. */
void pattern_make(void *buf, size_t len, unsigned long position);

/* How many bytes are right, from the front on: len, if all are. */
size_t pattern_check(const void *buf, size_t len, unsigned long position);

#endif /* PATTERN_H */
