/* SPDX-License-Identifier: MIT */
/* A pool with its reactor, and gates that hold its threads until the test says so. */
#ifndef UTW_TESTS_POOL_FIXTURE_H
#define UTW_TESTS_POOL_FIXTURE_H

#include <semaphore.h>
#include <stdatomic.h>

#include <untwist/pool.h>
#include <untwist/reactor.h>

#include "harness.h"

struct pool_fixture {
	struct utw_reactor *reactor;
	struct utw_pool *pool;
};

/* A pool of that many threads at most. */
void pool_fixture_init(struct pool_fixture *x, unsigned int threads, size_t backlog);
/* Frees the pool, if it has not been, and the reactor. */
void pool_fixture_release(struct pool_fixture *x);

/* Take turns until `d`, whose reference is taken, has its result. */
struct utw_result pool_fixture_result(struct pool_fixture *x, struct utw_deferred *d);
/* The same, which must be a value. */
intptr_t pool_fixture_value(struct pool_fixture *x, struct utw_deferred *d);
/* The same, which must be that failure. */
void pool_fixture_failure(struct pool_fixture *x, struct utw_deferred *d,
			  const struct utw_domain *domain, int code);

/* Work that says that it runs, and returns when it is let. */
struct gate {
	sem_t entered;
	sem_t open;
	atomic_uint passed; /* how many went through */
	atomic_bool cancelled; /* the last one was told so */
};

void gate_init(struct gate *gate);
void gate_release(struct gate *gate);
struct utw_result gate_pass(struct utw_work *work, void *gate);

#endif
