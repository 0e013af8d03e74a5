/* SPDX-License-Identifier: MIT */
/* A child process from the inside: the object, its channels, and how it is started. */
#ifndef UTW_TRANSPORT_PROCESS_PRIVATE_H
#define UTW_TRANSPORT_PROCESS_PRIVATE_H

#include <untwist/call.h>
#include <untwist/process.h>
#include <untwist/watch.h>

#include "fd-carrier.h"

/* A transport to a child, and the child's end until it has been handed over. */
struct utw_process_channel {
	struct utw_fd_carrier fd;
	struct utw_process *process; /* NULL: abandoned */
	struct utw_process_channel *next;
};

struct utw_process {
	struct utw_reactor *reactor;
	struct utw_process_watcher *watcher;
	struct utw_process_channel *channels; /* not yet lost */
	struct utw_process_channel *terminal; /* one of them, or NULL */
	struct utw_watch watch; /* of the pidfd */
	struct utw_call later; /* tells ended */
	struct utw_process_status status;
	pid_t pid;
	int pidfd;
	bool leads; /* a group of its own */
	bool exited;
};

/* What the child gets: `from` of this process becomes its number `to`. */
struct utw_process_fd_move {
	int from;
	int to;
	bool ours; /* to be closed here afterwards */
};

/* All that is needed to start the child, made before the fork. */
struct utw_process_plan {
	const struct utw_process_options *options;
	struct utw_process_fd_move *moves;
	unsigned int count;
	int slave; /* of the terminal; -1: none */
	const char *step; /* that failed */
};

/* process-channel.c */

/*
 * Make the channels of `p` and the moves of `plan` (zeroed; room for fd_count
 * and three more). On error -errno; undo in any case with the next one.
 */
int utw_process_channels_open(struct utw_process *p, struct utw_process_plan *plan);

/* Close what only the child needs. */
void utw_process_plan_close(struct utw_process_plan *plan);

/* Let the transports live, or undo them. */
void utw_process_channels_launch(struct utw_process *p);
void utw_process_channels_discard(struct utw_process *p);

/* They know their process no more. */
void utw_process_channels_abandon(struct utw_process *p);

/* process-start.c */

/* Fork and run. Returns the child's number, or -errno with plan->step set. */
pid_t utw_process_start(struct utw_process_plan *plan);

/* process.c */

/* A channel is lost: perhaps this was the last thing that kept it from its end. */
void utw_process_channel_lost(struct utw_process *p, struct utw_process_channel *channel);

#endif
