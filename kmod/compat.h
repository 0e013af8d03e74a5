/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that Untwist builds for, and nothing
 * else. Kbuild looks the differences up in the headers of the kernel at hand:
 * stable series take changes back, so a version number would say little.
 */
#ifndef UNTWIST_COMPAT_H
#define UNTWIST_COMPAT_H

#include <linux/device.h>
#include <linux/export.h>
#include <linux/fs.h>

/* Symbols that only the KUnit suites use; before 6.3 no such macro exists. */
#if UNTWIST_HAVE_KUNIT_VISIBILITY
#include <kunit/visibility.h>
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

/* 6.2 made the device of device_type.devnode const. */
#if UNTWIST_HAVE_DEVNODE_CONST
#define UNTWIST_DEVNODE_CONST const
#else
#define UNTWIST_DEVNODE_CONST
#endif

/* 6.5 renamed the splice that goes through read_iter. */
#if UNTWIST_HAVE_COPY_SPLICE
#define untwist_splice_read copy_splice_read
#else
#define untwist_splice_read generic_file_splice_read
#endif

/* 6.10 lets __assign_str() find the source by itself. */
#if UNTWIST_HAVE_ASSIGN_STR_SRC
#define untwist_assign_str(dst, src) __assign_str(dst, src)
#else
#define untwist_assign_str(dst, src) __assign_str(dst)
#endif

#endif /* UNTWIST_COMPAT_H */
