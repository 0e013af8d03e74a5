// SPDX-License-Identifier: MIT
/* What the tests of pools share. */
#include "pool-fixture.h"

#include <errno.h>

void pool_fixture_init(struct pool_fixture *x, unsigned int threads, size_t backlog)
{
	const struct utw_pool_options options = { .threads = threads, .backlog = backlog };

	assert_int_equal(utw_reactor_new(&x->reactor), 0);
	assert_int_equal(utw_pool_new(&x->pool, x->reactor, &options), 0);
}

void pool_fixture_release(struct pool_fixture *x)
{
	utw_pool_free(x->pool);
	utw_reactor_free(x->reactor);
}

struct utw_result pool_fixture_result(struct pool_fixture *x, struct utw_deferred *d)
{
	struct utw_result result;

	assert_non_null(d);
	while (utw_deferred_take(d, &result) < 0)
		assert_true(utw_reactor_run_once(x->reactor, UTW_FOREVER) >= 0);
	utw_deferred_unref(d);
	return result;
}

intptr_t pool_fixture_value(struct pool_fixture *x, struct utw_deferred *d)
{
	struct utw_result result = pool_fixture_result(x, d);

	assert_int_equal(result.kind, UTW_RESULT_VALUE);
	return (intptr_t)result.value.ptr;
}

void pool_fixture_failure(struct pool_fixture *x, struct utw_deferred *d,
			  const struct utw_domain *domain, int code)
{
	struct utw_result result = pool_fixture_result(x, d);

	assert_int_equal(result.kind, UTW_RESULT_FAILURE);
	assert_true(utw_failure_is(result.failure, domain, code));
	utw_result_drop(&result);
}

void gate_init(struct gate *gate)
{
	sem_init(&gate->entered, 0, 0);
	sem_init(&gate->open, 0, 0);
	atomic_init(&gate->passed, 0);
	atomic_init(&gate->cancelled, false);
}

void gate_release(struct gate *gate)
{
	sem_destroy(&gate->entered);
	sem_destroy(&gate->open);
}

struct utw_result gate_pass(struct utw_work *work, void *data)
{
	struct gate *gate = data;

	sem_post(&gate->entered);
	while (sem_wait(&gate->open) < 0 && errno == EINTR)
		;
	atomic_store(&gate->cancelled, utw_work_cancelled(work));
	return utw_result_value((void *)(uintptr_t)(atomic_fetch_add(&gate->passed, 1) + 1));
}
