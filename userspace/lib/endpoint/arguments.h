/* SPDX-License-Identifier: MIT */
/* Arguments: the grammar of endpoints, and nothing of their meaning. */
#ifndef UTW_ENDPOINT_ARGUMENTS_H
#define UTW_ENDPOINT_ARGUMENTS_H

#include <stddef.h>

struct utw_argument {
	const char *key; /* NULL: a value alone */
	const char *value;
	size_t column; /* of its first character in the text, from 1 */
};

/* The first is the type. Strings lie in `storage`. */
struct utw_arguments {
	struct utw_argument *list;
	size_t count;
	char *storage;
};

/*
 * Cut a text into its arguments. Returns 0, -ENOMEM, or -EINVAL with what is
 * wrong in *why (static) and where in *column; then there is nothing to release.
 */
int utw_arguments_parse(struct utw_arguments *ret, const char *text, const char **why,
			size_t *column);
void utw_arguments_release(struct utw_arguments *a);

#endif
