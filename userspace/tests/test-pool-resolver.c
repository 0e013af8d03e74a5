/* SPDX-License-Identifier: MIT */
/* Pool resolver: the system's answers, and its silence, which a stand-in for getaddrinfo() keeps. */
#include <untwist/pool_resolver.h>

#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <untwist/address.h>
#include <untwist/dns.h>

#include "harness-alloc.h"
#include "meeting.h"
#include "pool-fixture.h"

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **ret);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **ret);

static struct gate gate;

/* No test can make the system's own servers fail or be silent when it wants. */
static const struct {
	const char *host;
	int status;
} failures[] = { { "missing.test", EAI_NONAME }, { "empty.test", EAI_NODATA },
		 { "broken.test", EAI_FAIL },	 { "late.test", EAI_AGAIN },
		 { "memory.test", EAI_MEMORY },	 { "system.test", EAI_SYSTEM } };

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (strcmp(host, failures[i].host) == 0) {
			errno = EPERM;
			return failures[i].status;
		}
	}
	if (strcmp(host, "silent.test") == 0) {
		sem_post(&gate.entered);
		sem_wait(&gate.open);
	}
	/* Names that lead here. */
	return __real_getaddrinfo(strstr(host, ".test") ? "127.0.0.1" : host, port, hints, ret);
}

/* A lookup, and what it was told. */
struct asking {
	struct utw_lookup lookup;
	struct utw_address found[8];
	unsigned int count;
	unsigned int done;
	struct utw_failure *failure;
	bool cancel_when_found;
};

static void asking_found(struct utw_lookup *l, const struct utw_address *address)
{
	struct asking *a = utw_container_of(l, struct asking, lookup);

	assert_true(a->count < ARRAY_SIZE(a->found));
	a->found[a->count++] = *address;
	if (a->cancel_when_found)
		utw_lookup_cancel(l);
}

static void asking_done(struct utw_lookup *l, struct utw_failure *failure)
{
	struct asking *a = utw_container_of(l, struct asking, lookup);

	assert_null(l->resolver);
	a->done++;
	a->failure = utw_failure_ref(failure);
}

static const struct utw_lookup_ops asking_ops = { .found = asking_found, .done = asking_done };

static struct pool_fixture x;
static struct utw_pool_resolver resolver;

static void begin(size_t backlog)
{
	gate_init(&gate);
	pool_fixture_init(&x, 1, backlog);
	utw_pool_resolver_init(&resolver, x.pool);
}

static void end(void)
{
	pool_fixture_release(&x);
	gate_release(&gate);
}

static int ask(struct asking *a, const char *host, int family)
{
	memset(a, 0, sizeof(*a));
	utw_lookup_init(&a->lookup, &asking_ops);
	return utw_lookup_start(&a->lookup, &resolver.resolver, host, 80, family);
}

static void wait_for(const struct asking *a)
{
	while (!a->done)
		assert_true(utw_reactor_run_once(x.reactor, UTW_FOREVER) >= 0);
}

static void address_is_found_with_its_port(void **state)
{
	char text[UTW_ADDRESS_TEXT];
	struct asking a;

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	assert_int_equal(ask(&a, "here.test", AF_UNSPEC), 0);
	assert_int_equal(a.done, 0);
	wait_for(&a);
	assert_null(a.failure);
	assert_int_equal(a.count, 1);
	utw_address_format(&a.found[0], text, sizeof(text));
	assert_string_equal(text, "127.0.0.1:80");
	end();
}

static void system_is_asked(void **state)
{
	struct asking a;

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	assert_int_equal(ask(&a, "localhost", AF_INET), 0);
	wait_for(&a);
	assert_true(a.count >= 1);
	assert_int_equal(a.found[0].storage.ss_family, AF_INET);
	assert_int_equal(ask(&a, "::1", AF_INET6), 0);
	wait_for(&a);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.found[0].storage.ss_family, AF_INET6);
	end();
}

static void failures_are_told_in_the_words_of_dns(void **state)
{
	static const struct {
		const char *host;
		const struct utw_domain *domain;
		int code;
	} expected[] = { { "missing.test", &utw_domain_dns, UTW_DNS_NO_NAME },
			 { "empty.test", &utw_domain_dns, UTW_DNS_NO_DATA },
			 { "broken.test", &utw_domain_dns, UTW_DNS_FAILED },
			 { "late.test", &utw_domain_dns, UTW_DNS_FAILED },
			 { "memory.test", &utw_domain_errno, ENOMEM },
			 { "system.test", &utw_domain_errno, EPERM } };

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		struct asking a;

		assert_int_equal(ask(&a, expected[i].host, AF_UNSPEC), 0);
		wait_for(&a);
		assert_int_equal(a.count, 0);
		if (!utw_failure_is(a.failure, expected[i].domain, expected[i].code))
			fail_msg("%s: %s", expected[i].host, utw_failure_message(a.failure));
		assert_non_null(strstr(utw_failure_message(a.failure), expected[i].host));
		utw_failure_unref(a.failure);
	}
	end();
}

