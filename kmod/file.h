/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.c APIs: the system calls on a node.
 */
#ifndef UNTWIST_FILE_H
#define UNTWIST_FILE_H

#include <linux/fs.h>

extern const struct file_operations untwist_fops;

#endif /* UNTWIST_FILE_H */
