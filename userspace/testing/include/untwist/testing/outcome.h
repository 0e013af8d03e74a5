/* SPDX-License-Identifier: MIT */
/*
 * Outcome: what a deferred has come to, looked at without waiting.
 *
 * For assertions of any test library:
 *
 *	assert_ptr_equal(utw_outcome_value(d), expected);
 *	assert_true(utw_outcome_failed(d, &utw_domain_errno, ECONNREFUSED));
 *	assert_true(utw_outcome_pending(d));
 *
 * Looking moves the result out: it is handled then, and the deferred has NULL.
 */
#ifndef UNTWIST_TESTING_OUTCOME_H
#define UNTWIST_TESTING_OUTCOME_H

#include <stdbool.h>

#include <untwist/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utw_deferred;
struct utw_domain;

/** What utw_outcome_value() returns when there is no value. */
#define UTW_OUTCOME_NONE ((void *)&utw_outcome_none)

/* Nothing is in it; it only is at no other value's address. */
UTW_API extern char utw_outcome_none;

/**
 * utw_outcome_pending() - has it no result yet?
 * @d: the deferred
 *
 * Return: true if it has none; nothing is moved.
 */
UTW_API bool utw_outcome_pending(struct utw_deferred *d);

/**
 * utw_outcome_value() - the value of a deferred
 * @d: the deferred
 *
 * Return: the value, freed already if the chain owned it (compare it, do not
 * look into it); UTW_OUTCOME_NONE when there is no result or a failure, which
 * is then left as it is.
 */
UTW_API void *utw_outcome_value(struct utw_deferred *d);

/**
 * utw_outcome_failed() - has it failed just so?
 * @d: the deferred
 * @domain: of the failure, or of one behind it
 * @code: its code
 *
 * Return: true if so, and the failure is handled; everything else stays as it is.
 */
UTW_API bool utw_outcome_failed(struct utw_deferred *d, const struct utw_domain *domain, int code);

#ifdef __cplusplus
}
#endif

#endif
