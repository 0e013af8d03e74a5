// SPDX-License-Identifier: MIT
/* Watches, on real pipes and socket pairs. */
#include <untwist/watch.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/reactor.h>

#include "backends.h"
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

	(void)state;
	seen_open(&s, r, see);
	utw_watch_init(&second, see);
	assert_int_equal(seen_start(&s, EPOLLIN), 0);
	assert_int_equal(seen_start(&s, EPOLLIN), -EBUSY);
	assert_int_equal(utw_watch_start(&second, r, s.ends[0], EPOLLIN), -EEXIST);
	assert_int_equal(utw_watch_start(&second, r, -1, EPOLLIN), -EBADF);
	assert_int_equal(utw_watch_start(&second, r, s.ends[1], 1U << 20), -EINVAL);
	assert_int_equal(utw_watch_start(&second, r, s.ends[1], EPOLLEXCLUSIVE | EPOLLRDHUP),
			 -EINVAL);
	assert_false(utw_watch_active(&second));
	assert_int_equal(utw_watch_fd(&second), -1);
	seen_close(&s);
	utw_reactor_free(r);
}

/* A regular file never blocks, so it is ready whenever it is asked for. */
static void regular_file_is_always_ready(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s = { .reactor = r };
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	utw_watch_init(&s.watch, see);
	assert_int_equal(utw_watch_start(&s.watch, r, file, EPOLLIN), 0);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(s.events, EPOLLIN);
	assert_int_equal(utw_watch_set_events(&s.watch, 0), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_int_equal(utw_watch_set_events(&s.watch, EPOLLIN | EPOLLONESHOT), 0);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_watch_stop(&s.watch);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	close(file);
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
static void more_than_a_batch_of_ready_watches_are_all_served(void **state)
{
	static struct seen many[UTW_POLLER_BATCH + 44];
	struct utw_reactor *r = new_reactor();
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		int called = 0, now;

		for (i = 0; i < ARRAY_SIZE(many); i++) {
			seen_open(&many[i], r, see);
			assert_int_equal(seen_start(&many[i], EPOLLIN | EPOLLET), 0);
			seen_poke(&many[i]);
		}
		while ((now = utw_reactor_run_once(r, 0)) > 0)
			called += now;
		assert_int_equal(called, ARRAY_SIZE(many));
		for (i = 0; i < ARRAY_SIZE(many); i++) {
			assert_int_equal(many[i].calls, 1);
			seen_close(&many[i]);
		}
	}
	assert_int_equal(r->watches.count, ARRAY_SIZE(many));
	utw_reactor_free(r);
}

static struct seen crowd[UTW_POLLER_BATCH + 44];

static void drain_the_crowd(struct utw_watch *w, uint32_t events)
{
	unsigned int i;
	char byte;

	see(w, events);
	for (i = 0; i < ARRAY_SIZE(crowd); i++)
		while (read(crowd[i].ends[0], &byte, 1) == 1)
			;
}

/* Who watches a level may block on what it was told: in a later turn that is looked at anew. */
static void level_that_is_gone_is_not_told_in_a_later_turn(void **state)
{
	struct utw_reactor *r = new_reactor();
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(crowd); i++) {
		seen_open(&crowd[i], r, drain_the_crowd);
		assert_int_equal(seen_start(&crowd[i], EPOLLIN), 0);
	}
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	for (i = 0; i < ARRAY_SIZE(crowd); i++)
		seen_poke(&crowd[i]);
	assert_true(utw_reactor_run_once(r, 0) > 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_poke(&crowd[7]);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	for (i = 0; i < ARRAY_SIZE(crowd); i++)
		seen_close(&crowd[i]);
	utw_reactor_free(r);
}

/* Neither a watch that was stopped nor a reactor that was freed keeps a file from its end. */
static void descriptor_is_closed_for_its_peer_at_once(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen a, b;
	char byte;

	(void)state;
	seen_open(&a, r, see);
	seen_open(&b, r, see);
	seen_start(&a, EPOLLIN | EPOLLET);
	seen_start(&b, EPOLLIN | EPOLLET);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_watch_stop(&a.watch);
	close(a.ends[0]);
	assert_int_equal(read(a.ends[1], &byte, 1), 0);
	utw_reactor_free(r);
	close(b.ends[0]);
	assert_int_equal(read(b.ends[1], &byte, 1), 0);
	close(a.ends[1]);
	close(b.ends[1]);
}

static void *turn_once(void *reactor)
{
	return utw_reactor_run_once(reactor, UTW_FOREVER) == 1 ? reactor : NULL;
}

/* Belonging to one thread at a time, a reactor may go from one to the next. */
static void reactor_may_be_taken_to_another_thread(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen edge, level;
	pthread_t thread;
	void *told = NULL;

	(void)state;
	seen_open(&edge, r, see);
	seen_open(&level, r, see);
	seen_start(&edge, EPOLLIN | EPOLLET);
	seen_start(&level, EPOLLIN);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_poke(&edge);
	assert_int_equal(pthread_create(&thread, NULL, turn_once, r), 0);
	pthread_join(thread, &told);
	assert_ptr_equal(told, r);
	assert_int_equal(edge.calls, 1);
	utw_watch_stop(&edge.watch);
	seen_poke(&level);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_int_equal(level.calls, 1);
	seen_close(&edge);
	seen_close(&level);
	utw_reactor_free(r);
}

static void change_of_mind_before_the_turn_counts_as_the_last_word(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct seen s;

	(void)state;
	seen_open(&s, r, see);
	seen_start(&s, EPOLLIN);
	seen_poke(&s);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	utw_watch_set_events(&s.watch, EPOLLOUT);
	utw_watch_set_events(&s.watch, EPOLLPRI);
	utw_watch_set_events(&s.watch, EPOLLIN);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(s.events, EPOLLIN);
	utw_watch_set_events(&s.watch, EPOLLPRI);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	utw_watch_set_events(&s.watch, EPOLLIN | EPOLLET);
	assert_int_equal(utw_reactor_run_once(r, 0), 1);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	seen_close(&s);
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
		TEST(regular_file_is_always_ready),
		TEST(start_without_memory_leaves_it_inactive),
		TEST(stop_of_another_in_the_same_batch_holds),
		TEST(stale_event_does_not_reach_a_reused_descriptor),
		TEST(set_events_drops_what_is_pending_in_the_batch),
		TEST(stop_and_start_again_on_the_same_descriptor),
		TEST(watch_may_be_freed_by_its_own_callback),
		TEST(more_than_a_batch_of_ready_watches_are_all_served),
		TEST(level_that_is_gone_is_not_told_in_a_later_turn),
		TEST(descriptor_is_closed_for_its_peer_at_once),
		TEST(reactor_may_be_taken_to_another_thread),
		TEST(change_of_mind_before_the_turn_counts_as_the_last_word),
		TEST(stop_after_the_descriptor_was_closed_is_harmless),
		TEST(reactor_free_leaves_watches_inactive),
	};

	return RUN_ON_EACH_BACKEND(tests);
}
