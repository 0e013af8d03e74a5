/* SPDX-License-Identifier: MIT */
/* A program for test-program.c to run: its first argument says how it behaves. */
#include <untwist/program.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>
#include <untwist/reactor.h>
#include <untwist/service.h>

struct child {
	struct utw_service service;
	struct utw_timer_service timer;
	struct utw_run *run;
	struct utw_deferred *never;
	const char *mode;
	int code;
};

static struct child *child_of(struct utw_service *s)
{
	return utw_container_of(s, struct child, service);
}

static int child_start(struct utw_service *s, struct utw_failure **why)
{
	struct child *c = child_of(s);

	if (strcmp(c->mode, "broken") == 0) {
		*why = utw_failure_from_errno(-ENOSPC, "start", "broken on purpose");
		return -ENOSPC;
	}
	utw_run_log(c->run, "started as %d", (int)getuid());
	return 0;
}

static struct utw_deferred *child_stop(struct utw_service *s)
{
	struct child *c = child_of(s);

	utw_run_log(c->run, "stopping");
	if (strcmp(c->mode, "hang") != 0)
		return NULL;
	c->never = utw_deferred_new();
	return utw_deferred_ref(c->never);
}

static const struct utw_service_ops child_ops = { .start = child_start, .stop = child_stop };

static void child_end(void *data)
{
	struct child *c = data;

	utw_run_end(c->run, c->code);
}

static int child_setup(struct utw_run *run, int argc, char **argv, struct utw_failure **why)
{
	struct child *c;

	if (argc < 1)
		return UTW_EXIT_USAGE;
	if (strcmp(argv[0], "refuse") == 0) {
		*why = utw_failure_from_errno(-EACCES, "setup", "refused on purpose");
		return -EACCES;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	utw_run_set_data(run, c);
	c->run = run;
	c->mode = argv[0];
	utw_service_init(&c->service, &child_ops, "child");
	if (strcmp(c->mode, "end") == 0) {
		c->code = atoi(argv[1]);
		utw_timer_service_init(&c->timer, utw_run_reactor(run), 1, child_end, c);
		utw_service_add(&c->service, &c->timer.service, NULL);
	}
	return utw_service_add(utw_run_root(run), &c->service, why);
}

static void child_reload(struct utw_run *run)
{
	utw_run_log(run, "reloaded");
}

static void child_teardown(struct utw_run *run)
{
	struct child *c = utw_run_data(run);

	if (!c)
		return;
	utw_deferred_unref(c->never);
	free(c);
	utw_run_log(run, "torn down");
}

extern const struct utw_program utw_program;

__attribute__((visibility("default"))) const struct utw_program utw_program = {
	.name = "child",
	.version = "7",
	.help = "MODE\nBehave as MODE says.",
	.setup = child_setup,
	.reload = child_reload,
	.teardown = child_teardown,
};
