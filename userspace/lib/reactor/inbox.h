/* SPDX-License-Identifier: MIT */
/*
 * A reactor's inbox: where other threads put calls and signal handlers leave
 * word, and the bell that wakes the reactor for it.
 *
 * The bell is rung only for a reactor that may be asleep. Putting is: store the
 * thing, then look whether it sleeps and, who finds it so first, ring. Going to
 * sleep is the reverse: say so, then look whether something is there. One of the
 * two sees the other, so no wake-up is lost, and a reactor that is busy costs who
 * calls it no system call.
 */
#ifndef UTW_REACTOR_INBOX_H
#define UTW_REACTOR_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <untwist/reactor.h>

#define UTW_SIGNAL_WORDS 2 /* of 32 bits: signals 1 to 64 */

struct utw_letter;

struct utw_inbox {
	int bell;
	atomic_int sleep; /* one of enum inbox_sleep */
	_Atomic(struct utw_letter *) last; /* the newest; each knows the one before */
	atomic_uint signals[UTW_SIGNAL_WORDS]; /* pending ones, by number less one */
	struct utw_letter *opened; /* those taken out but not yet called, the oldest first */
	struct utw_letter **opened_end;
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

/* From now on who puts something rings. Returns whether something is there already. */
bool utw_inbox_sleep(struct utw_inbox *inbox);
/* From now on nobody needs to ring. */
void utw_inbox_wake(struct utw_inbox *inbox);
/* Silence the bell. */
void utw_inbox_silence(struct utw_inbox *inbox);
/* Somebody may be waiting for the bell although nobody needed to ring it. */
void utw_inbox_ring(struct utw_inbox *inbox);

/* Make the next call, and return it; NULL when all posted up to the last open are done. */
utw_call_fn utw_inbox_call_next(struct utw_inbox *inbox);
/* Take out what has been posted up to now. */
void utw_inbox_open(struct utw_inbox *inbox);
/* The signals pending in one word, which is cleared. */
uint32_t utw_inbox_take_signals(struct utw_inbox *inbox, int word);

#endif