/* One thread: the second lookup waits for it, and the first keeps it. */
static void cancelled_lookups_hear_nothing(void **state)
{
	struct asking running, waiting;

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	assert_int_equal(ask(&running, "silent.test", AF_UNSPEC), 0);
	sem_wait(&gate.entered);
	assert_int_equal(ask(&waiting, "here.test", AF_UNSPEC), 0);
	utw_lookup_cancel(&waiting.lookup);
	utw_lookup_cancel(&running.lookup);
	utw_lookup_cancel(&running.lookup);
	/* Nothing refers to them any more. */
	memset(&running.lookup, 0xee, sizeof(running.lookup));
	memset(&waiting.lookup, 0xee, sizeof(waiting.lookup));
	sem_post(&gate.open);
	assert_int_equal(ask(&waiting, "here.test", AF_UNSPEC), 0);
	wait_for(&waiting);
	assert_int_equal(running.count + running.done, 0);
	end();
}

static void found_may_cancel(void **state)
{
	struct asking a, b;

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	assert_int_equal(ask(&a, "here.test", AF_UNSPEC), 0);
	a.cancel_when_found = true;
	assert_int_equal(ask(&b, "here.test", AF_UNSPEC), 0);
	wait_for(&b);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.done, 0);
	end();
}

static void pool_that_takes_no_more_is_an_error(void **state)
{
	struct asking running, a;

	(void)state;
	begin(0);
	assert_int_equal(ask(&running, "silent.test", AF_UNSPEC), 0);
	sem_wait(&gate.entered);
	assert_int_equal(ask(&a, "here.test", AF_UNSPEC), -EAGAIN);
	assert_null(a.lookup.resolver);
	sem_post(&gate.open);
	wait_for(&running);
	assert_int_equal(a.done, 0);
	end();
}

/* Has the one thread until the pool ends. */
static struct utw_result wait_for_the_end(struct utw_work *work, void *data)
{
	(void)data;
	while (!utw_work_cancelled(work))
		sched_yield();
	return utw_result_fail(
		utw_failure_new(&utw_domain_reason, UTW_CANCELLED, "wait", NULL, "the pool ends"));
}

static void end_of_the_pool_ends_lookups(void **state)
{
	struct utw_deferred *work;
	struct asking waiting;

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	work = utw_pool_defer(x.pool, wait_for_the_end, NULL);
	assert_int_equal(ask(&waiting, "here.test", AF_UNSPEC), 0);
	utw_pool_free(x.pool);
	x.pool = NULL;
	assert_int_equal(waiting.done, 1);
	assert_true(utw_failure_is(waiting.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_failure_unref(waiting.failure);
	pool_fixture_failure(&x, work, &utw_domain_reason, UTW_CANCELLED);
	end();
}

static void no_memory_is_an_error(void **state)
{
	struct asking a;
	unsigned int nth;

	(void)state;
	begin(UTW_POOL_UNLIMITED);
	/* With its thread running: that needs memory, too. */
	assert_int_equal(ask(&a, "here.test", AF_UNSPEC), 0);
	wait_for(&a);
	for (nth = 1; nth < 10; nth++) {
		int error;

		alloc_fail_at(nth);
		error = ask(&a, "here.test", AF_UNSPEC);
		alloc_fail_at(0);
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_null(a.lookup.resolver);
	}
	assert_in_range(nth, 2, 9);
	wait_for(&a);
	utw_failure_unref(a.failure);
	end();
}

static void endpoint_connects_by_name(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[64];

	(void)state;
	gate_init(&gate);
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "tcp:0:interface=localhost"), 0);
	snprintf(text, sizeof(text), "tcp:here.test%s", strchr(utw_port_name(m.port), ':'));
	d = meeting_connect(&m, text);
	assert_true(utw_failure_is(m.failure, &utw_domain_errno, EDESTADDRREQ));
	assert_non_null(strstr(utw_failure_message(m.failure), "here.test"));
	utw_failure_unref(m.failure);
	m.failure = NULL;
	utw_deferred_unref(d);
	assert_int_equal(utw_pool_new(&x.pool, m.near.reactor, NULL), 0);
	utw_pool_resolver_init(&resolver, x.pool);
	m.resolver = &resolver.resolver;
	m.fired = false;
	d = meeting_connect(&m, text);
	while (!m.fired || !m.far.count)
		assert_true(utw_reactor_run_once(m.near.reactor, UTW_FOREVER) >= 0);
	assert_null(m.failure);
	utw_deferred_unref(d);
	utw_pool_free(x.pool);
	meeting_close(&m);
	gate_release(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(address_is_found_with_its_port),
		TEST(system_is_asked),
		TEST(failures_are_told_in_the_words_of_dns),
		TEST(cancelled_lookups_hear_nothing),
		TEST(found_may_cancel),
		TEST(pool_that_takes_no_more_is_an_error),
		TEST(end_of_the_pool_ends_lookups),
		TEST(no_memory_is_an_error),
		TEST(endpoint_connects_by_name),
	};

	return cmocka_run_group_tests_name("pool-resolver", tests, NULL, NULL);
}
