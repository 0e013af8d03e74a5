/* SPDX-License-Identifier: MIT */
/* TLS: whom it trusts, what it agrees on, and how its ends are told apart. */
#include <untwist/tls.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "harness-alloc.h"
#include "tls-certificates.h"
#include "tls-pair.h"

static struct certificates certs;
static struct tls_pair pair;

static struct utw_tls_options trusting(void)
{
	return (struct utw_tls_options){ .trust = certs.root };
}

static struct utw_tls_options serving(void)
{
	return (struct utw_tls_options){ .trust = certs.root, .certificate = certs.server };
}

static void begin(void)
{
	struct utw_tls_options client = trusting(), server = serving();

	tls_pair_open(&pair, &client, &server);
}

static struct utw_transport *sealed(struct tls_side *s)
{
	return s->sealed.protocol.transport;
}

static void both_sides_speak_and_end(void **state)
{
	struct utw_tls_facts facts;

	(void)state;
	begin();
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_ptr_equal(pair.client.got, &pair.client.sealed.protocol);
	assert_story(&pair.client.sealed, "M");
	assert_story(&pair.client.clear, "");
	assert_string_equal(utw_transport_name(sealed(&pair.client)), "tls over memory");
	assert_int_equal(utw_tls_facts(sealed(&pair.client), &facts), 0);
	assert_string_equal(facts.version, "TLSv1.3");
	assert_string_equal(facts.peer, "/CN=server");
	assert_string_equal(facts.host, CERTIFICATE_HOST);
	assert_true(facts.verified);
	assert_false(facts.resumed);
	assert_null(facts.alpn);
	utw_transport_write(sealed(&pair.client), "there", 5);
	utw_transport_write(sealed(&pair.server), "back", 4);
	turn_until(pair.reactor,
		   pair.client.sealed.data_len == 4 && pair.server.sealed.data_len == 5);
	utw_transport_close(sealed(&pair.client), UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair.reactor, recorder_lost(&pair.client.sealed));
	assert_lost(&pair.client.sealed, UTW_DONE);
	turn_until(pair.reactor, strchr(pair.server.sealed.story, 'E'));
	tls_pair_close(&pair);
}

static void certificate_of_another_host_is_refused(void **state)
{
	(void)state;
	begin();
	tls_pair_shake(&pair, "other.test");
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_CERTIFICATE);
	assert_failed(&pair.server, &utw_domain_tls, UTW_TLS_PROTOCOL);
	tls_pair_close(&pair);
}

static void host_may_be_a_number(void **state)
{
	struct utw_tls_facts facts;

	(void)state;
	begin();
	tls_pair_shake(&pair, "127.0.0.1");
	assert_int_equal(utw_tls_facts(sealed(&pair.client), &facts), 0);
	assert_true(facts.verified);
	assert_null(facts.host);
	tls_pair_close(&pair);
	begin();
	tls_pair_shake(&pair, "127.0.0.2");
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_CERTIFICATE);
	tls_pair_close(&pair);
}

static void stranger_is_refused_by_default(void **state)
{
	struct utw_tls_options client = trusting();
	struct utw_tls_options server = { .certificate = certs.stranger };

	(void)state;
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_CERTIFICATE);
	tls_pair_close(&pair);
	/* The system's own list does not have our root. */
	client = (struct utw_tls_options){ .flags = 0 };
	server = serving();
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_CERTIFICATE);
	tls_pair_close(&pair);
}

static void unverified_is_asked_for_and_shown(void **state)
{
	struct utw_tls_options client = { .flags = UTW_TLS_UNVERIFIED };
	struct utw_tls_options server = { .certificate = certs.stranger };
	struct utw_tls_facts facts;

	(void)state;
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, NULL);
	assert_int_equal(utw_tls_facts(sealed(&pair.client), &facts), 0);
	assert_false(facts.verified);
	assert_string_equal(facts.peer, "/CN=stranger");
	tls_pair_close(&pair);
	/* To leave out the name by mistake does not turn the check off. */
	begin();
	tls_side_start(&pair.client, NULL, 0);
	assert_failed(&pair.client, &utw_domain_errno, EINVAL);
	tls_pair_close(&pair);
}

