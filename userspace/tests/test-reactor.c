// SPDX-License-Identifier: MIT
/* The reactor: its life, its turns, and reactors within reactors. */
#include <untwist/reactor.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <untwist/call.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "backends.h"
#include "harness-alloc.h"
#include "harness-clock.h"
#include "harness-epoll.h"
#include "notes.h"
#include "reactor/reactor-private.h"

static struct notes notes;

static struct utw_reactor *new_reactor(void)
{
	struct utw_reactor *r = NULL;

	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

static void note_s_and_stop(void *data)
{
	note(&notes, 's');
	assert_int_equal(utw_reactor_stop(data), 0);
	assert_int_equal(utw_reactor_stop(data), 0);
}

static void note_q(void *data)
{
	(void)data;
	note(&notes, 'q');
}

static void stop_when_not_running_says_so(void **state)
{
	struct utw_reactor *r = new_reactor();

	(void)state;
	assert_int_equal(utw_reactor_stop(r), -ESRCH);
	utw_reactor_free(r);
	utw_reactor_free(NULL);
}

static void stop_takes_effect_at_the_end_of_the_turn(void **state)
{
	struct utw_reactor *r = new_reactor();

	(void)state;
	utw_reactor_call_soon(r, note_s_and_stop, r);
	utw_reactor_call_soon(r, note_q, NULL);
	assert_int_equal(utw_reactor_run(r), 0);
	assert_noted(&notes, "sq");
	assert_int_equal(utw_reactor_stop(r), -ESRCH);
	utw_reactor_free(r);
}

static void run_again_after_stop(void **state)
{
	struct utw_reactor *r = new_reactor();
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		utw_reactor_call_soon(r, note_s_and_stop, r);
		assert_int_equal(utw_reactor_run(r), 0);
	}
	assert_noted(&notes, "sss");
	utw_reactor_free(r);
}

static void run_from_within(void *data)
{
	assert_int_equal(utw_reactor_run(data), -EALREADY);
	assert_int_equal(utw_reactor_run_once(data, 0), -EALREADY);
	note(&notes, 'r');
}

static void run_while_running_is_refused(void **state)
{
	struct utw_reactor *r = new_reactor();

	(void)state;
	utw_reactor_call_soon(r, run_from_within, r);
	utw_reactor_run_once(r, 0);
	utw_reactor_call_soon(r, run_from_within, r);
	utw_reactor_call_soon(r, note_s_and_stop, r);
	utw_reactor_run(r);
	assert_noted(&notes, "rrs");
	utw_reactor_free(r);
}

static void run_the_other(void *data)
{
	struct utw_reactor *other = data;

	utw_reactor_call_soon(other, note_q, NULL);
	utw_reactor_call_soon(other, note_s_and_stop, other);
	assert_int_equal(utw_reactor_run(other), 0);
	note(&notes, 'o');
}

static void one_reactor_may_run_another(void **state)
{
	struct utw_reactor *r = new_reactor(), *other = new_reactor();

	(void)state;
	utw_reactor_call_soon(r, run_the_other, other);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "qso");
	utw_reactor_free(r);
	utw_reactor_free(other);
}

static void run_once_waits_no_longer_than_asked(void **state)
{
	struct utw_reactor *r = new_reactor();
	uint64_t before = utw_reactor_now(r);

	(void)state;
	assert_int_equal(utw_reactor_run_once(r, 2 * MILLISECONDS), 0);
	assert_true(utw_reactor_now(r) - before >= 2 * MILLISECONDS);
	utw_reactor_free(r);
}

static void check_now_stands_still(void *data)
{
	uint64_t now = utw_reactor_now(data);

	reactor_advance(data, SECONDS);
	assert_int_equal(utw_reactor_now(data), now);
	note(&notes, 'n');
}

static void now_is_kept_for_the_turn_only(void **state)
{
	struct utw_reactor *r;

	(void)state;
	clock_freeze(50 * SECONDS);
	r = new_reactor();
	assert_int_equal(utw_reactor_now(r), 50 * SECONDS);
	utw_reactor_call_soon(r, check_now_stands_still, r);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "n");
	assert_int_equal(utw_reactor_now(r), 51 * SECONDS);
	utw_reactor_free(r);
}

