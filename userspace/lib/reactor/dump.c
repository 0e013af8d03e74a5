// SPDX-License-Identifier: MIT
/* The dump: what a reactor waits for, in words. */
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>

#include <untwist/signal.h>
#include <untwist/timer.h>

#include "base/list.h"
#include "reactor/reactor-private.h"

struct dump {
	const struct utw_reactor *reactor;
	void (*line)(void *data, const char *text);
	void *data;
};

static const struct {
	uint32_t bit;
	const char *name;
} event_names[] = {
	{ EPOLLIN, "in" },
	{ EPOLLOUT, "out" },
	{ EPOLLPRI, "pri" },
	{ EPOLLRDHUP, "rdhup" },
	{ (uint32_t)EPOLLET, "edge" },
	{ (uint32_t)EPOLLONESHOT, "one-shot" },
	{ (uint32_t)EPOLLEXCLUSIVE, "exclusive" },
};

static void dump_line(const struct dump *dump, const char *format, ...) UTW_PRINTF(2, 3);

static void dump_line(const struct dump *dump, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dump->line(dump->data, text);
}

static const char *place_or_unknown(const char *place)
{
	return place ? place : "an unknown place";
}

static void dump_watch(void *data, const struct utw_watch *w)
{
	const unsigned int kinds = sizeof(event_names) / sizeof(event_names[0]);
	const struct dump *dump = data;
	char events[64] = " nothing";
	size_t length = 0;
	unsigned int i;

	for (i = 0; i < kinds; i++)
		if (w->events & event_names[i].bit)
			length += (size_t)snprintf(events + length, sizeof(events) - length, " %s",
						   event_names[i].name);
	dump_line(dump, "watch of descriptor %d for%s, started at %s", w->fd, events,
		  place_or_unknown(w->place));
}

/* In no order: the heap has none to show. */
static void dump_timers(const struct dump *dump)
{
	const struct utw_heap *heap = &dump->reactor->timers.heap;
	uint64_t now = utw_reactor_now(dump->reactor);
	uint32_t i;

	for (i = 0; i < heap->count; i++) {
		const struct utw_timer *t = heap->items[heap->entries[i].handle];
		uint64_t when = heap->entries[i].key;

		if (when == UTW_FOREVER)
			dump_line(dump, "timer for never, started at %s",
				  place_or_unknown(t->place));
		else
			dump_line(dump, "timer due in %.6f s, started at %s",
				  ((double)when - (double)now) / 1e9, place_or_unknown(t->place));
	}
}

static void dump_signals(const struct dump *dump)
{
	const struct utw_link *list = &dump->reactor->signals.sources;
	const struct utw_link *link;

	for (link = list->next; link != list; link = link->next)
		dump_line(dump, "signal %d",
			  utw_container_of(link, const struct utw_signal, link)->signo);
}

static unsigned int list_length(const struct utw_link *list)
{
	const struct utw_link *link;
	unsigned int length = 0;

	for (link = list->next; link != list; link = link->next)
		length++;
	return length;
}

static void dump_calls(const struct dump *dump)
{
	const struct utw_call_queue *calls = &dump->reactor->calls;
	unsigned int soon = list_length(&calls->soon) + list_length(&calls->due);
	unsigned int at_end = list_length(&calls->at_end) + list_length(&calls->ending);

	if (soon || at_end)
		dump_line(dump, "calls queued: %u, and %u for the end of a turn", soon, at_end);
}

static const char *state_name(const struct utw_reactor *r)
{
	if (r->stopping)
		return "stopping";
	if (r->running)
		return "running";
	return r->in_turn ? "in a turn" : "at rest";
}

void utw_reactor_dump(const struct utw_reactor *r, void (*line)(void *data, const char *text),
		      void *data)
{
	struct dump dump = { .reactor = r, .line = line, .data = data };

	dump_line(&dump, "reactor on %s, %s, after %llu turns", utw_reactor_backend(r),
		  state_name(r), (unsigned long long)r->statistics.turns);
	utw_watches_each(r, dump_watch, &dump);
	dump_timers(&dump);
	dump_signals(&dump);
	dump_calls(&dump);
}
