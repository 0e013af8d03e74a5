// SPDX-License-Identifier: MIT
/* Work for a pool: how it comes in, is taken back, and how its result goes out. */
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "thread/pool-private.h"

bool utw_work_cancelled(const struct utw_work *work)
{
	return atomic_load_explicit(&work->cancelled, memory_order_relaxed);
}

static void work_fire(struct utw_work *work, struct utw_result result)
{
	struct utw_deferred *d = work->deferred;

	free(work);
	utw_deferred_fire(d, result);
	utw_deferred_unref(d);
}

void utw_work_deliver(struct utw_work *work)
{
	struct utw_result result = work->result;

	if (result.kind == UTW_RESULT_PASS)
		result = utw_result_value(NULL);
	if (result.kind == UTW_RESULT_WAIT) {
		utw_result_drop(&result);
		result = utw_result_fail(
			utw_failure_from_errno(-EINVAL, "work",
					       "a thread cannot return a deferred"));
	}
	work_fire(work, result);
}

static struct utw_failure *stopped_failure(void)
{
	return utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "work", NULL,
			       "the pool was stopped");
}

void utw_work_refuse(struct utw_work *work)
{
	work_fire(work, utw_result_fail(stopped_failure()));
}

static enum utw_cancel work_cancel(struct utw_deferred *d, void *data)
{
	struct utw_work *work = data;
	struct utw_pool *p = work->pool;
	bool queued;

	pthread_mutex_lock(&p->lock);
	queued = work->queued;
	if (queued) {
		utw_list_remove(&work->link);
		p->queued_count--;
	}
	pthread_mutex_unlock(&p->lock);
	if (!queued) {
		atomic_store(&work->cancelled, true);
		return UTW_CANCEL_LATER;
	}
	free(work);
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

/* Threads that could take it at once do not count as a backlog. Under the lock. */
static bool backlog_full(const struct utw_pool *p)
{
	return p->queued_count >= p->backlog && p->queued_count - p->backlog >= p->most - p->busy;
}

/* Returns why it was not taken, or NULL. */
static struct utw_failure *work_submit(struct utw_pool *p, struct utw_work *work)
{
	struct utw_failure *refusal = NULL;
	int err;

	pthread_mutex_lock(&p->lock);
	p->owner = pthread_self();
	if (p->stopping) {
		refusal = stopped_failure();
	} else if (backlog_full(p)) {
		refusal = utw_failure_new(&utw_domain_reason, UTW_LIMIT, "work", NULL,
					  "%zu wait for a thread already", p->queued_count);
	} else {
		utw_list_append(&p->queued, &work->link);
		p->queued_count++;
		err = utw_pool_grow(p);
		if (err < 0 && !p->threads) {
			utw_list_remove(&work->link);
			p->queued_count--;
			refusal = utw_failure_from_errno(err, "work", "no thread could be started");
		}
		pthread_cond_signal(&p->wanted);
	}
	pthread_mutex_unlock(&p->lock);
	return refusal;
}

static struct utw_work *work_new(struct utw_pool *p, utw_work_fn fn, void *data)
{
	struct utw_work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	work->pool = p;
	work->fn = fn;
	work->data = data;
	work->queued = true;
	atomic_init(&work->cancelled, false);
	return work;
}

struct utw_deferred *utw_pool_defer_at(const char *file, int line, struct utw_pool *p,
				       utw_work_fn fn, void *data)
{
	struct utw_work *work = work_new(p, fn, data);
	struct utw_deferred *d = work ? utw_deferred_new_at(file, line) : NULL;
	struct utw_failure *refusal;

	if (!d) {
		free(work);
		return NULL;
	}
	work->deferred = utw_deferred_ref(d);
	utw_deferred_set_canceller(d, work_cancel, work);
	refusal = work_submit(p, work);
	if (refusal)
		work_fire(work, utw_result_fail(refusal));
	return d;
}
