// SPDX-License-Identifier: MIT
/* The threads of a pool, and what they do all day. */
#include <signal.h>

#include "base/list.h"
#include "thread/pool-private.h"

/* The next work, or NULL when there will be none any more. Under the lock. */
static struct utw_work *worker_next(struct utw_pool *p)
{
	struct utw_work *work;

	while (utw_list_empty(&p->queued) && !p->stopping)
		pthread_cond_wait(&p->wanted, &p->lock);
	if (utw_list_empty(&p->queued))
		return NULL;
	work = utw_container_of(utw_list_pop(&p->queued), struct utw_work, link);
	p->queued_count--;
	p->busy++;
	work->queued = false;
	utw_list_append(&p->running, &work->link);
	return work;
}

static void *worker_main(void *data)
{
	struct utw_pool *p = data;
	struct utw_work *work;

	pthread_setname_np(pthread_self(), p->name);
	pthread_mutex_lock(&p->lock);
	while ((work = worker_next(p))) {
		pthread_mutex_unlock(&p->lock);
		work->result = work->fn(work, work->data);
		pthread_mutex_lock(&p->lock);
		p->busy--;
		utw_list_remove(&work->link);
		utw_list_append(&p->done, &work->link);
		utw_pool_ring(p);
	}
	p->ended++;
	utw_pool_ring(p);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are the program's business; a new thread would take its share of them. */
static int worker_start(struct utw_pool *p)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&p->ids[p->threads], NULL, worker_main, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	p->threads++;
	return 0;
}

int utw_pool_grow(struct utw_pool *p)
{
	if (p->queued_count <= p->threads - p->busy || p->threads == p->most)
		return 0;
	return worker_start(p);
}
