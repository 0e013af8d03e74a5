// SPDX-License-Identifier: MIT
/*
 * Semaphores. Turns are given by one loop, which a release from inside a callback only
 * feeds: a queue of any length costs no stack. Freed inside that loop, the memory goes
 * when the loop has ended.
 */
#include <untwist/semaphore.h>

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "deferred/deferred-private.h"
#include "deferred/waiters.h"

struct utw_semaphore {
	struct utw_waiters waiters;
	struct utw_link holders;
	size_t tokens;
	size_t limit;
	bool granting;
	bool freed;
};

/* A function that runs with a token. */
struct holder {
	struct utw_link link; /* among the semaphore's */
	struct utw_semaphore *semaphore; /* NULL when that was freed */
	struct utw_deferred *turn; /* fires when it has the token; no reference */
	struct utw_deferred *whole; /* the producer's reference */
	utw_start_fn fn;
	void *data;
	bool holds;
};

int utw_semaphore_new(struct utw_semaphore **ret, size_t tokens)
{
	struct utw_semaphore *s;

	if (!tokens)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	utw_waiters_init(&s->waiters);
	utw_list_init(&s->holders);
	s->tokens = tokens;
	s->limit = tokens;
	*ret = s;
	return 0;
}

static void holders_forget(struct utw_semaphore *s)
{
	struct utw_link *link;

	while ((link = utw_list_pop(&s->holders)))
		utw_container_of(link, struct holder, link)->semaphore = NULL;
}

void utw_semaphore_free(struct utw_semaphore *s)
{
	bool nested;

	if (!s || s->freed)
		return;
	nested = s->granting;
	s->freed = true;
	holders_forget(s);
	utw_waiters_cancel(&s->waiters, "semaphore");
	if (!nested)
		free(s);
}

static void semaphore_grant(struct utw_semaphore *s)
{
	struct utw_deferred *d;

	if (s->granting)
		return;
	s->granting = true;
	while (!s->freed && s->tokens && (d = utw_waiters_pop(&s->waiters))) {
		s->tokens--;
		utw_deferred_callback(d, s);
		utw_deferred_unref(d);
	}
	s->granting = false;
	if (s->freed)
		free(s);
}

struct utw_deferred *utw_semaphore_acquire_at(const char *file, int line, struct utw_semaphore *s)
{
	struct utw_deferred *d;

	if (s->freed)
		return utw_waiters_refuse(file, line, "semaphore");
	if (!s->tokens || s->waiters.count)
		return utw_waiters_add(&s->waiters, file, line);
	d = utw_deferred_succeed_at(file, line, s);
	if (d)
		s->tokens--;
	return d;
}

int utw_semaphore_release(struct utw_semaphore *s)
{
	if (s->freed || s->tokens == s->limit)
		return -EPERM;
	s->tokens++;
	semaphore_grant(s);
	return 0;
}

size_t utw_semaphore_tokens(const struct utw_semaphore *s)
{
	return s->tokens;
}

size_t utw_semaphore_waiting(const struct utw_semaphore *s)
{
	return s->waiters.count;
}

static struct utw_result holder_turn(void *value, void *data)
{
	struct holder *h = data;

	(void)value;
	h->holds = true;
	return h->fn(h->data);
}

static struct utw_deferred *holder_end(struct utw_result result, void *data)
{
	struct holder *h = data;
	struct utw_semaphore *s = h->holds ? h->semaphore : NULL;
	struct utw_deferred *whole = h->whole;

	utw_list_remove(&h->link);
	free(h);
	if (result.kind == UTW_RESULT_PASS)
		result = utw_result_fail(
			utw_failure_new_at(whole->file, whole->line, &utw_domain_reason,
					   UTW_CANCELLED, "semaphore", NULL,
					   "what it waited for was released before it fired"));
	if (s)
		utw_semaphore_release(s);
	return utw_deferred_settle(whole, result);
}

static enum utw_cancel holder_cancel(struct utw_deferred *d, void *data)
{
	(void)d;
	utw_deferred_cancel(((struct holder *)data)->turn);
	return UTW_CANCEL_LATER;
}

static struct holder *holder_new(struct utw_semaphore *s, utw_start_fn fn, void *data)
{
	struct holder *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->semaphore = s;
	h->fn = fn;
	h->data = data;
	return h;
}

struct utw_deferred *utw_semaphore_run_at(const char *file, int line, struct utw_semaphore *s,
					  utw_start_fn fn, void *data)
{
	struct holder *h = holder_new(s, fn, data);
	struct utw_deferred *whole = h ? utw_deferred_new_at(file, line) : NULL;
	struct utw_deferred *turn = whole ? utw_semaphore_acquire_at(file, line, s) : NULL;

	if (!turn) {
		utw_deferred_unref(whole);
		free(h);
		return NULL;
	}
	utw_list_append(&s->holders, &h->link);
	h->turn = turn;
	h->whole = utw_deferred_ref(whole);
	utw_deferred_set_canceller(whole, holder_cancel, h);
	/* Two places, which need no memory. */
	utw_deferred_add_callback(turn, holder_turn, h);
	utw_deferred_add_taker(turn, holder_end, h);
	utw_deferred_unref(turn);
	return whole;
}
