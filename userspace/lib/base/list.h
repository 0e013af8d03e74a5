/* SPDX-License-Identifier: MIT */
/*
 * A ring of objects that embed a struct utw_link. The list itself is such a link.
 * A link that is in no list points at itself, so removing it twice is harmless.
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

#endif
