// SPDX-License-Identifier: MIT
/*
 * Queues of values. As with semaphores, one loop serves those who wait, and a put from
 * inside one of their callbacks only feeds it.
 */
#include <untwist/queue.h>

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "deferred/waiters.h"

struct item {
	struct utw_link link;
	struct utw_value value;
};

struct utw_queue {
	struct utw_link items;
	size_t length;
	size_t size;
	size_t backlog;
	struct utw_waiters getters;
	bool serving;
	bool freed;
};

struct utw_queue *utw_queue_new(size_t size, size_t backlog)
{
	struct utw_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	utw_list_init(&q->items);
	utw_waiters_init(&q->getters);
	q->size = size;
	q->backlog = backlog;
	return q;
}

/* There must be one. */
static struct utw_value queue_take(struct utw_queue *q)
{
	struct item *item = utw_container_of(utw_list_pop(&q->items), struct item, link);
	struct utw_value value = item->value;

	q->length--;
	free(item);
	return value;
}

void utw_queue_free(struct utw_queue *q)
{
	bool nested;

	if (!q || q->freed)
		return;
	nested = q->serving;
	q->freed = true;
	utw_waiters_cancel(&q->getters, "queue");
	while (q->length) {
		struct utw_value value = queue_take(q);

		if (value.free)
			value.free(value.ptr);
	}
	if (!nested)
		free(q);
}

static void queue_serve(struct utw_queue *q)
{
	struct utw_deferred *d;

	if (q->serving)
		return;
	q->serving = true;
	while (q->length && (d = utw_waiters_pop(&q->getters))) {
		struct utw_value value = queue_take(q);

		utw_deferred_callback_owned(d, value.ptr, value.free);
		utw_deferred_unref(d);
	}
	q->serving = false;
	if (q->freed)
		free(q);
}

/* Values that somebody waits for take no room. */
static bool queue_full(const struct utw_queue *q)
{
	return q->length >= q->getters.count && q->length - q->getters.count >= q->size;
}

int utw_queue_put_owned(struct utw_queue *q, void *ptr, void (*free)(void *ptr))
{
	struct item *item;

	if (q->freed || queue_full(q))
		return -ENOBUFS;
	item = malloc(sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->value.ptr = ptr;
	item->value.free = free;
	utw_list_append(&q->items, &item->link);
	q->length++;
	queue_serve(q);
	return 0;
}

int utw_queue_put(struct utw_queue *q, void *value)
{
	return utw_queue_put_owned(q, value, NULL);
}

static struct utw_deferred *queue_get_now(const char *file, int line, struct utw_queue *q)
{
	struct utw_deferred *d = utw_deferred_new_at(file, line);
	struct utw_value value;

	if (!d)
		return NULL;
	value = queue_take(q);
	utw_deferred_callback_owned(d, value.ptr, value.free);
	return d;
}

struct utw_deferred *utw_queue_get_at(const char *file, int line, struct utw_queue *q)
{
	if (q->freed)
		return utw_waiters_refuse(file, line, "queue");
	if (q->length && !q->getters.count)
		return queue_get_now(file, line, q);
	if (q->getters.count < q->backlog)
		return utw_waiters_add(&q->getters, file, line);
	return utw_deferred_fail_at(file, line,
				    utw_failure_new_at(file, line, &utw_domain_reason, UTW_LIMIT,
						       "queue", NULL,
						       "%zu wait for a value already",
						       q->getters.count));
}

size_t utw_queue_length(const struct utw_queue *q)
{
	return q->length;
}

size_t utw_queue_waiting(const struct utw_queue *q)
{
	return q->getters.count;
}
