/* SPDX-License-Identifier: MIT */
/* The client service: cases 53 and 54 of the semantics, over an endpoint type of the test's own. */
#include <untwist/client.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/endpoint.h>
#include <untwist/failure.h>
#include <untwist/fd.h>

#include "guests.h"
#include "harness-clock.h"
#include "harness.h"

struct bench {
	struct guests guests;
	struct utw_client client;
	struct utw_endpoint *endpoint;
	struct utw_deferred *attempt; /* the one that is under way */
	struct utw_factory *factory;
	unsigned int attempts;
	bool cancelled;
};

static struct bench *bench;

static enum utw_cancel attempt_cancel(struct utw_deferred *d, void *data)
{
	(void)data;
	bench->cancelled = true;
	bench->attempt = NULL;
	utw_factory_stop(bench->factory);
	utw_deferred_unref(d);
	return UTW_CANCEL_NOW;
}

static struct utw_deferred *attempt_begin(const struct utw_endpoint *e, struct utw_reactor *r,
					  struct utw_factory *f)
{
	(void)e;
	(void)r;
	assert_null(bench->attempt);
	utw_factory_start(f);
	bench->factory = f;
	bench->attempts++;
	bench->attempt = utw_deferred_new();
	utw_deferred_set_canceller(bench->attempt, attempt_cancel, NULL);
	return utw_deferred_ref(bench->attempt);
}

static struct utw_deferred *attempt_end(void)
{
	struct utw_deferred *d = bench->attempt;

	assert_non_null(d);
	bench->attempt = NULL;
	utw_deferred_set_canceller(d, NULL, NULL);
	utw_factory_stop(bench->factory);
	return d;
}

static void attempt_fails(int error)
{
	struct utw_deferred *d = attempt_end();

	utw_deferred_errback(d, utw_failure_from_errno(error, "connect", "on purpose"));
	utw_deferred_unref(d);
}

static void attempt_succeeds(void)
{
	struct utw_protocol *p = utw_factory_build(bench->factory, NULL);
	struct utw_deferred *d;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	bench->guests.fd[bench->guests.count - 1] = fd[0];
	assert_int_equal(utw_fd_transport_new(NULL, bench->guests.reactor, fd[1], fd[1], p), 0);
	turn_all(bench->guests.reactor);
	d = attempt_end();
	utw_deferred_callback(d, p);
	utw_deferred_unref(d);
	turn_all(bench->guests.reactor);
}

static const struct utw_endpoint_key no_keys[] = { { .name = NULL } };
static const struct utw_endpoint_type fake_type = {
	.name = "fake", .role = UTW_ENDPOINT_CLIENT, .keys = no_keys, .connect = attempt_begin
};
static const struct utw_endpoint_type *const fake_types[] = { &fake_type, NULL };

static double always(void *data)
{
	return *(double *)data;
}

static double most = 1;

static const struct utw_backoff plain = { SECONDS, 60 * SECONDS, 1.5, 0, always, &most };

static void bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	bench = b;
	clock_freeze(100 * SECONDS);
	guests_open(&b->guests);
	assert_int_equal(utw_endpoint_parse(&b->endpoint, UTW_ENDPOINT_CLIENT, "fake", fake_types,
					    NULL),
			 0);
	utw_client_init(&b->client, b->guests.reactor, b->endpoint, &b->guests.factory, &plain);
	assert_int_equal(utw_service_start(&b->client.service, NULL), 0);
}

static void bench_stop(struct bench *b)
{
	struct utw_deferred *d = utw_service_stop(&b->client.service);

	turn_all(b->guests.reactor);
	assert_true(utw_deferred_fired(d));
	utw_deferred_unref(d);
	assert_int_equal(b->client.state, UTW_CLIENT_STOPPED);
}

static void bench_close(struct bench *b)
{
	bench_stop(b);
	utw_endpoint_free(b->endpoint);
	guests_close(&b->guests);
	assert_int_equal(b->guests.factory.users, 0);
}

