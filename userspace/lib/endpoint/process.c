/* SPDX-License-Identifier: MIT */
/* The endpoint type "process": a program's standard input and output are the connection. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <untwist/failure.h>
#include <untwist/fd.h>
#include <untwist/process.h>

#include "endpoint-private.h"

/* Of one that runs: nobody waits for it but us. */
static void process_ended(struct utw_process_watcher *w, const struct utw_process_status *status)
{
	(void)status;
	free(w);
}

static const struct utw_process_ops process_ops = { .ended = process_ended };

/* Path, arguments, NULL; the strings are the endpoint's. */
static const char **process_argv(const struct utw_endpoint *e)
{
	const char **argv;
	size_t count = 0;

	while (utw_endpoint_value_at(e, "arg", count))
		count++;
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = utw_endpoint_value(e, "path");
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = utw_endpoint_value_at(e, "arg", i);
	return argv;
}

static int process_spawn(const struct utw_endpoint *e, struct utw_reactor *r, int in, int out)
{
	const char **argv = process_argv(e);
	struct utw_process_watcher *w = malloc(sizeof(*w));
	struct utw_process_fd fds[] = { { 0, UTW_PROCESS_SHARE, in, NULL },
					{ 1, UTW_PROCESS_SHARE, out, NULL } };
	struct utw_process_options options = { .path = utw_endpoint_value(e, "path"),
					       .argv = argv,
					       .folder = utw_endpoint_value(e, "folder"),
					       .fds = fds,
					       .fd_count = 2 };
	int error = -ENOMEM;

	if (argv && w) {
		utw_process_watcher_init(w, &process_ops);
		error = utw_process_spawn(r, &options, w, NULL);
	}
	if (error)
		free(w);
	free(argv);
	return error;
}

static void pipe_close(const int *fd)
{
	close(fd[0]);
	close(fd[1]);
}

/* Pipes and no socket: programs may want to open /dev/stdin anew. */
static int process_make(struct utw_transport **ret, const struct utw_endpoint *e,
			struct utw_reactor *r, struct utw_protocol *p)
{
	int down[2], up[2];
	int error;

	if (pipe2(down, O_CLOEXEC))
		return -errno;
	if (pipe2(up, O_CLOEXEC)) {
		error = -errno;
		pipe_close(down);
		return error;
	}
	error = process_spawn(e, r, down[0], up[1]);
	if (error) {
		pipe_close(down);
		pipe_close(up);
		return error;
	}
	close(down[0]);
	close(up[1]);
	error = utw_fd_transport_new(ret, r, up[0], down[1], p);
	if (error) {
		/* It runs, and sees its input end. */
		close(up[0]);
		close(down[1]);
	}
	return error;
}

static struct utw_failure *process_check(const struct utw_endpoint *e)
{
	return *utw_endpoint_value(e, "path") ? NULL
					      : utw_endpoint_complain(e, "path", "path is empty");
}

static struct utw_deferred *process_connect(const struct utw_endpoint *e, struct utw_reactor *r,
					    struct utw_factory *f)
{
	return utw_single_connect(e, r, f, process_make);
}

static int process_listen(struct utw_port **ret, const struct utw_endpoint *e,
			  struct utw_reactor *r, struct utw_factory *f, struct utw_failure **why)
{
	(void)why;
	return utw_single_listen(ret, e, r, f, process_make);
}

static const struct utw_endpoint_key process_keys[] = {
	{ .name = "path", .required = true },
	{ .name = "arg", .repeated = true },
	{ .name = "folder" },
	{ .name = NULL },
};

const struct utw_endpoint_type utw_endpoint_process_client = { .name = "process",
							       .role = UTW_ENDPOINT_CLIENT,
							       .keys = process_keys,
							       .check = process_check,
							       .connect = process_connect };
const struct utw_endpoint_type utw_endpoint_process_server = { .name = "process",
							       .role = UTW_ENDPOINT_SERVER,
							       .keys = process_keys,
							       .check = process_check,
							       .listen = process_listen };
