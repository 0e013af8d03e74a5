// SPDX-License-Identifier: MIT
/*
 * Lists of deferreds. Each member has a taker that brings its result here; the kinds
 * differ in which result decides, and in what is made of all when the last one is in.
 */
#include <untwist/deferred_list.h>

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "deferred/deferred-private.h"

#define NOBODY SIZE_MAX

enum kind {
	ALL,
	ALL_OR_CANCEL,
	FIRST_SUCCESS,
	RACE,
};

/* What the list's value points into. */
struct outcome {
	struct utw_results results;
	struct utw_winner winner;
	struct utw_result at[];
};

struct member {
	struct list *list;
	struct utw_deferred *deferred; /* no reference; NULL when its result is in */
};

struct list {
	enum kind kind;
	size_t pending; /* results not yet in, and loops over the members that still run */
	size_t decided; /* the index of the one that did, or NOBODY */
	struct utw_deferred *whole; /* the producer's reference */
	struct outcome *outcome;
	size_t count;
	struct member members[];
};

static const char *list_describe(int code)
{
	return code == UTW_LIST_ALL_FAILED ? "all members failed" : "a member failed";
}

const struct utw_domain utw_domain_list = { .name = "list", .describe = list_describe };

static void outcome_free(struct outcome *o)
{
	size_t i;

	for (i = 0; i < o->results.count; i++)
		utw_result_drop(&o->at[i]);
	if (o->winner.value.free)
		o->winner.value.free(o->winner.value.ptr);
	free(o);
}

static void results_free(void *ptr)
{
	outcome_free(utw_container_of(ptr, struct outcome, results));
}

static void winner_free(void *ptr)
{
	outcome_free(utw_container_of(ptr, struct outcome, winner));
}

static struct outcome *outcome_new(size_t count)
{
	struct outcome *o = calloc(1, sizeof(*o) + count * sizeof(o->at[0]));

	if (!o)
		return NULL;
	o->results.count = count;
	o->results.at = o->at;
	return o;
}

static struct utw_result value_of_results(const struct list *list)
{
	return utw_result_owned(&list->outcome->results, results_free);
}

/* The winner's value moves to the front, where the user finds it without looking. */
static struct utw_result value_of_winner(const struct list *list)
{
	struct outcome *o = list->outcome;

	o->winner.index = list->decided;
	o->winner.value = o->at[list->decided].value;
	o->at[list->decided] = utw_result_value(NULL);
	return utw_result_owned(&o->winner, winner_free);
}

static struct utw_result failure_of_one(const struct list *list)
{
	struct utw_failure *cause = utw_failure_ref(list->outcome->at[list->decided].failure);
	struct utw_failure *f = utw_failure_new_at(list->whole->file, list->whole->line,
						   &utw_domain_list, (int)list->decided, "list",
						   cause, "member %zu of %zu failed", list->decided,
						   list->count);

	outcome_free(list->outcome);
	return utw_result_fail(f);
}

/* All stories in one line, cut where the space ends. */
static void stories_format(const struct outcome *o, char *text, size_t size)
{
	size_t used = 0, i;

	text[0] = '\0';
	for (i = 0; i < o->results.count && used < size; i++) {
		int length = snprintf(text + used, size - used, "%s%zu: ", i ? "; " : "", i);

		used += length < 0 ? 0 : (size_t)length;
		if (used < size)
			used += (size_t)utw_failure_format(o->at[i].failure, text + used,
							   size - used);
	}
}

static struct utw_result failure_of_all(const struct list *list)
{
	struct outcome *o = list->outcome;
	struct utw_failure *cause = NULL, *f;
	char stories[1024] = "there were none";

	if (list->count) {
		cause = utw_failure_ref(o->at[list->count - 1].failure);
		stories_format(o, stories, sizeof(stories));
	}
	f = utw_failure_new_at(list->whole->file, list->whole->line, &utw_domain_list,
			       UTW_LIST_ALL_FAILED, "list", cause, "%s", stories);
	outcome_free(o);
	return utw_result_fail(f);
}

static struct utw_result list_result(const struct list *list)
{
	bool decided = list->decided != NOBODY;

	switch (list->kind) {
	case ALL:
		break;
	case ALL_OR_CANCEL:
		if (decided)
			return failure_of_one(list);
		break;
	case FIRST_SUCCESS:
		return decided ? value_of_winner(list) : failure_of_all(list);
	case RACE:
		if (!decided)
			return failure_of_all(list);
		if (list->outcome->at[list->decided].kind == UTW_RESULT_FAILURE)
			return failure_of_one(list);
		return value_of_winner(list);
	}
	return value_of_results(list);
}

/* Returns the deferred of the list when this was the last thing it waited for. */
static struct utw_deferred *list_count_down(struct list *list)
{
	struct utw_deferred *whole = list->whole;
	struct utw_result result;

	if (--list->pending)
		return NULL;
	result = list_result(list);
	free(list);
	return utw_deferred_settle(whole, result);
}

