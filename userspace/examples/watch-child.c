// SPDX-License-Identifier: MIT
/*
 * A child watch, and work in small steps meanwhile.
 *
 * Starts the command that it is given, counts while it runs, and tells how it ended;
 * its exit code is the command's.
 *
 * cc watch-child.c $(pkg-config --cflags --libs untwist)
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <untwist/child.h>
#include <untwist/cooperator.h>
#include <untwist/reactor.h>

struct program {
	struct utw_reactor *reactor;
	struct utw_child child;
	struct utw_cooperator cooperator;
	struct utw_coop_task count;
	uint64_t steps;
	int code;
};

static int count_one(struct utw_coop_task *t)
{
	utw_container_of(t, struct program, count)->steps++;
	return 1;
}

static const struct utw_coop_task_ops count_ops = { .step = count_one };

static void child_ended(struct utw_child *c, const struct utw_child_status *status)
{
	struct program *p = utw_container_of(c, struct program, child);

	if (status->how == UTW_CHILD_EXITED) {
		printf("exit code %d", status->code);
		p->code = status->code;
	} else {
		printf("ended by signal %d", status->code);
		p->code = 128 + status->code;
	}
	printf(", %ld KiB at most, while I counted to %" PRIu64 "\n", status->usage.ru_maxrss,
	       p->steps);
	utw_reactor_stop(p->reactor);
}

static int run(struct program *p, char **command)
{
	pid_t pid = fork();
	int error;

	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	utw_child_init(&p->child, child_ended);
	error = utw_child_start(&p->child, p->reactor, pid);
	if (error < 0)
		return error;
	utw_cooperator_init(&p->cooperator, p->reactor, 0);
	utw_coop_task_init(&p->count, &count_ops);
	utw_cooperator_add(&p->cooperator, &p->count);
	error = utw_reactor_run(p->reactor);
	utw_cooperator_release(&p->cooperator);
	return error;
}

int main(int argc, char **argv)
{
	struct program p = { 0 };

	if (argc < 2) {
		fputs("Usage: watch-child COMMAND [ARGUMENT]...\n", stderr);
		return 2;
	}
	if (utw_reactor_new(&p.reactor) < 0 || run(&p, &argv[1]) < 0) {
		fputs("watch-child: cannot run it\n", stderr);
		p.code = 2;
	}
	utw_reactor_free(p.reactor);
	return p.code;
}
