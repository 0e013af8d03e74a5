// SPDX-License-Identifier: MIT
/* Triggers: phases, their order, and those that take their time. */
#include <untwist/trigger.h>

#include <errno.h>
#include <stdlib.h>

#include <untwist/reactor.h>

#include "backends.h"
#include "notes.h"

static struct notes notes;
static struct utw_reactor *reactor;

struct lettered {
	struct utw_trigger trigger;
	struct lettered *other; /* for triggers that meddle */
	char letter;
	int returns;
};

static int note_letter(struct utw_trigger *t)
{
	struct lettered *l = utw_container_of(t, struct lettered, trigger);

	note(&notes, l->letter);
	return l->returns;
}

static void lettered_add(struct lettered *l, char letter, enum utw_trigger_on on,
			 enum utw_trigger_phase phase)
{
	*l = (struct lettered){ .letter = letter };
	utw_trigger_init(&l->trigger, note_letter);
	assert_int_equal(utw_trigger_add(&l->trigger, reactor, on, phase), 0);
}

static void stop(void *data)
{
	(void)data;
	note(&notes, '!');
	assert_int_equal(utw_reactor_stop(reactor), 0);
	assert_int_equal(utw_reactor_stop(reactor), 0);
}

static void open_reactor(void)
{
	notes = (struct notes){ 0 };
	assert_int_equal(utw_reactor_new(&reactor), 0);
}

static void phases_run_in_order_at_each_run(void **state)
{
	struct lettered a, b, c, d, e;
	int i;

	(void)state;
	open_reactor();
	lettered_add(&c, 'c', UTW_TRIGGER_STARTUP, UTW_TRIGGER_AFTER);
	lettered_add(&a, 'a', UTW_TRIGGER_STARTUP, UTW_TRIGGER_BEFORE);
	lettered_add(&b, 'b', UTW_TRIGGER_STARTUP, UTW_TRIGGER_BEFORE);
	lettered_add(&e, 'e', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_DURING);
	lettered_add(&d, 'd', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	a.returns = -EIO; /* holds up nothing */
	for (i = 0; i < 2; i++) {
		utw_reactor_call_soon(reactor, stop, NULL);
		assert_int_equal(utw_reactor_run(reactor), 0);
		assert_noted(&notes, "!abcde");
	}
	utw_reactor_free(reactor);
}

static void be_done(void *data)
{
	note(&notes, '+');
	assert_int_equal(utw_trigger_done(data), 0);
	assert_int_equal(utw_trigger_done(data), -EINVAL);
}

static int take_time(struct utw_trigger *t)
{
	note_letter(t);
	utw_reactor_call_soon(reactor, be_done, t);
	return UTW_TRIGGER_PENDING;
}

static void trigger_case_65_pending_one_holds_the_next_phase(void **state)
{
	struct lettered a, b, c;

	(void)state;
	open_reactor();
	lettered_add(&a, 'a', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	lettered_add(&b, 'b', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	lettered_add(&c, 'c', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_AFTER);
	a.trigger.fn = take_time;
	b.trigger.fn = take_time;
	utw_reactor_call_soon(reactor, stop, NULL);
	assert_int_equal(utw_reactor_run(reactor), 0);
	assert_noted(&notes, "!ab++c");
	utw_reactor_free(reactor);
}

static int remove_both(struct utw_trigger *t)
{
	struct lettered *l = utw_container_of(t, struct lettered, trigger);

	note_letter(t);
	utw_trigger_remove(&l->other->trigger);
	utw_trigger_remove(t);
	free(l);
	return 0;
}

static void trigger_may_remove_and_free_itself_and_others(void **state)
{
	struct lettered *a = malloc(sizeof(*a));
	struct lettered b, c;

	(void)state;
	open_reactor();
	lettered_add(a, 'a', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	lettered_add(&b, 'b', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	lettered_add(&c, 'c', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	a->trigger.fn = remove_both;
	a->other = &b;
	utw_reactor_call_soon(reactor, stop, NULL);
	utw_reactor_run(reactor);
	assert_noted(&notes, "!ac");
	utw_reactor_free(reactor);
}

static void remove_it(void *data)
{
	note(&notes, '-');
	utw_trigger_remove(data);
	utw_trigger_remove(data);
}

static int take_leave(struct utw_trigger *t)
{
	note_letter(t);
	utw_reactor_call_soon(reactor, remove_it, t);
	return UTW_TRIGGER_PENDING;
}

static void nobody_waits_for_one_that_is_removed(void **state)
{
	struct lettered a, b;

	(void)state;
	open_reactor();
	lettered_add(&a, 'a', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	lettered_add(&b, 'b', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_DURING);
	a.trigger.fn = take_leave;
	utw_reactor_call_soon(reactor, stop, NULL);
	utw_reactor_run(reactor);
	assert_noted(&notes, "!a-b");
	utw_reactor_free(reactor);
}

static void crash(void *data)
{
	(void)data;
	assert_int_equal(utw_reactor_crash(reactor), 0);
}

static void crash_waits_for_nobody(void **state)
{
	struct lettered a, b;

	(void)state;
	open_reactor();
	assert_int_equal(utw_reactor_crash(reactor), -ESRCH);
	lettered_add(&a, 'a', UTW_TRIGGER_STARTUP, UTW_TRIGGER_BEFORE);
	lettered_add(&b, 'b', UTW_TRIGGER_SHUTDOWN, UTW_TRIGGER_BEFORE);
	a.returns = UTW_TRIGGER_PENDING;
	utw_reactor_call_soon(reactor, crash, NULL);
	assert_int_equal(utw_reactor_run(reactor), 0);
	assert_noted(&notes, "a");
	/* What was left pending is forgotten. */
	a.returns = 0;
	utw_reactor_call_soon(reactor, stop, NULL);
	assert_int_equal(utw_reactor_run(reactor), 0);
	assert_noted(&notes, "!ab");
	utw_reactor_free(reactor);
}

static void add_says_what_is_wrong(void **state)
{
	struct lettered a;

	(void)state;
	open_reactor();
	lettered_add(&a, 'a', UTW_TRIGGER_STARTUP, UTW_TRIGGER_BEFORE);
	assert_int_equal(utw_trigger_add(&a.trigger, reactor, UTW_TRIGGER_STARTUP,
					 UTW_TRIGGER_BEFORE),
			 -EBUSY);
	assert_int_equal(utw_trigger_done(&a.trigger), -EINVAL);
	utw_reactor_free(reactor);
	open_reactor();
	assert_int_equal(utw_trigger_add(&a.trigger, reactor, UTW_TRIGGER_STARTUP,
					 UTW_TRIGGER_PHASES),
			 -EINVAL);
	assert_int_equal(utw_trigger_add(&a.trigger, reactor, (enum utw_trigger_on)2,
					 UTW_TRIGGER_BEFORE),
			 -EINVAL);
	utw_reactor_free(reactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(phases_run_in_order_at_each_run),
		TEST(trigger_case_65_pending_one_holds_the_next_phase),
		TEST(trigger_may_remove_and_free_itself_and_others),
		TEST(nobody_waits_for_one_that_is_removed),
		TEST(crash_waits_for_nobody),
		TEST(add_says_what_is_wrong),
	};

	return RUN_ON_EACH_BACKEND(tests);
}
