// SPDX-License-Identifier: MIT
/* Lists of deferreds, kind by kind. */
#include <untwist/deferred_list.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/reactor.h>

#include "harness-alloc.h"
#include "harness-clock.h"
#include "harness.h"

#define MEMBERS 3

typedef struct utw_deferred *(*list_fn)(const char *file, int line,
					struct utw_deferred *const *members, size_t count);

/* Three members, whose producer is the test, and the list of them. */
struct trio {
	struct utw_deferred *member[MEMBERS];
	struct utw_deferred *whole;
};

static void trio_init(struct trio *t)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		t->member[i] = utw_deferred_new();
}

static void trio_start(struct trio *t, list_fn list)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		utw_deferred_ref(t->member[i]);
	t->whole = list(UTW_HERE, t->member, MEMBERS);
	assert_non_null(t->whole);
}

static void trio_release(struct trio *t)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		utw_deferred_unref(t->member[i]);
	utw_deferred_unref(t->whole);
}

static struct utw_failure *failure_of(int error)
{
	return utw_failure_from_errno(error, "test", "as planned");
}

static struct utw_results *results_of(struct utw_deferred *whole, struct utw_result *result)
{
	assert_int_equal(utw_deferred_take(whole, result), 0);
	assert_int_equal(result->kind, UTW_RESULT_VALUE);
	return result->value.ptr;
}

static struct utw_winner *winner_of(struct utw_deferred *whole, struct utw_result *result)
{
	assert_int_equal(utw_deferred_take(whole, result), 0);
	assert_int_equal(result->kind, UTW_RESULT_VALUE);
	return result->value.ptr;
}

/* The list failed, because of that member (or all), with that errno behind it. */
static void assert_list_failed(struct utw_deferred *whole, int code, int error)
{
	struct utw_result result;

	assert_int_equal(utw_deferred_take(whole, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, &utw_domain_list, code));
	assert_true(utw_failure_has(result.failure, &utw_domain_errno, error));
	utw_result_drop(&result);
}

static void assert_cancelled(struct utw_deferred *whole)
{
	struct utw_result result;

	assert_int_equal(utw_deferred_take(whole, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_has(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_result_drop(&result);
}

static void fire_in_order(const int *order)
{
	struct utw_result result;
	struct utw_results *results;
	struct trio t;
	int i;

	trio_init(&t);
	trio_start(&t, utw_deferred_all_at);
	for (i = 0; i < MEMBERS; i++) {
		int who = order[i];

		assert_int_equal(utw_deferred_take(t.whole, &result), -EAGAIN);
		if (who == 1)
			utw_deferred_errback(t.member[1], failure_of(-EDOM));
		else
			utw_deferred_callback(t.member[who], who ? "c" : "a");
	}
	results = results_of(t.whole, &result);
	assert_int_equal(results->count, MEMBERS);
	assert_string_equal(results->at[0].value.ptr, "a");
	assert_int_equal(results->at[1].kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(results->at[1].failure, &utw_domain_errno, EDOM));
	assert_string_equal(results->at[2].value.ptr, "c");
	utw_result_drop(&result);
	trio_release(&t);
}

static void deferred_case_13_all_gives_results_by_position_in_any_order_of_firing(void **state)
{
	static const int orders[6][MEMBERS] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
						{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		fire_in_order(orders[i]);
}

static void deferred_case_14_empty_lists_of_all_fire_at_once(void **state)
{
	struct utw_deferred *whole = utw_deferred_all(NULL, 0);
	struct utw_result result;

	(void)state;
	assert_int_equal(results_of(whole, &result)->count, 0);
	utw_result_drop(&result);
	utw_deferred_unref(whole);
	whole = utw_deferred_all_or_cancel(NULL, 0);
	assert_int_equal(results_of(whole, &result)->count, 0);
	utw_result_drop(&result);
	utw_deferred_unref(whole);
}

static void assert_empty_fails(struct utw_deferred *whole)
{
	struct utw_result result;

	assert_int_equal(utw_deferred_take(whole, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_list, UTW_LIST_ALL_FAILED));
	utw_result_drop(&result);
	utw_deferred_unref(whole);
}

/* Twisted's never fires, so its user hangs; here there is no winner, which is a failure. */
static void deferred_case_14_empty_lists_of_one_winner_fail_at_once(void **state)
{
	(void)state;
	assert_empty_fails(utw_deferred_first_success(NULL, 0));
	assert_empty_fails(utw_deferred_race(NULL, 0));
}

/* Twisted leaves the others running, and its users complain; here they are cancelled. */
static void deferred_case_15_first_success_wins_and_cancels_the_others(void **state)
{
	struct utw_winner *winner;
	struct utw_result result;
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_first_success_at);
	utw_deferred_errback(t.member[0], failure_of(-EIO));
	assert_false(utw_deferred_fired(t.whole));
	utw_deferred_callback(t.member[1], "z");
	assert_true(utw_deferred_fired(t.member[2]));
	winner = winner_of(t.whole, &result);
	assert_int_equal(winner->index, 1);
	assert_string_equal(winner->value.ptr, "z");
	utw_result_drop(&result);
	trio_release(&t);
}

/* As above: the one that failed is named, and the others do not run on. */
static void deferred_case_15_first_failure_names_its_member_and_cancels_the_others(void **state)
{
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_or_cancel_at);
	utw_deferred_callback(t.member[0], "a");
	utw_deferred_errback(t.member[1], failure_of(-EPIPE));
	assert_true(utw_deferred_fired(t.member[2]));
	assert_list_failed(t.whole, 1, EPIPE);
	trio_release(&t);
}

static void deferred_case_17_cancel_of_a_gathering_cancels_every_member(void **state)
{
	struct utw_result result;
	struct trio t;
	int i;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_or_cancel_at);
	utw_deferred_cancel(t.whole);
	for (i = 0; i < MEMBERS; i++)
		assert_true(utw_deferred_fired(t.member[i]));
	assert_int_equal(utw_deferred_take(t.whole, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_list, 0));
	assert_true(utw_failure_has(result.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_result_drop(&result);
	trio_release(&t);
}

static void all_or_cancel_gives_all_values(void **state)
{
	struct utw_results *results;
	struct utw_result result;
	struct trio t;
	int i;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_or_cancel_at);
	for (i = MEMBERS; i--;)
		utw_deferred_callback(t.member[i], (void *)(intptr_t)(i + 10));
	results = results_of(t.whole, &result);
	for (i = 0; i < MEMBERS; i++)
		assert_int_equal((intptr_t)results->at[i].value.ptr, i + 10);
	utw_result_drop(&result);
	trio_release(&t);
}

static void race_is_won_by_a_value(void **state)
{
	struct utw_winner *winner;
	struct utw_result result;
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_race_at);
	utw_deferred_callback(t.member[2], "first");
	winner = winner_of(t.whole, &result);
	assert_int_equal(winner->index, 2);
	assert_string_equal(winner->value.ptr, "first");
	utw_result_drop(&result);
	trio_release(&t);
}

static void race_is_lost_by_a_failure_that_comes_first(void **state)
{
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_race_at);
	utw_deferred_errback(t.member[2], failure_of(-ENODEV));
	assert_true(utw_deferred_fired(t.member[0]));
	assert_list_failed(t.whole, 2, ENODEV);
	trio_release(&t);
}

