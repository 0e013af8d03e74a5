// SPDX-License-Identifier: MIT
/* Deferreds: the chain, its two tracks, and what is reported of unhandled failures. */
#include <untwist/deferred.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness-alloc.h"
#include "notes.h"

/* What the functions of a chain saw, in order. */
struct sightings {
	intptr_t values[16];
	unsigned int count;
	struct utw_failure *last_failure; /* referenced */
};

static struct utw_result see(void *value, void *data)
{
	struct sightings *seen = data;

	seen->values[seen->count++] = (intptr_t)value;
	return utw_result_pass();
}

static struct utw_result see_and_double(void *value, void *data)
{
	see(value, data);
	return utw_result_value((void *)((intptr_t)value * 2));
}

static struct utw_result see_and_add_one(void *value, void *data)
{
	see(value, data);
	return utw_result_value((void *)((intptr_t)value + 1));
}

static struct utw_result see_and_fail(void *value, void *data)
{
	see(value, data);
	return utw_result_fail(utw_failure_from_errno(-EINVAL, "test", "as planned"));
}

static struct utw_result handle(struct utw_failure *failure, void *data)
{
	struct sightings *seen = data;

	utw_failure_unref(seen->last_failure);
	seen->last_failure = utw_failure_ref(failure);
	return utw_result_value((void *)-1);
}

static struct utw_result must_not_run(void *value, void *data)
{
	(void)value;
	(void)data;
	fail_msg("this callback must not run");
	return utw_result_pass();
}

static struct utw_result errback_must_not_run(struct utw_failure *failure, void *data)
{
	(void)failure;
	(void)data;
	fail_msg("this errback must not run");
	return utw_result_pass();
}

static struct utw_failure *planned_failure(void)
{
	return utw_failure_from_errno(-EIO, "test", "as planned");
}

static void deferred_case_01_results_run_down_the_chain(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callback(d, see_and_double, &seen);
	utw_deferred_add_callback(d, see_and_add_one, &seen);
	utw_deferred_add_callback(d, see, &seen);
	assert_int_equal(utw_deferred_callback(d, (void *)5), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.values[0], 5);
	assert_int_equal(seen.values[1], 10);
	assert_int_equal(seen.values[2], 11);
	utw_deferred_unref(d);
}

static void deferred_case_02_failure_switches_tracks_and_back(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callback(d, see_and_fail, &seen);
	utw_deferred_add_callbacks(d, must_not_run, handle, &seen);
	utw_deferred_add_callbacks(d, see, errback_must_not_run, &seen);
	utw_deferred_callback(d, (void *)1);
	assert_true(utw_failure_is(seen.last_failure, &utw_domain_errno, EINVAL));
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.values[1], -1);
	utw_failure_unref(seen.last_failure);
	utw_deferred_unref(d);
}

static void deferred_case_03_errback_of_the_same_pair_is_not_for_its_callback(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callbacks(d, see_and_fail, errback_must_not_run, &seen);
	utw_deferred_add_errback(d, handle, &seen);
	utw_deferred_callback(d, NULL);
	assert_non_null(seen.last_failure);
	utw_failure_unref(seen.last_failure);
	utw_deferred_unref(d);
}

static void deferred_case_04_firing_twice_is_refused_and_leaves_the_result(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	assert_int_equal(utw_deferred_callback(d, (void *)1), 0);
	assert_int_equal(utw_deferred_callback(d, (void *)2), -EALREADY);
	assert_int_equal(utw_deferred_errback(d, planned_failure()), -EALREADY);
	utw_deferred_add_callback(d, see, &seen);
	assert_int_equal(seen.values[0], 1);
	utw_deferred_unref(d);
}

static void deferred_case_04_firing_with_a_failure_takes_the_errback_track(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callbacks(d, must_not_run, handle, &seen);
	assert_int_equal(utw_deferred_fire(d, utw_result_fail(planned_failure())), 0);
	assert_true(utw_failure_is(seen.last_failure, &utw_domain_errno, EIO));
	utw_failure_unref(seen.last_failure);
	utw_deferred_unref(d);
}

