/* SPDX-License-Identifier: MIT */
/*
 * Starting a program: what runs between fork and exec.
 *
 * The child may call only what is safe in a signal handler, since another thread
 * may have held any lock at the fork. What goes wrong in it comes back through a
 * pipe that a successful exec closes.
 */
#include "process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

enum step {
	STEP_SESSION,
	STEP_TERMINAL,
	STEP_USER,
	STEP_FOLDER,
	STEP_DESCRIPTORS,
	STEP_EXEC,
};

static const char *const step_names[] = {
	[STEP_SESSION] = "setsid", [STEP_TERMINAL] = "terminal",       [STEP_USER] = "setuid",
	[STEP_FOLDER] = "chdir",   [STEP_DESCRIPTORS] = "descriptors", [STEP_EXEC] = "exec",
};

struct report {
	enum step step;
	int error;
};

static _Noreturn void child_fail(int report_fd, enum step step)
{
	struct report report = { .step = step, .error = errno };
	ssize_t put;

	do {
		put = write(report_fd, &report, sizeof(report));
	} while (put < 0 && errno == EINTR);
	_exit(put == sizeof(report) ? 127 : 126);
}

/* Ignored signals would stay ignored in the program. */
static void child_signals(void)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signo = 1; signo < _NSIG; signo++)
		sigaction(signo, &by_default, NULL);
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static void child_session(const struct utw_process_plan *plan, int report_fd)
{
	const struct utw_process_options *o = plan->options;

	if ((o->flags & UTW_PROCESS_SESSION) || plan->slave >= 0) {
		if (setsid() < 0)
			child_fail(report_fd, STEP_SESSION);
	} else if ((o->flags & UTW_PROCESS_GROUP) && setpgid(0, 0)) {
		child_fail(report_fd, STEP_SESSION);
	}
	if (plan->slave >= 0 && ioctl(plan->slave, TIOCSCTTY, 0))
		child_fail(report_fd, STEP_TERMINAL);
}

/* The groups first: without the user they could not be changed any more. */
static void child_user(const struct utw_process_options *o, int report_fd)
{
	if (!(o->flags & UTW_PROCESS_USER))
		return;
	if (setgroups(0, NULL) || setgid(o->gid) || setuid(o->uid))
		child_fail(report_fd, STEP_USER);
}

static int highest(const struct utw_process_plan *plan)
{
	int high = STDERR_FILENO;

	for (unsigned int i = 0; i < plan->count; i++)
		if (plan->moves[i].to > high)
			high = plan->moves[i].to;
	return high;
}

/*
 * Every descriptor first goes out of the way of all targets, and then to its own.
 * Returns where the report pipe is now.
 */
static int child_descriptors(struct utw_process_plan *plan, int report_fd)
{
	int above = highest(plan) + 1;
	int moved = fcntl(report_fd, F_DUPFD_CLOEXEC, above);

	if (moved < 0)
		child_fail(report_fd, STEP_DESCRIPTORS);
	for (unsigned int i = 0; i < plan->count; i++) {
		plan->moves[i].from = fcntl(plan->moves[i].from, F_DUPFD_CLOEXEC, above);
		if (plan->moves[i].from < 0)
			child_fail(moved, STEP_DESCRIPTORS);
	}
	/* Whatever the rest of the program has forgotten to mark. */
	close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	for (unsigned int i = 0; i < plan->count; i++)
		if (plan->moves[i].to >= 0 && dup2(plan->moves[i].from, plan->moves[i].to) < 0)
			child_fail(moved, STEP_DESCRIPTORS);
	return moved;
}

static _Noreturn void child_run(struct utw_process_plan *plan, int report_fd)
{
	const struct utw_process_options *o = plan->options;
	const char *const alone[] = { o->path, NULL };

	child_signals();
	child_session(plan, report_fd);
	child_user(o, report_fd);
	if (o->parent_death)
		prctl(PR_SET_PDEATHSIG, o->parent_death);
	if (o->folder && chdir(o->folder))
		child_fail(report_fd, STEP_FOLDER);
	report_fd = child_descriptors(plan, report_fd);
	execvpe(o->path, (char *const *)(o->argv ? o->argv : alone),
		o->env ? (char *const *)o->env : environ);
	child_fail(report_fd, STEP_EXEC);
}

/* Returns 0 when the child runs the program, or what kept it from that. */
static int await_exec(struct utw_process_plan *plan, pid_t pid, int report_fd)
{
	struct report report;
	ssize_t got;

	do {
		got = read(report_fd, &report, sizeof(report));
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(report))
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	plan->step = step_names[report.step];
	return -report.error;
}

/* A handler of this process must not run in the child, whose memory is a copy. */
static pid_t fork_quietly(struct utw_process_plan *plan, int report[2])
{
	sigset_t all, before;
	int error;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid)
		child_run(plan, report[1]);
	error = -errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? error : pid;
}

pid_t utw_process_start(struct utw_process_plan *plan)
{
	int report[2];
	int error = 0;
	pid_t pid;

	plan->step = "fork";
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork_quietly(plan, report);
	close(report[1]);
	if (pid > 0)
		error = await_exec(plan, pid, report[0]);
	close(report[0]);
	return error ? error : pid;
}
