// SPDX-License-Identifier: MIT
/* Logs: who sees which event, and when. */
#include <untwist/log.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <untwist/deferred.h>

#include "harness-alloc.h"
#include "harness.h"

/* Sees events and notes their text; may do something about them. */
struct witness {
	struct utw_observer observer;
	char texts[8][96];
	unsigned int count;
	uint64_t last_number;
	int answer; /* what it returns */
	struct utw_log *chatters_to; /* logs something about each event */
	struct utw_observer *removes;
};

static int witness_event(struct utw_observer *o, const struct utw_event *e)
{
	struct witness *w = utw_container_of(o, struct witness, observer);

	assert_in_range(w->count, 0, ARRAY_SIZE(w->texts) - 1);
	utw_event_format(e, w->texts[w->count++], sizeof(w->texts[0]));
	w->last_number = e->number;
	if (w->removes)
		utw_observer_remove(w->removes);
	if (w->chatters_to)
		utw_log_emit(w->chatters_to, UTW_LOG_ERROR, "test.chatter", "about {n}",
			     utw_field_uint("n", e->number));
	return w->answer;
}

static void witness_init(struct witness *w, struct utw_log *log)
{
	memset(w, 0, sizeof(*w));
	utw_observer_init(&w->observer, witness_event, UTW_LOG_DEBUG);
	assert_int_equal(utw_log_add_observer(log, &w->observer), 0);
}

static struct utw_log *log_begun(void)
{
	struct utw_log *log = NULL;

	assert_int_equal(utw_log_new(&log, 0), 0);
	utw_log_begin(log);
	return log;
}

static void event_carries_all_that_was_said(void **state)
{
	struct utw_log *log = log_begun();
	struct witness w;

	(void)state;
	witness_init(&w, log);
	utw_log_emit(log, UTW_LOG_INFO, "test", "{n} of {what}: {ok} {rate}",
		     utw_field_int("n", -3), utw_field_text("what", "things"),
		     utw_field_bool("ok", true), utw_field_double("rate", 0.5));
	utw_log_emit(log, UTW_LOG_INFO, "test", "no fields");
	assert_int_equal(w.count, 2);
	assert_string_equal(w.texts[0], "-3 of things: true 0.5");
	assert_string_equal(w.texts[1], "no fields");
	assert_int_equal(w.last_number, 2);
	utw_log_free(log);
}

static uint64_t evaluate(unsigned int *times)
{
	return ++*times;
}

static void unwanted_event_costs_no_evaluation(void **state)
{
	struct utw_log *log = log_begun();
	unsigned int times = 0;
	struct witness w;

	(void)state;
	witness_init(&w, log);
	utw_log_emit(log, UTW_LOG_DEBUG, "test", "{n}", utw_field_uint("n", evaluate(&times)));
	assert_int_equal(times, 0);
	utw_log_emit(log, UTW_LOG_INFO, "test", "{n}", utw_field_uint("n", evaluate(&times)));
	assert_int_equal(times, 1);
	assert_int_equal(w.count, 1);
	utw_log_free(log);
}

static void longest_namespace_decides_the_level(void **state)
{
	struct utw_log *log = log_begun();

	(void)state;
	assert_int_equal(utw_log_set_level(log, "net.tcp", UTW_LOG_DEBUG), 0);
	assert_int_equal(utw_log_set_level(log, "net", UTW_LOG_ERROR), 0);
	assert_false(utw_log_wants(log, "net", UTW_LOG_WARN));
	assert_true(utw_log_wants(log, "net", UTW_LOG_ERROR));
	assert_false(utw_log_wants(log, "net.udp", UTW_LOG_WARN));
	assert_true(utw_log_wants(log, "net.tcp", UTW_LOG_DEBUG));
	assert_true(utw_log_wants(log, "net.tcp.accept", UTW_LOG_DEBUG));
	assert_false(utw_log_wants(log, "net.tcpx", UTW_LOG_WARN));
	assert_true(utw_log_wants(log, "network", UTW_LOG_INFO));
	assert_false(utw_log_wants(log, "network", UTW_LOG_DEBUG));
	utw_log_set_level(log, NULL, UTW_LOG_CRITICAL);
	assert_false(utw_log_wants(log, "network", UTW_LOG_ERROR));
	utw_log_set_level(log, "net.tcp", UTW_LOG_CRITICAL);
	assert_false(utw_log_wants(log, "net.tcp", UTW_LOG_ERROR));
	utw_log_free(log);
}

