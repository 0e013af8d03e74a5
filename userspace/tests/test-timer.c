// SPDX-License-Identifier: MIT
/* Timers: order, never early, and what is said of those that are over. */
#include <untwist/timer.h>

#include <errno.h>

#include <untwist/reactor.h>

#include "backends.h"
#include "harness-alloc.h"
#include "harness-clock.h"
#include "notes.h"
#include "reactor/poller-epoll.h"
#include "reactor/reactor-private.h"

static struct notes notes;

struct lettered {
	struct utw_timer timer;
	char letter;
	struct utw_reactor *reactor;
	struct lettered *other; /* for callbacks that meddle */
};

static void note_letter(struct utw_timer *t)
{
	note(&notes, utw_container_of(t, struct lettered, timer)->letter);
}

static void lettered_init(struct lettered *l, utw_timer_fn fn, char letter, struct utw_reactor *r)
{
	utw_timer_init(&l->timer, fn);
	l->letter = letter;
	l->reactor = r;
	l->other = NULL;
}

static struct utw_reactor *frozen_reactor(void)
{
	struct utw_reactor *r = NULL;

	notes = (struct notes){ 0 };
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

static void timer_case_33_same_deadline_runs_in_order_of_start(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered timers[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		lettered_init(&timers[i], note_letter, (char)('a' + i), r);
		utw_timer_start(&timers[i].timer, r, SECONDS);
	}
	reactor_advance(r, 5 * SECONDS);
	assert_int_equal(utw_reactor_run_once(r, 0), 3);
	assert_noted(&notes, "abc");
	assert_int_equal(utw_reactor_now(r), 105 * SECONDS);
	utw_reactor_free(r);
}

static void timer_case_34_cancelled_says_canceled(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	utw_timer_start(&l.timer, r, SECONDS);
	assert_true(utw_timer_active(&l.timer));
	assert_int_equal(utw_timer_cancel(&l.timer), 0);
	assert_false(utw_timer_active(&l.timer));
	assert_int_equal(utw_timer_cancel(&l.timer), -ECANCELED);
	assert_int_equal(utw_timer_delay(&l.timer, 1), -ECANCELED);
	assert_int_equal(utw_timer_reset(&l.timer, 1), -ECANCELED);
	reactor_advance(r, 2 * SECONDS);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_reactor_free(r);
}

static void timer_case_34_one_that_ran_says_already(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	assert_int_equal(utw_timer_cancel(&l.timer), -EINVAL);
	assert_int_equal(utw_timer_reset(&l.timer, 1), -EINVAL);
	utw_timer_start(&l.timer, r, 0);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "a");
	assert_false(utw_timer_active(&l.timer));
	assert_int_equal(utw_timer_cancel(&l.timer), -EALREADY);
	assert_int_equal(utw_timer_reset(&l.timer, 1), -EALREADY);
	assert_int_equal(utw_timer_delay(&l.timer, 1), -EALREADY);
	utw_reactor_free(r);
}

static void start_of_an_active_one_is_busy(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	assert_int_equal(utw_timer_start(&l.timer, r, SECONDS), 0);
	assert_int_equal(utw_timer_start(&l.timer, r, SECONDS), -EBUSY);
	assert_int_equal(utw_timer_when(&l.timer), 101 * SECONDS);
	utw_reactor_free(r);
	assert_false(utw_timer_active(&l.timer));
	assert_int_equal(utw_timer_cancel(&l.timer), -ECANCELED);
}

static void reset_counts_from_now_and_goes_to_the_end(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, note_letter, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	utw_timer_start(&a.timer, r, SECONDS);
	utw_timer_start(&b.timer, r, 3 * SECONDS);
	reactor_advance(r, SECONDS / 2);
	assert_int_equal(utw_timer_reset(&a.timer, 2500 * MILLISECONDS), 0);
	assert_int_equal(utw_timer_when(&a.timer), utw_timer_when(&b.timer));
	reactor_advance(r, 2 * SECONDS);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	reactor_advance(r, SECONDS);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "ba");
	utw_reactor_free(r);
}

static void delay_adds_and_keeps_its_place(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, note_letter, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	utw_timer_start(&a.timer, r, SECONDS);
	utw_timer_start(&b.timer, r, 3 * SECONDS);
	assert_int_equal(utw_timer_delay(&a.timer, 2 * SECONDS), 0);
	reactor_advance(r, 2 * SECONDS);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	reactor_advance(r, SECONDS);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "ab");
	utw_reactor_free(r);
}

static void restart_itself(struct utw_timer *t)
{
	struct lettered *l = utw_container_of(t, struct lettered, timer);

	note(&notes, l->letter);
	utw_timer_start(t, l->reactor, 0);
}

static void start_from_its_callback_waits_for_the_next_turn(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, restart_itself, 'a', r);
	utw_timer_start(&l.timer, r, 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_noted(&notes, "a");
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_noted(&notes, "a");
	utw_reactor_free(r);
}

static void start_the_other(void *data)
{
	struct lettered *l = data;

	utw_timer_start(&l->timer, l->reactor, 0);
	note(&notes, 'q');
}

