// SPDX-License-Identifier: MIT
/*
 * A looping call that does not drift, and a shutdown that takes its time.
 *
 * Prints a line each second. SIGINT stops the reactor; the trigger holds the
 * shutdown up until the goodbye, half a second later, has been said.
 *
 * cc every-second.c $(pkg-config --cflags --libs untwist)
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include <untwist/looping_call.h>
#include <untwist/reactor.h>
#include <untwist/signal.h>
#include <untwist/timer.h>
#include <untwist/trigger.h>

#define SECOND UINT64_C(1000000000)

struct program {
	struct utw_reactor *reactor;
	struct utw_looping_call tick;
	struct utw_signal interrupt;
	struct utw_trigger farewell;
	struct utw_timer pause;
};

static int tick(struct utw_looping_call *l, uint64_t steps)
{
	(void)l;
	printf("tick (%" PRIu64 " s since the last one)\n", steps);
	return 0;
}

static const struct utw_looping_call_ops tick_ops = { .run = tick };

static void interrupted(struct utw_signal *s, int signo)
{
	struct program *p = utw_container_of(s, struct program, interrupt);

	(void)signo;
	utw_reactor_stop(p->reactor);
}

static int farewell(struct utw_trigger *t)
{
	struct program *p = utw_container_of(t, struct program, farewell);

	if (utw_timer_start(&p->pause, p->reactor, SECOND / 2) < 0)
		return 0;
	return UTW_TRIGGER_PENDING;
}

static void say_goodbye(struct utw_timer *t)
{
	struct program *p = utw_container_of(t, struct program, pause);

	puts("goodbye");
	utw_trigger_done(&p->farewell);
}

static int run(struct program *p)
{
	int error;

	utw_looping_call_init(&p->tick, &tick_ops);
	utw_signal_init(&p->interrupt, interrupted);
	utw_trigger_init(&p->farewell, farewell);
	utw_timer_init(&p->pause, say_goodbye);

	error = utw_looping_call_start_now(&p->tick, p->reactor, SECOND);
	if (error == 0)
		error = utw_signal_start(&p->interrupt, p->reactor, SIGINT);
	if (error == 0)
		error = utw_trigger_add(&p->farewell, p->reactor, UTW_TRIGGER_SHUTDOWN,
					UTW_TRIGGER_BEFORE);
	return error ? error : utw_reactor_run(p->reactor);
}

int main(void)
{
	struct program p = { 0 };
	int error = utw_reactor_new(&p.reactor);

	if (error == 0)
		error = run(&p);
	utw_reactor_free(p.reactor);
	if (error < 0)
		fprintf(stderr, "every-second: error %d\n", -error);
	return error < 0;
}