static void client_shows_its_certificate(void **state)
{
	struct utw_tls_options client = trusting(), server = serving();
	struct utw_tls_facts facts;

	(void)state;
	server.flags = UTW_TLS_NEED_CERTIFICATE;
	tls_pair_open(&pair, &client, &server);
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	tls_side_start(&pair.server, NULL, 0);
	turn_until(pair.reactor, pair.server.fired);
	assert_failed(&pair.server, &utw_domain_tls, UTW_TLS_CERTIFICATE);
	tls_pair_close(&pair);
	client.certificate = certs.client;
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_int_equal(utw_tls_facts(sealed(&pair.server), &facts), 0);
	assert_true(facts.verified);
	assert_string_equal(facts.peer, "/CN=client");
	tls_pair_close(&pair);
}

static void protocols_are_agreed_on(void **state)
{
	const char *const both[] = { "first", "second", NULL };
	const char *const one[] = { "second", NULL };
	const char *const other[] = { "third", NULL };
	struct utw_tls_options client = trusting(), server = serving();
	struct utw_tls_facts facts;

	(void)state;
	client.alpn = both;
	server.alpn = one;
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_int_equal(utw_tls_facts(sealed(&pair.client), &facts), 0);
	assert_string_equal(facts.alpn, "second");
	assert_int_equal(utw_tls_facts(sealed(&pair.server), &facts), 0);
	assert_string_equal(facts.alpn, "second");
	tls_pair_close(&pair);
	client.alpn = other;
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_PROTOCOL);
	assert_failed(&pair.server, &utw_domain_tls, UTW_TLS_PROTOCOL);
	tls_pair_close(&pair);
}

/* Speak and end once with these contexts; was an earlier session taken up? */
static bool resumes(struct utw_tls_context *client, struct utw_tls_context *server)
{
	struct utw_tls_facts facts;

	tls_pair_open_with(&pair, utw_tls_context_ref(client), utw_tls_context_ref(server));
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	utw_transport_write(sealed(&pair.server), "x", 1);
	turn_until(pair.reactor, pair.client.sealed.data_len);
	assert_int_equal(utw_tls_facts(sealed(&pair.client), &facts), 0);
	assert_true(facts.verified);
	tls_pair_close(&pair);
	return facts.resumed;
}

static void second_connection_resumes_the_session(void **state)
{
	struct utw_tls_options client = trusting(), server = serving();
	struct utw_tls_context *c, *s;

	(void)state;
	assert_int_equal(utw_tls_context_new(&c, UTW_TLS_CLIENT, &client, NULL), 0);
	assert_int_equal(utw_tls_context_new(&s, UTW_TLS_SERVER, &server, NULL), 0);
	assert_false(resumes(c, s));
	assert_true(resumes(c, s));
	utw_tls_context_unref(c);
	client.flags = UTW_TLS_NO_RESUMPTION;
	assert_int_equal(utw_tls_context_new(&c, UTW_TLS_CLIENT, &client, NULL), 0);
	assert_false(resumes(c, s));
	assert_false(resumes(c, s));
	utw_tls_context_unref(c);
	utw_tls_context_unref(s);
}

/* Whoever can cut the line could else make a message look complete. */
static void cut_is_not_an_end(void **state)
{
	struct utw_transport *below;

	(void)state;
	begin();
	below = utw_transport_ref(pair.server.clear.protocol.transport);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	utw_transport_write(sealed(&pair.server), "half of it", 10);
	turn_until(pair.reactor, pair.client.sealed.data_len == 10);
	utw_transport_close_write(below);
	turn_until(pair.reactor, recorder_lost(&pair.client.sealed));
	assert_lost(&pair.client.sealed, UTW_LOST);
	assert_true(utw_failure_has(pair.client.sealed.reason, &utw_domain_errno, ECONNRESET));
	assert_story(&pair.client.sealed, "MDL");
	utw_transport_unref(below);
	tls_pair_close(&pair);
}

static void forged_data_is_a_loss(void **state)
{
	struct utw_transport *below;

	(void)state;
	begin();
	below = utw_transport_ref(pair.server.clear.protocol.transport);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	utw_transport_write(below, "\x17\x03\x03\x00\x20 this was not sealed by them ....", 37);
	turn_until(pair.reactor, recorder_lost(&pair.client.sealed));
	assert_lost(&pair.client.sealed, UTW_LOST);
	assert_true(utw_failure_has(pair.client.sealed.reason, &utw_domain_errno, EPROTO));
	assert_int_equal(pair.client.sealed.data_len, 0);
	utw_transport_unref(below);
	tls_pair_close(&pair);
}

