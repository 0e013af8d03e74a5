// SPDX-License-Identifier: MIT
/*
 * Watches and the table of their slots.
 *
 * The kernel gives back a tag of slot and generation. A slot's generation moves on
 * when its watch stops, so an event still on its way to it no longer matches.
 */
#include <untwist/watch.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "reactor/reactor-private.h"
#include "reactor/watchdog.h"

#define SMALLEST 16
#define NO_SLOT	 UINT32_MAX
#define READY	 ((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP))
#define MODES	 ((uint32_t)EPOLLET | (uint32_t)EPOLLONESHOT | (uint32_t)EPOLLEXCLUSIVE)
#define ALWAYS	 ((uint32_t)(EPOLLERR | EPOLLHUP))
/* What goes together with EPOLLEXCLUSIVE; not every back end would say so itself. */
#define EXCLUSIVELY ((uint32_t)(EPOLLIN | EPOLLOUT) | (uint32_t)EPOLLET | (uint32_t)EPOLLEXCLUSIVE)

struct utw_watch_slot {
	struct utw_watch *watch; /* NULL when free */
	uint32_t generation;
	uint32_t next_free;
};

void utw_watches_init(struct utw_reactor *r)
{
	r->watches = (struct utw_watch_table){ .free = NO_SLOT };
}

void utw_watches_release(struct utw_reactor *r)
{
	uint32_t i;

	for (i = 0; i < r->watches.count; i++)
		if (r->watches.slots[i].watch)
			r->watches.slots[i].watch->reactor = NULL;
	free(r->watches.slots);
}

static int table_grow(struct utw_watch_table *table)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : SMALLEST;
	struct utw_watch_slot *slots;

	if (capacity > UINT32_MAX / 2)
		return -ENOMEM;
	slots = reallocarray(table->slots, capacity, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	table->capacity = capacity;
	return 0;
}

static int table_take(struct utw_watch_table *table, uint32_t *slot)
{
	if (table->free != NO_SLOT) {
		*slot = table->free;
		table->free = table->slots[*slot].next_free;
		return 0;
	}
	if (table->count == table->capacity && table_grow(table) < 0)
		return -ENOMEM;
	*slot = table->count++;
	table->slots[*slot].generation = 0;
	return 0;
}

static void table_give_back(struct utw_watch_table *table, uint32_t slot)
{
	table->slots[slot].watch = NULL;
	table->slots[slot].generation++;
	table->slots[slot].next_free = table->free;
	table->free = slot;
}

static uint64_t watch_tag(const struct utw_watch *w)
{
	return (uint64_t)w->reactor->watches.slots[w->slot].generation << 32 | w->slot;
}

void utw_watch_init(struct utw_watch *w, utw_watch_fn fn)
{
	memset(w, 0, sizeof(*w));
	w->fn = fn;
	w->fd = -1;
}

int utw_watch_start_at(struct utw_watch *w, struct utw_reactor *r, int fd, uint32_t events,
		       const char *place)
{
	int err;

	if (w->reactor)
		return -EBUSY;
	if (events & ~(READY | MODES))
		return -EINVAL;
	if (events & (uint32_t)EPOLLEXCLUSIVE && events & ~EXCLUSIVELY)
		return -EINVAL;
	err = table_take(&r->watches, &w->slot);
	if (err < 0)
		return err;
	w->reactor = r;
	w->place = place;
	w->fd = fd;
	w->events = events;
	r->watches.slots[w->slot].watch = w;

	err = utw_poller_add(&r->poller, fd, events, watch_tag(w));
	if (err < 0) {
		table_give_back(&r->watches, w->slot);
		w->reactor = NULL;
		return err;
	}
	utw_nest_update(r);
	return 0;
}

int utw_watch_set_events(struct utw_watch *w, uint32_t events)
{
	const uint32_t rearming = EPOLLET | EPOLLONESHOT;
	int err;

	if (!w->reactor || events & ~(READY | MODES) || (events | w->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	if (events == w->events && !(events & rearming))
		return 0;
	err = utw_poller_modify(&w->reactor->poller, w->fd, events, watch_tag(w));
	if (err < 0)
		return err;
	w->events = events;
	utw_nest_update(w->reactor);
	return 0;
}

void utw_watch_stop(struct utw_watch *w)
{
	if (!w->reactor)
		return;
	/* Fails only for a descriptor closed too early, which the kernel has forgotten by itself. */
	utw_poller_remove(&w->reactor->poller, w->fd);
	table_give_back(&w->reactor->watches, w->slot);
	w->reactor = NULL;
}

bool utw_watch_active(const struct utw_watch *w)
{
	return w->reactor;
}

int utw_watch_fd(const struct utw_watch *w)
{
	return w->reactor ? w->fd : -1;
}

void utw_watches_each(const struct utw_reactor *r,
		      void (*fn)(void *data, const struct utw_watch *w), void *data)
{
	uint32_t i;

	for (i = 0; i < r->watches.count; i++)
		if (r->watches.slots[i].watch)
			fn(data, r->watches.slots[i].watch);
}

unsigned int utw_watches_dispatch(struct utw_reactor *r, const struct utw_poller_event *event)
{
	uint32_t slot = (uint32_t)event->tag;
	struct utw_slow_call told;
	struct utw_watch *w;
	uint32_t events;

	w = r->watches.slots[slot].watch;
	if (!w || watch_tag(w) != event->tag)
		return 0;
	/* An earlier callback of this batch may have lost interest in some of it. */
	events = event->events & (w->events | ALWAYS);
	if (!events)
		return 0;
	told = (struct utw_slow_call){
		.kind = "watch",
		.callback = (void (*)(void))w->fn,
		.place = w->place,
		.fd = w->fd,
	};
	w->fn(w, events);
	r->statistics.events++;
	utw_watchdog_look(r, &told);
	return 1;
}
