/* SPDX-License-Identifier: MIT */
/*
 * Contracts whose breach leaves no sane way on, such as freeing the reactor that
 * is calling you. Checked in every build: a library cannot choose its callers.
 */
#ifndef UTW_BASE_CONTRACT_H
#define UTW_BASE_CONTRACT_H

#include <stdlib.h>

#define UTW_CONTRACT(condition)                        \
	do {                                           \
		if (__builtin_expect(!(condition), 0)) \
			abort();                       \
	} while (0)

#endif