static void first_success_of_none_tells_how_each_one_failed(void **state)
{
	struct utw_result result;
	const char *message;
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_first_success_at);
	utw_deferred_errback(t.member[2], failure_of(-EIO));
	utw_deferred_errback(t.member[0], failure_of(-EPERM));
	assert_false(utw_deferred_fired(t.whole));
	utw_deferred_errback(t.member[1], failure_of(-ENOENT));
	assert_int_equal(utw_deferred_take(t.whole, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_list, UTW_LIST_ALL_FAILED));
	assert_true(utw_failure_has(result.failure, &utw_domain_errno, EIO));
	message = utw_failure_message(result.failure);
	assert_string_equal(message,
			    "0: test: as planned (Operation not permitted); "
			    "1: test: as planned (No such file or directory); "
			    "2: test: as planned (Input/output error)");
	utw_result_drop(&result);
	trio_release(&t);
}

static void first_success_of_very_many_cuts_its_story(void **state)
{
	struct utw_deferred *members[200], *whole;
	struct utw_result result;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(members); i++)
		members[i] = utw_deferred_fail(failure_of(-EIO));
	whole = utw_deferred_first_success(members, ARRAY_SIZE(members));
	assert_int_equal(utw_deferred_take(whole, &result), 0);
	assert_in_range(strlen(utw_failure_message(result.failure)), 900, 1023);
	utw_result_drop(&result);
	utw_deferred_unref(whole);
}

static enum utw_cancel cancel_later(struct utw_deferred *d, void *calls)
{
	(void)d;
	++*(int *)calls;
	return UTW_CANCEL_LATER;
}

/* Whoever gets the failure may free what the operations used. */
static void list_waits_for_the_cancelled_to_end(void **state)
{
	int calls = 0;
	struct trio t;

	(void)state;
	trio_init(&t);
	utw_deferred_set_canceller(t.member[0], cancel_later, &calls);
	trio_start(&t, utw_deferred_all_or_cancel_at);
	utw_deferred_errback(t.member[1], failure_of(-EPIPE));
	assert_int_equal(calls, 1);
	assert_false(utw_deferred_fired(t.whole));
	utw_deferred_callback(t.member[0], "too late to matter");
	assert_list_failed(t.whole, 1, EPIPE);
	trio_release(&t);
}

