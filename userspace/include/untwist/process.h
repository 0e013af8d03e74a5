/* SPDX-License-Identifier: MIT */
/*
 * Child process: another program, with descriptors that lead to transports.
 *
 * Two ends are told apart. The process has "exited" when the kernel has given
 * its status; it has "ended" when, besides, every transport to it is lost.
 * Output may come between the two, and even from a grandchild that holds a pipe.
 *
 * Of the child's descriptors, those that are mapped are as the map says; 0, 1
 * and 2 are shared with this process unless they are mapped or there is a
 * terminal; all others are closed. Its signals are all at their default, and
 * none is blocked.
 *
 * Ownership: a process lives until it has told its watcher ended, or until
 * utw_process_abandon(). The watcher's pointer to it is borrowed.
 * Threads: it belongs to the thread of its reactor. The program must leave the
 * child to us: nobody else may wait for it, and SIGCHLD may not be ignored.
 */
#ifndef UNTWIST_PROCESS_H
#define UNTWIST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_failure;
struct utw_process;
struct utw_process_watcher;
struct utw_protocol;
struct utw_reactor;

/** How a process came to its end, and what it used until then. */
struct utw_process_status {
	bool known; /* false: somebody else has waited for it */
	int code; /* what it exited with, if signal is 0 */
	int signal; /* what killed it; 0: it exited */
	bool dumped; /* a core was written */
	uint64_t user_ns; /* time it computed, its children that it waited for included */
	uint64_t system_ns; /* time the kernel computed for it */
	uint64_t memory; /* most that was resident, in bytes */
};

/**
 * struct utw_process_ops - what is told of a process; only @ended must be there
 * @exited: it has exited; its transports may still have something to say
 * @ended: it has exited and its transports are lost: the last call. The
 *	watcher's process pointer is NULL already
 *
 * Both are called from the reactor's turn. The status is borrowed.
 */
struct utw_process_ops {
	void (*exited)(struct utw_process_watcher *w, const struct utw_process_status *status);
	void (*ended)(struct utw_process_watcher *w, const struct utw_process_status *status);
};

/**
 * struct utw_process_watcher - to be embedded in your structure
 * @ops: set with utw_process_watcher_init()
 * @process: the process, borrowed; NULL before there is one and after its end
 */
struct utw_process_watcher {
	const struct utw_process_ops *ops;
	struct utw_process *process;
};

/**
 * utw_process_watcher_init() - prepare a watcher
 * @w: the watcher, storage of the caller
 * @ops: its operations, which outlive it
 */
static inline void utw_process_watcher_init(struct utw_process_watcher *w,
					    const struct utw_process_ops *ops)
{
	w->ops = ops;
	w->process = NULL;
}

enum utw_process_fd_kind {
	UTW_PROCESS_READ, /* a pipe: the protocol reads what the child writes */
	UTW_PROCESS_WRITE, /* a pipe: the child reads what the protocol writes */
	UTW_PROCESS_BOTH, /* a socket: both */
	UTW_PROCESS_SHARE, /* a descriptor of this process, which stays the caller's */
	UTW_PROCESS_NULL, /* /dev/null */
};

/**
 * struct utw_process_fd - one descriptor of the child
 * @child: its number there
 * @kind: what it is
 * @fd: for UTW_PROCESS_SHARE: its number here
 * @protocol: for the first three: told made in a later callback, and lost
 */
struct utw_process_fd {
	int child;
	enum utw_process_fd_kind kind;
	int fd;
	struct utw_protocol *protocol;
};

enum utw_process_flags {
	UTW_PROCESS_GROUP = 1 << 0, /* leads a process group of its own */
	UTW_PROCESS_SESSION = 1 << 1, /* leads a session of its own, and so a group */
	UTW_PROCESS_USER = 1 << 2, /* runs as @uid and @gid, without other groups */
};

