/* SPDX-License-Identifier: MIT */
/*
 * A reactor's inbox: where other threads put calls and signal handlers leave
 * word, and the bell that wakes the reactor for it.
 *
 * Putting is: store the thing, then set `ringing`, then - if it was not set
 * before - write to the bell. Emptying is the reverse: read the bell, clear
 * `ringing`, then take what is there. So whoever finds `ringing` set knows that
 * the reactor has yet to look, and no bell is lost.
 */
#ifndef UTW_REACTOR_INBOX_H
#define UTW_REACTOR_INBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <untwist/reactor.h>

#define UTW_SIGNAL_WORDS 2 /* of 32 bits: signals 1 to 64 */

struct utw_letter;

struct utw_inbox {
	int bell;
	atomic_bool ringing;
	atomic_uint signals[UTW_SIGNAL_WORDS]; /* pending ones, by number less one */
	pthread_mutex_t lock; /* guards the two below */
	struct utw_letter *first;
	struct utw_letter **last;
};

int utw_inbox_init(struct utw_inbox *inbox);
/* Drops what is in it. */
void utw_inbox_release(struct utw_inbox *inbox);

/* From any thread. Returns 0 or -ENOMEM. */
int utw_inbox_post(struct utw_inbox *inbox, utw_call_fn fn, void *data);
/* From a signal handler. */
void utw_inbox_post_signal(struct utw_inbox *inbox, int signo);
/* Forget a signal that nobody waits for any more. */
void utw_inbox_drop_signal(struct utw_inbox *inbox, int signo);

/* Silence the bell: what was put before this call will be found by the two below. */
void utw_inbox_open(struct utw_inbox *inbox);
/* Call what has been posted up to now; returns how many. */
unsigned int utw_inbox_run(struct utw_inbox *inbox);
/* The signals pending in one word, which is cleared. */
uint32_t utw_inbox_take_signals(struct utw_inbox *inbox, int word);

#endif
