/* SPDX-License-Identifier: MIT */
/* Outcome: see untwist/testing/outcome.h. */
#include <untwist/testing/outcome.h>

#include <untwist/deferred.h>

char utw_outcome_none;

/* Puts the result back that was taken. */
static struct utw_result put_back(void *value, void *data)
{
	(void)value;
	return *(struct utw_result *)data;
}

/*
 * A deferred that can be taken from has its result, and runs what is added at
 * once: so the callback never stays behind with a pointer into this stack.
 */
static void restore(struct utw_deferred *d, struct utw_result *result)
{
	utw_deferred_add_callback(d, put_back, result);
}

bool utw_outcome_pending(struct utw_deferred *d)
{
	struct utw_result result;

	if (utw_deferred_take(d, &result))
		return true;
	restore(d, &result);
	return false;
}

void *utw_outcome_value(struct utw_deferred *d)
{
	struct utw_result result;

	if (utw_deferred_take(d, &result))
		return UTW_OUTCOME_NONE;
	if (result.kind != UTW_RESULT_VALUE) {
		restore(d, &result);
		return UTW_OUTCOME_NONE;
	}
	if (result.value.free)
		result.value.free(result.value.ptr);
	return result.value.ptr;
}

bool utw_outcome_failed(struct utw_deferred *d, const struct utw_domain *domain, int code)
{
	struct utw_result result;

	if (utw_deferred_take(d, &result))
		return false;
	if (result.kind != UTW_RESULT_FAILURE || !utw_failure_has(result.failure, domain, code)) {
		restore(d, &result);
		return false;
	}
	utw_failure_unref(result.failure);
	return true;
}
