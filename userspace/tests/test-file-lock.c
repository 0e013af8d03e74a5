// SPDX-License-Identifier: MIT
/* Locks on files, between objects of one process and between processes. */
#include <untwist/file_lock.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "harness-alloc.h"
#include "harness-clock.h"
#include "harness.h"
#include "reactor/reactor-private.h"

/* Two locks on one path in a folder of its own, with the clock held. */
struct rivals {
	char folder[32];
	char path[64];
	struct utw_reactor *reactor;
	struct utw_file_lock *a;
	struct utw_file_lock *b;
};

static void rivals_init(struct rivals *x)
{
	strcpy(x->folder, "/tmp/untwist-lock-XXXXXX");
	assert_non_null(mkdtemp(x->folder));
	snprintf(x->path, sizeof(x->path), "%s/lock", x->folder);
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&x->reactor), 0);
	assert_int_equal(utw_file_lock_new(&x->a, x->reactor, x->path), 0);
	assert_int_equal(utw_file_lock_new(&x->b, x->reactor, x->path), 0);
}

static void rivals_release(struct rivals *x)
{
	utw_file_lock_free(x->a);
	utw_file_lock_free(x->b);
	utw_reactor_free(x->reactor);
	unlink(x->path);
	assert_int_equal(rmdir(x->folder), 0);
}

static void pass_time(struct rivals *x, uint64_t time)
{
	clock_advance(time);
	assert_true(utw_reactor_run_once(x->reactor, 0) >= 0);
}

/* Drop `d`, which must have failed so. */
static void assert_failed(struct utw_deferred *d, const struct utw_domain *domain, int code)
{
	struct utw_result result;

	assert_non_null(d);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
	utw_deferred_unref(d);
}

static void try_excludes_another_object_of_this_process(void **state)
{
	struct rivals x;

	(void)state;
	rivals_init(&x);
	assert_int_equal(utw_file_lock_try(x.a), 0);
	assert_true(utw_file_lock_held(x.a));
	assert_int_equal(utw_file_lock_try(x.a), -EALREADY);
	assert_int_equal(utw_file_lock_try(x.b), -EAGAIN);
	assert_int_equal(utw_file_lock_owner(x.b), getpid());
	assert_int_equal(utw_file_lock_release(x.b), -EPERM);
	assert_int_equal(utw_file_lock_release(x.a), 0);
	assert_int_equal(utw_file_lock_owner(x.b), -ENODATA);
	assert_int_equal(utw_file_lock_try(x.b), 0);
	rivals_release(&x);
}

static void acquire_tries_again_until_it_is_free(void **state)
{
	struct utw_deferred *d;
	struct rivals x;

	(void)state;
	rivals_init(&x);
	utw_file_lock_try(x.a);
	d = utw_file_lock_acquire(x.b, SECONDS);
	assert_false(utw_deferred_fired(d));
	pass_time(&x, SECONDS);
	utw_file_lock_release(x.a);
	assert_false(utw_deferred_fired(d));
	pass_time(&x, SECONDS - 1);
	assert_false(utw_deferred_fired(d));
	pass_time(&x, 1);
	assert_true(utw_deferred_fired(d));
	assert_true(utw_file_lock_held(x.b));
	assert_int_equal(utw_timers_next(x.reactor), UTW_FOREVER);
	utw_deferred_unref(d);
	rivals_release(&x);
}

static void acquire_of_a_free_one_fires_at_once(void **state)
{
	struct utw_deferred *d;
	struct rivals x;

	(void)state;
	rivals_init(&x);
	d = utw_file_lock_acquire(x.a, UTW_FILE_LOCK_RETRY);
	assert_true(utw_deferred_fired(d));
	assert_true(utw_file_lock_held(x.a));
	utw_deferred_unref(d);
	rivals_release(&x);
}

static void acquire_may_be_cancelled_or_timed_out(void **state)
{
	struct utw_deferred *d;
	struct rivals x;

	(void)state;
	rivals_init(&x);
	utw_file_lock_try(x.a);
	d = utw_file_lock_acquire(x.b, SECONDS);
	assert_failed(utw_file_lock_acquire(x.b, SECONDS), &utw_domain_errno, EALREADY);
	utw_deferred_cancel(d);
	assert_int_equal(utw_timers_next(x.reactor), UTW_FOREVER);
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);

	d = utw_file_lock_acquire(x.b, SECONDS);
	utw_deferred_add_timeout(d, x.reactor, 5 * SECONDS / 2);
	pass_time(&x, 5 * SECONDS / 2);
	assert_failed(d, &utw_domain_reason, UTW_TIMEOUT);
	rivals_release(&x);
}

