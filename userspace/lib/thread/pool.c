// SPDX-License-Identifier: MIT
/* Pools: birth, the way back into the reactor, and the two ways to end. */
#include <untwist/pool.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "thread/pool-private.h"

/* More than anybody means. */
#define MOST_THREADS 4096

static void pool_rung(struct utw_watch *w, uint32_t events);

static void pool_init(struct utw_pool *p, struct utw_reactor *r, unsigned int most,
		      const struct utw_pool_options *o)
{
	p->reactor = r;
	p->most = most;
	p->backlog = o ? o->backlog : UTW_POOL_UNLIMITED;
	snprintf(p->name, sizeof(p->name), "%s", o && o->name ? o->name : "untwist");
	p->owner = pthread_self();
	utw_list_init(&p->begun);
	utw_waiters_init(&p->stopped);
	utw_list_init(&p->queued);
	utw_list_init(&p->running);
	utw_list_init(&p->done);
	utw_list_init(&p->calls);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wanted, NULL);
}

static int pool_open(struct utw_pool *p)
{
	int err;

	p->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->bell < 0)
		return -errno;
	utw_watch_init(&p->watch, pool_rung);
	err = utw_watch_start(&p->watch, p->reactor, p->bell, EPOLLIN);
	if (err < 0)
		close(p->bell);
	return err;
}

static void pool_destroy(struct utw_pool *p)
{
	pthread_cond_destroy(&p->wanted);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int utw_pool_new(struct utw_pool **ret, struct utw_reactor *r, const struct utw_pool_options *o)
{
	unsigned int most = o && o->threads ? o->threads : UTW_POOL_THREADS;
	struct utw_pool *p;
	int err;

	if (most > MOST_THREADS || (o && o->reserved))
		return -EINVAL;
	p = calloc(1, sizeof(*p) + most * sizeof(p->ids[0]));
	if (!p)
		return -ENOMEM;
	pool_init(p, r, most, o);
	err = pool_open(p);
	if (err < 0) {
		pool_destroy(p);
		return err;
	}
	*ret = p;
	return 0;
}

void utw_pool_ring(struct utw_pool *p)
{
	const uint64_t one = 1;

	if (p->ringing)
		return;
	p->ringing = true;
	while (write(p->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

unsigned int utw_pool_threads(struct utw_pool *p)
{
	unsigned int threads;

	pthread_mutex_lock(&p->lock);
	threads = p->threads;
	pthread_mutex_unlock(&p->lock);
	return threads;
}

size_t utw_pool_queued(struct utw_pool *p)
{
	size_t count;

	pthread_mutex_lock(&p->lock);
	count = p->queued_count;
	pthread_mutex_unlock(&p->lock);
	return count;
}

/* One link out of a list that threads fill. */
static struct utw_link *pool_pop(struct utw_pool *p, struct utw_link *list)
{
	struct utw_link *link;

	pthread_mutex_lock(&p->lock);
	p->owner = pthread_self();
	link = utw_list_pop(list);
	pthread_mutex_unlock(&p->lock);
	return link;
}

static void pool_deliver(struct utw_pool *p)
{
	struct utw_link *link;

	while ((link = pool_pop(p, &p->done)))
		utw_work_deliver(utw_container_of(link, struct utw_work, link));
}

/* The threads have said goodbye, or will within moments. */
static void pool_join(struct utw_pool *p)
{
	unsigned int i;

	for (i = 0; i < p->threads; i++)
		pthread_join(p->ids[i], NULL);
	p->threads = 0;
	p->ended = 0;
}

static bool pool_at_rest(struct utw_pool *p)
{
	bool rest;

	pthread_mutex_lock(&p->lock);
	rest = p->stopping && p->ended == p->threads && utw_list_empty(&p->done);
	pthread_mutex_unlock(&p->lock);
	return rest;
}

static void pool_end(struct utw_pool *p)
{
	struct utw_deferred *d;

	pool_join(p);
	while ((d = utw_waiters_pop(&p->stopped))) {
		utw_deferred_callback(d, NULL);
		utw_deferred_unref(d);
	}
}

static void pool_silence(struct utw_pool *p)
{
	uint64_t rings;

	pthread_mutex_lock(&p->lock);
	while (read(p->bell, &rings, sizeof(rings)) < 0 && errno == EINTR)
		;
	p->ringing = false;
	pthread_mutex_unlock(&p->lock);
}

/* Any of the callbacks may free the pool; its memory goes when this is done with it. */
static void pool_rung(struct utw_watch *w, uint32_t events)
{
	struct utw_pool *p = utw_container_of(w, struct utw_pool, watch);
	struct utw_link *link;

	(void)events;
	p->delivering = true;
	pool_silence(p);
	pool_deliver(p);
	while (!p->freed && (link = pool_pop(p, &p->calls)))
		utw_pool_call_begin(link);
	if (!p->freed && pool_at_rest(p))
		pool_end(p);
	p->delivering = false;
	if (p->freed)
		pool_destroy(p);
}

struct utw_deferred *utw_pool_stop_at(const char *file, int line, struct utw_pool *p)
{
	struct utw_deferred *d = utw_waiters_add(&p->stopped, file, line);

	if (!d)
		return NULL;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->wanted);
	utw_pool_ring(p);
	pthread_mutex_unlock(&p->lock);
	return d;
}

/* Take away what no thread has begun, tell the others, and let the idle ones go. */
static void pool_abandon(struct utw_pool *p, struct utw_link *refused)
{
	struct utw_link *link;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	utw_list_splice(refused, &p->queued);
	p->queued_count = 0;
	for (link = refused->next; link != refused; link = link->next)
		utw_container_of(link, struct utw_work, link)->queued = false;
	for (link = utw_list_first(&p->running); link != &p->running; link = link->next)
		atomic_store(&utw_container_of(link, struct utw_work, link)->cancelled, true);
	pthread_cond_broadcast(&p->wanted);
	pthread_mutex_unlock(&p->lock);
}

void utw_pool_free(struct utw_pool *p)
{
	struct utw_link refused, *link;

	if (!p || p->freed)
		return;
	p->freed = true;
	utw_list_init(&refused);
	pool_abandon(p, &refused);
	utw_pool_calls_close(p);
	pool_join(p);
	pool_deliver(p);
	while ((link = utw_list_pop(&refused)))
		utw_work_refuse(utw_container_of(link, struct utw_work, link));
	pool_end(p);
	utw_watch_stop(&p->watch);
	close(p->bell);
	if (!p->delivering)
		pool_destroy(p);
}
