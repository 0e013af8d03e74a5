/* SPDX-License-Identifier: MIT */
/* The janitor names each thing that was left, and outcomes are seen without waiting. */
#include <untwist/testing/janitor.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/failure.h>
#include <untwist/testing/outcome.h>

#include "harness.h"

struct report {
	char text[1024];
	struct utw_janitor janitor;
};

static void report_add(const char *what, void *data)
{
	struct report *r = data;

	assert_true(strlen(r->text) + strlen(what) + 2 < sizeof(r->text));
	strcat(r->text, what);
	strcat(r->text, "\n");
}

static void report_begin(struct report *r)
{
	r->text[0] = '\0';
	utw_janitor_begin(&r->janitor, report_add, r);
}

static void clean_test_leaves_nothing(void **state)
{
	struct report r;
	int fd[2];

	(void)state;
	report_begin(&r);
	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	close(fd[1]);
	assert_int_equal(utw_janitor_end(&r.janitor), 0);
	assert_string_equal(r.text, "");
}

static void descriptors_are_named(void **state)
{
	struct report r;
	char expected[64];
	int fd[2];

	(void)state;
	report_begin(&r);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(utw_janitor_end(&r.janitor), 2);
	snprintf(expected, sizeof(expected), "descriptor %d: pipe:[", fd[1]);
	assert_non_null(strstr(r.text, expected));
	close(fd[0]);
	close(fd[1]);
}

static void children_are_found(void **state)
{
	struct report r;
	pid_t pid;
	siginfo_t ended;
	int fd[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	report_begin(&r);
	pid = fork();
	if (pid == 0)
		_exit(read(fd[0], &byte, 1) == 1 ? 0 : 1);
	assert_int_equal(utw_janitor_end(&r.janitor), 1);
	assert_string_equal(r.text, "a child that is still running\n");
	report_begin(&r);
	assert_int_equal(write(fd[1], "x", 1), 1);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	assert_int_equal(utw_janitor_end(&r.janitor), 1);
	assert_non_null(strstr(r.text, "ended and not waited for"));
	close(fd[0]);
	close(fd[1]);
}

static void *read_once(void *data)
{
	char byte;

	return read(*(int *)data, &byte, 1) == 1 ? data : NULL;
}

static void threads_are_counted(void **state)
{
	struct report r;
	pthread_t thread;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	report_begin(&r);
	assert_int_equal(pthread_create(&thread, NULL, read_once, &fd[0]), 0);
	assert_int_equal(utw_janitor_end(&r.janitor), 1);
	/* With the first thread of a program TSan may start one of its own: how many is not ours to say. */
	assert_non_null(strstr(r.text, " more threads than before\n"));
	assert_int_equal(write(fd[1], "x", 1), 1);
	pthread_join(thread, NULL);
	close(fd[0]);
	close(fd[1]);
}

static void unhandled_failures_are_told_with_their_place(void **state)
{
	struct report r;

	(void)state;
	report_begin(&r);
	utw_deferred_unref(utw_deferred_fail(utw_failure_from_errno(-EIO, "test", "on purpose")));
	assert_non_null(strstr(r.text, "on purpose"));
	assert_non_null(strstr(r.text, "test-janitor.c:"));
	assert_int_equal(utw_janitor_end(&r.janitor), 1);
	report_begin(&r);
	utw_deferred_unref(utw_deferred_fail(utw_failure_from_errno(-EIO, "test", "expected")));
	assert_int_equal(utw_janitor_take_unhandled(&r.janitor), 1);
	assert_int_equal(utw_janitor_end(&r.janitor), 0);
}

static void outcome_of_each_kind(void **state)
{
	struct utw_deferred *d = utw_deferred_new();
	int value;

	(void)state;
	assert_true(utw_outcome_pending(d));
	assert_ptr_equal(utw_outcome_value(d), UTW_OUTCOME_NONE);
	assert_false(utw_outcome_failed(d, &utw_domain_errno, EIO));
	utw_deferred_callback(d, &value);
	assert_false(utw_outcome_pending(d));
	assert_false(utw_outcome_failed(d, &utw_domain_errno, EIO));
	assert_ptr_equal(utw_outcome_value(d), &value);
	utw_deferred_unref(d);

	d = utw_deferred_fail(utw_failure_from_errno(-EIO, "test", "on purpose"));
	assert_false(utw_outcome_pending(d));
	assert_ptr_equal(utw_outcome_value(d), UTW_OUTCOME_NONE);
	assert_false(utw_outcome_failed(d, &utw_domain_errno, EPERM));
	assert_true(utw_outcome_failed(d, &utw_domain_errno, EIO));
	utw_deferred_unref(d);

	d = utw_deferred_new();
	utw_deferred_callback_owned(d, malloc(1), free);
	assert_ptr_not_equal(utw_outcome_value(d), UTW_OUTCOME_NONE);
	utw_deferred_unref(d);
}

/* What was only looked at is still unhandled. */
static void looking_in_vain_handles_nothing(void **state)
{
	struct utw_deferred *d = utw_deferred_fail(utw_failure_from_errno(-EIO, "test", "left"));

	(void)state;
	utw_deferred_set_unhandled(NULL, NULL);
	harness_setup(NULL);
	assert_false(utw_outcome_failed(d, &utw_domain_errno, EPERM));
	utw_deferred_unref(d);
	assert_int_equal(harness_take_unhandled(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean_test_leaves_nothing),
		TEST(descriptors_are_named),
		TEST(children_are_found),
		TEST(threads_are_counted),
		TEST(unhandled_failures_are_told_with_their_place),
		TEST(outcome_of_each_kind),
		TEST(looking_in_vain_handles_nothing),
	};

	return cmocka_run_group_tests_name("janitor", tests, NULL, NULL);
}
