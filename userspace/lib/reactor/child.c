// SPDX-License-Identifier: MIT
/* The child watch: a pidfd is readable when its process has ended. */
#include <untwist/child.h>

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/reactor.h>

/* The C library's waitid() leaves the usage out. */
static int wait_pidfd(int pidfd, siginfo_t *info, struct rusage *usage)
{
	return (int)syscall(SYS_waitid, P_PIDFD, pidfd, info, WEXITED | WNOHANG, usage);
}

static void status_read(struct utw_child_status *status, int pidfd)
{
	siginfo_t info = { 0 };

	memset(status, 0, sizeof(*status));
	status->how = UTW_CHILD_UNKNOWN;
	if (wait_pidfd(pidfd, &info, &status->usage) < 0 || !info.si_pid)
		return;
	switch (info.si_code) {
	case CLD_EXITED:
		status->how = UTW_CHILD_EXITED;
		break;
	case CLD_DUMPED:
		status->how = UTW_CHILD_DUMPED;
		break;
	default:
		status->how = UTW_CHILD_KILLED;
		break;
	}
	status->code = info.si_status;
}

static void child_ended(struct utw_watch *w, uint32_t events)
{
	struct utw_child *c = utw_container_of(w, struct utw_child, watch);
	struct utw_child_status status;

	(void)events;
	status_read(&status, c->pidfd);
	utw_child_stop(c);
	c->fn(c, &status);
}

void utw_child_init(struct utw_child *c, utw_child_fn fn)
{
	utw_watch_init(&c->watch, child_ended);
	c->fn = fn;
	c->pidfd = -1;
	c->reserved = 0;
}

int utw_child_start_pidfd(struct utw_child *c, struct utw_reactor *r, int pidfd)
{
	int err = c->pidfd < 0 ? utw_watch_start(&c->watch, r, pidfd, EPOLLIN) : -EBUSY;

	if (err < 0)
		close(pidfd);
	else
		c->pidfd = pidfd;
	return err;
}

int utw_child_start(struct utw_child *c, struct utw_reactor *r, pid_t pid)
{
	int pidfd;

	if (c->pidfd >= 0)
		return -EBUSY;
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0)
		return -errno;
	return utw_child_start_pidfd(c, r, pidfd);
}

int utw_child_kill(struct utw_child *c, int signo)
{
	if (!utw_child_active(c))
		return -EINVAL;
	return pidfd_send_signal(c->pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

void utw_child_stop(struct utw_child *c)
{
	if (c->pidfd < 0)
		return;
	utw_watch_stop(&c->watch);
	close(c->pidfd);
	c->pidfd = -1;
}

bool utw_child_active(const struct utw_child *c)
{
	return utw_watch_active(&c->watch);
}
