/* SPDX-License-Identifier: MIT */
/* Child process: from its start to its end: see untwist/process.h. */
#include <untwist/process.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/failure.h>

#include "process-private.h"

#define FLAGS_KNOWN (UTW_PROCESS_GROUP | UTW_PROCESS_SESSION | UTW_PROCESS_USER)

static void process_later(struct utw_call *c)
{
	struct utw_process *p = utw_container_of(c, struct utw_process, later);
	struct utw_process_watcher *w = p->watcher;

	w->process = NULL;
	w->ops->ended(w, &p->status);
	free(p);
}

static void process_check(struct utw_process *p)
{
	if (p->exited && !p->channels && !utw_call_active(&p->later))
		utw_call_start(&p->later, p->reactor);
}

void utw_process_channel_lost(struct utw_process *p, struct utw_process_channel *channel)
{
	struct utw_process_channel **place = &p->channels;

	while (*place != channel)
		place = &(*place)->next;
	*place = channel->next;
	channel->process = NULL;
	if (p->terminal == channel)
		p->terminal = NULL;
	process_check(p);
}

static uint64_t nanoseconds(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000 + (uint64_t)tv->tv_usec * 1000;
}

static void status_set(struct utw_process_status *s, int status, const struct rusage *used)
{
	s->known = true;
	s->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	s->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	s->dumped = WIFSIGNALED(status) && WCOREDUMP(status);
	s->user_ns = nanoseconds(&used->ru_utime);
	s->system_ns = nanoseconds(&used->ru_stime);
	s->memory = (uint64_t)used->ru_maxrss * 1024;
}

static void process_forget_pid(struct utw_process *p)
{
	utw_watch_stop(&p->watch);
	close(p->pidfd);
	p->pidfd = -1;
}

/* Another callback may have abandoned it; then this one does not come. */
static void process_exited(struct utw_watch *watch, uint32_t events)
{
	struct utw_process *p = utw_container_of(watch, struct utw_process, watch);
	struct utw_process_watcher *w = p->watcher;
	struct rusage used;
	int status;
	pid_t got;

	(void)events;
	do {
		got = wait4(p->pid, &status, WNOHANG, &used);
	} while (got < 0 && errno == EINTR);
	if (!got)
		return;
	if (got > 0)
		status_set(&p->status, status, &used);
	process_forget_pid(p);
	p->exited = true;
	process_check(p);
	if (w->ops->exited)
		w->ops->exited(w, &p->status);
}

static int options_check(const struct utw_process_options *o, const struct utw_process_watcher *w)
{
	if (!o->path || (o->fd_count && !o->fds) || (o->flags & ~(unsigned int)FLAGS_KNOWN) ||
	    !w->ops || !w->ops->ended)
		return -EINVAL;
	for (unsigned int i = 0; i < o->fd_count; i++) {
		const struct utw_protocol *p = o->fds[i].protocol;

		if (p && p == o->terminal)
			return -EBUSY;
		for (unsigned int j = 0; p && j < i; j++)
			if (o->fds[j].protocol == p)
				return -EBUSY;
	}
	return w->process ? -EBUSY : 0;
}

/* The child runs: nothing may fail any more without ending it. */
static int process_watch(struct utw_process *p)
{
	int error;

	p->pidfd = pidfd_open(p->pid, 0);
	error = p->pidfd < 0 ? -errno : utw_watch_start(&p->watch, p->reactor, p->pidfd, EPOLLIN);
	if (!error)
		return 0;
	kill(p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (p->pidfd >= 0)
		close(p->pidfd);
	return error;
}

static int process_start(struct utw_process *p, struct utw_process_plan *plan)
{
	int error;

	plan->step = "descriptors";
	error = utw_process_channels_open(p, plan);
	if (!error) {
		p->pid = utw_process_start(plan);
		error = p->pid < 0 ? p->pid : 0;
	}
	if (!error) {
		plan->step = "watch";
		error = process_watch(p);
	}
	utw_process_plan_close(plan);
	if (error)
		utw_process_channels_discard(p);
	return error;
}

static int process_new(struct utw_process **ret, struct utw_reactor *r,
		       struct utw_process_plan *plan, struct utw_process_watcher *w)
{
	const struct utw_process_options *o = plan->options;
	unsigned int leads = UTW_PROCESS_GROUP | UTW_PROCESS_SESSION;
	struct utw_process *p;
	int error;

	plan->step = "options";
	error = options_check(o, w);
	if (error)
		return error;
	plan->step = "memory";
	p = calloc(1, sizeof(*p));
	/* Those of the map, and those of a terminal. */
	plan->moves = calloc(o->fd_count + 3, sizeof(*plan->moves));
	error = -ENOMEM;
	if (p && plan->moves) {
		p->reactor = r;
		p->watcher = w;
		p->leads = o->terminal || (o->flags & leads);
		utw_watch_init(&p->watch, process_exited);
		utw_call_init(&p->later, process_later);
		error = process_start(p, plan);
	}
	free(plan->moves);
	if (error)
		free(p);
	else
		*ret = p;
	return error;
}

int utw_process_spawn(struct utw_reactor *r, const struct utw_process_options *options,
		      struct utw_process_watcher *w, struct utw_failure **why)
{
	struct utw_process_plan plan = { .options = options };
	struct utw_process *p = NULL;
	int error = process_new(&p, r, &plan, w);

	if (error) {
		if (why)
			*why = utw_failure_from_errno(error, plan.step, "%s",
						      options->path ? options->path : "no path");
		return error;
	}
	w->process = p;
	utw_process_channels_launch(p);
	return 0;
}

pid_t utw_process_pid(const struct utw_process *p)
{
	return p ? p->pid : -ESRCH;
}

int utw_process_signal(struct utw_process *p, int signal)
{
	if (!p || p->exited)
		return -ESRCH;
	return pidfd_send_signal(p->pidfd, signal, NULL, 0) ? -errno : 0;
}

int utw_process_signal_group(struct utw_process *p, int signal)
{
	if (!p || p->exited)
		return -ESRCH;
	if (!p->leads)
		return -EOPNOTSUPP;
	return kill(-p->pid, signal) ? -errno : 0;
}

int utw_process_resize(struct utw_process *p, unsigned short rows, unsigned short columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	if (!p)
		return -ESRCH;
	if (!p->terminal)
		return p->exited ? -EPIPE : -EOPNOTSUPP;
	return ioctl(utw_end_fd(&p->terminal->fd.transport.in), TIOCSWINSZ, &size) ? -errno : 0;
}

void utw_process_abandon(struct utw_process *p)
{
	if (!p)
		return;
	p->watcher->process = NULL;
	utw_process_channels_abandon(p);
	if (p->pidfd >= 0)
		process_forget_pid(p);
	utw_call_stop(&p->later);
	free(p);
}
