// SPDX-License-Identifier: MIT
/* What other threads may do: post calls, and share failures. */
#include <errno.h>
#include <pthread.h>

#include <untwist/failure.h>
#include <untwist/reactor.h>

#include "backends.h"
#include "harness-alloc.h"
#include "harness.h"

#define THREADS 4
#define POSTS	5000

/* All but `posted` belongs to the reactor's thread. */
struct poster {
	struct utw_reactor *reactor;
	pthread_t thread;
	unsigned int *unfinished;
	unsigned int expected; /* the number the next call must carry */
	struct post {
		struct poster *poster;
		unsigned int number;
	} posts[POSTS];
};

static void post_arrived(void *data)
{
	struct post *post = data;
	struct poster *poster = post->poster;

	assert_int_equal(post->number, poster->expected);
	poster->expected++;
	if (poster->expected == POSTS && --*poster->unfinished == 0)
		utw_reactor_stop(poster->reactor);
}

static void *post_all(void *data)
{
	struct poster *poster = data;
	unsigned int i;

	for (i = 0; i < POSTS; i++) {
		poster->posts[i] = (struct post){ .poster = poster, .number = i };
		if (utw_reactor_call_from_thread(poster->reactor, post_arrived, &poster->posts[i]))
			return NULL;
	}
	return NULL;
}

static void calls_of_many_threads_all_arrive_in_each_ones_order(void **state)
{
	static struct poster posters[THREADS];
	unsigned int unfinished = THREADS, i;
	struct utw_reactor *r = NULL;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	for (i = 0; i < THREADS; i++) {
		posters[i].reactor = r;
		posters[i].expected = 0;
		posters[i].unfinished = &unfinished;
		assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]),
				 0);
	}
	assert_int_equal(utw_reactor_run(r), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(posters[i].thread, NULL);
		assert_int_equal(posters[i].expected, POSTS);
	}
	utw_reactor_free(r);
}

/* Two reactors throw a ball: every throw must wake the other one from its sleep. */
struct player {
	struct utw_reactor *reactor;
	struct player *other;
	unsigned int catches;
};

#define ROUNDS 20000

static void stop_playing(void *data)
{
	utw_reactor_stop(((struct player *)data)->reactor);
}

static void catch_ball(void *data)
{
	struct player *me = data;

	if (++me->catches == ROUNDS) {
		utw_reactor_call_from_thread(me->other->reactor, stop_playing, me->other);
		stop_playing(me);
		return;
	}
	utw_reactor_call_from_thread(me->other->reactor, catch_ball, me->other);
}

static void *play(void *data)
{
	utw_reactor_run(((struct player *)data)->reactor);
	return NULL;
}

static void wake_ups_are_never_lost(void **state)
{
	struct player a = { 0 }, b = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(utw_reactor_new(&a.reactor), 0);
	assert_int_equal(utw_reactor_new(&b.reactor), 0);
	a.other = &b;
	b.other = &a;
	utw_reactor_call_from_thread(a.reactor, catch_ball, &a);
	assert_int_equal(pthread_create(&thread, NULL, play, &b), 0);
	assert_int_equal(utw_reactor_run(a.reactor), 0);
	pthread_join(thread, NULL);
	assert_true(a.catches == ROUNDS || b.catches == ROUNDS);
	utw_reactor_free(a.reactor);
	utw_reactor_free(b.reactor);
}

static void post_again(void *data)
{
	struct player *me = data;

	me->catches++;
	utw_reactor_call_from_thread(me->reactor, post_again, me);
}

static void call_posted_by_a_posted_call_waits_for_the_next_turn(void **state)
{
	struct player me = { 0 };

	(void)state;
	assert_int_equal(utw_reactor_new(&me.reactor), 0);
	utw_reactor_call_from_thread(me.reactor, post_again, &me);
	assert_int_equal(utw_reactor_run_once(me.reactor, UTW_FOREVER), 1);
	assert_int_equal(me.catches, 1);
	assert_int_equal(utw_reactor_run_once(me.reactor, UTW_FOREVER), 1);
	assert_int_equal(me.catches, 2);
	utw_reactor_free(me.reactor);
}

static void call_from_thread_without_memory_posts_nothing(void **state)
{
	struct player me = { 0 };

	(void)state;
	assert_int_equal(utw_reactor_new(&me.reactor), 0);
	alloc_fail_at(1);
	assert_int_equal(utw_reactor_call_from_thread(me.reactor, post_again, &me), -ENOMEM);
	assert_int_equal(utw_reactor_run_once(me.reactor, 0), 0);
	utw_reactor_free(me.reactor);
}

static void *ref_and_unref(void *failure)
{
	int i;

	for (i = 0; i < 20000; i++)
		utw_failure_unref(utw_failure_ref(failure));
	utw_failure_unref(failure);
	return NULL;
}

static void failure_may_be_shared_by_threads(void **state)
{
	struct utw_failure *f = utw_failure_from_errno(-EIO, "test", "shared");
	pthread_t threads[THREADS];
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ref_and_unref,
						utw_failure_ref(f)),
				 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(utw_failure_code(f), EIO);
	utw_failure_unref(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_of_many_threads_all_arrive_in_each_ones_order),
		TEST(wake_ups_are_never_lost),
		TEST(call_posted_by_a_posted_call_waits_for_the_next_turn),
		TEST(call_from_thread_without_memory_posts_nothing),
		TEST(failure_may_be_shared_by_threads),
	};

	return RUN_ON_EACH_BACKEND(tests);
}