/* One of each kind in one turn. */
static void note_w(struct utw_watch *w, uint32_t events)
{
	(void)w;
	(void)events;
	note(&notes, 'w');
}

static void note_t(struct utw_timer *t)
{
	(void)t;
	note(&notes, 't');
}

static void note_e(struct utw_call *c)
{
	(void)c;
	note(&notes, 'e');
}

static void turn_runs_watches_timers_calls_and_the_end_in_order(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_watch watch;
	struct utw_timer timer;
	struct utw_call end;
	int fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	utw_call_init(&end, note_e);
	utw_timer_init(&timer, note_t);
	utw_watch_init(&watch, note_w);
	utw_call_start_at_end(&end, r);
	utw_reactor_call_soon(r, note_q, NULL);
	utw_timer_start(&timer, r, 0);
	utw_watch_start(&watch, r, fd, EPOLLIN);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 4);
	assert_noted(&notes, "wtqe");
	utw_watch_stop(&watch);
	close(fd);
	utw_reactor_free(r);
}

/* An interval timer that fires all the time, with a handler that is none of ours. */
static void ignore_signal(int signo)
{
	(void)signo;
}

static void wait_goes_on_after_a_foreign_signal(void **state)
{
	const struct itimerval often = { .it_interval.tv_usec = 500, .it_value.tv_usec = 500 };
	const struct itimerval never = { 0 };
	struct sigaction action = { .sa_handler = ignore_signal }, before;
	struct utw_reactor *r = new_reactor();
	uint64_t start = utw_reactor_now(r);

	(void)state;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(utw_reactor_run_once(r, 10 * MILLISECONDS), 0);
	assert_true(utw_reactor_now(r) - start >= 10 * MILLISECONDS);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	utw_reactor_free(r);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* The kernel's timer is a moment late even for what was due long ago. */
static bool becomes_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 10000) == 1;
}

static void get_fd_tells_of_calls_and_timers_and_watches(void **state)
{
	struct utw_reactor *r = new_reactor();
	int fd = utw_reactor_get_fd(r);
	struct utw_timer timer;
	struct utw_watch watch;
	int event = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(utw_reactor_get_fd(r), fd);
	assert_false(readable(fd));
	utw_reactor_call_soon(r, note_q, NULL);
	assert_true(becomes_readable(fd));
	utw_reactor_run_once(r, 0);
	assert_false(readable(fd));

	utw_timer_init(&timer, note_t);
	utw_timer_start(&timer, r, 1000 * SECONDS);
	assert_false(readable(fd));
	utw_timer_reset(&timer, 0);
	assert_true(becomes_readable(fd));
	/* It may have told already, in vain; a turn that finds nothing sets that right. */
	utw_timer_cancel(&timer);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_false(readable(fd));

	utw_watch_init(&watch, note_w);
	utw_watch_start(&watch, r, event, EPOLLIN);
	assert_false(readable(fd));
	eventfd_write(event, 1);
	assert_true(becomes_readable(fd));
	utw_watch_stop(&watch);
	close(event);
	utw_reactor_free(r);
}

/* The inner one is driven by the outer's watch alone. */
struct nested {
	struct utw_watch watch;
	struct utw_reactor *inner;
	struct utw_reactor *outer;
	struct utw_timer timer;
};

static void turn_the_inner(struct utw_watch *w, uint32_t events)
{
	struct nested *n = utw_container_of(w, struct nested, watch);

	(void)events;
	assert_true(utw_reactor_run_once(n->inner, 0) >= 0);
}

static void stop_the_outer(struct utw_timer *t)
{
	struct nested *n = utw_container_of(t, struct nested, timer);

	note(&notes, 't');
	utw_reactor_stop(n->outer);
}

static void reactors_nest(void **state)
{
	struct nested n = { .inner = new_reactor(), .outer = new_reactor() };

	(void)state;
	utw_watch_init(&n.watch, turn_the_inner);
	utw_timer_init(&n.timer, stop_the_outer);
	utw_watch_start(&n.watch, n.outer, utw_reactor_get_fd(n.inner), EPOLLIN);
	utw_reactor_call_soon(n.inner, note_q, NULL);
	utw_timer_start(&n.timer, n.inner, 2 * MILLISECONDS);
	assert_int_equal(utw_reactor_run(n.outer), 0);
	assert_noted(&notes, "qt");
	utw_watch_stop(&n.watch);
	utw_reactor_free(n.outer);
	utw_reactor_free(n.inner);
}