struct growing_chain {
	struct notes notes;
	struct utw_deferred *d;
};

static struct utw_result note_2(void *value, void *data)
{
	(void)value;
	note(&((struct growing_chain *)data)->notes, '2');
	return utw_result_pass();
}

static struct utw_result note_3(void *value, void *data)
{
	(void)value;
	note(&((struct growing_chain *)data)->notes, '3');
	return utw_result_pass();
}

static struct utw_result add_3_while_running(void *value, void *data)
{
	struct growing_chain *chain = data;

	(void)value;
	note(&chain->notes, '1');
	utw_deferred_add_callback(chain->d, note_3, chain);
	note(&chain->notes, 'e');
	return utw_result_pass();
}

static void deferred_case_05_callback_added_while_running(void **state)
{
	struct growing_chain chain = { .d = utw_deferred_new() };

	(void)state;
	utw_deferred_add_callback(chain.d, add_3_while_running, &chain);
	utw_deferred_add_callback(chain.d, note_2, &chain);
	utw_deferred_callback(chain.d, NULL);
	assert_noted(&chain.notes, "1e23");
	utw_deferred_unref(chain.d);
}

static void deferred_case_08_pauses_are_counted(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callback(d, see, &seen);
	utw_deferred_pause(d);
	utw_deferred_pause(d);
	utw_deferred_callback(d, NULL);
	utw_deferred_unpause(d);
	assert_int_equal(seen.count, 0);
	utw_deferred_unpause(d);
	assert_int_equal(seen.count, 1);
	utw_deferred_unref(d);
}

static void deferred_case_25_unhandled_failure_is_reported_at_the_end_and_once(void **state)
{
	struct utw_deferred *d = utw_deferred_new();
	int line = __LINE__ - 1;

	(void)state;
	utw_deferred_errback(d, planned_failure());
	assert_int_equal(harness_take_unhandled(), 0);
	utw_deferred_unref(d);
	assert_int_equal(harness_take_unhandled(), 1);
	assert_int_equal(harness_unhandled_code(), EIO);
	assert_int_equal(harness_unhandled_line(), line);
}

static void deferred_case_25_handled_failure_is_not_reported(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_fail(planned_failure());

	(void)state;
	utw_deferred_add_errback(d, handle, &seen);
	utw_deferred_unref(d);
	assert_int_equal(harness_take_unhandled(), 0);
	utw_failure_unref(seen.last_failure);
}

static void deferred_case_25_callbacks_alone_do_not_handle_a_failure(void **state)
{
	struct utw_deferred *d = utw_deferred_fail(planned_failure());

	(void)state;
	utw_deferred_add_callback(d, must_not_run, NULL);
	utw_deferred_unref(d);
	assert_int_equal(harness_take_unhandled(), 1);
}

/* The one line that the library prints by itself, read back through a pipe. */
static void unhandled_by_default_prints_one_line_on_stderr(void **state)
{
	char text[1024], place[64];
	int ends[2], saved = dup(STDERR_FILENO);
	struct utw_deferred *d;
	ssize_t length;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	d = utw_deferred_fail(planned_failure());
	snprintf(place, sizeof(place), "test-deferred.c:%d:", __LINE__ - 1);
	utw_deferred_set_unhandled(NULL, NULL);
	fflush(stderr);
	dup2(ends[1], STDERR_FILENO);
	utw_deferred_unref(d);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	length = read(ends[0], text, sizeof(text) - 1);
	close(saved);
	close(ends[0]);
	close(ends[1]);

	assert_true(length > 0);
	text[length] = '\0';
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	assert_non_null(strstr(text, place));
	assert_non_null(strstr(text, "test: as planned (Input/output error)"));
}

