// SPDX-License-Identifier: MIT
/* Watches, on real pipes and socket pairs. */
#include <untwist/watch.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "harness-alloc.h"
#include "harness.h"
#include "reactor/reactor-private.h"

/* One end of a socket pair under watch, and what was seen of it. */
struct seen {
	struct utw_watch watch;
	struct utw_reactor *reactor;
	struct seen *other; /* for callbacks that meddle */
	int ends[2];
	unsigned int calls;
	uint32_t events;
};

static struct seen *seen_of(struct utw_watch *w)
{
	return utw_container_of(w, struct seen, watch);
}

static void see(struct utw_watch *w, uint32_t events)
{
	seen_of(w)->calls++;
	seen_of(w)->events = events;
}

static void seen_open(struct seen *s, struct utw_reactor *r, utw_watch_fn fn)
{
	*s = (struct seen){ .reactor = r };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s->ends), 0);
	utw_watch_init(&s->watch, fn);
}

static int seen_start(struct seen *s, uint32_t events)
{
	return utw_watch_start(&s->watch, s->reactor, s->ends[0], events);
}

static void seen_poke(struct seen *s)
{
	assert_int_equal(write(s->ends[1], "x", 1), 1);
}

static void seen_close(struct seen *s)
{
	utw_watch_stop(&s->watch);
	close(s->ends[0]);
	close(s->ends[1]);
}

