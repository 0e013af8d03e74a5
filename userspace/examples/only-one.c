/* SPDX-License-Identifier: MIT */
/* Wait until no other process runs this on the same file: cc only-one.c $(pkg-config --cflags --libs untwist) */
#include <stdbool.h>
#include <stdio.h>
#include <untwist/untwist.h>

#define SECOND UINT64_C(1000000000)

static struct utw_result decided(void *value, struct utw_failure *failure, void *data)
{
	char story[256] = "it is mine";

	(void)value;
	if (failure)
		utw_failure_format(failure, story, sizeof(story));
	printf("%s\n", story);
	*(bool *)data = true;
	return utw_result_value(NULL);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/tmp/only-one.lock";
	struct utw_file_lock *lock;
	struct utw_reactor *reactor;
	struct utw_deferred *d;
	bool over = false;

	if (utw_reactor_new(&reactor) < 0 || utw_file_lock_new(&lock, reactor, path) < 0)
		return 1;
	d = utw_file_lock_acquire(lock, UTW_FILE_LOCK_RETRY / 10);
	if (!d || utw_deferred_add_timeout(d, reactor, 5 * SECOND) < 0)
		return 1;
	if (!utw_deferred_fired(d))
		printf("process %d has it\n", utw_file_lock_owner(lock));
	fflush(stdout);
	utw_deferred_add_both(d, decided, &over);
	utw_deferred_unref(d);
	while (!over && utw_reactor_run_once(reactor, UTW_FOREVER) >= 0)
		;
	utw_file_lock_free(lock);
	utw_reactor_free(reactor);
	return 0;
}
