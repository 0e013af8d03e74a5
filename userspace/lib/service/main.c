/* SPDX-License-Identifier: MIT */
/* The life of a program, from its options to its exit code: see untwist/program.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>
#include <untwist/reactor.h>

#include "base/clock.h"
#include "daemon.h"
#include "pidfile.h"
#include "run.h"

/* Takes the failure, which may be NULL. */
static int run_complain(struct utw_run *run, const char *what, int error,
			struct utw_failure *failure)
{
	char story[512];

	if (failure)
		utw_failure_format(failure, story, sizeof(story));
	else
		snprintf(story, sizeof(story), "%s: %s", what, strerrordesc_np(-error));
	utw_failure_unref(failure);
	utw_run_log(run, "%s", story);
	return UTW_EXIT_START;
}

static struct utw_result run_stopped(void *value, struct utw_failure *failure, void *data)
{
	struct utw_run *run = data;

	(void)value;
	(void)failure;
	run->stopped = true;
	utw_timer_cancel(&run->patience);
	if (run->running)
		utw_reactor_stop(run->reactor);
	return utw_result_value(NULL);
}

static void run_impatient(struct utw_timer *timer)
{
	struct utw_run *run = utw_container_of(timer, struct utw_run, patience);

	utw_run_log(run, "the services have not stopped in %.0f s: not waiting any longer",
		    (double)run->options.stop_timeout / 1e9);
	run->code = UTW_EXIT_STOP;
	utw_reactor_stop(run->reactor);
}

void utw_run_end(struct utw_run *run, int code)
{
	struct utw_deferred *d;

	if (run->stopping)
		return;
	run->stopping = true;
	run->code = code;
	utw_notify("STOPPING=1");
	d = utw_service_stop(&run->root);
	if (!d || utw_deferred_add_both(d, run_stopped, run)) {
		run->code = UTW_EXIT_STOP;
		utw_reactor_stop(run->reactor);
	} else if (!run->stopped) {
		utw_timer_start(&run->patience, run->reactor, run->options.stop_timeout);
	}
	utw_deferred_unref(d);
}

static void run_signalled(struct utw_run *run, int signo)
{
	if (!run->stopping) {
		utw_run_end(run, UTW_EXIT_OK);
		return;
	}
	run->code = 128 + signo;
	utw_reactor_stop(run->reactor);
}

static void run_terminated(struct utw_signal *s, int signo)
{
	run_signalled(utw_container_of(s, struct utw_run, terminate), signo);
}

static void run_interrupted(struct utw_signal *s, int signo)
{
	run_signalled(utw_container_of(s, struct utw_run, interrupt), signo);
}

static void run_hung_up(struct utw_signal *s, int signo)
{
	struct utw_run *run = utw_container_of(s, struct utw_run, hangup);
	char state[64];
	int error;

	(void)signo;
	if (run->stopping)
		return;
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)(utw_clock_now() / 1000));
	utw_notify(state);
	error = utw_run_log_open(run);
	if (error)
		run_complain(run, run->options.log, error, NULL);
	if (run->program->reload)
		run->program->reload(run);
	utw_notify("READY=1");
}

static int run_watch_signals(struct utw_run *run)
{
	int error;

	utw_signal_init(&run->terminate, run_terminated);
	utw_signal_init(&run->interrupt, run_interrupted);
	utw_signal_init(&run->hangup, run_hung_up);
	error = utw_signal_start(&run->terminate, run->reactor, SIGTERM);
	if (!error)
		error = utw_signal_start(&run->interrupt, run->reactor, SIGINT);
	if (!error)
		error = utw_signal_start(&run->hangup, run->reactor, SIGHUP);
	return error;
}

static void run_feed_watchdog(void *data)
{
	(void)data;
	utw_notify("WATCHDOG=1");
}

