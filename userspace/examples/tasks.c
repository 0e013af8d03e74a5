/* SPDX-License-Identifier: MIT */
/* Two tasks side by side, and a deadline for both: cc tasks.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <untwist/untwist.h>

#define SECOND UINT64_C(1000000000)

struct runner {
	struct utw_reactor *reactor;
	const char *name;
	int rounds;
};

/* Straight-line code: a cancel, or a deadline, arrives as the failure of a sleep. */
static struct utw_result run(struct utw_task *task, void *data)
{
	const struct runner *me = data;
	struct utw_failure *why;
	int round;

	for (round = 1; round <= me->rounds; round++) {
		why = utw_task_sleep(task, me->reactor, SECOND / 100);
		if (why) {
			printf("%s gives up in round %d\n", me->name, round);
			return utw_result_fail(why);
		}
		printf("%s has done round %d\n", me->name, round);
	}
	return utw_result_value(NULL);
}

static struct utw_result over(void *value, struct utw_failure *failure, void *data)
{
	char story[256] = "both have arrived";

	(void)value;
	if (failure)
		utw_failure_format(failure, story, sizeof(story));
	printf("%s\n", story);
	utw_reactor_stop(data);
	return utw_result_value(NULL);
}

int main(void)
{
	struct utw_reactor *reactor;
	struct utw_deferred *tasks[2], *both;

	if (utw_reactor_new(&reactor) < 0)
		return 1;
	struct runner hare = { reactor, "hare", 3 }, tortoise = { reactor, "tortoise", 1000 };

	tasks[0] = utw_task_start(run, &hare);
	tasks[1] = utw_task_start(run, &tortoise);
	if (!tasks[0] || !tasks[1])
		return 1;
	both = utw_deferred_all_or_cancel(tasks, 2);
	if (!both || utw_deferred_add_timeout(both, reactor, SECOND / 5) < 0)
		return 1;
	utw_deferred_add_both(both, over, reactor);
	utw_deferred_unref(both);
	utw_reactor_run(reactor);
	utw_reactor_free(reactor);
	return 0;
}
