// SPDX-License-Identifier: MIT
/* Signal sources, with real signals sent to this very process. */
#include <untwist/signal.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include <untwist/reactor.h>

#include "backends.h"
#include "harness-alloc.h"
#include "notes.h"
#include "reactor/reactor-private.h"

static struct notes notes;

struct lettered {
	struct utw_signal signal;
	struct lettered *other; /* for callbacks that meddle */
	char letter;
	int last;
};

static struct lettered *lettered_of(struct utw_signal *s)
{
	return utw_container_of(s, struct lettered, signal);
}

static void note_letter(struct utw_signal *s, int signo)
{
	note(&notes, lettered_of(s)->letter);
	lettered_of(s)->last = signo;
}

static void lettered_init(struct lettered *l, utw_signal_fn fn, char letter)
{
	*l = (struct lettered){ .letter = letter };
	utw_signal_init(&l->signal, fn);
}

static struct utw_reactor *new_reactor(void)
{
	struct utw_reactor *r = NULL;

	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new(&r), 0);
	return r;
}

/* Has to be the first: what the first source makes for its reactor is used again by all. */
static void start_without_memory_leaves_it_inactive(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	alloc_fail_at(1);
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), -ENOMEM);
	assert_true(alloc_failed());
	assert_false(utw_signal_active(&a.signal));
	utw_reactor_free(r);
}

static void signal_runs_as_an_ordinary_callback(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_true(utw_signal_active(&a.signal));
	raise(SIGUSR1);
	assert_noted(&notes, "");
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "a");
	assert_int_equal(a.last, SIGUSR1);
	utw_signal_stop(&a.signal);
	utw_reactor_free(r);
}

static void signals_faster_than_turns_are_merged(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	lettered_init(&b, note_letter, 'b');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&b.signal, r, SIGRTMAX), 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGRTMAX);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 2);
	assert_noted(&notes, "ab");
	assert_int_equal(b.last, SIGRTMAX);
	raise(SIGUSR1);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	utw_signal_stop(&a.signal);
	utw_signal_stop(&b.signal);
	utw_reactor_free(r);
}

static void two_reactors_are_both_told(void **state)
{
	struct utw_reactor *r = new_reactor(), *q = new_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	lettered_init(&b, note_letter, 'b');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&b.signal, q, SIGUSR1), 0);
	raise(SIGUSR1);
	utw_reactor_run_once(q, UTW_FOREVER);
	assert_noted(&notes, "b");
	utw_reactor_run_once(r, UTW_FOREVER);
	assert_noted(&notes, "a");
	utw_reactor_free(q);
	raise(SIGUSR1);
	utw_reactor_run_once(r, UTW_FOREVER);
	assert_noted(&notes, "a");
	assert_false(utw_signal_active(&b.signal));
	utw_reactor_free(r);
}

static void previous_handler(int signo)
{
	(void)signo;
	note(&notes, 'p');
}

static void stop_of_the_last_restores_what_was_there(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b;

	(void)state;
	signal(SIGUSR1, previous_handler);
	lettered_init(&a, note_letter, 'a');
	lettered_init(&b, note_letter, 'b');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&b.signal, r, SIGUSR1), 0);
	utw_signal_stop(&a.signal);
	raise(SIGUSR1);
	assert_noted(&notes, "");
	utw_signal_stop(&b.signal);
	raise(SIGUSR1);
	assert_noted(&notes, "p");
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	signal(SIGUSR1, SIG_DFL);
	utw_reactor_free(r);
}

static void stop_leaves_a_handler_that_someone_else_put(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	signal(SIGUSR1, previous_handler);
	utw_signal_stop(&a.signal);
	raise(SIGUSR1);
	assert_noted(&notes, "p");
	signal(SIGUSR1, SIG_DFL);
	utw_reactor_free(r);
}

static void signal_pending_at_stop_is_not_told_to_the_next(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	raise(SIGUSR1);
	utw_signal_stop(&a.signal);
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_reactor_run_once(r, 0), 0);
	assert_noted(&notes, "");
	utw_signal_stop(&a.signal);
	utw_reactor_free(r);
}

static void stop_both(struct utw_signal *s, int signo)
{
	note_letter(s, signo);
	utw_signal_stop(s);
	utw_signal_stop(&lettered_of(s)->other->signal);
}

