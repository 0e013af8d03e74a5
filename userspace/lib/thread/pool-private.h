/* SPDX-License-Identifier: MIT */
/*
 * The inside of a pool. The lock guards what both sides touch; what has come out of a
 * thread lies in a list until a bell brings the reactor to fetch it, so a result is
 * never lost for want of memory.
 */
#ifndef UTW_THREAD_POOL_PRIVATE_H
#define UTW_THREAD_POOL_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <untwist/pool.h>
#include <untwist/watch.h>

#include "deferred/waiters.h"

struct utw_work {
	struct utw_link link; /* in one of the pool's lists, under its lock */
	struct utw_pool *pool;
	struct utw_deferred *deferred; /* the producer's reference; the reactor's thread only */
	utw_work_fn fn;
	void *data;
	struct utw_result result;
	bool queued; /* under the lock: no thread has it yet */
	atomic_bool cancelled;
};

struct utw_pool {
	struct utw_reactor *reactor;
	struct utw_watch watch; /* of the bell */
	int bell;
	unsigned int most; /* threads */
	size_t backlog;
	char name[16];

	/* The reactor's thread only. */
	struct utw_link begun; /* calls that wait for a deferred */
	struct utw_waiters stopped; /* who waits for the end */
	bool delivering;
	bool freed;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wanted; /* there is work, or an end to it */
	pthread_t owner; /* the reactor's thread when it was last seen */
	struct utw_link queued; /* work that waits for a thread */
	size_t queued_count;
	struct utw_link running; /* work that a thread is at */
	struct utw_link done; /* work to deliver */
	struct utw_link calls; /* calls to begin */
	unsigned int busy; /* threads that are at some work */
	unsigned int ended; /* threads that have nothing more to do */
	bool ringing;
	bool stopping; /* no new work */
	bool closing; /* no new calls either */
	unsigned int threads;
	pthread_t ids[]; /* of all threads started */
};

/* pool.c: let the reactor come and look. Under the lock. */
void utw_pool_ring(struct utw_pool *p);

/* worker.c: start a thread if there is more work than free threads. 0 or -errno. Under the lock. */
int utw_pool_grow(struct utw_pool *p);

/* work.c: give a result to whoever waits for it, and free the work. */
void utw_work_deliver(struct utw_work *work);
/* work.c: the same for work that was never begun. */
void utw_work_refuse(struct utw_work *work);

/* pool-call.c: begin a call. It must be in no list. */
void utw_pool_call_begin(struct utw_link *link);
/* pool-call.c: end all calls, begun or not. */
void utw_pool_calls_close(struct utw_pool *p);

#endif
