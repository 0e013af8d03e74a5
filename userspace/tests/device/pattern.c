// SPDX-License-Identifier: MIT
/* Bytes that tell where in a stream they belong. */
#include "pattern.h"

/* Mixes all of the position into one byte: no period that a queue could share. */
static unsigned char pattern_at(unsigned long position)
{
	unsigned int x = (unsigned int)position * 2654435761u;

	return (x ^ x >> 15) >> 7;
}

void pattern_make(void *buf, size_t len, unsigned long position)
{
	unsigned char *bytes = buf;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = pattern_at(position + i);
}

size_t pattern_check(const void *buf, size_t len, unsigned long position)
{
	const unsigned char *bytes = buf;
	size_t i;

	for (i = 0; i < len && bytes[i] == pattern_at(position + i); i++)
		;
	return i;
}
