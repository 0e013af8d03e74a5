// SPDX-License-Identifier: MIT
/* Stand-ins for what allocates, in the library and in OpenSSL for it. */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* A function that returns NULL if it has no memory. */
#define ALLOCATOR(type, name, parameters, arguments)                             \
	type inject_##name parameters;                                           \
	type inject_##name parameters                                            \
	{                                                                        \
		return inject_memory(#name) ? (type)NULL : (type)name arguments; \
	}

ALLOCATOR(void *, malloc, (size_t size), (size))
ALLOCATOR(void *, calloc, (size_t count, size_t size), (count, size))
ALLOCATOR(void *, realloc, (void *ptr, size_t size), (ptr, size))
ALLOCATOR(void *, reallocarray, (void *ptr, size_t count, size_t size), (ptr, count, size))
ALLOCATOR(char *, strdup, (const char *text), (text))