static enum utw_cancel cancel_by_value(struct utw_deferred *d, void *value)
{
	utw_deferred_callback(d, value);
	return UTW_CANCEL_NOW;
}

static void cancelled_race_is_won_by_a_canceller_that_gives_a_value(void **state)
{
	struct utw_winner *winner;
	struct utw_result result;
	struct trio t;

	(void)state;
	trio_init(&t);
	utw_deferred_set_canceller(t.member[0], cancel_by_value, "parting gift");
	trio_start(&t, utw_deferred_race_at);
	utw_deferred_cancel(t.whole);
	winner = winner_of(t.whole, &result);
	assert_int_equal(winner->index, 0);
	assert_string_equal(winner->value.ptr, "parting gift");
	utw_result_drop(&result);
	trio_release(&t);
}

static void cancel_of_all_brings_the_results_there_are(void **state)
{
	struct utw_results *results;
	struct utw_result result;
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_at);
	utw_deferred_callback(t.member[1], "b");
	utw_deferred_cancel(t.whole);
	results = results_of(t.whole, &result);
	assert_string_equal(results->at[1].value.ptr, "b");
	assert_true(utw_failure_is(results->at[0].failure, &utw_domain_reason, UTW_CANCELLED));
	assert_true(utw_failure_is(results->at[2].failure, &utw_domain_reason, UTW_CANCELLED));
	utw_result_drop(&result);
	trio_release(&t);
}

static void members_that_decide_while_the_list_is_made(void **state)
{
	struct trio t;

	(void)state;
	trio_init(&t);
	utw_deferred_errback(t.member[1], failure_of(-EPIPE));
	trio_start(&t, utw_deferred_all_or_cancel_at);
	assert_true(utw_deferred_fired(t.member[0]));
	assert_true(utw_deferred_fired(t.member[2]));
	assert_list_failed(t.whole, 1, EPIPE);
	trio_release(&t);
}

static void member_that_dies_unfired_counts_as_cancelled(void **state)
{
	struct trio t;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_or_cancel_at);
	utw_deferred_unref(t.member[2]);
	t.member[2] = NULL;
	assert_true(utw_deferred_fired(t.member[0]));
	assert_cancelled(t.whole);
	trio_release(&t);
}

static void list_that_nobody_wants_any_more_handles_its_members(void **state)
{
	struct trio t;
	int i;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_at);
	utw_deferred_unref(t.whole);
	t.whole = NULL;
	for (i = 0; i < MEMBERS; i++)
		utw_deferred_errback(t.member[i], failure_of(-EIO));
	trio_release(&t);
	assert_int_equal(harness_take_unhandled(), 0);
}

static void count_free(void *ptr)
{
	++*(int *)ptr;
}

static void losers_values_are_freed_and_the_winners_is_kept(void **state)
{
	int freed[MEMBERS] = { 0 };
	struct utw_result result;
	struct trio t;

	(void)state;
	trio_init(&t);
	utw_deferred_set_canceller(t.member[0], cancel_later, &freed[0]);
	trio_start(&t, utw_deferred_race_at);
	utw_deferred_callback_owned(t.member[1], &freed[1], count_free);
	freed[0] = 0;
	utw_deferred_callback_owned(t.member[0], &freed[0], count_free);
	winner_of(t.whole, &result);
	assert_int_equal(freed[1], 0);
	utw_result_drop(&result);
	assert_int_equal(freed[0], 1);
	assert_int_equal(freed[1], 1);
	trio_release(&t);
}

static void result_moved_out_of_the_array_is_the_callers(void **state)
{
	int freed[MEMBERS] = { 0 };
	struct utw_result result, kept;
	struct utw_results *results;
	struct trio t;
	int i;

	(void)state;
	trio_init(&t);
	trio_start(&t, utw_deferred_all_at);
	for (i = 0; i < MEMBERS; i++)
		utw_deferred_callback_owned(t.member[i], &freed[i], count_free);
	results = results_of(t.whole, &result);
	kept = results->at[1];
	results->at[1] = utw_result_value(NULL);
	utw_result_drop(&result);
	assert_int_equal(freed[0], 1);
	assert_int_equal(freed[1], 0);
	utw_result_drop(&kept);
	assert_int_equal(freed[1], 1);
	trio_release(&t);
}

static void timeout_of_a_gathering_is_told_as_one(void **state)
{
	struct utw_reactor *r = NULL;
	struct utw_result result;
	struct trio t;

	(void)state;
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&r), 0);
	trio_init(&t);
	trio_start(&t, utw_deferred_all_or_cancel_at);
	assert_int_equal(utw_deferred_add_timeout(t.whole, r, SECONDS), 0);
	clock_advance(SECONDS);
	utw_reactor_run_once(r, 0);
	assert_int_equal(utw_deferred_take(t.whole, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_reason, UTW_TIMEOUT));
	utw_result_drop(&result);
	trio_release(&t);
	utw_reactor_free(r);
}