static void advance(struct bench *b, uint64_t by)
{
	clock_advance(by);
	turn_all(b->guests.reactor);
}

/* What when_connected told. */
struct told {
	struct utw_protocol *protocol;
	int code;
	unsigned int times;
};

static struct utw_result told_fired(void *value, struct utw_failure *failure, void *data)
{
	struct told *t = data;

	t->times++;
	t->protocol = value;
	t->code = failure ? utw_failure_code(failure) : 0;
	return utw_result_value(NULL);
}

static void ask(struct bench *b, struct told *t, unsigned int failures)
{
	struct utw_deferred *d = utw_client_when_connected(&b->client, failures);

	memset(t, 0, sizeof(*t));
	assert_non_null(d);
	utw_deferred_add_both(d, told_fired, t);
	utw_deferred_unref(d);
}

static void assert_delays(const struct utw_backoff *b, const double *seconds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		double got = (double)utw_backoff_delay(b, i + 1) / 1e9;

		if (got < seconds[i] - 0.001 || got > seconds[i] + 0.001)
			fail_msg("after %zu: %f, not %f", i + 1, got, seconds[i]);
	}
}

static void client_case_53_delays(void **state)
{
	static const double first[] = { 1.5,	2.25,	3.375,	5.0625, 7.594, 11.391,
					17.086, 25.629, 38.443, 57.665, 60,    60 };
	static const double second[] = { 2.5, 4.5, 8.5, 10.5, 10.5 };
	struct utw_backoff b = { SECONDS, 10 * SECONDS, 2, SECONDS / 2, always, &most };

	(void)state;
	assert_delays(&plain, first, ARRAY_SIZE(first));
	assert_delays(&b, second, ARRAY_SIZE(second));
	assert_int_equal(utw_backoff_delay(&plain, 1000000), 60 * SECONDS);
	b.factor = 1;
	assert_int_equal(utw_backoff_delay(&b, UINT64_MAX), 3 * SECONDS / 2);
	b.random = NULL;
	for (int i = 0; i < 100; i++) {
		uint64_t delay = utw_backoff_delay(&b, 1);

		assert_true(delay >= SECONDS && delay <= 3 * SECONDS / 2);
	}
}

static void attempts_follow_the_delays(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	attempt_fails(-ECONNREFUSED);
	advance(&b, 1500 * MILLISECONDS - 1);
	assert_int_equal(b.attempts, 1);
	advance(&b, 1);
	assert_int_equal(b.attempts, 2);
	attempt_fails(-ECONNREFUSED);
	advance(&b, 2250 * MILLISECONDS - 1);
	assert_int_equal(b.attempts, 2);
	advance(&b, 1);
	assert_int_equal(b.attempts, 3);
	attempt_succeeds();
	assert_int_equal(b.client.state, UTW_CLIENT_CONNECTED);
	assert_int_equal(b.client.failures, 0);
	bench_close(&b);
}

static void lost_connection_is_made_again(void **state)
{
	struct told t;
	struct bench b;

	(void)state;
	bench_open(&b);
	attempt_succeeds();
	ask(&b, &t, 1);
	assert_ptr_equal(t.protocol, &b.guests.recorders[0].protocol);
	shutdown(b.guests.fd[0], SHUT_RDWR);
	turn_all(b.guests.reactor);
	utw_transport_close(b.guests.recorders[0].protocol.transport, UTW_CLOSE_FLUSH, 0);
	turn_all(b.guests.reactor);
	assert_int_equal(b.client.state, UTW_CLIENT_WAITING);
	advance(&b, 1500 * MILLISECONDS);
	assert_int_equal(b.attempts, 2);
	attempt_succeeds();
	ask(&b, &t, 0);
	assert_ptr_equal(t.protocol, &b.guests.recorders[1].protocol);
	bench_close(&b);
}

