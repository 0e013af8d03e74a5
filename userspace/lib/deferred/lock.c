// SPDX-License-Identifier: MIT
/* Locks: semaphores of one token, under a name and type of their own. */
#include <untwist/lock.h>

#include <stdlib.h>

#include <untwist/semaphore.h>

struct utw_lock {
	struct utw_semaphore *semaphore;
};

struct utw_lock *utw_lock_new(void)
{
	struct utw_lock *l = malloc(sizeof(*l));

	if (!l)
		return NULL;
	if (utw_semaphore_new(&l->semaphore, 1) < 0) {
		free(l);
		return NULL;
	}
	return l;
}

void utw_lock_free(struct utw_lock *l)
{
	if (!l)
		return;
	utw_semaphore_free(l->semaphore);
	free(l);
}

struct utw_deferred *utw_lock_acquire_at(const char *file, int line, struct utw_lock *l)
{
	return utw_semaphore_acquire_at(file, line, l->semaphore);
}

int utw_lock_release(struct utw_lock *l)
{
	return utw_semaphore_release(l->semaphore);
}

struct utw_deferred *utw_lock_run_at(const char *file, int line, struct utw_lock *l,
				     utw_start_fn fn, void *data)
{
	return utw_semaphore_run_at(file, line, l->semaphore, fn, data);
}

bool utw_lock_held(const struct utw_lock *l)
{
	return utw_semaphore_tokens(l->semaphore) == 0;
}