static void list_of_lists_ends_from_the_inside_out(void **state)
{
	struct utw_deferred *leaf = utw_deferred_new(), *whole = utw_deferred_ref(leaf);
	struct utw_result result;
	int i, depth = 0;

	(void)state;
	for (i = 0; i < 1000; i++) {
		whole = utw_deferred_all(&whole, 1);
		assert_non_null(whole);
	}
	utw_deferred_callback(leaf, "leaf");
	assert_int_equal(utw_deferred_take(whole, &result), 0);
	while (depth < 1000) {
		struct utw_results *results = result.value.ptr;
		struct utw_result inner = results->at[0];

		results->at[0] = utw_result_value(NULL);
		utw_result_drop(&result);
		result = inner;
		depth++;
	}
	assert_string_equal(result.value.ptr, "leaf");
	utw_deferred_unref(whole);
	utw_deferred_unref(leaf);
}

static void list_records_where_it_was_made(void **state)
{
	struct utw_deferred *member = utw_deferred_fail(failure_of(-EIO));
	int line = __LINE__ + 3;

	(void)state;
	utw_deferred_unref(utw_deferred_race(&member, 1));
	assert_int_equal(harness_take_unhandled(), 1);
	assert_int_equal(harness_unhandled_line(), line);
}

static void list_without_memory_lets_its_members_go(void **state)
{
	unsigned int nth;

	(void)state;
	for (nth = 1; nth <= 3; nth++) {
		struct trio t;
		int i;

		trio_init(&t);
		for (i = 0; i < MEMBERS; i++)
			utw_deferred_ref(t.member[i]);
		alloc_fail_at(nth);
		t.whole = utw_deferred_all(t.member, MEMBERS);
		assert_true(alloc_failed());
		assert_null(t.whole);
		trio_release(&t);
	}
}

static void member_that_cannot_be_waited_for_has_failed(void **state)
{
	struct utw_results *results;
	struct utw_result result;
	struct trio t;
	int i;

	(void)state;
	trio_init(&t);
	for (i = 0; i < 4; i++)
		utw_deferred_add_callback(t.member[1], NULL, NULL);
	for (i = 0; i < MEMBERS; i++)
		utw_deferred_ref(t.member[i]);
	alloc_fail_at(4);
	t.whole = utw_deferred_all(t.member, MEMBERS);
	assert_true(alloc_failed());
	alloc_fail_at(0);
	for (i = 0; i < MEMBERS; i++)
		utw_deferred_callback(t.member[i], NULL);
	results = results_of(t.whole, &result);
	assert_int_equal(results->at[0].kind, UTW_RESULT_VALUE);
	assert_true(utw_failure_is(results->at[1].failure, &utw_domain_errno, ENOMEM));
	utw_result_drop(&result);
	trio_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_case_13_all_gives_results_by_position_in_any_order_of_firing),
		TEST(deferred_case_14_empty_lists_of_all_fire_at_once),
		TEST(deferred_case_14_empty_lists_of_one_winner_fail_at_once),
		TEST(deferred_case_15_first_success_wins_and_cancels_the_others),
		TEST(deferred_case_15_first_failure_names_its_member_and_cancels_the_others),
		TEST(deferred_case_17_cancel_of_a_gathering_cancels_every_member),
		TEST(all_or_cancel_gives_all_values),
		TEST(race_is_won_by_a_value),
		TEST(race_is_lost_by_a_failure_that_comes_first),
		TEST(first_success_of_none_tells_how_each_one_failed),
		TEST(first_success_of_very_many_cuts_its_story),
		TEST(list_waits_for_the_cancelled_to_end),
		TEST(cancelled_race_is_won_by_a_canceller_that_gives_a_value),
		TEST(cancel_of_all_brings_the_results_there_are),
		TEST(members_that_decide_while_the_list_is_made),
		TEST(member_that_dies_unfired_counts_as_cancelled),
		TEST(list_that_nobody_wants_any_more_handles_its_members),
		TEST(losers_values_are_freed_and_the_winners_is_kept),
		TEST(result_moved_out_of_the_array_is_the_callers),
		TEST(timeout_of_a_gathering_is_told_as_one),
		TEST(list_of_lists_ends_from_the_inside_out),
		TEST(list_records_where_it_was_made),
		TEST(list_without_memory_lets_its_members_go),
		TEST(member_that_cannot_be_waited_for_has_failed),
	};

	return cmocka_run_group_tests_name("deferred-list", tests, NULL, NULL);
}
