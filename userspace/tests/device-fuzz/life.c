// SPDX-License-Identifier: MIT
/* One process of a run, from its start to its end. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#include "calls.h"
#include "life.h"
#include "rings.h"

/* Calls of the first thread, which then ends the life; the others end with it. */
#define CALLS_MIN  100
#define CALLS_MORE 1500

int life_file(struct fuzzer *fuzzer)
{
	return atomic_load(&fuzzer->life->files[dice_below(&fuzzer->dice, LIFE_FILES)]);
}

int life_other(struct fuzzer *fuzzer)
{
	return atomic_load(&fuzzer->life->others[dice_below(&fuzzer->dice, LIFE_OTHERS)]);
}

void life_keep(struct fuzzer *fuzzer, atomic_int *slots, unsigned int nr, int fd)
{
	int old = atomic_exchange(&slots[dice_below(&fuzzer->dice, nr)], fd);

	if (old >= 0)
		close(old);
}

static void call_make(struct fuzzer *fuzzer)
{
	struct board *board = fuzzer->life->board;
	unsigned int which = calls_choose(fuzzer);

	atomic_store(&fuzzer->actor->doing, calls[which].name);
	atomic_fetch_add(&fuzzer->actor->calls, 1);
	if (calls[which].make(fuzzer) >= 0)
		atomic_fetch_add(&board->good[which], 1);
	atomic_fetch_add(&board->made[which], 1);
}

static void enlist(struct fuzzer *fuzzer)
{
	atomic_store(&fuzzer->actor->pid, getpid());
	atomic_store(&fuzzer->actor->tid, gettid());
}

static void *call_for_ever(void *data)
{
	enlist(data);
	for (;;)
		call_make(data);
	return NULL;
}

static void *scribble_for_ever(void *data)
{
	struct fuzzer *fuzzer = data;

	enlist(fuzzer);
	atomic_store(&fuzzer->actor->doing, "scribble");
	for (;;) {
		atomic_fetch_add(&fuzzer->actor->calls, 1);
		ring_scribble(fuzzer);
	}
	return NULL;
}

/* All of it still open, mapped and in flight. */
__attribute__((noreturn)) static void end_somehow(struct fuzzer *fuzzer)
{
	char *const argv[] = { "fuzz", "--nothing", NULL };

	sigset_t all;

	atomic_store(&fuzzer->actor->doing, "the end");
	/* What comes next knows nothing of nudges. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	switch (dice_below(&fuzzer->dice, 3)) {
	case 0:
		kill(getpid(), SIGKILL);
		break;
	case 1:
		execv("/proc/self/exe", argv);
		break;
	}
	_exit(0);
}

/*
 * What a driver must not do is a warning in the log, on purpose, and not for
 * those without this capability.
 */
static void drop_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(2);
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	data[0].permitted &= ~(1U << CAP_SYS_RAWIO);
	if (syscall(SYS_capset, &header, data))
		_exit(2);
}

static void on_nudge(int signal)
{
	(void)signal;
}

/* One signal gets callers out of their sleep, all others that may come mean nothing. */
static void set_signals(void)
{
	struct sigaction nudge = { .sa_handler = on_nudge };

	sigaction(SIGUSR1, &nudge, NULL);
	sigaction(SIGIO, &nudge, NULL);
	sigaction(SIGRTMIN, &nudge, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
}

static void life_init(struct life *life, struct board *board, struct dice *dice)
{
	unsigned int i;

	life->board = board;
	life->hostility = dice_below(dice, 3);
	for (i = 0; i < LIFE_FILES; i++)
		life->files[i] = -1;
	for (i = 0; i < LIFE_OTHERS; i++)
		life->others[i] = -1;
	if (!window_init(life->windows, LIFE_WINDOWS))
		_exit(2);
}

static void start(void *(*run)(void *), struct fuzzer *fuzzer)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, fuzzer))
		_exit(2);
}

void life_run(struct board *board, struct actor *actors, uint64_t seed, unsigned int who,
	      unsigned long number)
{
	static struct life life;
	static struct fuzzer fuzzers[LIFE_ACTORS];
	struct dice dice = dice_new(seed, who * LIFE_ACTORS, number);
	unsigned long left = CALLS_MIN + dice_below(&dice, CALLS_MORE);
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	drop_capability();
	set_signals();
	life_init(&life, board, &dice);
	for (i = 0; i < LIFE_ACTORS; i++) {
		fuzzers[i].life = &life;
		fuzzers[i].actor = &actors[i];
		fuzzers[i].dice = dice_new(seed, who * LIFE_ACTORS + i + 1, number);
	}
	for (i = 1; i < LIFE_CALLERS; i++)
		start(call_for_ever, &fuzzers[i]);
	start(scribble_for_ever, &fuzzers[LIFE_CALLERS]);
	enlist(&fuzzers[0]);
	while (left--)
		call_make(&fuzzers[0]);
	end_somehow(&fuzzers[0]);
}