/* Results come in while this runs, perhaps the last: it counts as one itself. */
static struct utw_deferred *list_cancel_members(struct list *list)
{
	size_t i;

	list->pending++;
	for (i = 0; i < list->count; i++)
		if (list->members[i].deferred)
			utw_deferred_cancel(list->members[i].deferred);
	return list_count_down(list);
}

static enum utw_cancel list_cancel(struct utw_deferred *d, void *data)
{
	struct utw_deferred *whole = list_cancel_members(data);

	(void)d;
	if (whole) {
		utw_chain_run(whole);
		utw_deferred_unref(whole);
	}
	return UTW_CANCEL_LATER;
}

static bool kind_decides(enum kind kind, enum utw_result_kind result)
{
	switch (kind) {
	case ALL:
		return false;
	case ALL_OR_CANCEL:
		return result == UTW_RESULT_FAILURE;
	case FIRST_SUCCESS:
		return result == UTW_RESULT_VALUE;
	case RACE:
		return true;
	}
	return false;
}

static struct utw_deferred *member_ended(struct member *m, struct utw_result result)
{
	struct list *list = m->list;
	size_t index = (size_t)(m - list->members);

	m->deferred = NULL;
	list->outcome->at[index] = result;
	if (list->decided == NOBODY && kind_decides(list->kind, result.kind)) {
		list->decided = index;
		/* The member itself is still counted: the list cannot end in here. */
		(void)list_cancel_members(list);
	}
	return list_count_down(list);
}

static struct utw_deferred *member_take(struct utw_result result, void *data)
{
	struct member *m = data;
	const struct utw_deferred *whole = m->list->whole;

	if (result.kind == UTW_RESULT_PASS)
		result = utw_result_fail(
			utw_failure_new_at(whole->file, whole->line, &utw_domain_reason,
					   UTW_CANCELLED, "list", NULL,
					   "a member was released before it fired"));
	return member_ended(m, result);
}

static void member_watch(struct member *m)
{
	const struct utw_deferred *whole = m->list->whole;
	int err = utw_deferred_add_taker(m->deferred, member_take, m);

	if (err < 0)
		(void)member_ended(m,
				   utw_result_fail(
					   utw_failure_from_errno_at(whole->file, whole->line, err,
								     "list",
								     "no memory to wait for a member")));
	else if (m->deferred && m->list->decided != NOBODY)
		utw_deferred_cancel(m->deferred);
}

/* Results may come in at once; the list counts this loop as well, so that it stays. */
static void list_watch_members(struct list *list, struct utw_deferred *const *members)
{
	struct utw_deferred *whole;
	size_t i;

	list->pending = list->count + 1;
	for (i = 0; i < list->count; i++) {
		list->members[i].list = list;
		list->members[i].deferred = members[i];
		member_watch(&list->members[i]);
		utw_deferred_unref(members[i]);
	}
	whole = list_count_down(list);
	utw_deferred_unref(whole);
}

static struct list *list_new(const char *file, int line, enum kind kind, size_t count)
{
	struct list *list = NULL;

	if (count < INT_MAX / sizeof(list->members[0]))
		list = calloc(1, sizeof(*list) + count * sizeof(list->members[0]));
	if (!list)
		return NULL;
	list->kind = kind;
	list->count = count;
	list->decided = NOBODY;
	list->outcome = outcome_new(count);
	list->whole = utw_deferred_new_at(file, line);
	if (list->outcome && list->whole)
		return list;
	utw_deferred_unref(list->whole);
	free(list->outcome);
	free(list);
	return NULL;
}

static struct utw_deferred *list_start(const char *file, int line, enum kind kind,
				       struct utw_deferred *const *members, size_t count)
{
	struct list *list = list_new(file, line, kind, count);
	struct utw_deferred *whole;
	size_t i;

	if (!list) {
		for (i = 0; i < count; i++)
			utw_deferred_unref(members[i]);
		return NULL;
	}
	whole = utw_deferred_ref(list->whole);
	utw_deferred_set_canceller(whole, list_cancel, list);
	list_watch_members(list, members);
	return whole;
}

struct utw_deferred *utw_deferred_all_at(const char *file, int line,
					 struct utw_deferred *const *members, size_t count)
{
	return list_start(file, line, ALL, members, count);
}

struct utw_deferred *utw_deferred_all_or_cancel_at(const char *file, int line,
						   struct utw_deferred *const *members,
						   size_t count)
{
	return list_start(file, line, ALL_OR_CANCEL, members, count);
}

struct utw_deferred *utw_deferred_first_success_at(const char *file, int line,
						   struct utw_deferred *const *members,
						   size_t count)
{
	return list_start(file, line, FIRST_SUCCESS, members, count);
}

struct utw_deferred *utw_deferred_race_at(const char *file, int line,
					  struct utw_deferred *const *members, size_t count)
{
	return list_start(file, line, RACE, members, count);
}