static struct utw_reactor *new_reactor(void)
{
	struct utw_reactor *r = NULL;

	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

static void level_triggered_tells_again_until_read(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;
	char byte;

	(void)state;
	seen_open(&s, r, see);
	assert_int_equal(seen_start(&s, EPOLLIN), 0);
	assert_true(utw_watch_active(&s.watch));
	assert_int_equal(utw_watch_fd(&s.watch), s.ends[0]);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(s.events, EPOLLIN);
	assert_int_equal(read(s.ends[0], &byte, 1), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_close(&s);
	utw_reactor_free(r);
}

static void edge_triggered_tells_once_and_set_events_re_arms(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN | EPOLLET);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(utw_watch_set_events(&s.watch, EPOLLIN | EPOLLET), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	seen_close(&s);
	utw_reactor_free(r);
}

static void one_shot_stays_active_but_silent_until_set_events(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN | EPOLLONESHOT);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_true(utw_watch_active(&s.watch));
	assert_int_equal(utw_watch_set_events(&s.watch, EPOLLIN | EPOLLONESHOT), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	seen_close(&s);
	utw_reactor_free(r);
}

static void exclusive_works_and_cannot_be_changed(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	assert_int_equal(seen_start(&s, EPOLLIN | EPOLLEXCLUSIVE), 0);
	assert_int_equal(utw_watch_set_events(&s.watch, EPOLLIN | EPOLLOUT), -EINVAL);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	seen_close(&s);
	utw_reactor_free(r);
}

static void set_events_changes_what_is_told(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN);
	assert_int_equal(utw_watch_set_events(&s.watch, EPOLLOUT), 0);
	utw_reactor_run_once(r, 0);
	assert_int_equal(s.events, EPOLLOUT);
	assert_int_equal(utw_watch_set_events(&s.watch, 0), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_close(&s);
	assert_int_equal(utw_watch_set_events(&s.watch, EPOLLIN), -EINVAL);
	utw_reactor_free(r);
}

static void start_for_nothing_still_tells_of_a_hang_up(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	assert_int_equal(seen_start(&s, 0), 0);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	shutdown(s.ends[0], SHUT_RDWR);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(s.events, EPOLLHUP);
	seen_close(&s);
	utw_reactor_free(r);
}

static void peer_that_closes_is_told_with_rdhup(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLRDHUP);
	shutdown(s.ends[1], SHUT_WR);
	utw_reactor_run_once(r, 0);
	assert_int_equal(s.events, EPOLLRDHUP);
	seen_close(&s);
	utw_reactor_free(r);
}

static void start_says_what_is_wrong(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct utw_watch second;
	struct seen s;
	int file;

	(void)state;
	seen_open(&s, r, see);
	utw_watch_init(&second, see);
	assert_int_equal(seen_start(&s, EPOLLIN), 0);
	assert_int_equal(seen_start(&s, EPOLLIN), -EBUSY);
	assert_int_equal(utw_watch_start(&second, r, s.ends[0], EPOLLIN), -EEXIST);
	assert_int_equal(utw_watch_start(&second, r, -1, EPOLLIN), -EBADF);
	assert_int_equal(utw_watch_start(&second, r, s.ends[1], 1U << 20), -EINVAL);
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(utw_watch_start(&second, r, file, EPOLLIN), -EPERM);
	assert_false(utw_watch_active(&second));
	assert_int_equal(utw_watch_fd(&second), -1);
	close(file);
	seen_close(&s);
	utw_reactor_free(r);
}

static void start_without_memory_leaves_it_inactive(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	alloc_fail_at(1);
	assert_int_equal(seen_start(&s, EPOLLIN), -ENOMEM);
	assert_false(utw_watch_active(&s.watch));
	assert_int_equal(seen_start(&s, EPOLLIN), 0);
	seen_close(&s);
	utw_reactor_free(r);
}

static void stop_both(struct utw_watch *w, uint32_t events)
{
	see(w, events);
	utw_watch_stop(&seen_of(w)->other->watch);
	utw_watch_stop(w);
}

/* Both are ready in one batch; whichever comes first silences the other. */
static void stop_of_another_in_the_same_batch_holds(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen a, b;

	(void)state;
	seen_open(&a, r, stop_both);
	seen_open(&b, r, stop_both);
	a.other = &b;
	b.other = &a;
	seen_start(&a, EPOLLIN);
	seen_start(&b, EPOLLIN);
	seen_poke(&a);
	seen_poke(&b);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(a.calls + b.calls, 1);
	seen_close(&a);
	seen_close(&b);
	utw_reactor_free(r);
}

/* The other one is closed, and its number re-opened and watched by the very same watch. */
static void replace_the_other(struct utw_watch *w, uint32_t events)
{
	struct seen *other = seen_of(w)->other;
	int old = other->ends[0];

	see(w, events);
	utw_watch_stop(w);
	if (other->calls)
		return;
	seen_close(other);
	seen_open(other, other->reactor, see);
	if (other->ends[0] != old && other->ends[1] == old) {
		other->ends[1] = other->ends[0];
		other->ends[0] = old;
	}
	assert_int_equal(other->ends[0], old);
	assert_int_equal(seen_start(other, EPOLLIN), 0);
}

static void stale_event_does_not_reach_a_reused_descriptor(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen a, b;

	(void)state;
	seen_open(&a, r, replace_the_other);
	seen_open(&b, r, replace_the_other);
	a.other = &b;
	b.other = &a;
	seen_start(&a, EPOLLIN);
	seen_start(&b, EPOLLIN);
	seen_poke(&a);
	seen_poke(&b);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(a.calls + b.calls, 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_close(&a);
	seen_close(&b);
	utw_reactor_free(r);
}

static void silence_the_other(struct utw_watch *w, uint32_t events)
{
	see(w, events);
	utw_watch_set_events(&seen_of(w)->other->watch, EPOLLPRI);
}

static void set_events_drops_what_is_pending_in_the_batch(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen a, b;

	(void)state;
	seen_open(&a, r, silence_the_other);
	seen_open(&b, r, silence_the_other);
	a.other = &b;
	b.other = &a;
	seen_start(&a, EPOLLIN);
	seen_start(&b, EPOLLIN);
	seen_poke(&a);
	seen_poke(&b);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	seen_close(&a);
	seen_close(&b);
	utw_reactor_free(r);
}

static void free_itself(struct utw_watch *w, uint32_t events)
{
	struct seen *s = seen_of(w);

	(void)events;
	seen_close(s);
	free(s);
}

static void stop_and_start_again_on_the_same_descriptor(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN);
	utw_watch_stop(&s.watch);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(seen_start(&s, EPOLLIN), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	seen_close(&s);
	utw_reactor_free(r);
}

static void watch_may_be_freed_by_its_own_callback(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen *s = malloc(sizeof(*s));

	(void)state;
	seen_open(s, r, free_itself);
	seen_start(s, EPOLLIN);
	seen_poke(s);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_reactor_free(r);
}

/* More watches than one batch holds: all are served, and slots are used again. */
static void hundred_ready_watches_are_all_served(void **state)
{
	static struct seen many[100];
	struct utw_reactor *r = new_reactor();
	unsigned int i, round, turns;

	(void)state;
	for (round = 0; round < 2; round++) {
		int called = 0;

		for (i = 0; i < ARRAY_SIZE(many); i++) {
			seen_open(&many[i], r, see);
			assert_int_equal(seen_start(&many[i], EPOLLIN | EPOLLET), 0);
			seen_poke(&many[i]);
		}
		for (turns = 0; turns < 2; turns++)
			called += utw_reactor_run_once(r, 0);
		assert_int_equal(called, ARRAY_SIZE(many));
		for (i = 0; i < ARRAY_SIZE(many); i++) {
			assert_int_equal(many[i].calls, 1);
			seen_close(&many[i]);
		}
	}
	assert_int_equal(r->watches.count, ARRAY_SIZE(many));
	utw_reactor_free(r);
}

static void stop_after_the_descriptor_was_closed_is_harmless(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN);
	close(s.ends[0]);
	utw_watch_stop(&s.watch);
	utw_watch_stop(&s.watch);
	assert_false(utw_watch_active(&s.watch));
	close(s.ends[1]);
	utw_reactor_free(r);
}

static void reactor_free_leaves_watches_inactive(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN);
	utw_reactor_free(r);
	assert_false(utw_watch_active(&s.watch));
	seen_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(level_triggered_tells_again_until_read),
		TEST(edge_triggered_tells_once_and_set_events_re_arms),
		TEST(one_shot_stays_active_but_silent_until_set_events),
		TEST(exclusive_works_and_cannot_be_changed),
		TEST(set_events_changes_what_is_told),
		TEST(start_for_nothing_still_tells_of_a_hang_up),
		TEST(peer_that_closes_is_told_with_rdhup),
		TEST(start_says_what_is_wrong),
		TEST(start_without_memory_leaves_it_inactive),
		TEST(stop_of_another_in_the_same_batch_holds),
		TEST(stale_event_does_not_reach_a_reused_descriptor),
		TEST(set_events_drops_what_is_pending_in_the_batch),
		TEST(stop_and_start_again_on_the_same_descriptor),
		TEST(watch_may_be_freed_by_its_own_callback),
		TEST(hundred_ready_watches_are_all_served),
		TEST(stop_after_the_descriptor_was_closed_is_harmless),
		TEST(reactor_free_leaves_watches_inactive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
