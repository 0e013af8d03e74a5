// SPDX-License-Identifier: MIT
/* The fake reactor: its clock, and descriptors that are ready when the test says so. */
#include <untwist/fake.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <untwist/reactor.h>
#include <untwist/timer.h>
#include <untwist/watch.h>

#include "harness-alloc.h"
#include "harness-clock.h"
#include "notes.h"

#define PROP (UTW_FAKE_FD + 5)

static struct notes notes;
static uint32_t told;

static struct utw_reactor *fake_reactor(void)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_FAKE };
	struct utw_reactor *r = NULL;

	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new_with(&r, &options), 0);
	return r;
}

static void note_w(struct utw_watch *w, uint32_t events)
{
	(void)w;
	told = events;
	note(&notes, 'w');
}

static struct utw_reactor *timed;

static void note_t_and_stop(struct utw_timer *t)
{
	(void)t;
	note(&notes, 't');
	utw_reactor_stop(timed);
}

static void run_puts_the_clock_forward_to_the_deadline(void **state)
{
	struct utw_reactor *r = fake_reactor();
	uint64_t start = utw_reactor_now(r);
	struct utw_timer t;

	(void)state;
	timed = r;
	utw_timer_init(&t, note_t_and_stop);
	utw_timer_start(&t, r, 3600 * SECONDS);
	assert_int_equal(utw_reactor_run(r), 0);
	assert_noted(&notes, "t");
	assert_true(utw_reactor_now(r) - start == 3600 * SECONDS);
	utw_reactor_free(r);
}

static void clock_stands_still_until_told(void **state)
{
	struct utw_reactor *r = fake_reactor();
	uint64_t start = utw_reactor_now(r);

	(void)state;
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_true(utw_reactor_now(r) == start);
	assert_int_equal(utw_fake_advance(r, 7), 0);
	assert_true(utw_reactor_now(r) == start + 7);
	assert_int_equal(utw_reactor_run_once(r, 5 * SECONDS), 0);
	assert_true(utw_reactor_now(r) == start + 7 + 5 * SECONDS);
	utw_reactor_free(r);
}

static void level_edge_and_one_shot_mean_what_they_mean_elsewhere(void **state)
{
	struct utw_reactor *r = fake_reactor();
	struct utw_watch w;

	(void)state;
	utw_watch_init(&w, note_w);
	assert_int_equal(utw_watch_start(&w, r, PROP, EPOLLIN), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(utw_fake_set_ready(r, PROP, EPOLLIN | EPOLLOUT), 0);
	utw_reactor_run_once(r, UTW_FOREVER);
	utw_reactor_run_once(r, UTW_FOREVER);
	assert_noted(&notes, "ww");
	assert_int_equal(told, EPOLLIN);

	utw_watch_set_events(&w, EPOLLIN | EPOLLET);
	utw_reactor_run_once(r, 0);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "w");
	utw_fake_set_ready(r, PROP, EPOLLIN);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "w");

	utw_watch_set_events(&w, EPOLLIN | EPOLLONESHOT);
	utw_reactor_run_once(r, 0);
	utw_fake_set_ready(r, PROP, EPOLLIN);
	utw_reactor_run_once(r, 0);
	assert_noted(&notes, "w");
	utw_watch_stop(&w);
	utw_reactor_free(r);
}

static void hang_up_is_told_though_nothing_is_asked_for(void **state)
{
	struct utw_reactor *r = fake_reactor();
	struct utw_watch w;

	(void)state;
	utw_fake_set_ready(r, PROP, EPOLLIN | EPOLLHUP);
	utw_watch_init(&w, note_w);
	utw_watch_start(&w, r, PROP, 0);
	utw_reactor_run_once(r, 0);
	assert_int_equal(told, EPOLLHUP);
	utw_fake_set_ready(r, PROP, 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_watch_stop(&w);
	utw_reactor_free(r);
}

/* Readiness that is made up does not hide what is real. */
static void real_descriptors_are_served_beside(void **state)
{
	struct utw_reactor *r = fake_reactor();
	struct utw_watch real, prop;
	int fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	utw_watch_init(&real, note_w);
	utw_watch_init(&prop, note_w);
	utw_watch_start(&real, r, fd, EPOLLIN);
	utw_watch_start(&prop, r, PROP, EPOLLIN);
	utw_fake_set_ready(r, PROP, EPOLLIN);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 2);
	utw_watch_stop(&real);
	utw_watch_stop(&prop);
	close(fd);
	utw_reactor_free(r);
}

static void errors_name_what_is_wrong(void **state)
{
	const struct utw_reactor_options options = { .backend = UTW_BACKEND_EPOLL };
	struct utw_reactor *r = fake_reactor(), *real = NULL;
	struct utw_watch a, b;

	(void)state;
	assert_int_equal(utw_reactor_new_with(&real, &options), 0);
	assert_int_equal(utw_fake_advance(real, 1), -ENOTSUP);
	assert_int_equal(utw_fake_set_ready(real, PROP, EPOLLIN), -ENOTSUP);
	assert_int_equal(utw_fake_set_ready(r, 0, EPOLLIN), -EBADF);
	utw_watch_init(&a, note_w);
	utw_watch_init(&b, note_w);
	assert_int_equal(utw_watch_start(&a, real, PROP, EPOLLIN), -EBADF);
	assert_int_equal(utw_watch_start(&a, r, PROP, EPOLLIN), 0);
	assert_int_equal(utw_watch_start(&b, r, PROP, EPOLLIN), -EEXIST);
	alloc_fail_at(1);
	utw_fake_set_ready(r, PROP, EPOLLIN);
	assert_false(alloc_failed());
	utw_watch_stop(&a);
	utw_reactor_free(real);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(run_puts_the_clock_forward_to_the_deadline),
		TEST(clock_stands_still_until_told),
		TEST(level_edge_and_one_shot_mean_what_they_mean_elsewhere),
		TEST(hang_up_is_told_though_nothing_is_asked_for),
		TEST(real_descriptors_are_served_beside),
		TEST(errors_name_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
