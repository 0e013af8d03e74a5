/* SPDX-License-Identifier: MIT */
/* The endpoint type "tls": who is trusted, what is told of who is not, and how attempts end. */
#include <untwist/endpoint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/address.h>
#include <untwist/tls.h>

#include "harness.h"
#include "meeting.h"
#include "tls-certificates.h"

static struct certificates certs;

/* Listen with the server's certificate, and `more` arguments. */
static void tls_listen(struct meeting *m, const char *more)
{
	char text[256];

	snprintf(text, sizeof(text), "tls:0:%s:interface=localhost%s", certs.server, more);
	assert_int_equal(meeting_listen(m, text), 0);
}

/* Connect to where it listens. */
static struct utw_deferred *tls_connect(struct meeting *m, const char *more)
{
	char text[384];

	snprintf(text, sizeof(text), "tls:%s%s", utw_port_name(m->port), more);
	return meeting_connect(m, text);
}

static struct utw_deferred *tls_connect_trusting(struct meeting *m, const char *more)
{
	char words[256];

	snprintf(words, sizeof(words), ":trust=%s%s", certs.root, more);
	return tls_connect(m, words);
}

static void assert_refused(const struct meeting *m, int code)
{
	assert_non_null(m->failure);
	if (!utw_failure_is(m->failure, &utw_domain_tls, code))
		fail_msg("%s", utw_failure_message(m->failure));
	assert_int_equal(m->near.count, 0);
}