static void stop_of_self_and_another_in_a_callback(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b, c;

	(void)state;
	lettered_init(&a, stop_both, 'a');
	lettered_init(&b, note_letter, 'b');
	lettered_init(&c, note_letter, 'c');
	a.other = &b;
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&b.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&c.signal, r, SIGUSR1), 0);
	raise(SIGUSR1);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 2);
	assert_noted(&notes, "ac");
	utw_signal_stop(&c.signal);
	utw_reactor_free(r);
}

static void start_the_other(struct utw_signal *s, int signo)
{
	note_letter(s, signo);
	utw_signal_start(&lettered_of(s)->other->signal, s->reactor, signo);
}

static void start_in_a_callback_is_for_the_next_signal(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a, b;

	(void)state;
	lettered_init(&a, start_the_other, 'a');
	lettered_init(&b, note_letter, 'b');
	a.other = &b;
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	raise(SIGUSR1);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 1);
	assert_noted(&notes, "a");
	raise(SIGUSR1);
	assert_int_equal(utw_reactor_run_once(r, UTW_FOREVER), 2);
	assert_noted(&notes, "ab");
	utw_signal_stop(&a.signal);
	utw_signal_stop(&b.signal);
	utw_reactor_free(r);
}

static void start_says_what_is_wrong(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	assert_int_equal(utw_signal_start(&a.signal, r, 0), -EINVAL);
	assert_int_equal(utw_signal_start(&a.signal, r, 65), -EINVAL);
	assert_int_equal(utw_signal_start(&a.signal, r, SIGKILL), -EINVAL);
	assert_null(r->signals.subscriber);
	assert_false(utw_signal_active(&a.signal));
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), -EBUSY);
	utw_signal_stop(&a.signal);
	utw_signal_stop(&a.signal);
	utw_reactor_free(r);
}

static void errno_survives_the_handler(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct lettered a;

	(void)state;
	lettered_init(&a, note_letter, 'a');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	errno = 4242;
	raise(SIGUSR1);
	assert_int_equal(errno, 4242);
	utw_signal_stop(&a.signal);
	utw_reactor_free(r);
}

/* The thread signals until told to stop; the reactor must be woken from its sleep each time. */
struct sender {
	pthread_t target;
	unsigned int count;
};

static void *send_signals(void *data)
{
	struct sender *sender = data;
	unsigned int i;

	for (i = 0; i < sender->count; i++)
		pthread_kill(sender->target, SIGUSR1);
	pthread_kill(sender->target, SIGUSR2);
	return NULL;
}

static void stop_reactor(struct utw_signal *s, int signo)
{
	(void)signo;
	utw_reactor_stop(s->reactor);
}

static void count_silently(struct utw_signal *s, int signo)
{
	lettered_of(s)->last = signo;
}

static void signals_wake_a_sleeping_reactor(void **state)
{
	struct utw_reactor *r = new_reactor();
	struct sender sender = { .target = pthread_self(), .count = 1000 };
	struct lettered a, b;
	pthread_t thread;

	(void)state;
	lettered_init(&a, count_silently, 'a');
	lettered_init(&b, stop_reactor, 'b');
	assert_int_equal(utw_signal_start(&a.signal, r, SIGUSR1), 0);
	assert_int_equal(utw_signal_start(&b.signal, r, SIGUSR2), 0);
	assert_int_equal(pthread_create(&thread, NULL, send_signals, &sender), 0);
	assert_int_equal(utw_reactor_run(r), 0);
	pthread_join(thread, NULL);
	assert_int_equal(a.last, SIGUSR1);
	utw_signal_stop(&a.signal);
	utw_signal_stop(&b.signal);
	utw_reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signal_runs_as_an_ordinary_callback),
		TEST(signals_faster_than_turns_are_merged),
		TEST(two_reactors_are_both_told),
		TEST(stop_of_the_last_restores_what_was_there),
		TEST(stop_leaves_a_handler_that_someone_else_put),
		TEST(signal_pending_at_stop_is_not_told_to_the_next),
		TEST(stop_of_self_and_another_in_a_callback),
		TEST(start_in_a_callback_is_for_the_next_signal),
		TEST(start_says_what_is_wrong),
		TEST(errno_survives_the_handler),
		TEST(signals_wake_a_sleeping_reactor),
	};

	const struct CMUnitTest first[] = {
		TEST(start_without_memory_leaves_it_inactive),
	};
	int failures = cmocka_run_group_tests(first, NULL, NULL);

	return failures + RUN_ON_EACH_BACKEND(tests);
}
