/* SPDX-License-Identifier: MIT */
/* TLS with programs that are not ours: openssl s_client and s_server, over TCP. */
#include <untwist/tls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/process.h>
#include <untwist/tcp.h>

#include "harness.h"
#include "tls-certificates.h"
#include "tls-pair.h"

static struct certificates certs;

/* Ours, and the other program with what it says and is told. */
static struct {
	struct utw_reactor *reactor;
	struct tls_side ours;
	struct recorder said;
	struct recorder told;
	struct utw_process_watcher watcher;
	int code;
	bool ended;
} scene;

static void program_ended(struct utw_process_watcher *w, const struct utw_process_status *status)
{
	(void)w;
	scene.code = status->code;
	scene.ended = true;
}

static const struct utw_process_ops program_ops = { .ended = program_ended };

static struct utw_protocol *ours_build(struct utw_factory *f, const struct utw_address *peer)
{
	(void)f;
	(void)peer;
	return &scene.ours.sealed.protocol;
}

static const struct utw_factory_ops ours_ops = { .build = ours_build };

static void begin(void)
{
	memset(&scene, 0, sizeof(scene));
	assert_int_equal(utw_reactor_new(&scene.reactor), 0);
	recorder_init(&scene.ours.clear, true);
	recorder_init(&scene.ours.sealed, true);
	recorder_init(&scene.said, true);
	recorder_init(&scene.told, true);
	utw_factory_init(&scene.ours.factory, &ours_ops);
	utw_process_watcher_init(&scene.watcher, &program_ops);
}

static void run_openssl(const char *const *argv)
{
	struct utw_process_fd fds[] = {
		{ 0, UTW_PROCESS_WRITE, 0, &scene.told.protocol },
		{ 1, UTW_PROCESS_READ, 0, &scene.said.protocol },
		{ 2, UTW_PROCESS_NULL, 0, NULL },
	};
	struct utw_process_options options = {
		.path = "openssl", .argv = argv, .fds = fds, .fd_count = 3
	};

	assert_int_equal(utw_process_spawn(scene.reactor, &options, &scene.watcher, NULL), 0);
}

