/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counts.c APIs: functions that nobody calls but the compiler.
 */
#ifndef UNTWIST_KUNIT_COUNTS_H
#define UNTWIST_KUNIT_COUNTS_H

#include <linux/types.h>

struct gcov_info;

void __gcov_init(struct gcov_info *info);
void __gcov_exit(void);
void __gcov_merge_add(s64 *values, unsigned int nr);

#endif /* UNTWIST_KUNIT_COUNTS_H */