static void free_the_running_one(void *data)
{
	utw_reactor_free(data);
}

/* In a child, since the contract's guard ends the process. */
static void free_from_its_own_callback_is_caught(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		const struct rlimit no_core = { 0 };
		struct utw_reactor *r = new_reactor();

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		utw_reactor_call_soon(r, free_the_running_one, r);
		utw_reactor_run_once(r, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void new_without_memory_leaves_the_result_alone(void **state)
{
	struct utw_reactor *r = (struct utw_reactor *)&notes;

	(void)state;
	alloc_fail_at(1);
	assert_int_equal(utw_reactor_new(&r), -ENOMEM);
	assert_ptr_equal(r, &notes);
}

/* With room for none, then one, then two descriptors: each failure is clean. */
static void new_without_descriptors_leaks_none(void **state)
{
	struct rlimit before, tight;
	unsigned int room, open = harness_open_fds();
	struct utw_reactor *r = NULL;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	tight = before;
	for (room = 0; room < 2; room++) {
		int next = dup(0);

		close(next);
		tight.rlim_cur = (rlim_t)next + room;
		setrlimit(RLIMIT_NOFILE, &tight);
		assert_int_equal(utw_reactor_new(&r), -EMFILE);
		setrlimit(RLIMIT_NOFILE, &before);
		assert_null(r);
		assert_int_equal(harness_open_fds(), open);
	}
}

static void get_fd_without_descriptors_can_be_tried_again(void **state)
{
	struct rlimit before, tight;
	struct utw_reactor *r = new_reactor();
	int next = dup(0);

	(void)state;
	close(next);
	getrlimit(RLIMIT_NOFILE, &before);
	tight = before;
	tight.rlim_cur = (rlim_t)next;
	setrlimit(RLIMIT_NOFILE, &tight);
	assert_int_equal(utw_reactor_get_fd(r), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(utw_reactor_get_fd(r) >= 0);
	utw_reactor_free(r);
}

static void new_refused_by_epoll_leaks_nothing(void **state)
{
	struct utw_reactor *r = NULL;

	(void)state;
	epoll_ctl_fail_next(ENOSPC);
	assert_int_equal(utw_reactor_new(&r), -ENOSPC);
	assert_null(r);
}

static void get_fd_refused_by_epoll_leaks_nothing(void **state)
{
	struct utw_reactor *r = new_reactor();

	(void)state;
	epoll_ctl_fail_next(ENOSPC);
	assert_int_equal(utw_reactor_get_fd(r), -ENOSPC);
	assert_true(utw_reactor_get_fd(r) >= 0);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stop_when_not_running_says_so),
		TEST(stop_takes_effect_at_the_end_of_the_turn),
		TEST(run_again_after_stop),
		TEST(run_while_running_is_refused),
		TEST(one_reactor_may_run_another),
		TEST(run_once_waits_no_longer_than_asked),
		TEST(now_is_kept_for_the_turn_only),
		TEST(turn_runs_watches_timers_calls_and_the_end_in_order),
		TEST(wait_goes_on_after_a_foreign_signal),
		TEST(get_fd_tells_of_calls_and_timers_and_watches),
		TEST(free_from_its_own_callback_is_caught),
		TEST(new_without_memory_leaves_the_result_alone),
		TEST(new_without_descriptors_leaks_none),
		TEST(get_fd_without_descriptors_can_be_tried_again),
	};
	const struct CMUnitTest of_real_time[] = {
		TEST(reactors_nest),
	};
	const struct CMUnitTest of_epoll[] = {
		TEST(new_refused_by_epoll_leaks_nothing),
		TEST(get_fd_refused_by_epoll_leaks_nothing),
	};

	return RUN_ON_EACH_BACKEND(tests) + RUN_ON_REAL_BACKENDS(of_real_time) +
		cmocka_run_group_tests(of_epoll, NULL, NULL);
}