static void peer_without_tls_is_told_apart(void **state)
{
	(void)state;
	begin();
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	utw_transport_write(pair.server.clear.protocol.transport, "220 what is this?\r\n", 19);
	turn_until(pair.reactor, pair.client.fired);
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_PROTOCOL);
	tls_pair_close(&pair);
	begin();
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	turn_until(pair.reactor, pair.server.clear.data_len);
	utw_transport_close(pair.server.clear.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair.reactor, pair.client.fired);
	assert_failed(&pair.client, &utw_domain_tls, UTW_TLS_CLOSED);
	tls_pair_close(&pair);
}

static void silence_is_a_timeout(void **state)
{
	(void)state;
	begin();
	tls_side_start(&pair.client, CERTIFICATE_HOST, 1);
	turn_until(pair.reactor, pair.client.fired);
	assert_failed(&pair.client, &utw_domain_reason, UTW_TIMEOUT);
	tls_pair_close(&pair);
}

static void handshake_may_be_cancelled(void **state)
{
	(void)state;
	begin();
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	turn_until(pair.reactor, pair.server.clear.data_len);
	utw_deferred_cancel(pair.client.deferred);
	assert_failed(&pair.client, &utw_domain_reason, UTW_CANCELLED);
	assert_int_equal(pair.client.stops, 1);
	turn_until(pair.reactor, recorder_lost(&pair.server.clear));
	tls_pair_close(&pair);
}

static void factory_may_refuse(void **state)
{
	(void)state;
	begin();
	pair.client.refuse = true;
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	assert_failed(&pair.client, &utw_domain_errno, ECONNABORTED);
	turn_until(pair.reactor, strpbrk(pair.server.sealed.story, "EL"));
	tls_pair_close(&pair);
}

static void clear_words_come_first_and_are_over(void **state)
{
	(void)state;
	begin();
	turn_until(pair.reactor, pair.client.clear.story_len && pair.server.clear.story_len);
	utw_transport_write(pair.client.clear.protocol.transport, "STARTTLS", 8);
	turn_until(pair.reactor, pair.server.clear.data_len == 8);
	utw_transport_write(pair.server.clear.protocol.transport, "ready", 5);
	tls_side_start(&pair.server, NULL, 0);
	turn_until(pair.reactor, pair.client.clear.data_len == 5);
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	turn_until(pair.reactor, pair.client.fired && pair.server.fired);
	assert_null(pair.client.failure);
	assert_story(&pair.client.clear, "MD");
	tls_pair_close(&pair);
}

static void buffered_clear_data_is_refused(void **state)
{
	struct utw_deferred *d;
	struct utw_result result;

	(void)state;
	begin();
	d = utw_tls_start(pair.server.clear.protocol.transport, pair.server.context, NULL,
			  &pair.server.factory, 7, 0);
	assert_int_equal(utw_deferred_take(d, &result), 0);
	assert_true(utw_failure_is(result.failure, &utw_domain_tls, UTW_TLS_CLEAR_DATA));
	utw_failure_unref(result.failure);
	utw_deferred_unref(d);
	turn_until(pair.reactor, recorder_lost(&pair.server.clear));
	assert_lost(&pair.server.clear, UTW_ABORTED);
	tls_pair_close(&pair);
}

static void lost_transport_is_refused(void **state)
{
	(void)state;
	begin();
	utw_transport_close(pair.client.clear.protocol.transport, UTW_CLOSE_ABORT, 0);
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	assert_failed(&pair.client, &utw_domain_errno, EPIPE);
	turn_all(pair.reactor);
	utw_deferred_unref(pair.client.deferred);
	utw_failure_unref(pair.client.failure);
	tls_side_start(&pair.client, CERTIFICATE_HOST, 0);
	assert_failed(&pair.client, &utw_domain_errno, EPIPE);
	tls_pair_close(&pair);
}

