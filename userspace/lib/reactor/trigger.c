// SPDX-License-Identifier: MIT
/* Triggers: the phases of startup and shutdown, one after the other. */
#include <untwist/trigger.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/list.h"
#include "reactor/reactor-private.h"

static struct utw_trigger *trigger_of(struct utw_link *link)
{
	return utw_container_of(link, struct utw_trigger, link);
}

static struct utw_trigger_event *event_of(struct utw_trigger *t)
{
	return t->on == UTW_TRIGGER_STARTUP ? &t->reactor->startup : &t->reactor->shutdown;
}

/* Called, a trigger goes back to its phase, for the next run. It may be removed by its call. */
static void trigger_call(struct utw_trigger_event *event, struct utw_trigger *t)
{
	int result;

	utw_list_append(&event->phases[t->phase], &t->link);
	t->pending = true;
	event->pending++;
	event->calling = t;
	result = t->fn(t);
	if (event->calling && t->pending && result != UTW_TRIGGER_PENDING) {
		t->pending = false;
		event->pending--;
	}
	event->calling = NULL;
}

static void event_end(struct utw_reactor *r, struct utw_trigger_event *event)
{
	event->under_way = false;
	if (event == &r->shutdown)
		r->over = true;
}

/* Run phases until one has to be waited for. */
static void event_go_on(struct utw_reactor *r, struct utw_trigger_event *event)
{
	struct utw_link *link;

	while (event->under_way && !event->pending) {
		if (++event->phase == UTW_TRIGGER_PHASES) {
			event_end(r, event);
			break;
		}
		utw_list_splice(&event->firing, &event->phases[event->phase]);
		while ((link = utw_list_pop(&event->firing)))
			trigger_call(event, trigger_of(link));
	}
}

static void startup_due(struct utw_call *c)
{
	struct utw_reactor *r = utw_container_of(c, struct utw_reactor, startup.call);

	event_go_on(r, &r->startup);
}

static void shutdown_due(struct utw_call *c)
{
	struct utw_reactor *r = utw_container_of(c, struct utw_reactor, shutdown.call);

	event_go_on(r, &r->shutdown);
}

static bool event_is_empty(const struct utw_trigger_event *event)
{
	unsigned int i;

	for (i = 0; i < UTW_TRIGGER_PHASES; i++)
		if (!utw_list_empty(&event->phases[i]))
			return false;
	return true;
}

/* The first step is to phase 0. Those left pending by a run that was cut short are forgotten. */
static void event_begin(struct utw_trigger_event *event)
{
	struct utw_link *link;
	unsigned int i;

	for (i = 0; i < UTW_TRIGGER_PHASES; i++)
		for (link = event->phases[i].next; link != &event->phases[i]; link = link->next)
			trigger_of(link)->pending = false;
	event->pending = 0;
	event->phase = UINT_MAX;
	event->under_way = true;
}

void utw_triggers_fire_startup(struct utw_reactor *r)
{
	if (event_is_empty(&r->startup))
		return;
	event_begin(&r->startup);
	utw_call_stop(&r->startup.call);
	utw_call_start(&r->startup.call, r);
}

void utw_triggers_fire_shutdown(struct utw_reactor *r)
{
	if (event_is_empty(&r->shutdown)) {
		r->over = true;
		return;
	}
	event_begin(&r->shutdown);
	utw_call_stop(&r->shutdown.call);
	utw_call_start_at_end(&r->shutdown.call, r);
}

static void event_init(struct utw_trigger_event *event, utw_call_due_fn fn)
{
	unsigned int i;

	for (i = 0; i < UTW_TRIGGER_PHASES; i++)
		utw_list_init(&event->phases[i]);
	utw_list_init(&event->firing);
	utw_call_init(&event->call, fn);
	event->calling = NULL;
	event->pending = 0;
	event->under_way = false;
}

void utw_triggers_init(struct utw_reactor *r)
{
	event_init(&r->startup, startup_due);
	event_init(&r->shutdown, shutdown_due);
}

static void event_release(struct utw_trigger_event *event)
{
	struct utw_link *link;
	unsigned int i;

	utw_call_stop(&event->call);
	for (i = 0; i < UTW_TRIGGER_PHASES; i++)
		while ((link = utw_list_pop(&event->phases[i])))
			trigger_of(link)->reactor = NULL;
}

void utw_triggers_release(struct utw_reactor *r)
{
	event_release(&r->startup);
	event_release(&r->shutdown);
}

void utw_trigger_init(struct utw_trigger *t, utw_trigger_fn fn)
{
	memset(t, 0, sizeof(*t));
	utw_list_init(&t->link);
	t->fn = fn;
}

int utw_trigger_add(struct utw_trigger *t, struct utw_reactor *r, enum utw_trigger_on on,
		    enum utw_trigger_phase phase)
{
	if (t->reactor)
		return -EBUSY;
	if (on > UTW_TRIGGER_SHUTDOWN || phase >= UTW_TRIGGER_PHASES)
		return -EINVAL;
	t->reactor = r;
	t->on = on;
	t->phase = phase;
	t->pending = false;
	utw_list_append(&event_of(t)->phases[phase], &t->link);
	return 0;
}

/* One trigger less to wait for; the last one lets its event go on, in a later turn. */
static void trigger_settle(struct utw_trigger *t)
{
	struct utw_trigger_event *event = event_of(t);

	t->pending = false;
	if (--event->pending == 0 && event->under_way && !utw_call_active(&event->call))
		utw_call_start(&event->call, t->reactor);
}

void utw_trigger_remove(struct utw_trigger *t)
{
	if (!t->reactor)
		return;
	utw_list_remove(&t->link);
	if (t->pending)
		trigger_settle(t);
	if (event_of(t)->calling == t)
		event_of(t)->calling = NULL;
	t->reactor = NULL;
}

int utw_trigger_done(struct utw_trigger *t)
{
	if (!t->reactor || !t->pending)
		return -EINVAL;
	trigger_settle(t);
	return 0;
}