/* The protocol is gone before the layer below it is: nobody is given it any more. */
static void lost_protocol_is_not_handed_out(void **state)
{
	struct told t;
	struct bench b;

	(void)state;
	bench_open(&b);
	attempt_succeeds();
	utw_transport_close(b.guests.recorders[0].protocol.transport, UTW_CLOSE_ABORT, 0);
	while (!recorder_lost(&b.guests.recorders[0]))
		turn_once(b.guests.reactor, "lost", __FILE__, __LINE__);
	ask(&b, &t, 0);
	assert_int_equal(t.times, 0);
	turn_all(b.guests.reactor);
	advance(&b, 1500 * MILLISECONDS);
	attempt_succeeds();
	assert_ptr_equal(t.protocol, &b.guests.recorders[1].protocol);
	bench_close(&b);
}

static void client_case_54_waiting_gives_up_after_so_many_failures(void **state)
{
	struct told one, two, three, never;
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &one, 1);
	ask(&b, &two, 2);
	ask(&b, &three, 3);
	ask(&b, &never, 0);
	for (unsigned int i = 1; i <= 3; i++) {
		attempt_fails(-ECONNREFUSED);
		assert_int_equal(one.times, i >= 1);
		assert_int_equal(two.times, i >= 2);
		assert_int_equal(three.times, i >= 3);
		advance(&b, 60 * SECONDS);
	}
	assert_int_equal(three.code, ECONNREFUSED);
	assert_int_equal(never.times, 0);
	attempt_succeeds();
	assert_ptr_equal(never.protocol, &b.guests.recorders[0].protocol);
	bench_close(&b);
}

static void client_case_54_stop_cancels_what_waits(void **state)
{
	struct told t;
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &t, 0);
	attempt_fails(-ECONNREFUSED);
	bench_stop(&b);
	assert_int_equal(t.code, UTW_CANCELLED);
	advance(&b, 100 * SECONDS);
	assert_int_equal(b.attempts, 1);
	ask(&b, &t, 0);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.code, UTW_CANCELLED);
	bench_close(&b);
}

static void stop_ends_an_attempt(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	bench_stop(&b);
	assert_true(b.cancelled);
	advance(&b, 100 * SECONDS);
	assert_int_equal(b.attempts, 1);
	bench_close(&b);
}

static void stop_waits_for_the_loss(void **state)
{
	struct utw_deferred *d;
	struct bench b;

	(void)state;
	bench_open(&b);
	attempt_succeeds();
	d = utw_service_stop(&b.client.service);
	assert_false(utw_deferred_fired(d));
	assert_int_equal(b.client.state, UTW_CLIENT_DISCONNECTING);
	assert_int_equal(utw_service_start(&b.client.service, NULL), -EBUSY);
	turn_all(b.guests.reactor);
	assert_true(utw_deferred_fired(d));
	assert_lost(&b.guests.recorders[0], UTW_DONE);
	utw_deferred_unref(d);
	assert_int_equal(utw_service_start(&b.client.service, NULL), 0);
	assert_int_equal(b.attempts, 2);
	bench_close(&b);
}

static void cancelled_wait_is_forgotten(void **state)
{
	struct utw_deferred *d;
	struct told t = { .times = 0 };
	struct bench b;

	(void)state;
	bench_open(&b);
	d = utw_client_when_connected(&b.client, 0);
	utw_deferred_add_both(d, told_fired, &t);
	utw_deferred_cancel(d);
	assert_int_equal(t.code, UTW_CANCELLED);
	utw_deferred_unref(d);
	attempt_succeeds();
	assert_int_equal(t.times, 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_case_53_delays),
		TEST(attempts_follow_the_delays),
		TEST(lost_connection_is_made_again),
		TEST(lost_protocol_is_not_handed_out),
		TEST(client_case_54_waiting_gives_up_after_so_many_failures),
		TEST(client_case_54_stop_cancels_what_waits),
		TEST(stop_ends_an_attempt),
		TEST(stop_waits_for_the_loss),
		TEST(cancelled_wait_is_forgotten),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
