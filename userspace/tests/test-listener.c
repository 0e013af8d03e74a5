/* SPDX-License-Identifier: MIT */
/* Listeners of every kind when descriptors run out: clients are told, and so is the factory. */
#include <untwist/endpoint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/failure.h>

#include "guests.h"
#include "harness.h"

struct scene {
	struct guests guests;
	struct utw_factory factory; /* of the guests, and hears of trouble */
	struct utw_port *port;
	struct utw_address at; /* where it listens */
	unsigned int troubles;
	bool close_on_trouble;
};

static struct utw_protocol *scene_build(struct utw_factory *f, const struct utw_address *peer)
{
	return utw_factory_build(&utw_container_of(f, struct scene, factory)->guests.factory, peer);
}

static void scene_trouble(struct utw_factory *f, const struct utw_failure *why)
{
	struct scene *s = utw_container_of(f, struct scene, factory);

	assert_true(utw_failure_is(why, &utw_domain_errno, EMFILE));
	s->troubles++;
	if (!s->close_on_trouble)
		return;
	utw_port_close(s->port);
	s->port = NULL;
}

static const struct utw_factory_ops scene_ops = { .build = scene_build, .trouble = scene_trouble };

static int listening(const struct utw_address *at)
{
	int fd = socket(at->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&at->storage, at->length), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void at_loopback(struct utw_address *at)
{
	assert_int_equal(utw_address_parse(at, "127.0.0.1:0"), 0);
}

static void at_name(struct utw_address *at)
{
	char name[64];

	snprintf(name, sizeof(name), "@untwist-listener-%d", getpid());
	assert_int_equal(utw_address_unix(at, name), 0);
}

/* The ways to listen: a text, with what is to be in it. */
static void text_tcp(char *text, size_t size, struct utw_address *at)
{
	(void)at;
	snprintf(text, size, "tcp:0:interface=127.0.0.1");
}

static void text_unix(char *text, size_t size, struct utw_address *at)
{
	at_name(at);
	snprintf(text, size, "unix:@untwist-listener-%d", getpid());
}

static void text_adopted_tcp(char *text, size_t size, struct utw_address *at)
{
	int fd;

	at_loopback(at);
	fd = listening(at);
	getsockname(fd, (struct sockaddr *)&at->storage, &at->length);
	snprintf(text, size, "fd:%d", fd);
}

static void text_adopted_unix(char *text, size_t size, struct utw_address *at)
{
	at_name(at);
	snprintf(text, size, "fd:%d", listening(at));
}

typedef void (*text_fn)(char *text, size_t size, struct utw_address *at);

static const struct {
	const char *name;
	text_fn text;
} kinds[] = {
	{ "tcp", text_tcp },
	{ "unix", text_unix },
	{ "adopted tcp", text_adopted_tcp },
	{ "adopted unix", text_adopted_unix },
};

static void scene_open(struct scene *s, text_fn text)
{
	struct utw_failure *why = NULL;
	struct utw_endpoint *e;
	char words[64];

	memset(s, 0, sizeof(*s));
	guests_open(&s->guests);
	utw_factory_init(&s->factory, &scene_ops);
	text(words, sizeof(words), &s->at);
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_SERVER, words, NULL, &why), 0);
	assert_int_equal(utw_endpoint_listen(&s->port, e, s->guests.reactor, &s->factory, &why), 0);
	utw_endpoint_free(e);
	if (!s->at.length)
		assert_int_equal(utw_address_parse(&s->at, utw_port_name(s->port)), 0);
}

static void scene_close(struct scene *s)
{
	utw_port_close(s->port);
	guests_close(&s->guests);
	assert_int_equal(s->factory.users, 0);
}

static int scene_connect(struct scene *s)
{
	int fd = socket(s->at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&s->at.storage, s->at.length), 0);
	return fd;
}

/* Turn until nothing is to be done, in a process that has no descriptor left. */
static void turn_in_want(struct utw_reactor *r)
{
	struct rlimit before, none;
	int lowest = dup(STDIN_FILENO);

	assert_true(lowest >= 0);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)lowest;
	setrlimit(RLIMIT_NOFILE, &none);
	turn_all(r);
	setrlimit(RLIMIT_NOFILE, &before);
}

static void assert_turned_away(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

/* A flood is one trouble; a connection that is taken ends it. */
static void want_of_descriptors_is_told_once(void **state)
{
	struct scene s;
	int fd[3];

	scene_open(&s, *(const text_fn *)*state);
	for (int i = 0; i < 3; i++)
		fd[i] = scene_connect(&s);
	turn_in_want(s.guests.reactor);
	assert_int_equal(s.guests.count, 0);
	assert_int_equal(s.troubles, 1);
	for (int i = 0; i < 3; i++)
		assert_turned_away(fd[i]);
	s.guests.fd[0] = scene_connect(&s);
	turn_until(s.guests.reactor, s.guests.count == 1);
	fd[0] = scene_connect(&s);
	turn_in_want(s.guests.reactor);
	assert_int_equal(s.troubles, 2);
	assert_turned_away(fd[0]);
	scene_close(&s);
}

static void listener_may_be_closed_for_trouble(void **state)
{
	struct scene s;
	int fd;

	scene_open(&s, *(const text_fn *)*state);
	s.close_on_trouble = true;
	fd = scene_connect(&s);
	turn_in_want(s.guests.reactor);
	assert_int_equal(s.troubles, 1);
	assert_int_equal(s.factory.users, 0);
	close(fd);
	scene_close(&s);
}

int main(void)
{
	int failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		void *text = (void *)&kinds[i].text;
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate_setup_teardown(want_of_descriptors_is_told_once,
								 harness_setup, harness_teardown,
								 text),
			cmocka_unit_test_prestate_setup_teardown(listener_may_be_closed_for_trouble,
								 harness_setup, harness_teardown,
								 text),
		};

		failures += cmocka_run_group_tests_name(kinds[i].name, tests, NULL, NULL);
	}
	return failures;
}