static void tls_meets_tls(void **state)
{
	struct utw_deferred *d;
	struct utw_tls_facts facts;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	tls_listen(&m, ":alpn=first,second");
	d = tls_connect_trusting(&m, ":alpn=second,third");
	turn_until(m.near.reactor, m.fired && m.far.count);
	assert_null(m.failure);
	assert_int_equal(utw_tls_facts(m.protocol->transport, &facts), 0);
	assert_string_equal(facts.alpn, "second");
	assert_true(facts.verified);
	utw_transport_write(m.protocol->transport, "hello", 5);
	turn_until(m.near.reactor, m.far.recorders[0].data_len == 5);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void name_is_checked_instead_of_the_host(void **state)
{
	struct utw_tls_facts facts;
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	tls_listen(&m, "");
	d = tls_connect_trusting(&m, ":name=" CERTIFICATE_HOST);
	turn_until(m.near.reactor, m.fired && m.far.count);
	assert_null(m.failure);
	assert_int_equal(utw_tls_facts(m.far.recorders[0].protocol.transport, &facts), 0);
	assert_string_equal(facts.host, CERTIFICATE_HOST);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void other_name_is_refused(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	tls_listen(&m, "");
	d = tls_connect_trusting(&m, ":name=other.test");
	turn_until(m.near.reactor, m.fired);
	assert_refused(&m, UTW_TLS_CERTIFICATE);
	utw_deferred_unref(d);
	turn_all(m.near.reactor);
	meeting_close(&m);
}

static void who_is_not_trusted_is_refused_unless_told(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	tls_listen(&m, "");
	d = tls_connect(&m, "");
	turn_until(m.near.reactor, m.fired);
	assert_refused(&m, UTW_TLS_CERTIFICATE);
	utw_failure_unref(m.failure);
	m.failure = NULL;
	utw_deferred_unref(d);
	m.fired = false;
	d = tls_connect(&m, ":verify=no");
	turn_until(m.near.reactor, m.fired && m.far.count);
	assert_null(m.failure);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void clients_may_have_to_show_a_certificate(void **state)
{
	struct utw_tls_facts facts;
	struct utw_deferred *d;
	struct meeting m;
	char words[128];

	(void)state;
	meeting_open(&m);
	snprintf(words, sizeof(words), ":trust=%s", certs.root);
	tls_listen(&m, words);
	snprintf(words, sizeof(words), ":certificate=%s", certs.client);
	d = tls_connect_trusting(&m, words);
	turn_until(m.near.reactor, m.fired && m.far.count);
	assert_int_equal(utw_tls_facts(m.far.recorders[0].protocol.transport, &facts), 0);
	assert_true(facts.verified);
	utw_deferred_unref(d);
	/* Under TLS 1.3 the client is done before the server has looked at it. */
	m.fired = false;
	d = tls_connect_trusting(&m, "");
	turn_until(m.near.reactor, m.fired && recorder_lost(&m.near.recorders[1]));
	assert_int_equal(m.far.count, 1);
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void missing_files_are_named(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char story[512];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "tls:0:/missing.pem"), -ENOENT);
	utw_failure_format(m.failure, story, sizeof(story));
	assert_non_null(strstr(story, "/missing.pem"));
	assert_non_null(utw_failure_cause(m.failure));
	utw_failure_unref(m.failure);
	m.failure = NULL;
	d = meeting_connect(&m, "tls:localhost:1:trust=/missing.pem");
	assert_true(m.fired);
	assert_non_null(strstr(utw_failure_message(m.failure), "/missing.pem"));
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void refused_connection_is_told_as_such(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	d = meeting_connect(&m, "tls:127.0.0.1:1");
	turn_until(m.near.reactor, m.fired);
	assert_true(utw_failure_is(m.failure, &utw_domain_errno, ECONNREFUSED));
	utw_deferred_unref(d);
	meeting_close(&m);
}

/* A server that says nothing: the client is connected, and its handshake goes nowhere. */
static void cancel_ends_the_handshake(void **state)
{
	struct utw_deferred *d;
	struct meeting m;
	char text[64];

	(void)state;
	meeting_open(&m);
	assert_int_equal(meeting_listen(&m, "tcp:0:interface=localhost"), 0);
	snprintf(text, sizeof(text), "tls:%s", utw_port_name(m.port));
	d = meeting_connect(&m, text);
	turn_until(m.near.reactor, m.far.count && m.far.recorders[0].data_len);
	utw_deferred_cancel(d);
	assert_true(m.fired);
	assert_true(utw_failure_is(m.failure, &utw_domain_reason, UTW_CANCELLED));
	assert_int_equal(m.near.factory.users, 0);
	turn_until(m.near.reactor, recorder_lost(&m.far.recorders[0]));
	utw_deferred_unref(d);
	meeting_close(&m);
}

static void cancel_ends_the_connecting(void **state)
{
	struct utw_deferred *d;
	struct meeting m;

	(void)state;
	meeting_open(&m);
	tls_listen(&m, "");
	d = tls_connect(&m, "");
	utw_deferred_cancel(d);
	assert_true(m.fired);
	assert_true(utw_failure_is(m.failure, &utw_domain_reason, UTW_CANCELLED));
	utw_deferred_unref(d);
	turn_all(m.near.reactor);
	meeting_close(&m);
}

/* A client that speaks no TLS at all, and a port that is closed while it keeps its handshake waiting. */
static void handshakes_outlive_the_port(void **state)
{
	struct utw_address at;
	struct meeting m;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	meeting_open(&m);
	tls_listen(&m, "");
	assert_int_equal(utw_address_parse(&at, utw_port_name(m.port)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at.storage, at.length), 0);
	turn_until(m.near.reactor, m.far.factory.users == 1);
	turn_all(m.near.reactor);
	utw_port_close(m.port);
	m.port = NULL;
	assert_int_equal(m.far.factory.users, 1);
	assert_int_equal(send(fd, "no TLS\n", 7, MSG_NOSIGNAL), 7);
	turn_until(m.near.reactor, m.far.factory.users == 0);
	turn_all(m.near.reactor);
	close(fd);
	meeting_close(&m);
}

static int make_certificates(void **state)
{
	(void)state;
	certificates_make(&certs);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	certificates_remove(&certs);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tls_meets_tls),
		TEST(name_is_checked_instead_of_the_host),
		TEST(other_name_is_refused),
		TEST(who_is_not_trusted_is_refused_unless_told),
		TEST(clients_may_have_to_show_a_certificate),
		TEST(missing_files_are_named),
		TEST(refused_connection_is_told_as_such),
		TEST(cancel_ends_the_handshake),
		TEST(cancel_ends_the_connecting),
		TEST(handshakes_outlive_the_port),
	};

	return cmocka_run_group_tests_name("endpoint-tls", tests, make_certificates,
					   remove_certificates);
}
