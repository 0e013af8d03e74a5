/* SPDX-License-Identifier: MIT */
/* Runs a program and says what it wrote and how it ended: cc program-output.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <untwist/untwist.h>

/* The program, and the pipe in which its output comes. */
struct run {
	struct utw_process_watcher watcher;
	struct utw_protocol output;
	struct utw_reactor *reactor;
};

static void run_data(struct utw_protocol *p, const void *data, size_t len)
{
	(void)p;
	printf("it says: %.*s", (int)len, (const char *)data);
}

static void run_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	(void)p;
	(void)reason;
}

static const struct utw_protocol_ops output_ops = { .data = run_data, .lost = run_lost };

static void run_ended(struct utw_process_watcher *w, const struct utw_process_status *status)
{
	struct run *run = utw_container_of(w, struct run, watcher);

	if (status->signal)
		printf("it was killed by signal %d\n", status->signal);
	else
		printf("it ended with %d\n", status->code);
	utw_reactor_stop(run->reactor);
}

static const struct utw_process_ops process_ops = { .ended = run_ended };

int main(int argc, char **argv)
{
	static const char *const date[] = { "date", NULL };
	const char *const *words = argc > 1 ? (const char *const *)argv + 1 : date;
	struct run run;
	struct utw_process_fd output = { 1, UTW_PROCESS_READ, 0, &run.output };
	struct utw_process_options options = {
		.path = words[0], .argv = words, .fds = &output, .fd_count = 1
	};
	struct utw_failure *why = NULL;
	char story[256];

	if (utw_reactor_new(&run.reactor))
		return 1;
	utw_protocol_init(&run.output, &output_ops);
	utw_process_watcher_init(&run.watcher, &process_ops);
	if (utw_process_spawn(run.reactor, &options, &run.watcher, &why)) {
		utw_failure_format(why, story, sizeof(story));
		fprintf(stderr, "program-output: %s\n", story);
		utw_failure_unref(why);
		return 1;
	}
	utw_reactor_run(run.reactor);
	utw_reactor_free(run.reactor);
	return 0;
}
