// SPDX-License-Identifier: MIT
/* Queued calls: which turn they run in, and in what order. */
#include <untwist/call.h>

#include <errno.h>
#include <stdlib.h>

#include <untwist/reactor.h>

#include "backends.h"
#include "harness-alloc.h"
#include "notes.h"
#include "reactor/reactor-private.h"

static struct notes notes;

struct lettered {
	struct utw_call call;
	struct utw_reactor *reactor;
	struct lettered *other; /* for callbacks that meddle */
	char letter;
};

static struct lettered *lettered_of(struct utw_call *c)
{
	return utw_container_of(c, struct lettered, call);
}

static void note_letter(struct utw_call *c)
{
	note(&notes, lettered_of(c)->letter);
}

static void lettered_init(struct lettered *l, utw_call_due_fn fn, char letter,
			  struct utw_reactor *r)
{
	*l = (struct lettered){ .reactor = r, .letter = letter };
	utw_call_init(&l->call, fn);
}

static struct utw_reactor *new_reactor(void)
{
	struct utw_reactor *r = NULL;

	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

static void note_pointed(void *data)
{
	note(&notes, *(const char *)data);
}

static void call_soon_and_embedded_calls_share_one_order(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered b;
	char letters[] = "ac";

	(void)state;
	lettered_init(&b, note_letter, 'b', r);
	utw_reactor_call_soon(r, note_pointed, &letters[0]);
	utw_call_start(&b.call, r);
	utw_reactor_call_soon(r, note_pointed, &letters[1]);
	assert_noted(&notes, "");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 3);
	assert_noted(&notes, "abc");
	utw_reactor_free(r);
}

static void start_again(struct utw_call *c)
{
	note_letter(c);
	assert_false(utw_call_active(c));
	utw_call_start(c, lettered_of(c)->reactor);
}

static void call_queued_in_a_turn_runs_in_the_next(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, start_again, 'a', r);
	utw_call_start(&a.call, r);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "a");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "a");
	utw_reactor_free(r);
}

static void queue_a_letter(void *data)
{
	assert_int_equal(utw_reactor_call_soon(data, note_pointed, "z"), 0);
	note(&notes, 'p');
}

/* From an earlier step of the same turn, too. */
static void call_queued_by_a_posted_call_runs_in_the_next(void **state)
{
	struct utw_reactor *r = new_reactor();

	(void)state;
	utw_reactor_call_from_thread(r, queue_a_letter, r);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "p");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "z");
	utw_reactor_free(r);
}

static void start_the_other_at_end(struct utw_call *c)
{
	struct lettered *l = lettered_of(c);

	note_letter(c);
	assert_int_equal(utw_call_start_at_end(&l->other->call, l->reactor), 0);
}

static void start_at_end_runs_last_in_the_same_turn(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b, end;

	(void)state;
	lettered_init(&a, start_the_other_at_end, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	lettered_init(&end, note_letter, 'e', r);
	a.other = &end;
	utw_call_start(&a.call, r);
	utw_call_start(&b.call, r);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 3);
	assert_noted(&notes, "abe");
	utw_reactor_free(r);
}

static void start_at_end_from_the_end_waits_for_the_next(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, start_the_other_at_end, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	a.other = &b;
	utw_call_start_at_end(&a.call, r);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "a");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "b");
	utw_reactor_free(r);
}

static void stop_takes_it_back(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a', r);
	assert_int_equal(utw_call_start(&a.call, r), 0);
	assert_int_equal(utw_call_start(&a.call, r), -EBUSY);
	assert_int_equal(utw_call_start_at_end(&a.call, r), -EBUSY);
	utw_call_stop(&a.call);
	utw_call_stop(&a.call);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_reactor_free(r);
}

static void stop_the_other(struct utw_call *c)
{
	note_letter(c);
	utw_call_stop(&lettered_of(c)->other->call);
}

static void stop_of_another_due_in_the_same_turn_holds(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, stop_the_other, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	a.other = &b;
	utw_call_start(&a.call, r);
	utw_call_start(&b.call, r);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_noted(&notes, "a");
	utw_reactor_free(r);
}

static void free_itself(struct utw_call *c)
{
	note_letter(c);
	free(lettered_of(c));
}

static void call_may_be_freed_by_its_own_callback(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered *a = malloc(sizeof(*a));

	(void)state;
	lettered_init(a, free_itself, 'a', r);
	utw_call_start(&a->call, r);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	utw_reactor_free(r);
}

static void call_soon_without_memory_queues_nothing(void **state)
{
	struct utw_reactor *r = new_reactor();
	char letter = 'a';

	(void)state;
	alloc_fail_at(1);
	assert_int_equal(utw_reactor_call_soon(r, note_pointed, &letter), -ENOMEM);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_reactor_free(r);
}

static void call_soon_uses_its_memory_again(void **state)
{
	struct utw_reactor *r = new_reactor();
	char letter = 'a';
	int i;

	(void)state;
	alloc_fail_at(0);
	for (i = 0; i < 100; i++) {
		utw_reactor_call_soon(r, note_pointed, &letter);
		utw_reactor_run_once(r, 0);
	}
	assert_int_equal(alloc_count(), 1);
	utw_reactor_free(r);
}

static void unused_records_are_kept_up_to_a_bound(void **state)
{
	struct utw_reactor *r = new_reactor();
	char letter = 'a';
	int i;

	(void)state;
	for (i = 0; i < 200; i++)
		utw_reactor_call_soon(r, note_pointed, &letter);
	assert_int_equal(utw_reactor_run_once(r, 0), 200);
	assert_int_equal(r->calls.spares, 64);
	utw_reactor_free(r);
}

static void reactor_free_drops_queued_calls(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b;
	char letter = 'c';

	(void)state;
	lettered_init(&a, note_letter, 'a', r);
	lettered_init(&b, note_letter, 'b', r);
	utw_call_start(&a.call, r);
	utw_call_start_at_end(&b.call, r);
	utw_reactor_call_soon(r, note_pointed, &letter);
	utw_reactor_free(r);
	assert_false(utw_call_active(&a.call));
	assert_false(utw_call_active(&b.call));
	assert_noted(&notes, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(call_soon_and_embedded_calls_share_one_order),
		TEST(call_queued_in_a_turn_runs_in_the_next),
		TEST(call_queued_by_a_posted_call_runs_in_the_next),
		TEST(start_at_end_runs_last_in_the_same_turn),
		TEST(start_at_end_from_the_end_waits_for_the_next),
		TEST(stop_takes_it_back),
		TEST(stop_of_another_due_in_the_same_turn_holds),
		TEST(call_may_be_freed_by_its_own_callback),
		TEST(call_soon_without_memory_queues_nothing),
		TEST(call_soon_uses_its_memory_again),
		TEST(unused_records_are_kept_up_to_a_bound),
		TEST(reactor_free_drops_queued_calls),
	};

	return RUN_ON_EACH_BACKEND(tests);
}
