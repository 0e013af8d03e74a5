// SPDX-License-Identifier: MIT
/* The set of what is always ready. There are few, so a search is a walk. */
#include "reactor/always-ready.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define SMALLEST 4
#define READY	 ((uint32_t)(EPOLLIN | EPOLLOUT))

struct utw_always_ready_entry {
	uint64_t tag;
	uint32_t events;
	int fd;
	bool armed;
};

void utw_always_ready_init(struct utw_always_ready *set)
{
	*set = (struct utw_always_ready){ 0 };
}

void utw_always_ready_release(struct utw_always_ready *set)
{
	free(set->entries);
}

static struct utw_always_ready_entry *entry_find(struct utw_always_ready *set, int fd)
{
	unsigned int i;

	for (i = 0; i < set->count; i++)
		if (set->entries[i].fd == fd)
			return &set->entries[i];
	return NULL;
}

static void entry_arm(struct utw_always_ready *set, struct utw_always_ready_entry *entry,
		      bool armed)
{
	set->armed += (unsigned int)armed - (unsigned int)entry->armed;
	entry->armed = armed;
}

static void entry_set(struct utw_always_ready *set, struct utw_always_ready_entry *entry,
		      uint32_t events, uint64_t tag)
{
	entry->events = events;
	entry->tag = tag;
	entry_arm(set, entry, events & READY);
}

static int set_grow(struct utw_always_ready *set)
{
	unsigned int capacity = set->capacity ? set->capacity * 2 : SMALLEST;
	struct utw_always_ready_entry *entries;

	entries = reallocarray(set->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	set->entries = entries;
	set->capacity = capacity;
	return 0;
}

int utw_always_ready_add(struct utw_always_ready *set, int fd, uint32_t events, uint64_t tag)
{
	struct utw_always_ready_entry *entry;

	if (entry_find(set, fd))
		return -EEXIST;
	if (set->count == set->capacity && set_grow(set) < 0)
		return -ENOMEM;
	entry = &set->entries[set->count++];
	*entry = (struct utw_always_ready_entry){ .fd = fd };
	entry_set(set, entry, events, tag);
	return 0;
}

int utw_always_ready_modify(struct utw_always_ready *set, int fd, uint32_t events, uint64_t tag)
{
	struct utw_always_ready_entry *entry = entry_find(set, fd);

	if (!entry)
		return -ENOENT;
	entry_set(set, entry, events, tag);
	return 0;
}

int utw_always_ready_remove(struct utw_always_ready *set, int fd)
{
	struct utw_always_ready_entry *entry = entry_find(set, fd);

	if (!entry)
		return -ENOENT;
	entry_arm(set, entry, false);
	*entry = set->entries[--set->count];
	return 0;
}

unsigned int utw_always_ready_take(struct utw_always_ready *set, struct utw_poller_event *events,
				   unsigned int room)
{
	unsigned int taken = 0, asked;

	for (asked = 0; asked < set->count && taken < room; asked++) {
		struct utw_always_ready_entry *entry = &set->entries[set->next++ % set->count];

		if (!entry->armed)
			continue;
		events[taken].tag = entry->tag;
		events[taken].events = entry->events & READY;
		taken++;
		if (entry->events & (EPOLLET | EPOLLONESHOT))
			entry_arm(set, entry, false);
	}
	return taken;
}