static void add_callbacks_on_a_fired_one_runs_at_once(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_succeed((void *)7);

	(void)state;
	assert_true(utw_deferred_fired(d));
	assert_int_equal(utw_deferred_add_callback(d, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.values[0], 7);
	utw_deferred_unref(d);
}

static struct utw_result count_both(void *value, struct utw_failure *failure, void *data)
{
	struct sightings *seen = data;

	seen->values[seen->count++] = failure ? utw_failure_code(failure) : (intptr_t)value;
	return failure ? utw_result_value((void *)8) : utw_result_fail(planned_failure());
}

static void add_both_sees_either_track(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_succeed((void *)7);

	(void)state;
	utw_deferred_add_both(d, count_both, &seen);
	utw_deferred_add_both(d, count_both, &seen);
	assert_int_equal(seen.values[0], 7);
	assert_int_equal(seen.values[1], EIO);
	utw_deferred_unref(d);
}

static void fire_with_no_result_is_refused(void **state)
{
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	assert_int_equal(utw_deferred_fire(d, utw_result_pass()), -EINVAL);
	assert_int_equal(utw_deferred_fire(d, utw_result_wait(utw_deferred_new())), -EINVAL);
	assert_false(utw_deferred_fired(d));
	utw_deferred_unref(d);
}

static struct utw_result drop_last_reference(void *value, void *data)
{
	(void)value;
	utw_deferred_unref(data);
	return utw_result_pass();
}

static void unref_of_the_last_reference_inside_its_callback(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callback(d, drop_last_reference, d);
	utw_deferred_add_callback(d, see, &seen);
	utw_deferred_callback(d, NULL);
	assert_int_equal(seen.count, 1);
}

static void unref_unfired_drops_its_callbacks(void **state)
{
	struct utw_deferred *d = utw_deferred_new();

	(void)state;
	utw_deferred_add_callbacks(d, must_not_run, errback_must_not_run, NULL);
	utw_deferred_unref(d);
	utw_deferred_unref(NULL);
	assert_null(utw_deferred_ref(NULL));
}

static void add_callbacks_needs_memory_for_the_fifth_only(void **state)
{
	struct sightings seen = { 0 };
	struct utw_deferred *d = utw_deferred_new();
	unsigned int i;

	(void)state;
	alloc_fail_at(1);
	for (i = 0; i < 4; i++)
		assert_int_equal(utw_deferred_add_callback(d, see, &seen), 0);
	assert_int_equal(alloc_count(), 0);
	assert_int_equal(utw_deferred_add_callback(d, see, &seen), -ENOMEM);
	for (i = 0; i < 6; i++)
		assert_int_equal(utw_deferred_add_callback(d, see_and_add_one, &seen), 0);
	utw_deferred_callback(d, NULL);
	assert_int_equal(seen.count, 10);
	assert_int_equal(seen.values[9], 5);
	utw_deferred_unref(d);
}

static void new_without_memory_is_null_and_drops_the_failure(void **state)
{
	struct utw_failure *f = planned_failure();

	(void)state;
	alloc_fail_at(1);
	assert_null(utw_deferred_new());
	alloc_fail_at(1);
	assert_null(utw_deferred_succeed(NULL));
	alloc_fail_at(1);
	assert_null(utw_deferred_fail(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_case_01_results_run_down_the_chain),
		TEST(deferred_case_02_failure_switches_tracks_and_back),
		TEST(deferred_case_03_errback_of_the_same_pair_is_not_for_its_callback),
		TEST(deferred_case_04_firing_twice_is_refused_and_leaves_the_result),
		TEST(deferred_case_04_firing_with_a_failure_takes_the_errback_track),
		TEST(deferred_case_05_callback_added_while_running),
		TEST(deferred_case_08_pauses_are_counted),
		TEST(deferred_case_25_unhandled_failure_is_reported_at_the_end_and_once),
		TEST(deferred_case_25_handled_failure_is_not_reported),
		TEST(deferred_case_25_callbacks_alone_do_not_handle_a_failure),
		TEST(unhandled_by_default_prints_one_line_on_stderr),
		TEST(add_callbacks_on_a_fired_one_runs_at_once),
		TEST(add_both_sees_either_track),
		TEST(fire_with_no_result_is_refused),
		TEST(unref_of_the_last_reference_inside_its_callback),
		TEST(unref_unfired_drops_its_callbacks),
		TEST(add_callbacks_needs_memory_for_the_fifth_only),
		TEST(new_without_memory_is_null_and_drops_the_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
