// SPDX-License-Identifier: MIT
/* Stand-ins for the allocators, put in place by the linker's --wrap. */
#include "harness-alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_reallocarray(void *ptr, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t count, size_t size);

/* Atomic, because some tests have threads. */
static atomic_uint calls, target;

void alloc_fail_at(unsigned int nth)
{
	atomic_store(&target, nth);
	atomic_store(&calls, 0);
}

bool alloc_failed(void)
{
	unsigned int nth = atomic_load(&target);

	return nth && atomic_load(&calls) >= nth;
}

unsigned int alloc_count(void)
{
	return atomic_load(&calls);
}

static bool alloc_refuse(void)
{
	if (atomic_fetch_add(&calls, 1) + 1 != atomic_load(&target))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return alloc_refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return alloc_refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return alloc_refuse() ? NULL : __real_realloc(ptr, size);
}

void *__wrap_reallocarray(void *ptr, size_t count, size_t size)
{
	return alloc_refuse() ? NULL : __real_reallocarray(ptr, count, size);
}
