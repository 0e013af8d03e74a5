/* SPDX-License-Identifier: MIT */
/* A day of alarms in no time, on a clock of its own: cc fake-clock.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <untwist/untwist.h>

#define HOUR UINT64_C(3600000000000)

struct night_watch {
	struct utw_looping_call round;
	struct utw_timer breakfast;
	unsigned int rounds;
};

static int watch_round(struct utw_looping_call *l, uint64_t steps)
{
	struct night_watch *w = utw_container_of(l, struct night_watch, round);

	w->rounds += (unsigned int)steps;
	return 0;
}

static const struct utw_looping_call_ops watch_ops = { .run = watch_round };

static void watch_over(struct utw_timer *t)
{
	struct night_watch *w = utw_container_of(t, struct night_watch, breakfast);

	printf("%u rounds before breakfast\n", w->rounds);
	utw_looping_call_stop(&w->round);
}

int main(void)
{
	struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };
	struct night_watch watch = { .rounds = 0 };
	struct utw_reactor *reactor;
	uint64_t begun;

	if (utw_reactor_new_with(&reactor, &options))
		return 1;
	begun = utw_reactor_now(reactor);
	utw_looping_call_init(&watch.round, &watch_ops);
	utw_timer_init(&watch.breakfast, watch_over);
	if (utw_looping_call_start(&watch.round, reactor, 2 * HOUR) ||
	    utw_timer_start(&watch.breakfast, reactor, 23 * HOUR))
		return 1;
	/* Only here does time pass; what is due runs in the turn behind it. */
	for (int hour = 0; hour < 24; hour++) {
		utw_fake_advance(reactor, HOUR);
		while (utw_reactor_run_once(reactor, 0) > 0)
			;
	}
	printf("%u hours have passed\n", (unsigned int)((utw_reactor_now(reactor) - begun) / HOUR));
	utw_reactor_free(reactor);
	return 0;
}