static void observer_has_a_level_of_its_own(void **state)
{
	struct utw_log *log = log_begun();
	struct witness w;

	(void)state;
	witness_init(&w, log);
	w.observer.level = UTW_LOG_ERROR;
	utw_log_emit(log, UTW_LOG_WARN, "test", "a");
	utw_log_emit(log, UTW_LOG_ERROR, "test", "b");
	assert_int_equal(w.count, 1);
	assert_string_equal(w.texts[0], "b");
	assert_int_equal(utw_log_add_observer(log, &w.observer), -EBUSY);
	utw_log_free(log);
}

static void events_are_replayed_when_logging_begins(void **state)
{
	struct utw_failure *f = utw_failure_from_errno(-EIO, "read", "x");
	struct utw_log *log = NULL;
	char name[] = "early";
	struct witness w;

	(void)state;
	assert_int_equal(utw_log_new(&log, 10), 0);
	utw_log_emit(log, UTW_LOG_INFO, "test", "{name}: {failure} {none}",
		     utw_field_text("name", name), utw_field_failure("failure", f),
		     utw_field_text("none", NULL));
	utw_failure_unref(f);
	memset(name, '#', strlen(name));
	witness_init(&w, log);
	assert_int_equal(w.count, 0);
	utw_log_begin(log);
	utw_log_begin(log);
	assert_int_equal(w.count, 1);
	assert_string_equal(w.texts[0], "early: read: x (Input/output error) (none)");
	utw_log_emit(log, UTW_LOG_INFO, "test", "late");
	assert_string_equal(w.texts[1], "late");
	utw_log_free(log);
}

static void oldest_events_make_room_and_are_counted(void **state)
{
	struct utw_log *log = NULL;
	struct witness w;
	int i;

	(void)state;
	assert_int_equal(utw_log_new(&log, 2), 0);
	for (i = 0; i < 5; i++)
		utw_log_emit(log, UTW_LOG_INFO, "test", "{i}", utw_field_int("i", i));
	assert_int_equal(utw_log_lost(log), 3);
	witness_init(&w, log);
	utw_log_begin(log);
	assert_int_equal(w.count, 3);
	assert_string_equal(w.texts[0], "3 events were lost before logging began");
	assert_string_equal(w.texts[1], "3");
	assert_string_equal(w.texts[2], "4");
	utw_log_begin(log);
	assert_int_equal(w.count, 3);
	utw_log_free(log);
}

static void log_that_keeps_nothing_counts_what_it_lost(void **state)
{
	struct utw_log *log = NULL;

	(void)state;
	assert_int_equal(utw_log_new(&log, 0), 0);
	utw_log_emit(log, UTW_LOG_INFO, "test", "lost");
	assert_int_equal(utw_log_lost(log), 1);
	utw_log_free(log);
	assert_int_equal(utw_log_new(&log, 5), 0);
	utw_log_emit(log, UTW_LOG_INFO, "test", "freed with the log");
	utw_log_free(log);
	utw_log_free(NULL);
}

static void failing_observer_is_reported_to_the_others(void **state)
{
	struct utw_log *log = log_begun();
	struct witness before, bad, after;

	(void)state;
	witness_init(&before, log);
	witness_init(&bad, log);
	witness_init(&after, log);
	bad.answer = -ENOSPC;
	utw_log_emit(log, UTW_LOG_INFO, "test", "event");
	assert_int_equal(bad.count, 1);
	assert_int_equal(before.count, 2);
	assert_int_equal(after.count, 2);
	assert_string_equal(after.texts[0], "event");
	assert_string_equal(after.texts[1], "log: an observer (No space left on device)");
	utw_log_free(log);
}

static void chatter_of_observers_ends(void **state)
{
	struct utw_log *log = log_begun();
	struct witness a, b;

	(void)state;
	witness_init(&a, log);
	witness_init(&b, log);
	a.chatters_to = log;
	b.chatters_to = log;
	utw_log_emit(log, UTW_LOG_INFO, "test", "event");
	assert_int_equal(a.count, 2);
	assert_int_equal(b.count, 2);
	assert_string_equal(a.texts[0], "event");
	assert_string_equal(b.texts[0], "event");
	assert_string_equal(a.texts[1], "about 1");
	assert_int_equal(utw_log_lost(log), 2);
	utw_log_free(log);
}