/**
 * struct utw_process_options - what to run, and how; zeroes are the default
 * @path: the program; looked for in PATH if it has no slash
 * @argv: its arguments, ended by NULL, from the name it sees on; NULL: @path alone
 * @env: its environment, ended by NULL; NULL: that of this process
 * @folder: where it runs; NULL: here
 * @fds: the map of descriptors
 * @fd_count: how many are in it
 * @terminal: if not NULL, the child gets a new pseudo terminal as its
 *	controlling one and as its 0, 1 and 2 where these are not mapped, and
 *	leads a session; this protocol is at the other end of it
 * @rows: of that terminal; 0: unknown
 * @columns: of that terminal; 0: unknown
 * @flags: of enum utw_process_flags
 * @uid: for UTW_PROCESS_USER
 * @gid: for UTW_PROCESS_USER
 * @parent_death: a signal that it gets when the thread that started it ends; 0: none
 *
 * All is copied.
 */
struct utw_process_options {
	const char *path;
	const char *const *argv;
	const char *const *env;
	const char *folder;
	const struct utw_process_fd *fds;
	unsigned int fd_count;
	struct utw_protocol *terminal;
	unsigned short rows;
	unsigned short columns;
	unsigned int flags;
	uid_t uid;
	gid_t gid;
	int parent_death;
};

/**
 * utw_process_spawn() - run a program
 * @r: the reactor
 * @options: what to run
 * @w: told of its end; has its process pointer when this returns 0
 * @why: receives the story of an error, with the step that failed; the
 *	caller's to unref. NULL: not wanted
 *
 * Waits until the child runs the program, or could not, which is as quick as
 * the system starts programs.
 *
 * Return: 0; -EINVAL for options that make no sense (a number twice in the
 * map, no protocol where one is needed, an unknown flag); -EBUSY for a protocol
 * or watcher in use; what fork(), exec(), chdir() and the like say: -ENOENT,
 * -EACCES, -EPERM, -EAGAIN...; -EMFILE, -ENOMEM. After an error nothing runs
 * and nobody is told anything.
 */
UTW_API int utw_process_spawn(struct utw_reactor *r, const struct utw_process_options *options,
			      struct utw_process_watcher *w, struct utw_failure **why);

/**
 * utw_process_pid() - the number of a process
 * @p: the process
 *
 * Return: the number; -ESRCH for NULL.
 */
UTW_API pid_t utw_process_pid(const struct utw_process *p);

/**
 * utw_process_signal() - send it a signal
 * @p: the process
 * @signal: which; 0 only asks whether it is there
 *
 * Never hits another process that has got the same number since.
 *
 * Return: 0; -ESRCH when it has exited; -EINVAL, -EPERM.
 */
UTW_API int utw_process_signal(struct utw_process *p, int signal);

/**
 * utw_process_signal_group() - send a signal to its process group
 * @p: a process started with UTW_PROCESS_GROUP, UTW_PROCESS_SESSION or a terminal
 * @signal: which
 *
 * Return: 0; -ESRCH when it has exited; -EOPNOTSUPP for one without a group of
 * its own; -EINVAL, -EPERM.
 */
UTW_API int utw_process_signal_group(struct utw_process *p, int signal);

/**
 * utw_process_resize() - change the size of its terminal
 * @p: a process with a terminal
 * @rows: new number of rows
 * @columns: new number of columns
 *
 * Return: 0; -EOPNOTSUPP for one without, -ESRCH, -EPIPE when the terminal is lost.
 */
UTW_API int utw_process_resize(struct utw_process *p, unsigned short rows, unsigned short columns);

/**
 * utw_process_abandon() - lose interest in a process
 * @p: the process or NULL; gone when this returns
 *
 * It runs on and nothing more is told of it. Its transports live on as well.
 * When it exits it stays in the table of processes until this process does.
 */
UTW_API void utw_process_abandon(struct utw_process *p);

#ifdef __cplusplus
}
#endif

#endif