static void free_fails_the_one_who_waits(void **state)
{
	struct utw_deferred *d;
	struct rivals x;

	(void)state;
	rivals_init(&x);
	utw_file_lock_try(x.a);
	d = utw_file_lock_acquire(x.b, SECONDS);
	utw_file_lock_free(x.b);
	x.b = NULL;
	assert_failed(d, &utw_domain_reason, UTW_CANCELLED);
	rivals_release(&x);
}

/* A process that takes the lock, says so, and waits to be killed. */
static pid_t owner_start(const char *path)
{
	int said[2];
	pid_t pid;
	char word;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct utw_file_lock *l = NULL;

		if (utw_file_lock_new(&l, NULL, path) == 0 && utw_file_lock_try(l) == 0 &&
		    write(said[1], "!", 1) == 1)
			pause();
		_exit(1);
	}
	close(said[1]);
	assert_int_equal(read(said[0], &word, 1), 1);
	close(said[0]);
	return pid;
}

static void stale_owner_is_no_obstacle(void **state)
{
	struct rivals x;
	pid_t owner;

	(void)state;
	rivals_init(&x);
	owner = owner_start(x.path);
	assert_int_equal(utw_file_lock_try(x.a), -EAGAIN);
	assert_int_equal(utw_file_lock_owner(x.a), owner);
	kill(owner, SIGKILL);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	assert_int_equal(utw_file_lock_owner(x.a), owner);
	assert_int_equal(utw_file_lock_try(x.a), 0);
	assert_int_equal(utw_file_lock_owner(x.a), getpid());
	rivals_release(&x);
}

static void file_that_was_removed_is_made_anew(void **state)
{
	struct stat now;
	struct rivals x;

	(void)state;
	rivals_init(&x);
	assert_int_equal(utw_file_lock_try(x.a), 0);
	unlink(x.path);
	/* A new file: whoever comes now locks that one, and is the one that counts. */
	assert_int_equal(utw_file_lock_try(x.b), 0);
	assert_int_equal(stat(x.path, &now), 0);
	utw_file_lock_release(x.a);
	assert_int_equal(utw_file_lock_try(x.a), -EAGAIN);
	rivals_release(&x);
}

static void path_that_cannot_be_opened_is_named(void **state)
{
	struct utw_file_lock *l = NULL;
	struct utw_result result;
	struct utw_deferred *d;
	struct rivals x;

	(void)state;
	rivals_init(&x);
	assert_int_equal(utw_file_lock_new(&l, x.reactor, "/nonexistent/lock"), 0);
	assert_int_equal(utw_file_lock_try(l), -ENOENT);
	assert_int_equal(utw_file_lock_owner(l), -ENOENT);
	d = utw_file_lock_acquire(l, SECONDS);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_errno, ENOENT));
	assert_string_equal(utw_failure_message(result.failure), "/nonexistent/lock");
	utw_result_drop(&result);
	utw_deferred_unref(d);
	utw_file_lock_free(l);
	rivals_release(&x);
}

static void acquire_survives_each_failed_allocation(void **state)
{
	struct rivals x;

	(void)state;
	rivals_init(&x);
	alloc_fail_at(1);
	assert_null(utw_file_lock_acquire(x.b, SECONDS));
	assert_false(utw_file_lock_held(x.b));
	utw_file_lock_try(x.a);
	alloc_fail_at(1);
	assert_null(utw_file_lock_acquire(x.b, SECONDS));
	alloc_fail_at(2);
	assert_null(utw_file_lock_acquire(x.b, SECONDS));
	assert_true(alloc_failed());
	assert_int_equal(utw_timers_next(x.reactor), UTW_FOREVER);
	rivals_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(try_excludes_another_object_of_this_process),
		TEST(acquire_tries_again_until_it_is_free),
		TEST(acquire_of_a_free_one_fires_at_once),
		TEST(acquire_may_be_cancelled_or_timed_out),
		TEST(free_fails_the_one_who_waits),
		TEST(stale_owner_is_no_obstacle),
		TEST(file_that_was_removed_is_made_anew),
		TEST(path_that_cannot_be_opened_is_named),
		TEST(acquire_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests_name("file-lock", tests, NULL, NULL);
}