static void end(void)
{
	utw_transport_close(scene.ours.sealed.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(scene.told.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_process_signal(scene.watcher.process, 15);
	turn_until(scene.reactor, scene.ended);
	turn_all(scene.reactor);
	recorder_release(&scene.ours.clear);
	recorder_release(&scene.ours.sealed);
	recorder_release(&scene.said);
	recorder_release(&scene.told);
	utw_deferred_unref(scene.ours.deferred);
	utw_failure_unref(scene.ours.failure);
	utw_tls_context_unref(scene.ours.context);
	utw_reactor_free(scene.reactor);
}

static unsigned int handshakes_failed;

static void handshake_failed(struct utw_tls_factory *f, struct utw_failure *reason)
{
	(void)f;
	assert_ptr_equal(utw_failure_domain(reason), &utw_domain_tls);
	handshakes_failed++;
}

/* Listen, and let s_client come with these words before its address. */
static struct utw_tcp_listener *listen_for_client(struct utw_tls_factory *wrapper,
						  const char *const *words)
{
	struct utw_tls_options options = { .trust = certs.root,
					   .certificate = certs.server,
					   .alpn = (const char *const[]){ "echo", NULL } };
	const char *argv[24] = { "openssl", "s_client", "-quiet", "-connect" };
	struct utw_tcp_listener *l;
	struct utw_address at;
	char text[UTW_ADDRESS_TEXT];
	int count = 4;

	begin();
	handshakes_failed = 0;
	assert_int_equal(utw_tls_context_new(&scene.ours.context, UTW_TLS_SERVER, &options, NULL),
			 0);
	utw_tls_factory_init(wrapper, scene.ours.context, &scene.ours.factory, 0, handshake_failed);
	utw_address_parse(&at, "127.0.0.1:0");
	assert_int_equal(utw_tcp_listen(&l, scene.reactor, &at, &wrapper->factory), 0);
	utw_address_format(utw_tcp_listener_host(l), text, sizeof(text));
	argv[count++] = text;
	while (*words)
		argv[count++] = *words++;
	run_openssl(argv);
	return l;
}

static void foreign_client_is_served(void **state)
{
	const char *const words[] = { "-CAfile",
				      certs.root,
				      "-verify_return_error",
				      "-servername",
				      CERTIFICATE_HOST,
				      "-verify_hostname",
				      CERTIFICATE_HOST,
				      "-alpn",
				      "other,echo",
				      NULL };
	struct utw_tls_factory wrapper;
	struct utw_tcp_listener *l = listen_for_client(&wrapper, words);
	struct utw_tls_facts facts;

	(void)state;
	scene.ours.sealed.echo = true;
	utw_transport_write(scene.told.protocol.transport, "there and back\n", 15);
	turn_until(scene.reactor, scene.said.data_len == 15);
	assert_memory_equal(scene.said.data, "there and back\n", 15);
	assert_int_equal(utw_tls_facts(scene.ours.sealed.protocol.transport, &facts), 0);
	assert_string_equal(facts.alpn, "echo");
	assert_string_equal(facts.host, CERTIFICATE_HOST);
	utw_transport_close(scene.ours.sealed.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(scene.reactor, scene.ended);
	assert_int_equal(scene.code, 0);
	utw_tcp_listener_close(l);
	end();
	assert_int_equal(handshakes_failed, 0);
}

static void foreign_client_that_does_not_trust_us_is_told(void **state)
{
	const char *const words[] = { "-verify_return_error", NULL };
	struct utw_tls_factory wrapper;
	struct utw_tcp_listener *l = listen_for_client(&wrapper, words);

	(void)state;
	turn_until(scene.reactor, scene.ended && handshakes_failed);
	assert_int_not_equal(scene.code, 0);
	assert_story(&scene.ours.sealed, "");
	utw_tcp_listener_close(l);
	end();
}

/* Has s_server said where it listens? */
static bool said_address(char *text, size_t size)
{
	static const char word[] = "ACCEPT ";
	const char *line, *end;

	line = scene.said.data ? memmem(scene.said.data, scene.said.data_len, word, 7) : NULL;
	if (!line)
		return false;
	line += 7;
	end = memchr(line, '\n', scene.said.data_len - (size_t)(line - scene.said.data));
	if (!end)
		return false;
	snprintf(text, size, "%.*s", (int)(end - line), line);
	return true;
}

static void client_speaks_with_foreign_server(const char *version)
{
	struct utw_tls_options options = { .trust = certs.root };
	const char *argv[] = { "openssl", "s_server",	"-accept", "127.0.0.1:0", "-naccept",
			       "1",	  "-rev",	version,   "-cert",	  certs.server,
			       "-key",	  certs.server, NULL };
	struct utw_factory clear;
	struct utw_address to;
	struct utw_deferred *d;
	char text[64];

	begin();
	assert_int_equal(utw_tls_context_new(&scene.ours.context, UTW_TLS_CLIENT, &options, NULL),
			 0);
	run_openssl(argv);
	turn_until(scene.reactor, said_address(text, sizeof(text)));
	assert_int_equal(utw_address_parse(&to, text), 0);

	clear = (struct utw_factory){ .ops = &(struct utw_factory_ops){ .build = ours_build } };
	/* The clear transport's protocol is the same recorder, which TLS then takes over from. */
	d = utw_tcp_connect(scene.reactor, &to, &clear, 0);
	turn_until(scene.reactor, scene.ours.sealed.story_len);
	utw_deferred_unref(d);
	d = utw_tls_start(scene.ours.sealed.protocol.transport, scene.ours.context,
			  CERTIFICATE_HOST, &scene.ours.factory, 0, 0);
	turn_until(scene.reactor, utw_deferred_fired(d));
	utw_deferred_unref(d);
	utw_transport_write(scene.ours.sealed.protocol.transport, "drawer\n", 7);
	turn_until(scene.reactor, scene.ours.sealed.data_len == 7);
	assert_memory_equal(scene.ours.sealed.data, "reward\n", 7);
	utw_transport_close(scene.ours.sealed.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(scene.reactor, recorder_lost(&scene.ours.sealed));
	assert_lost(&scene.ours.sealed, UTW_DONE);
	end();
}

static void foreign_server_of_version_1_3(void **state)
{
	(void)state;
	client_speaks_with_foreign_server("-tls1_3");
}

static void foreign_server_of_version_1_2(void **state)
{
	(void)state;
	client_speaks_with_foreign_server("-tls1_2");
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
		TEST(foreign_client_is_served),
		TEST(foreign_client_that_does_not_trust_us_is_told),
		TEST(foreign_server_of_version_1_3),
		TEST(foreign_server_of_version_1_2),
	};

	return cmocka_run_group_tests_name("tls peers", tests, make_certificates,
					   remove_certificates);
}