/* The manager wants a sign of life twice in that time: sd_watchdog_enabled(3). */
static int run_add_watchdog(struct utw_run *run)
{
	const char *usec = secure_getenv("WATCHDOG_USEC");
	const char *pid = secure_getenv("WATCHDOG_PID");
	uint64_t interval = usec ? strtoull(usec, NULL, 10) * 1000 / 2 : 0;

	if (!interval || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	utw_timer_service_init(&run->watchdog, run->reactor, interval, run_feed_watchdog, NULL);
	return utw_service_add(&run->root, &run->watchdog.service, NULL);
}

/* Everything up to the start of the services. */
static int run_prepare(struct utw_run *run)
{
	const struct utw_run_options *o = &run->options;
	int error;

	if (o->directory && chdir(o->directory))
		return run_complain(run, o->directory, -errno, NULL);
	if (o->pid_file) {
		run->pid_file = utw_pidfile_open(o->pid_file);
		if (run->pid_file == -EWOULDBLOCK) {
			utw_run_log(run, "%s: belongs to one that is running", o->pid_file);
			return UTW_EXIT_RUNNING;
		}
		if (run->pid_file < 0)
			return run_complain(run, o->pid_file, run->pid_file, NULL);
	}
	error = utw_reactor_new(&run->reactor);
	if (!error)
		error = run_watch_signals(run);
	if (!error)
		error = run_add_watchdog(run);
	return error ? run_complain(run, "reactor", error, NULL) : 0;
}

static int run_start(struct utw_run *run, int argc, char **argv)
{
	struct utw_failure *why = NULL;
	int error = run->program->setup(run, argc, argv, &why);

	if (error > 0 && !why)
		return error;
	if (error)
		return run_complain(run, "setup", error, why);
	if (run->stopping)
		return run->code;
	error = utw_service_prepare(&run->root, &why);
	if (error)
		return run_complain(run, "prepare", error, why);
	error = run->options.user ? utw_daemon_become(run->options.user) : 0;
	if (error)
		return run_complain(run, run->options.user, error, NULL);
	error = utw_service_start(&run->root, &why);
	if (error)
		return run_complain(run, "start", error, why);
	return 0;
}

/* Stop what has started, however far it came. */
static void run_undo(struct utw_run *run)
{
	if (!run->stopping)
		utw_run_end(run, run->code);
	run->running = true;
	if (!run->stopped && run->code != UTW_EXIT_STOP)
		utw_reactor_run(run->reactor);
}

static void run_loop(struct utw_run *run)
{
	utw_notify("READY=1");
	if (run->told >= 0)
		utw_daemon_tell(run->told, UTW_EXIT_OK);
	run->told = -1;
	run->running = true;
	/* Told to end by its own start. */
	if (!run->stopped)
		utw_reactor_run(run->reactor);
}

static int run_life(struct utw_run *run, int argc, char **argv)
{
	run->code = run_prepare(run);
	if (!run->code) {
		run->code = run_start(run, argc, argv);
		if (run->code)
			run_undo(run);
		else
			run_loop(run);
		if (!run->stopped)
			utw_service_abandon(&run->root);
		if (run->program->teardown)
			run->program->teardown(run);
	}
	utw_reactor_free(run->reactor);
	utw_pidfile_close(run->pid_file < 0 ? -1 : run->pid_file, run->options.pid_file);
	if (run->told >= 0)
		utw_daemon_tell(run->told, run->code);
	return run->code;
}

int utw_main(const struct utw_program *p, int argc, char **argv)
{
	struct utw_run run = { .program = p, .told = -1, .pid_file = -1 };
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	int code = UTW_EXIT_OK;
	int first;
	int error;

	run.name = p->name ? p->name : (slash ? slash + 1 : (argc ? argv[0] : "program"));
	utw_service_init(&run.root, NULL, run.name);
	utw_timer_init(&run.patience, run_impatient);
	first = utw_run_options_parse(&run, argc, argv, &code);
	if (first < 0)
		return code;
	if (run.options.daemon) {
		run.told = utw_daemon_fork();
		if (run.told < 0)
			return run_complain(&run, "fork", run.told, NULL);
	}
	error = utw_run_log_open(&run);
	if (error) {
		code = run_complain(&run, run.options.log, error, NULL);
		if (run.told >= 0)
			utw_daemon_tell(run.told, code);
		return code;
	}
	code = run_life(&run, argc - first, argv + first);
	utw_run_log_close(&run);
	return code;
}

struct utw_reactor *utw_run_reactor(const struct utw_run *run)
{
	return run->reactor;
}

struct utw_service *utw_run_root(struct utw_run *run)
{
	return &run->root;
}

void utw_run_set_data(struct utw_run *run, void *data)
{
	run->data = data;
}

void *utw_run_data(const struct utw_run *run)
{
	return run->data;
}