static void observers_may_be_removed_from_inside(void **state)
{
	struct utw_log *log = log_begun();
	struct witness itself, other, removed;

	(void)state;
	witness_init(&itself, log);
	witness_init(&other, log);
	witness_init(&removed, log);
	itself.removes = &itself.observer;
	other.removes = &removed.observer;
	utw_log_emit(log, UTW_LOG_INFO, "test", "one");
	utw_log_emit(log, UTW_LOG_INFO, "test", "two");
	assert_int_equal(itself.count, 1);
	assert_int_equal(other.count, 2);
	assert_int_equal(removed.count, 0);
	utw_observer_remove(&removed.observer);
	utw_log_free(log);
}

static void unhandled_failures_are_logged_when_asked_for(void **state)
{
	struct utw_log *log = log_begun();
	struct witness w;

	(void)state;
	witness_init(&w, log);
	utw_log_unhandled(log);
	utw_deferred_unref(
		utw_deferred_fail_at("a.c", 5, utw_failure_from_errno(-EIO, "read", "x")));
	utw_log_unhandled(NULL);
	assert_int_equal(w.count, 1);
	assert_string_equal(w.texts[0],
			    "unhandled failure in the deferred made at a.c:5: read: x (Input/output error)");
	utw_log_free(log);
}

static void log_survives_each_failed_allocation(void **state)
{
	struct utw_log *log = NULL;
	struct witness w;

	(void)state;
	alloc_fail_at(1);
	assert_int_equal(utw_log_new(&log, 1), -ENOMEM);
	alloc_fail_at(0);
	assert_int_equal(utw_log_new(&log, 1), 0);
	alloc_fail_at(1);
	assert_int_equal(utw_log_set_level(log, "a", UTW_LOG_DEBUG), -ENOMEM);
	alloc_fail_at(2);
	assert_int_equal(utw_log_set_level(log, "a", UTW_LOG_DEBUG), -ENOMEM);
	assert_false(utw_log_wants(log, "a", UTW_LOG_DEBUG));
	alloc_fail_at(1);
	utw_log_emit(log, UTW_LOG_INFO, "test", "lost");
	assert_int_equal(utw_log_lost(log), 1);
	alloc_fail_at(0);
	utw_log_emit(log, UTW_LOG_INFO, "test", "kept");
	utw_log_emit(log, UTW_LOG_INFO, "test", "kept instead");
	witness_init(&w, log);
	utw_log_begin(log);
	assert_string_equal(w.texts[1], "kept instead");
	utw_log_free(log);
}

/* Counts without a lock of its own: the log must call it one at a time. */
struct tally {
	struct utw_observer observer;
	unsigned int count;
	uint64_t last_number;
};

static int tally_event(struct utw_observer *o, const struct utw_event *e)
{
	struct tally *t = utw_container_of(o, struct tally, observer);

	assert_int_equal(e->number, t->last_number + 1);
	t->last_number = e->number;
	t->count++;
	return 0;
}

static void *log_often(void *log)
{
	int i;

	for (i = 0; i < 2000; i++)
		utw_log_emit(log, UTW_LOG_INFO, "test", "{i}", utw_field_int("i", i));
	return NULL;
}

static void threads_may_log_at_once(void **state)
{
	struct utw_log *log = log_begun();
	pthread_t threads[4];
	struct tally t = { .count = 0 };
	int i;

	(void)state;
	utw_observer_init(&t.observer, tally_event, UTW_LOG_DEBUG);
	utw_log_add_observer(log, &t.observer);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_often, log), 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(t.count, 8000);
	utw_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(event_carries_all_that_was_said),
		TEST(unwanted_event_costs_no_evaluation),
		TEST(longest_namespace_decides_the_level),
		TEST(observer_has_a_level_of_its_own),
		TEST(events_are_replayed_when_logging_begins),
		TEST(oldest_events_make_room_and_are_counted),
		TEST(log_that_keeps_nothing_counts_what_it_lost),
		TEST(failing_observer_is_reported_to_the_others),
		TEST(chatter_of_observers_ends),
		TEST(observers_may_be_removed_from_inside),
		TEST(unhandled_failures_are_logged_when_asked_for),
		TEST(log_survives_each_failed_allocation),
		TEST(threads_may_log_at_once),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
