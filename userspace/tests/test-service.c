/* SPDX-License-Identifier: MIT */
/* Services: the order in which a tree starts and stops, timers, ports. */
#include <untwist/service.h>

#include <errno.h>
#include <string.h>

#include <untwist/deferred.h>
#include <untwist/endpoint.h>
#include <untwist/failure.h>

#include "guests.h"
#include "harness-clock.h"
#include "harness.h"

/* Writes down "p", "b" or "e" and its name when it is prepared, begun or ended. */
struct part {
	struct utw_service service;
	struct utw_deferred *ending; /* when set, stop waits for it */
	int prepare_error;
	int start_error;
};

static char story[256];

static void tell(const char *what, const struct utw_service *s)
{
	strcat(story, what);
	strcat(story, s->name);
	strcat(story, " ");
}

static struct part *part_of(struct utw_service *s)
{
	return utw_container_of(s, struct part, service);
}

static int part_prepare(struct utw_service *s, struct utw_failure **why)
{
	(void)why;
	tell("p", s);
	return part_of(s)->prepare_error;
}

static int part_start(struct utw_service *s, struct utw_failure **why)
{
	if (part_of(s)->start_error)
		*why = utw_failure_from_errno(part_of(s)->start_error, "start", "on purpose");
	tell("b", s);
	return part_of(s)->start_error;
}

static struct utw_deferred *part_stop(struct utw_service *s)
{
	tell("e", s);
	return utw_deferred_ref(part_of(s)->ending);
}

static const struct utw_service_ops part_ops = { .prepare = part_prepare,
						 .start = part_start,
						 .stop = part_stop };

static void part_init(struct part *p, const char *name)
{
	memset(p, 0, sizeof(*p));
	utw_service_init(&p->service, &part_ops, name);
}

/* root has a and c, a has b. */
struct tree {
	struct part root, a, b, c;
};

static void tree_init(struct tree *t)
{
	story[0] = '\0';
	part_init(&t->root, "r");
	part_init(&t->a, "a");
	part_init(&t->b, "b");
	part_init(&t->c, "c");
	assert_int_equal(utw_service_add(&t->root.service, &t->a.service, NULL), 0);
	assert_int_equal(utw_service_add(&t->a.service, &t->b.service, NULL), 0);
	assert_int_equal(utw_service_add(&t->root.service, &t->c.service, NULL), 0);
}

static void stop_now(struct utw_service *s)
{
	struct utw_deferred *d = utw_service_stop(s);

	assert_true(utw_deferred_fired(d));
	utw_deferred_unref(d);
}

static void assert_story_told(const char *expected)
{
	assert_string_equal(story, expected);
	story[0] = '\0';
}

static void tree_starts_in_order_and_stops_in_reverse(void **state)
{
	struct tree t;

	(void)state;
	tree_init(&t);
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	assert_story_told("pr pa pb pc br ba bb bc ");
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	assert_story_told("");
	stop_now(&t.root.service);
	assert_story_told("ec eb ea er ");
	stop_now(&t.root.service);
	assert_story_told("");
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	stop_now(&t.root.service);
	assert_story_told("pr pa pb pc br ba bb bc ec eb ea er ");
}

static void privileged_phase_comes_first(void **state)
{
	struct tree t;

	(void)state;
	tree_init(&t);
	assert_int_equal(utw_service_prepare(&t.root.service, NULL), 0);
	assert_story_told("pr pa pb pc ");
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	assert_story_told("br ba bb bc ");
	stop_now(&t.root.service);
}

/* The next one is not stopped before, and the whole not done. */
static void stop_waits_for_each(void **state)
{
	struct utw_deferred *d, *again;
	struct tree t;

	(void)state;
	tree_init(&t);
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	story[0] = '\0';
	t.b.ending = utw_deferred_new();
	d = utw_service_stop(&t.root.service);
	assert_story_told("ec eb ");
	assert_false(utw_deferred_fired(d));
	again = utw_service_stop(&t.root.service);
	utw_deferred_unref(again);
	assert_int_equal(harness_take_unhandled(), 1);
	assert_int_equal(harness_unhandled_code(), EALREADY);
	assert_int_equal(utw_service_start(&t.root.service, NULL), -EBUSY);
	/* That one part fails to end well does not keep the others. */
	utw_deferred_errback(t.b.ending, utw_failure_from_errno(-EIO, "stop", "on purpose"));
	assert_story_told("ea er ");
	assert_true(utw_deferred_fired(d));
	utw_deferred_unref(t.b.ending);
	utw_deferred_unref(d);
	assert_int_equal(t.root.service.state, UTW_SERVICE_STOPPED);
}

/* Nothing is left of it, and an end that comes late finds nobody. */
static void abandoned_stop_is_forgotten(void **state)
{
	struct utw_deferred *d;
	struct tree t;

	(void)state;
	tree_init(&t);
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	story[0] = '\0';
	t.b.ending = utw_deferred_new();
	d = utw_service_stop(&t.root.service);
	utw_service_abandon(&t.root.service);
	utw_deferred_callback(t.b.ending, NULL);
	assert_story_told("ec eb ");
	assert_false(utw_deferred_fired(d));
	utw_deferred_unref(t.b.ending);
	utw_deferred_unref(d);
	t.b.ending = NULL;
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	stop_now(&t.root.service);
}

