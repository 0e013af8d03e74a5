// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the suites share: a fake driver, programs that use it, threads, and
 * sleepers. Loaded by the first suite that needs it; tests nothing itself.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("What the KUnit suites of Untwist share");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
