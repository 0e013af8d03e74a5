/* SPDX-License-Identifier: MIT */
/* Who holds the reactor up, and what it waits for: cc inspect.c $(pkg-config --cflags --libs untwist) */
#include <stdio.h>
#include <unistd.h>
#include <untwist/untwist.h>

#define MILLISECOND UINT64_C(1000000)

struct kitchen {
	struct utw_timer cook;
	struct utw_timer guests;
	struct utw_reactor *reactor;
};

/* What nobody should do in a callback. */
static void kitchen_cook(struct utw_timer *t)
{
	struct kitchen *k = utw_container_of(t, struct kitchen, cook);

	usleep(30000);
	utw_reactor_stop(k->reactor);
}

static void kitchen_serve(struct utw_timer *t)
{
	(void)t;
}

static void tell_slow(void *data, const struct utw_slow_call *call)
{
	(void)data;
	printf("slow: the %s of %s\n", call->kind, call->place);
}

static void tell_line(void *data, const char *text)
{
	(void)data;
	printf("  %s\n", text);
}

int main(void)
{
	struct utw_reactor_options options = { .slow = tell_slow,
					       .slow_limit = 20 * MILLISECOND,
					       .measure = true };
	struct utw_reactor_statistics statistics;
	struct kitchen k;

	if (utw_reactor_new_with(&k.reactor, &options))
		return 1;
	utw_timer_init(&k.cook, kitchen_cook);
	utw_timer_init(&k.guests, kitchen_serve);
	if (utw_timer_start(&k.cook, k.reactor, 0) ||
	    utw_timer_start(&k.guests, k.reactor, 3600000 * MILLISECOND))
		return 1;
	utw_reactor_run(k.reactor);
	utw_reactor_get_statistics(k.reactor, &statistics);
	printf("%u timer has run, and the longest turn took %s than 20 ms\n",
	       (unsigned int)statistics.timers,
	       statistics.longest < 20 * MILLISECOND ? "less" : "more");
	utw_reactor_dump(k.reactor, tell_line, NULL);
	utw_reactor_free(k.reactor);
	return 0;
}
