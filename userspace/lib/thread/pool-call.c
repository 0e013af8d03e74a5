// SPDX-License-Identifier: MIT
/*
 * Calls from threads into the reactor's thread. The call lives on the stack of the
 * thread that waits; what the reactor keeps of one that it has begun is a record of its
 * own, which outlives the wait when the pool is freed before the result is there.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "deferred/deferred-private.h"
#include "thread/pool-private.h"

struct call {
	struct utw_link link; /* among the pool's, until it is begun */
	struct utw_pool *pool;
	utw_start_fn fn;
	void *data;
	struct begun *record;
	struct utw_result result; /* under the lock, as `ended` */
	bool ended;
	pthread_cond_t end;
};

struct begun {
	struct utw_link link; /* among the pool's */
	struct call *call; /* NULL when nobody waits any more */
	struct utw_deferred *deferred; /* no reference */
};

static struct utw_result call_failure(const struct utw_domain *domain, int code,
				      const char *message)
{
	return utw_result_fail(utw_failure_new(domain, code, "call", NULL, "%s", message));
}

static struct utw_result freed_failure(void)
{
	return call_failure(&utw_domain_reason, UTW_CANCELLED, "the pool was freed");
}

/* Under the lock: after that the call may be gone. */
static void call_end(struct call *call, struct utw_result result)
{
	call->result = result;
	call->ended = true;
	pthread_cond_signal(&call->end);
}

static void call_wait(struct utw_pool *p, struct call *call)
{
	pthread_mutex_lock(&p->lock);
	if (pthread_equal(p->owner, pthread_self())) {
		call_end(call,
			 call_failure(&utw_domain_errno, EDEADLK,
				      "the reactor's own thread cannot wait for itself"));
	} else if (p->closing) {
		call_end(call, freed_failure());
	} else {
		utw_list_append(&p->calls, &call->link);
		utw_pool_ring(p);
	}
	while (!call->ended)
		pthread_cond_wait(&call->end, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

struct utw_result utw_pool_call(struct utw_pool *p, utw_start_fn fn, void *data)
{
	struct call call = { .pool = p, .fn = fn, .data = data };
	struct begun *record = calloc(1, sizeof(*record));

	if (!record)
		return call_failure(&utw_domain_errno, ENOMEM, "no memory for the call");
	utw_list_init(&record->link);
	call.record = record;
	pthread_cond_init(&call.end, NULL);
	call_wait(p, &call);
	pthread_cond_destroy(&call.end);
	/* Begun, it is the reactor's; the lock above has brought its last word. */
	free(call.record);
	return call.result;
}

static struct utw_deferred *begun_take(struct utw_result result, void *data)
{
	struct begun *record = data;
	struct call *call = record->call;

	utw_list_remove(&record->link);
	free(record);
	if (result.kind == UTW_RESULT_PASS)
		result = call_failure(&utw_domain_reason, UTW_CANCELLED,
				      "what it waited for was released before it fired");
	if (call) {
		struct utw_pool *p = call->pool;

		pthread_mutex_lock(&p->lock);
		call_end(call, result);
		pthread_mutex_unlock(&p->lock);
	} else {
		utw_result_drop(&result);
	}
	return NULL;
}

void utw_pool_call_begin(struct utw_link *link)
{
	struct call *call = utw_container_of(link, struct call, link);
	struct begun *record = call->record;
	struct utw_pool *p = call->pool;
	struct utw_deferred *d = utw_deferred_maybe(call->fn, call->data);

	call->record = NULL;
	record->call = call;
	record->deferred = d;
	utw_list_append(&p->begun, &record->link);
	if (!d || utw_deferred_add_taker(d, begun_take, record) < 0)
		begun_take(call_failure(&utw_domain_errno, ENOMEM, "no memory to wait"), record);
	utw_deferred_unref(d);
}

/* The result of one that needs time to be cancelled will find nobody who waits for it. */
static void begun_detach(struct utw_pool *p, struct begun *record)
{
	pthread_mutex_lock(&p->lock);
	call_end(record->call, freed_failure());
	pthread_mutex_unlock(&p->lock);
	record->call = NULL;
	utw_list_remove(&record->link);
}

/* Most end right here, before their caller goes on: it may own what they use. */
static void begun_cancel(struct utw_pool *p)
{
	struct utw_link asked, *link;

	utw_list_init(&asked);
	while ((link = utw_list_pop(&p->begun))) {
		utw_list_append(&asked, link);
		utw_deferred_cancel(utw_container_of(link, struct begun, link)->deferred);
	}
	while (!utw_list_empty(&asked))
		begun_detach(p, utw_container_of(asked.next, struct begun, link));
}

void utw_pool_calls_close(struct utw_pool *p)
{
	struct utw_link *link;

	pthread_mutex_lock(&p->lock);
	p->closing = true;
	while ((link = utw_list_pop(&p->calls)))
		call_end(utw_container_of(link, struct call, link), freed_failure());
	pthread_mutex_unlock(&p->lock);
	begun_cancel(p);
}