static void failed_start_tells_why_and_is_stopped(void **state)
{
	struct utw_failure *why = NULL;
	struct tree t;

	(void)state;
	tree_init(&t);
	t.b.start_error = -ENOSPC;
	assert_int_equal(utw_service_start(&t.root.service, &why), -ENOSPC);
	assert_string_equal(utw_failure_message(why), "on purpose");
	utw_failure_unref(why);
	assert_story_told("pr pa pb pc br ba bb ");
	stop_now(&t.root.service);
	assert_story_told("ec eb ea er ");
	t.b.start_error = 0;
	t.a.prepare_error = -EACCES;
	assert_int_equal(utw_service_start(&t.root.service, &why), -EACCES);
	assert_non_null(strstr(utw_failure_message(why), "a"));
	utw_failure_unref(why);
	assert_story_told("pr pa ");
	stop_now(&t.root.service);
	assert_story_told("ea er ");
}

static void names_are_unique_among_siblings(void **state)
{
	struct part twin;
	struct tree t;

	(void)state;
	tree_init(&t);
	part_init(&twin, "a");
	assert_int_equal(utw_service_add(&t.root.service, &twin.service, NULL), -EEXIST);
	assert_int_equal(utw_service_add(&t.c.service, &twin.service, NULL), 0);
	assert_int_equal(utw_service_add(&t.b.service, &twin.service, NULL), -EBUSY);
	assert_ptr_equal(utw_service_find(&t.root.service, "a"), &t.a.service);
	assert_null(utw_service_find(&t.root.service, "b"));
	utw_service_remove(&t.a.service);
	assert_null(utw_service_find(&t.root.service, "a"));
}

static void late_child_is_started(void **state)
{
	struct part late, bad;
	struct tree t;

	(void)state;
	tree_init(&t);
	assert_int_equal(utw_service_start(&t.root.service, NULL), 0);
	story[0] = '\0';
	part_init(&late, "l");
	part_init(&bad, "x");
	bad.start_error = -EIO;
	assert_int_equal(utw_service_add(&t.root.service, &late.service, NULL), 0);
	assert_story_told("pl bl ");
	assert_int_equal(utw_service_add(&t.root.service, &bad.service, NULL), -EIO);
	assert_story_told("px bx ex ");
	assert_null(bad.service.parent);
	stop_now(&t.root.service);
	assert_story_told("el ec eb ea er ");
}

static void count_call(void *data)
{
	++*(unsigned int *)data;
}

static void timer_service_keeps_its_grid(void **state)
{
	struct utw_timer_service t;
	struct utw_reactor *r;
	unsigned int calls = 0;

	(void)state;
	clock_freeze(100 * SECONDS);
	assert_int_equal(utw_reactor_new(&r), 0);
	utw_timer_service_init(&t, r, SECONDS, count_call, &calls);
	assert_int_equal(utw_service_start(&t.service, NULL), 0);
	assert_int_equal(calls, 0);
	turn_all(r);
	assert_int_equal(calls, 1);
	clock_advance(5 * SECONDS / 2);
	turn_all(r);
	assert_int_equal(calls, 2);
	clock_advance(SECONDS / 2 - 1);
	turn_all(r);
	assert_int_equal(calls, 2);
	clock_advance(1);
	turn_all(r);
	assert_int_equal(calls, 3);
	stop_now(&t.service);
	clock_advance(10 * SECONDS);
	turn_all(r);
	assert_int_equal(calls, 3);
	utw_reactor_free(r);
}

static void port_service_listens_from_the_first_phase(void **state)
{
	struct utw_failure *why = NULL;
	struct utw_port_service p, second;
	struct utw_endpoint *e, *taken;
	struct guests g;
	char text[64];

	(void)state;
	guests_open(&g);
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_SERVER, "tcp:0:interface=localhost",
					    NULL, NULL),
			 0);
	utw_port_service_init(&p, g.reactor, e, &g.factory);
	assert_int_equal(utw_service_prepare(&p.service, NULL), 0);
	assert_non_null(p.port);
	assert_int_equal(g.factory.users, 1);
	strcpy(text, "tcp:interface=localhost:");
	strcat(text, strchr(utw_port_name(p.port), ':') + 1);
	assert_int_equal(utw_endpoint_parse(&taken, UTW_ENDPOINT_SERVER, text, NULL, NULL), 0);
	utw_port_service_init(&second, g.reactor, taken, &g.factory);
	assert_int_equal(utw_service_start(&second.service, &why), -EADDRINUSE);
	assert_non_null(strstr(utw_failure_message(why), text));
	utw_failure_unref(why);
	stop_now(&second.service);
	stop_now(&p.service);
	assert_int_equal(g.factory.users, 0);
	utw_endpoint_free(e);
	utw_endpoint_free(taken);
	guests_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tree_starts_in_order_and_stops_in_reverse),
		TEST(privileged_phase_comes_first),
		TEST(stop_waits_for_each),
		TEST(abandoned_stop_is_forgotten),
		TEST(failed_start_tells_why_and_is_stopped),
		TEST(names_are_unique_among_siblings),
		TEST(late_child_is_started),
		TEST(timer_service_keeps_its_grid),
		TEST(port_service_listens_from_the_first_phase),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
