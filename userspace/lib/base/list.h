/* SPDX-License-Identifier: MIT */
/*
 * A ring of objects that embed a struct utw_link. The list itself is such a link.
 * A link that is in no list points at itself, so removing it twice is harmless.
 *
 * Reach the ends of a list by the functions only, not as object->list.next: where
 * one function of the program does both, gcc 12 takes the two for different places
 * and keeps the first link in a register over a loop that pops it (12.2, from -O2
 * on, in -ftree-loop-im). test-list.c shows it.
 */
#ifndef UTW_BASE_LIST_H
#define UTW_BASE_LIST_H

#include <stdbool.h>

#include <untwist/api.h>

static inline void utw_list_init(struct utw_link *link)
{
	link->next = link;
	link->prev = link;
}

static inline bool utw_list_empty(const struct utw_link *list)
{
	return list->next == list;
}

/* The first link, or the list itself if it is empty. */
static inline struct utw_link *utw_list_first(const struct utw_link *list)
{
	return list->next;
}

/* The last link, likewise. */
static inline struct utw_link *utw_list_last(const struct utw_link *list)
{
	return list->prev;
}

static inline void utw_list_append(struct utw_link *list, struct utw_link *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

static inline void utw_list_remove(struct utw_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	utw_list_init(link);
}

/* Take the first link out of a list, or NULL. */
static inline struct utw_link *utw_list_pop(struct utw_link *list)
{
	struct utw_link *link = list->next;

	if (link == list)
		return NULL;
	utw_list_remove(link);
	return link;
}

/* Move all of `from` to the end of `to`. */
static inline void utw_list_splice(struct utw_link *to, struct utw_link *from)
{
	if (utw_list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	utw_list_init(from);
}

/* Move the links of `from` up to and including `last` to the end of `to`. */
static inline void utw_list_splice_until(struct utw_link *to, struct utw_link *from,
					 struct utw_link *last)
{
	struct utw_link *first = from->next;

	from->next = last->next;
	from->next->prev = from;
	first->prev = to->prev;
	to->prev->next = first;
	last->next = to;
	to->prev = last;
}

#endif