static void start_from_any_callback_waits_for_the_next_turn(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	utw_reactor_call_from_thread(r, start_the_other, &l);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "q");
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "a");
	utw_reactor_free(r);
}

static void cancel_the_other(struct utw_timer *t)
{
	struct lettered *l = utw_container_of(t, struct lettered, timer);

	note(&notes, l->letter);
	assert_int_equal(utw_timer_cancel(&l->other->timer), 0);
}

static void cancel_of_another_due_in_the_same_turn_holds(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, cancel_the_other, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	a.other = &b;
	utw_timer_start(&a.timer, r, 0);
	utw_timer_start(&b.timer, r, 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_noted(&notes, "a");
	utw_reactor_free(r);
}

/* Delaying the first of several due ones must not hold up the others. */
static void delay_the_other(struct utw_timer *t)
{
	struct lettered *l = utw_container_of(t, struct lettered, timer);

	note(&notes, l->letter);
	assert_int_equal(utw_timer_delay(&l->other->timer, 1), 0);
}

static void delay_of_a_due_one_does_not_hold_up_the_rest(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered a, b, c;

	(void)state;
	lettered_init(&a, delay_the_other, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	lettered_init(&c, note_letter, 'c', r);
	a.other = &b;
	utw_timer_start(&a.timer, r, 1);
	utw_timer_start(&b.timer, r, 2);
	utw_timer_start(&c.timer, r, 10);
	reactor_advance(r, 100);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "abc");
	utw_reactor_free(r);
}

static void start_with_an_endless_delay_never_runs(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	assert_int_equal(utw_timer_start(&l.timer, r, UTW_FOREVER), 0);
	assert_int_equal(utw_timer_when(&l.timer), UINT64_MAX);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(utw_timer_delay(&l.timer, UTW_FOREVER), 0);
	assert_int_equal(utw_timer_when(&l.timer), UINT64_MAX);
	utw_reactor_free(r);
}

static void start_without_memory_leaves_it_inactive(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	alloc_fail_at(1);
	assert_int_equal(utw_timer_start(&l.timer, r, 0), -ENOMEM);
	assert_false(utw_timer_active(&l.timer));
	assert_int_equal(utw_timer_start(&l.timer, r, 0), 0);
	utw_reactor_free(r);
}

/* A thousand re-arms of one timer: memory for the table once, for timers never. */
static void start_needs_no_memory_of_its_own(void **state)
{
	struct utw_reactor *r = frozen_reactor();
	struct lettered l;
	int i;

	(void)state;
	lettered_init(&l, note_letter, 'a', r);
	alloc_fail_at(0);
	for (i = 0; i < 1000; i++) {
		utw_timer_start(&l.timer, r, SECONDS);
		utw_timer_cancel(&l.timer);
	}
	assert_int_equal(alloc_count(), 3);
	assert_true(sizeof(struct utw_timer) + 32 <= 64);
	utw_reactor_free(r);
}

static void stop_reactor(struct utw_timer *t)
{
	struct lettered *l = utw_container_of(t, struct lettered, timer);

	assert_true(utw_reactor_now(l->reactor) >= utw_timer_when(t));
	utw_reactor_stop(l->reactor);
}

static void run_real_delays(struct utw_reactor *r)
{
	static const uint64_t delays[] = {
		1, 999, 50000, 999999, MILLISECONDS, 1234567, 3 * MILLISECONDS
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(delays); i++) {
		uint64_t before = utw_reactor_now(r);
		struct lettered l;

		lettered_init(&l, stop_reactor, 'a', r);
		utw_timer_start(&l.timer, r, delays[i]);
		assert_int_equal(utw_reactor_run(r), 0);
		assert_true(utw_reactor_now(r) - before >= delays[i]);
	}
}

static void run_for_real_is_never_early(void **state)
{
	struct utw_reactor *r = NULL;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	run_real_delays(r);
	utw_reactor_free(r);
}

static void run_with_millisecond_waits_is_never_early_either(void **state)
{
	struct utw_reactor *r = NULL;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	((struct utw_poller_epoll_state *)r->poller.state)->precise = false;
	run_real_delays(r);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timer_case_33_same_deadline_runs_in_order_of_start),
		TEST(timer_case_34_cancelled_says_canceled),
		TEST(timer_case_34_one_that_ran_says_already),
		TEST(start_of_an_active_one_is_busy),
		TEST(reset_counts_from_now_and_goes_to_the_end),
		TEST(delay_adds_and_keeps_its_place),
		TEST(start_from_its_callback_waits_for_the_next_turn),
		TEST(start_from_any_callback_waits_for_the_next_turn),
		TEST(cancel_of_another_due_in_the_same_turn_holds),
		TEST(delay_of_a_due_one_does_not_hold_up_the_rest),
		TEST(start_with_an_endless_delay_never_runs),
		TEST(start_without_memory_leaves_it_inactive),
		TEST(start_needs_no_memory_of_its_own),
		TEST(run_for_real_is_never_early),
	};
	const struct CMUnitTest of_epoll[] = {
		TEST(run_with_millisecond_waits_is_never_early_either),
	};

	return RUN_ON_EACH_BACKEND(tests) + cmocka_run_group_tests(of_epoll, NULL, NULL);
}
