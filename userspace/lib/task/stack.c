// SPDX-License-Identifier: MIT
/* Mappings for stacks, and the few that each thread keeps. */
#include "task/stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Making one anew costs several microseconds, most of them for its first pages. */
#define KEPT 8

struct kept_stacks {
	struct utw_stack stacks[KEPT];
	unsigned int count;
};

static _Thread_local struct kept_stacks kept;
static pthread_key_t at_thread_end;
static bool key_made;

static void kept_unmap(void *data)
{
	struct kept_stacks *k = data;

	while (k->count) {
		const struct utw_stack *s = &k->stacks[--k->count];

		munmap(s->mapping, s->mapped);
	}
}

static void key_make(void)
{
	key_made = pthread_key_create(&at_thread_end, kept_unmap) == 0;
}

/* Will this thread give back what it keeps? */
static bool kept_watched(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, key_make);
	return key_made && pthread_setspecific(at_thread_end, &kept) == 0;
}

static int stack_map(struct utw_stack *s)
{
	s->mapping = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (s->mapping == MAP_FAILED)
		return -ENOMEM;
	if (mprotect(s->mapping, s->page, PROT_NONE) < 0) {
		munmap(s->mapping, s->mapped);
		return -ENOMEM;
	}
	return 0;
}

int utw_stack_take(struct utw_stack *s, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned int i;

	if (size > SIZE_MAX - 2 * page)
		return -ENOMEM;
	s->page = page;
	s->mapped = (size + page - 1) / page * page + page;
	for (i = kept.count; i--;) {
		if (kept.stacks[i].mapped != s->mapped)
			continue;
		*s = kept.stacks[i];
		kept.stacks[i] = kept.stacks[--kept.count];
		return 0;
	}
	return stack_map(s);
}

void utw_stack_give_back(const struct utw_stack *s)
{
	if (kept.count < KEPT && kept_watched())
		kept.stacks[kept.count++] = *s;
	else
		munmap(s->mapping, s->mapped);
}
