/* SPDX-License-Identifier: MIT */
/*
 * The inside of a reactor: one part for each kind of source, each kept by the
 * file of that name, and the turn that runs them (reactor.c).
 */
#ifndef UTW_REACTOR_REACTOR_PRIVATE_H
#define UTW_REACTOR_REACTOR_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <untwist/call.h>
#include <untwist/inspect.h>
#include <untwist/reactor.h>
#include <untwist/trigger.h>
#include <untwist/watch.h>

#include "base/heap.h"
#include "reactor/inbox.h"
#include "reactor/poller.h"

/* Tags that no watch has: a slot is never that high. */
#define UTW_TAG_INBOX UINT64_MAX
#define UTW_TAG_NEST  (UINT64_MAX - 1)

struct utw_watch_slot;
struct utw_subscriber;

/* watch.c: by slot, so that an event finds its watch without a search. */
struct utw_watch_table {
	struct utw_watch_slot *slots;
	uint32_t count;
	uint32_t capacity;
	uint32_t free; /* head of the chain of free slots */
};

/* timer.c */
struct utw_timer_queue {
	struct utw_heap heap;
	uint32_t sequence; /* that of the next timer started */
};

/* call.c: a call is in exactly one of the first four lists. */
struct utw_call_queue {
	struct utw_link soon; /* for the next turn */
	struct utw_link due; /* of this turn, not yet run */
	struct utw_link at_end; /* for the end of the turn */
	struct utw_link ending; /* of this turn's end, not yet run */
	struct utw_link spare; /* records of past utw_reactor_call_soon() */
	unsigned int spares;
};

/* signal.c */
struct utw_signal_set {
	struct utw_link sources;
	struct utw_subscriber *subscriber; /* the handlers' way to our inbox; NULL without sources */
};

/* trigger.c: what one event, startup or shutdown, is at. */
struct utw_trigger_event {
	struct utw_link phases[UTW_TRIGGER_PHASES]; /* triggers, in order */
	struct utw_link firing; /* those of this phase that are yet to be called */
	struct utw_call call; /* that goes on with it */
	struct utw_trigger *calling; /* the one being called, unless it was removed */
	unsigned int phase;
	unsigned int pending; /* triggers of this phase that are not done */
	bool under_way;
};

/* watchdog.c */
struct utw_watchdog {
	bool measuring; /* the time of turns */
	uint64_t limit; /* of a callback's time; 0 for none */
	void (*slow)(void *data, const struct utw_slow_call *call);
	void *data;
	uint64_t since; /* when the last callback ended */
};

/* nest.c */
struct utw_nest {
	int timer; /* -1 until someone asks for our descriptor */
	uint64_t armed; /* what it is set to */
};

struct utw_reactor {
	struct utw_poller poller;
	struct utw_inbox inbox;
	struct utw_watch_table watches;
	struct utw_timer_queue timers;
	struct utw_call_queue calls;
	struct utw_signal_set signals;
	struct utw_trigger_event startup;
	struct utw_trigger_event shutdown;
	struct utw_nest nest;
	struct utw_watchdog watchdog;
	struct utw_reactor_statistics statistics;
	unsigned int budget; /* callbacks of one kind a turn */
	uint64_t now; /* valid in a turn */
	bool in_turn;
	bool running;
	bool stopping; /* shutdown is under way */
	bool over; /* and this is its end */
};

/* Each part: init cannot fail, release detaches what is still active. */
void utw_watches_init(struct utw_reactor *r);
void utw_watches_release(struct utw_reactor *r);
void utw_timers_init(struct utw_reactor *r);
void utw_timers_release(struct utw_reactor *r);
void utw_calls_init(struct utw_reactor *r);
void utw_calls_release(struct utw_reactor *r);
void utw_signals_init(struct utw_reactor *r);
void utw_signals_release(struct utw_reactor *r);
/* For the dump. */
void utw_watches_each(const struct utw_reactor *r,
		      void (*fn)(void *data, const struct utw_watch *w), void *data);
void utw_triggers_init(struct utw_reactor *r);
void utw_triggers_release(struct utw_reactor *r);

/* In the next turn. */
void utw_triggers_fire_startup(struct utw_reactor *r);
/* At the end of this turn; when all is done the reactor is over. */
void utw_triggers_fire_shutdown(struct utw_reactor *r);

/* Each returns the number of callbacks it ran, at most the budget but for the end's. */
unsigned int utw_watches_dispatch(struct utw_reactor *r, const struct utw_poller_event *event);
/* Those due, of the timers whose sequence is below `limit`. */
unsigned int utw_timers_run(struct utw_reactor *r, uint32_t limit);
unsigned int utw_calls_run_due(struct utw_reactor *r);
unsigned int utw_calls_run_at_end(struct utw_reactor *r);
unsigned int utw_signals_dispatch(struct utw_reactor *r);

/* What is queued so far belongs to the turn that begins. */
void utw_calls_begin_turn(struct utw_reactor *r);
/* Is any call queued, so that the next turn must not wait? */
bool utw_calls_pending(const struct utw_reactor *r);
/* The earliest deadline, or UTW_FOREVER. */
uint64_t utw_timers_next(struct utw_reactor *r);

/* The reactor's clock: inside a turn, too, this is the time and not the turn's. */
static inline uint64_t utw_reactor_clock(const struct utw_reactor *r)
{
	return utw_poller_now(&r->poller);
}

void utw_nest_init(struct utw_reactor *r);
void utw_nest_release(struct utw_reactor *r);
/* Something may be due earlier or later than before; cheap when nobody nests us. */
void utw_nest_update(struct utw_reactor *r);

#endif
