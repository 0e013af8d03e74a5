/* SPDX-License-Identifier: MIT */
/*
 * modules.c: modules of the kernel, loaded and unloaded, and their parameters.
 * A failure to read or to load ends the test.
 */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>

bool module_is_loaded(const char *name);

/* Options as on modprobe's command line, between spaces; "" for none. */
void module_load(const char *name, const char *options);

/* The same, but a failure is returned: the status of modprobe, or 0. */
int module_try(const char *name, const char *options);

/* 0 or -1 with errno, as delete_module(); does not wait for users to go. */
int module_unload(const char *name);

/* The whole of a small file without its last line feed. */
void text_read(const char *path, char *text, unsigned int size);
long long number_read(const char *path);

/* 0 or -1 with errno, as write() to a file of sysfs. */
int text_write(const char *path, const char *text);

int parameter_write(const char *module, const char *parameter, const char *value);

#endif /* MODULES_H */
