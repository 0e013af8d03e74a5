// SPDX-License-Identifier: MIT
/* The budget of a turn: what is left over runs later, in order, and nothing is lost. */
#include <untwist/reactor.h>

#include <stdlib.h>

#include <untwist/call.h>
#include <untwist/timer.h>

#include "backends.h"
#include "notes.h"

#define BUDGET 3

static struct notes notes;

/* The environment says which back end. */
static struct utw_reactor *tight_reactor(void)
{
	const struct utw_reactor_options options = { .budget = BUDGET };
	struct utw_reactor *r = NULL;

	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new_with(&r, &options), 0);
	return r;
}

static void note_pointed(void *data)
{
	note(&notes, *(const char *)data);
}

static char letters[] = "abcdefgh";

static void assert_turns(struct utw_reactor *r)
{
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), BUDGET);
	assert_noted(&notes, "abc");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), BUDGET);
	assert_noted(&notes, "def");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 2);
	assert_noted(&notes, "gh");
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
}

static void queued_calls_left_over_run_in_the_next_turn(void **state)
{
	struct utw_reactor *r = tight_reactor();
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++)
		utw_reactor_call_soon(r, note_pointed, &letters[i]);
	assert_turns(r);
	utw_reactor_free(r);
}

static void posted_calls_left_over_run_in_the_next_turn(void **state)
{
	struct utw_reactor *r = tight_reactor();
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++)
		utw_reactor_call_from_thread(r, note_pointed, &letters[i]);
	assert_turns(r);
	utw_reactor_free(r);
}

static void posted_later_runs_behind_those_left_over(void **state)
{
	struct utw_reactor *r = tight_reactor();
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++)
		utw_reactor_call_from_thread(r, note_pointed, &letters[i]);
	utw_reactor_run_once(r, UTW_FOREVER);
	utw_reactor_call_from_thread(r, note_pointed, &letters[5]);
	assert_noted(&notes, "abc");
	utw_reactor_run_once(r, UTW_FOREVER);
	assert_noted(&notes, "def");
	/* Those left over in the end are dropped with the reactor. */
	for (i = 0; i < 5; i++)
		utw_reactor_call_from_thread(r, note_pointed, &letters[i]);
	utw_reactor_run_once(r, UTW_FOREVER);
	utw_reactor_free(r);
}

struct lettered {
	struct utw_timer timer;
	char letter;
};

static void note_timer(struct utw_timer *t)
{
	note(&notes, utw_container_of(t, struct lettered, timer)->letter);
}

static void timers_left_over_run_in_the_next_turn(void **state)
{
	struct utw_reactor *r = tight_reactor();
	struct lettered timers[8];
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		timers[i].letter = letters[i];
		utw_timer_init(&timers[i].timer, note_timer);
		utw_timer_start(&timers[i].timer, r, i);
	}
	reactor_advance(r, 8);
	/* Real nanoseconds pass by themselves. */
	while (utw_reactor_now(r) < utw_timer_when(&timers[7].timer))
		;
	assert_turns(r);
	utw_reactor_free(r);
}

static void note_call(struct utw_call *c)
{
	(void)c;
	note(&notes, 'e');
}

/* The end of a turn is promised to come in that turn. */
static void calls_for_the_end_know_no_budget(void **state)
{
	struct utw_reactor *r = tight_reactor();
	struct utw_call calls[8];
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		utw_call_init(&calls[i], note_call);
		utw_call_start_at_end(&calls[i], r);
	}
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 8);
	assert_noted(&notes, "eeeeeeee");
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queued_calls_left_over_run_in_the_next_turn),
		TEST(posted_calls_left_over_run_in_the_next_turn),
		TEST(posted_later_runs_behind_those_left_over),
		TEST(timers_left_over_run_in_the_next_turn),
		TEST(calls_for_the_end_know_no_budget),
	};

	return RUN_ON_EACH_BACKEND(tests);
}
