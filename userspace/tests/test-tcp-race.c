/* SPDX-License-Identifier: MIT */
/* Connecting to several addresses: who begins when, who wins, and what is left of the others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/tcp.h>

#include "harness.h"
#include "harness-alloc.h"
#include "harness-clock.h"
#include "recorder.h"

/* An address with a socket behind it, or where one has been. */
struct place {
	struct utw_address at;
	int fd;
	int filler[2];
};

static struct {
	struct utw_reactor *reactor;
	struct utw_factory factory;
	struct recorder recorder;
	unsigned int built;
	unsigned int stops;
	struct utw_tcp_race *race;
	struct utw_deferred *deferred;
	struct utw_failure *failure;
	bool fired;
} scene;

static struct utw_protocol *build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)f;
	(void)peer;
	scene.built++;
	return &scene.recorder.protocol;
}

static void stop(struct utw_factory *f)
{
	(void)f;
	scene.stops++;
}

static const struct utw_factory_ops factory_ops = { .build = build, .stop = stop };

static struct utw_result fired(void *value, struct utw_failure *failure, void *data)
{
	(void)data;
	assert_true(failure || value == &scene.recorder.protocol);
	scene.fired = true;
	scene.failure = failure ? utw_failure_ref(failure) : NULL;
	return utw_result_value(NULL);
}

static void begin(uint64_t timeout)
{
	memset(&scene, 0, sizeof(scene));
	recorder_init(&scene.recorder, true);
	utw_factory_init(&scene.factory, &factory_ops);
	assert_int_equal(utw_reactor_new(&scene.reactor), 0);
	scene.deferred = utw_tcp_race_new(&scene.race, scene.reactor, &scene.factory, timeout);
	assert_non_null(scene.deferred);
	utw_deferred_add_both(scene.deferred, fired, NULL);
}

static void end(void)
{
	if (scene.race)
		utw_tcp_race_complete(scene.race);
	utw_transport_close(scene.recorder.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(scene.reactor);
	assert_int_equal(scene.stops, 1);
	assert_int_equal(scene.factory.users, 0);
	utw_deferred_unref(scene.deferred);
	utw_failure_unref(scene.failure);
	recorder_release(&scene.recorder);
	utw_reactor_free(scene.reactor);
}

static void complete(void)
{
	utw_tcp_race_complete(scene.race);
	scene.race = NULL;
}

static struct place place_listening(const char *text)
{
	struct place p = { .filler = { -1, -1 } };

	assert_int_equal(utw_address_parse(&p.at, text), 0);
	p.fd = socket(p.at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p.fd, (struct sockaddr *)&p.at.storage, p.at.length), 0);
	assert_int_equal(listen(p.fd, 0), 0);
	p.at.length = sizeof(p.at.storage);
	assert_int_equal(getsockname(p.fd, (struct sockaddr *)&p.at.storage, &p.at.length), 0);
	return p;
}

static void place_leave(struct place *p)
{
	for (int i = 0; i < 2; i++)
		if (p->filler[i] >= 0)
			close(p->filler[i]);
	close(p->fd);
}

/* Its queue is full: the kernel drops whoever comes. */
static struct place place_silent(void)
{
	struct place p = place_listening("127.0.0.1:0");

	for (int i = 0; i < 2; i++) {
		p.filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(p.filler[i], (struct sockaddr *)&p.at.storage, p.at.length);
	}
	return p;
}

static struct utw_address refusing(void)
{
	struct place p = place_listening("127.0.0.1:0");

	place_leave(&p);
	return p.at;
}

static void assert_connected_to(const struct place *p)
{
	turn_until(scene.reactor, scene.fired);
	assert_null(scene.failure);
	assert_int_equal(scene.built, 1);
	assert_true(
		utw_address_equal(utw_transport_peer(scene.recorder.protocol.transport), &p->at));
}

static void one_address_is_enough(void **state)
{
	struct place p = place_listening("127.0.0.1:0");

	(void)state;
	begin(0);
	assert_int_equal(utw_tcp_race_add(scene.race, &p.at), 0);
	complete();
	assert_false(scene.fired);
	assert_connected_to(&p);
	end();
	place_leave(&p);
}

