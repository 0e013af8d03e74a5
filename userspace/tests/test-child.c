// SPDX-License-Identifier: MIT
/* Child watches, on real processes. */
#include <untwist/child.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "backends.h"
#include "harness.h"

static unsigned int ended;
static struct utw_child_status last;

static void child_ended(struct utw_child *c, const struct utw_child_status *status)
{
	assert_false(utw_child_active(c));
	ended++;
	last = *status;
}

static struct utw_reactor *new_reactor(void)
{
	struct utw_reactor *r = NULL;

	ended = 0;
	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

static pid_t child_that_exits(int code)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(code);
	return pid;
}

static pid_t child_that_stays(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void exit_code_is_told_and_the_child_is_reaped(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_child c;
	pid_t pid = child_that_exits(42);

	(void)state;
	utw_child_init(&c, child_ended);
	assert_int_equal(utw_child_start(&c, r, pid), 0);
	assert_int_equal(utw_child_start(&c, r, pid), -EBUSY);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(last.how, UTW_CHILD_EXITED);
	assert_int_equal(last.code, 42);
	assert_true(last.usage.ru_maxrss > 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	utw_reactor_free(r);
}

static void kill_ends_it_by_a_signal(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_child c;

	(void)state;
	utw_child_init(&c, child_ended);
	assert_int_equal(utw_child_start(&c, r, child_that_stays()), 0);
	assert_int_equal(utw_child_kill(&c, 0), 0);
	assert_int_equal(utw_child_kill(&c, 1000), -EINVAL);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(utw_child_kill(&c, SIGKILL), 0);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(last.how, UTW_CHILD_KILLED);
	assert_int_equal(last.code, SIGKILL);
	assert_int_equal(utw_child_kill(&c, SIGKILL), -EINVAL);
	utw_reactor_free(r);
}

static void child_that_somebody_else_waited_for_is_unknown(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_child c;
	pid_t pid = child_that_stays();

	(void)state;
	utw_child_init(&c, child_ended);
	assert_int_equal(utw_child_start(&c, r, pid), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(last.how, UTW_CHILD_UNKNOWN);
	assert_int_equal(utw_child_start(&c, r, pid), -ESRCH);
	utw_reactor_free(r);
}

static void stop_leaves_the_child_to_others(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_child c;
	pid_t pid = child_that_exits(0);

	(void)state;
	utw_child_init(&c, child_ended);
	utw_child_start(&c, r, pid);
	utw_child_stop(&c);
	utw_child_stop(&c);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(ended, 0);
	utw_reactor_free(r);
}

/* The janitor sees to it that no descriptor is left. */
static void stop_after_the_reactor_was_freed_closes(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_child c;
	pid_t pid = child_that_exits(0);

	(void)state;
	utw_child_init(&c, child_ended);
	utw_child_start(&c, r, pid);
	utw_reactor_free(r);
	assert_false(utw_child_active(&c));
	utw_child_stop(&c);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exit_code_is_told_and_the_child_is_reaped),
		TEST(kill_ends_it_by_a_signal),
		TEST(child_that_somebody_else_waited_for_is_unknown),
		TEST(stop_leaves_the_child_to_others),
		TEST(stop_after_the_reactor_was_freed_closes),
	};

	return RUN_ON_EACH_BACKEND(tests);
}