static void secrets_are_logged_when_asked(void **state)
{
	struct utw_tls_options client = trusting(), server = serving();
	char path[96], line[512];
	unsigned int lines = 0;
	FILE *log;

	(void)state;
	snprintf(path, sizeof(path), "%s/log", certs.folder);
	client.key_log = path;
	tls_pair_open(&pair, &client, &server);
	tls_pair_shake(&pair, CERTIFICATE_HOST);
	tls_pair_close(&pair);
	log = fopen(path, "re");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log))
		lines += !!strstr(line, "_SECRET");
	fclose(log);
	assert_true(lines >= 4);
	unlink(path);
}

static void assert_context_refused(enum utw_tls_role role, const struct utw_tls_options *options,
				   int error, const char *operation)
{
	struct utw_tls_context *c = NULL;
	struct utw_failure *why;

	assert_int_equal(utw_tls_context_new(&c, role, options, &why), error);
	assert_null(c);
	assert_string_equal(utw_failure_operation(why), operation);
	utw_failure_unref(why);
	assert_int_equal(utw_tls_context_new(&c, role, options, NULL), error);
}

static void context_says_what_is_wrong(void **state)
{
	const char *const empty[] = { "", NULL };
	struct utw_tls_options o = serving();

	(void)state;
	o.certificate = NULL;
	assert_context_refused(UTW_TLS_SERVER, &o, -EINVAL, "certificate");
	o.certificate = "/nonexistent";
	assert_context_refused(UTW_TLS_SERVER, &o, -ENOENT, "certificate");
	o = serving();
	o.key = certs.client;
	assert_context_refused(UTW_TLS_SERVER, &o, -EINVAL, "key");
	o = serving();
	o.trust = "/dev/null";
	assert_context_refused(UTW_TLS_SERVER, &o, -EINVAL, "trust");
	o = serving();
	o.alpn = empty;
	assert_context_refused(UTW_TLS_SERVER, &o, -EINVAL, "alpn");
	o = trusting();
	o.key_log = "/nonexistent/log";
	assert_context_refused(UTW_TLS_CLIENT, &o, -ENOENT, "key log");
	o.key_log = NULL;
	o.flags = 1 << 20;
	assert_context_refused(UTW_TLS_CLIENT, &o, -EINVAL, "flags");
}

static void start_without_memory_leaves_the_transport(void **state)
{
	struct utw_deferred *d;
	struct utw_result result;
	bool done = false;

	(void)state;
	begin();
	for (unsigned int nth = 1; !done; nth++) {
		assert_true(nth < 20);
		alloc_fail_at(nth);
		d = utw_tls_start(pair.client.clear.protocol.transport, pair.client.context,
				  CERTIFICATE_HOST, &pair.client.factory, 0, 0);
		done = !alloc_failed();
		alloc_fail_at(0);
		if (d && !utw_deferred_take(d, &result))
			utw_failure_unref(result.failure);
		if (!done)
			assert_ptr_equal(utw_transport_protocol(
						 pair.client.clear.protocol.transport),
					 &pair.client.clear.protocol);
		else
			utw_deferred_cancel(d);
		if (done && !utw_deferred_take(d, &result))
			utw_failure_unref(result.failure);
		utw_deferred_unref(d);
	}
	tls_pair_close(&pair);
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
		TEST(both_sides_speak_and_end),
		TEST(certificate_of_another_host_is_refused),
		TEST(host_may_be_a_number),
		TEST(stranger_is_refused_by_default),
		TEST(unverified_is_asked_for_and_shown),
		TEST(client_shows_its_certificate),
		TEST(protocols_are_agreed_on),
		TEST(second_connection_resumes_the_session),
		TEST(cut_is_not_an_end),
		TEST(forged_data_is_a_loss),
		TEST(peer_without_tls_is_told_apart),
		TEST(silence_is_a_timeout),
		TEST(handshake_may_be_cancelled),
		TEST(factory_may_refuse),
		TEST(clear_words_come_first_and_are_over),
		TEST(buffered_clear_data_is_refused),
		TEST(lost_transport_is_refused),
		TEST(secrets_are_logged_when_asked),
		TEST(context_says_what_is_wrong),
		TEST(start_without_memory_leaves_the_transport),
	};

	return cmocka_run_group_tests_name("tls", tests, make_certificates, remove_certificates);
}