/* The clock stands: nothing but the failure itself brings the next one forward. */
static void failure_brings_the_next_forward(void **state)
{
	struct place p = place_listening("127.0.0.1:0");
	struct utw_address gone[] = { refusing(), refusing() };

	(void)state;
	clock_freeze(1000000000);
	begin(0);
	utw_tcp_race_add(scene.race, &gone[0]);
	utw_tcp_race_add(scene.race, &gone[1]);
	utw_tcp_race_add(scene.race, &p.at);
	assert_connected_to(&p);
	clock_thaw();
	/* Late addresses are taken without a word. */
	assert_int_equal(utw_tcp_race_add(scene.race, &p.at), 0);
	end();
	place_leave(&p);
}

static void silence_brings_the_next_after_a_while(void **state)
{
	struct place silent = place_silent();
	struct place fourth = place_listening("127.0.0.1:0");
	struct place sixth = place_listening("[::1]:0");

	(void)state;
	begin(0);
	utw_tcp_race_add(scene.race, &silent.at);
	utw_tcp_race_add(scene.race, &fourth.at);
	utw_tcp_race_add(scene.race, &sixth.at);
	complete();
	/* The families take turns. */
	assert_connected_to(&sixth);
	end();
	place_leave(&silent);
	place_leave(&fourth);
	place_leave(&sixth);
}

static void addresses_may_come_late(void **state)
{
	struct place p = place_listening("127.0.0.1:0");
	struct utw_address gone = refusing();

	(void)state;
	begin(0);
	utw_tcp_race_add(scene.race, &gone);
	turn_all(scene.reactor);
	assert_false(scene.fired);
	utw_tcp_race_add(scene.race, &p.at);
	complete();
	assert_connected_to(&p);
	end();
	place_leave(&p);
}

static void all_have_failed(void **state)
{
	struct utw_address gone[] = { refusing(), refusing() };
	char text[UTW_ADDRESS_TEXT];

	(void)state;
	begin(0);
	for (int i = 0; i < 2; i++)
		utw_tcp_race_add(scene.race, &gone[i]);
	turn_all(scene.reactor);
	assert_false(scene.fired);
	complete();
	turn_until(scene.reactor, scene.fired);
	assert_true(utw_failure_is(scene.failure, &utw_domain_errno, ECONNREFUSED));
	utw_address_format(&gone[1], text, sizeof(text));
	assert_string_equal(utw_failure_message(utw_failure_cause(scene.failure)), text);
	end();
}

static void no_address_at_all(void **state)
{
	(void)state;
	begin(0);
	complete();
	assert_false(scene.fired);
	turn_until(scene.reactor, scene.fired);
	assert_true(utw_failure_is(scene.failure, &utw_domain_errno, EADDRNOTAVAIL));
	end();
}

static void time_runs_out(void **state)
{
	struct place silent = place_silent();

	(void)state;
	begin(1);
	utw_tcp_race_add(scene.race, &silent.at);
	turn_until(scene.reactor, scene.fired);
	assert_true(utw_failure_is(scene.failure, &utw_domain_reason, UTW_TIMEOUT));
	end();
	place_leave(&silent);
}

static void cancel_ends_all(void **state)
{
	struct place silent = place_silent();
	struct utw_address wrong;

	(void)state;
	begin(0);
	assert_int_equal(utw_address_parse(&wrong, "unix:/tmp/x"), 0);
	assert_int_equal(utw_tcp_race_add(scene.race, &wrong), -EINVAL);
	utw_tcp_race_add(scene.race, &silent.at);
	turn_all(scene.reactor);
	utw_deferred_cancel(scene.deferred);
	assert_true(utw_failure_is(scene.failure, &utw_domain_reason, UTW_CANCELLED));
	assert_int_equal(scene.stops, 1);
	end();
	place_leave(&silent);
}

static void race_without_memory(void **state)
{
	bool enough = false;

	(void)state;
	for (unsigned int nth = 1; !enough; nth++) {
		struct place p = place_listening("127.0.0.1:0");

		assert_true(nth < 30);
		begin(0);
		alloc_fail_at(nth);
		enough = !utw_tcp_race_add(scene.race, &p.at);
		complete();
		turn_until(scene.reactor, scene.fired);
		enough = enough && !alloc_failed();
		alloc_fail_at(0);
		end();
		place_leave(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_address_is_enough),
		TEST(failure_brings_the_next_forward),
		TEST(silence_brings_the_next_after_a_while),
		TEST(addresses_may_come_late),
		TEST(all_have_failed),
		TEST(no_address_at_all),
		TEST(time_runs_out),
		TEST(cancel_ends_all),
		TEST(race_without_memory),
	};

	return cmocka_run_group_tests_name("tcp race", tests, NULL, NULL);
}
