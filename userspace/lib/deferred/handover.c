// SPDX-License-Identifier: MIT
/* Handing results on: from a function to a deferred, and from one deferred to another. */
#include "base/contract.h"
#include "deferred/deferred-private.h"

struct utw_deferred *utw_deferred_maybe_at(const char *file, int line, utw_start_fn fn, void *data)
{
	struct utw_deferred *d = utw_deferred_new_at(file, line);
	struct utw_result result;

	if (!d)
		return NULL;
	result = fn(data);
	switch (result.kind) {
	case UTW_RESULT_WAIT:
		UTW_CONTRACT(result.deferred);
		utw_deferred_unref(d);
		return result.deferred;
	case UTW_RESULT_PASS:
		utw_deferred_callback(d, NULL);
		return d;
	case UTW_RESULT_VALUE:
	case UTW_RESULT_FAILURE:
		utw_deferred_fire(d, result);
		return d;
	}
	return d;
}

/* Of one that died unfired, the other goes back as it is: it may be dying, too. */
static struct utw_deferred *handover_take(struct utw_result result, void *data)
{
	struct utw_deferred *other = data;

	return result.kind == UTW_RESULT_PASS ? other : utw_deferred_settle(other, result);
}

int utw_deferred_chain(struct utw_deferred *d, struct utw_deferred *other)
{
	int err = utw_deferred_add_taker(d, handover_take, other);

	if (err < 0)
		utw_deferred_unref(other);
	return err;
}
