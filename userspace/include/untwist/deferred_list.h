/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several deferreds at once.
 *
 *   kind             ends early with       its value is               it fails when
 *   all              -                     struct utw_results         never
 *   all_or_cancel    the first failure     struct utw_results         one member fails
 *   first_success    the first value       struct utw_winner          all members fail
 *   race             the first result      struct utw_winner          the first one is a failure
 *
 * What ends early cancels the members that are left, and every kind fires only when
 * the last member has ended: once it has, nothing that it was made of still runs or
 * uses anybody's memory.
 *
 * Cancelling the list cancels its members; their results then decide as always. A
 * member that dies unfired counts as one that was cancelled.
 *
 * Ownership: the references given are taken in every case, NULL returned or not; who
 * wants to go on using a member holds another one, as its producer does. The members'
 * results move into the list and none of them counts as unhandled; a callback added to
 * a member later sees NULL. The same deferred given twice has its result in the first of
 * the two places. A list that a member of it waits for never ends.
 *
 * Thread rule: that of the members, see deferred.h.
 */
#ifndef UNTWIST_DEFERRED_LIST_H
#define UNTWIST_DEFERRED_LIST_H

#include <stddef.h>

#include <untwist/api.h>
#include <untwist/deferred.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How each member ended, in the order in which they were given: UTW_RESULT_VALUE or _FAILURE. */
struct utw_results {
	size_t count;
	struct utw_result *at; /* to keep one, copy it and leave utw_result_value(NULL) */
};

/* Who was first. */
struct utw_winner {
	size_t index; /* among those given */
	struct utw_value value; /* to keep it, copy it and set its `free` to NULL */
};

/*
 * The domain of a list's failure. The code is the index of the member whose failure
 * decided, which is the cause; or UTW_LIST_ALL_FAILED, when the message tells how each
 * one failed and the cause is the last member's.
 */
UTW_API extern const struct utw_domain utw_domain_list;
#define UTW_LIST_ALL_FAILED (-1)

/*
 * Each returns a new deferred with one reference, or NULL when memory is out; then the
 * members have been let go of, unheard. The value frees what is left in it. Without
 * members the first two fire at once with no results, the last two fail at once with
 * UTW_LIST_ALL_FAILED.
 *   members  an array of `count` deferreds, only read during the call
 */
#define utw_deferred_all(members, count) utw_deferred_all_at(UTW_HERE, members, count)
#define utw_deferred_all_or_cancel(members, count) \
	utw_deferred_all_or_cancel_at(UTW_HERE, members, count)
#define utw_deferred_first_success(members, count) \
	utw_deferred_first_success_at(UTW_HERE, members, count)
#define utw_deferred_race(members, count) utw_deferred_race_at(UTW_HERE, members, count)

UTW_API struct utw_deferred *utw_deferred_all_at(const char *file, int line,
						 struct utw_deferred *const *members, size_t count);
UTW_API struct utw_deferred *utw_deferred_all_or_cancel_at(const char *file, int line,
							   struct utw_deferred *const *members,
							   size_t count);
UTW_API struct utw_deferred *utw_deferred_first_success_at(const char *file, int line,
							   struct utw_deferred *const *members,
							   size_t count);
UTW_API struct utw_deferred *
utw_deferred_race_at(const char *file, int line, struct utw_deferred *const *members, size_t count);

#ifdef __cplusplus
}
#endif

#endif
