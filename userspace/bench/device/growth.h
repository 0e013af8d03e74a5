/* SPDX-License-Identifier: MIT */
/* growth.c: what more opens, more commands and larger batches cost. */
#ifndef GROWTH_H
#define GROWTH_H

/* Print tables of it, measured on the device at path. */
void growth_print(const char *path);

#endif /* GROWTH_H */
