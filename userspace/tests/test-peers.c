/* SPDX-License-Identifier: MIT */
/* Programs that are not ours, at the other end: curl, nc, socat, picocom. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/factory.h>
#include <untwist/fd.h>
#include <untwist/process.h>
#include <untwist/serial.h>
#include <untwist/tcp.h>
#include <untwist/unix.h>

#include "harness.h"
#include "recorder.h"

/* Ours, and the other program with what it says and is told. */
static struct {
	struct utw_reactor *reactor;
	struct utw_factory factory; /* builds `ours` */
	struct recorder ours;
	struct recorder said, told, complained;
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
	return &scene.ours.protocol;
}

static const struct utw_factory_ops ours_ops = { .build = ours_build };

static bool installed(const char *program)
{
	char path[64];

	snprintf(path, sizeof(path), "/usr/bin/%s", program);
	return access(path, X_OK) == 0;
}

/* Skips the test where the program is missing; scripts/deps installs them all. */
static void begin(const char *program)
{
	if (!installed(program)) {
		print_message("# there is no %s\n", program);
		skip();
	}
	memset(&scene, 0, sizeof(scene));
	assert_int_equal(utw_reactor_new(&scene.reactor), 0);
	recorder_init(&scene.ours, true);
	recorder_init(&scene.said, true);
	recorder_init(&scene.told, true);
	recorder_init(&scene.complained, true);
	utw_factory_init(&scene.factory, &ours_ops);
	utw_process_watcher_init(&scene.watcher, &program_ops);
}

static void run(const char *const *argv)
{
	struct utw_process_fd fds[] = {
		{ 0, UTW_PROCESS_WRITE, 0, &scene.told.protocol },
		{ 1, UTW_PROCESS_READ, 0, &scene.said.protocol },
		{ 2, UTW_PROCESS_READ, 0, &scene.complained.protocol },
	};
	struct utw_process_options options = {
		.path = argv[0], .argv = argv, .fds = fds, .fd_count = 3
	};

	assert_int_equal(utw_process_spawn(scene.reactor, &options, &scene.watcher, NULL), 0);
}

/* It may be at its end already. */
static void end(void)
{
	utw_transport_close(scene.ours.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(scene.told.protocol.transport, UTW_CLOSE_ABORT, 0);
	if (!scene.ended)
		utw_process_signal(scene.watcher.process, 15);
	turn_until(scene.reactor, scene.ended);
	turn_all(scene.reactor);
	recorder_release(&scene.ours);
	recorder_release(&scene.said);
	recorder_release(&scene.told);
	recorder_release(&scene.complained);
	utw_reactor_free(scene.reactor);
}

static bool has(const struct recorder *r, const char *text)
{
	return r->data_len >= strlen(text) && memmem(r->data, r->data_len, text, strlen(text));
}

static void tell(struct recorder *r, const char *text)
{
	assert_true(utw_transport_write(r->protocol.transport, text, strlen(text)) >= 0);
}

/* "ADDRESS:PORT" of a listener. */
static struct utw_tcp_listener *listen_tcp(char *text, size_t size)
{
	struct utw_tcp_listener *l;
	struct utw_address at;

	assert_int_equal(utw_address_parse(&at, "127.0.0.1:0"), 0);
	assert_int_equal(utw_tcp_listen(&l, scene.reactor, &at, &scene.factory), 0);
	utw_address_format(utw_tcp_listener_host(l), text, size);
	return l;
}

static void answer_http(struct recorder *r)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
				     "twisted, not knotted\n";

	if (!has(r, "\r\n\r\n"))
		return;
	tell(r, answer);
	utw_transport_close(r->protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

/* The end of the answer is that of the connection: a reset would be an error of it. */
static void curl_gets_all_up_to_the_close(void **state)
{
	struct utw_tcp_listener *l;
	char at[UTW_ADDRESS_TEXT], url[UTW_ADDRESS_TEXT + 16];

	(void)state;
	begin("curl");
	scene.ours.on_data = answer_http;
	l = listen_tcp(at, sizeof(at));
	snprintf(url, sizeof(url), "http://%s/", at);
	run((const char *const[]){ "curl", "--silent", "--show-error", "--noproxy", "*", url,
				   NULL });
	turn_until(scene.reactor, scene.ended && recorder_lost(&scene.said));
	assert_int_equal(scene.code, 0);
	assert_true(has(&scene.ours, "GET / HTTP/1.1\r\n"));
	assert_int_equal(scene.said.data_len, strlen("twisted, not knotted\n"));
	assert_true(has(&scene.said, "twisted, not knotted\n"));
	utw_tcp_listener_close(l);
	end();
}

static void close_when_it_ends(struct recorder *r)
{
	utw_transport_close(r->protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

/* It ends its write side with its input (-N), and reads on until our end. */
static void nc_hears_its_words_after_its_end(void **state)
{
	struct utw_tcp_listener *l;
	char at[UTW_ADDRESS_TEXT];

	(void)state;
	begin("nc");
	scene.ours.echo = true;
	scene.ours.on_eof = close_when_it_ends;
	l = listen_tcp(at, sizeof(at));
	run((const char *const[]){ "nc", "-N", "127.0.0.1", strrchr(at, ':') + 1, NULL });
	turn_until(scene.reactor, scene.told.protocol.transport);
	tell(&scene.told, "hello\n");
	utw_transport_close(scene.told.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(scene.reactor, scene.ended && recorder_lost(&scene.said));
	assert_int_equal(scene.code, 0);
	assert_story(&scene.ours, "MDEL");
	assert_lost(&scene.ours, UTW_DONE);
	assert_true(has(&scene.said, "hello\n"));
	utw_tcp_listener_close(l);
	end();
}

static void socat_is_served_at_a_socket_file(void **state)
{
	char path[64], to[96];
	struct utw_unix_listener *l;
	struct utw_address at;

	(void)state;
	begin("socat");
	snprintf(path, sizeof(path), "/tmp/untwist-peers-%d", getpid());
	snprintf(to, sizeof(to), "UNIX-CONNECT:%s", path);
	assert_int_equal(utw_address_unix(&at, path), 0);
	assert_int_equal(utw_unix_listen(&l, scene.reactor, &at, 0600, &scene.factory), 0);
	scene.ours.echo = true;
	run((const char *const[]){ "socat", "-", to, NULL });
	turn_until(scene.reactor, scene.ours.protocol.transport && scene.told.protocol.transport);
	tell(&scene.told, "ping\n");
	turn_until(scene.reactor, has(&scene.said, "ping\n"));
	utw_transport_close(scene.ours.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(scene.reactor, scene.ended);
	assert_int_equal(scene.code, 0);
	utw_unix_listener_close(l);
	end();
}

/* What socat tells about itself behind these words, up to the end of the line. */
static void word_of_socat(const char *before, char *word, size_t size)
{
	const struct recorder *r = &scene.complained;
	const char *begin, *last;

	turn_until(scene.reactor, has(r, before));
	turn_until(scene.reactor, r->data[r->data_len - 1] == '\n');
	begin = (const char *)memmem(r->data, r->data_len, before, strlen(before)) + strlen(before);
	last = memchr(begin, '\n', (size_t)(r->data + r->data_len - begin));
	snprintf(word, size, "%.*s", (int)(last - begin), begin);
}

static void socat_serves_us(void **state)
{
	struct utw_deferred *d;
	struct utw_address to;
	char port[32], text[64];

	(void)state;
	begin("socat");
	run((const char *const[]){ "socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:cat",
				   NULL });
	word_of_socat("listening on AF=2 127.0.0.1:", port, sizeof(port));
	snprintf(text, sizeof(text), "127.0.0.1:%s", port);
	assert_int_equal(utw_address_parse(&to, text), 0);
	d = utw_tcp_connect(scene.reactor, &to, &scene.factory, 0);
	turn_until(scene.reactor, scene.ours.protocol.transport);
	tell(&scene.ours, "across");
	turn_until(scene.reactor, has(&scene.ours, "across"));
	/* cat hears our end, and then we hear its. */
	assert_int_equal(utw_transport_close_write(scene.ours.protocol.transport), 0);
	turn_until(scene.reactor, scene.ended && recorder_lost(&scene.ours));
	assert_lost(&scene.ours, UTW_DONE);
	utw_deferred_unref(d);
	end();
}

/* A line with a program at its far end: what a serial device is to us. */
static void socat_is_a_serial_device(void **state)
{
	char path[64];

	(void)state;
	begin("socat");
	run((const char *const[]){ "socat", "-d", "-d", "PTY,rawer,wait-slave", "EXEC:cat", NULL });
	word_of_socat("PTY is ", path, sizeof(path));
	assert_int_equal(utw_serial_open(NULL, scene.reactor, path, NULL, &scene.ours.protocol), 0);
	turn_until(scene.reactor, scene.ours.protocol.transport);
	tell(&scene.ours, "\x01\x03\x11\x13\n\r\xff");
	turn_until(scene.reactor, has(&scene.ours, "\x01\x03\x11\x13\n\r\xff"));
	end();
}

/* We are the device here. It wants a terminal for its user, who is us again. */
static void picocom_talks_to_our_line(void **state)
{
	struct utw_process_options options = { .path = "picocom",
					       .terminal = &scene.said.protocol };
	int master;

	(void)state;
	begin("picocom");
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	options.argv = (const char *const[]){ "picocom", "--nolock",	  "--baud",
					      "9600",	 ptsname(master), NULL };
	assert_int_equal(utw_fd_transport_new(NULL, scene.reactor, master, master,
					      &scene.ours.protocol),
			 0);
	assert_int_equal(utw_process_spawn(scene.reactor, &options, &scene.watcher, NULL), 0);
	turn_until(scene.reactor, has(&scene.said, "Terminal ready"));
	tell(&scene.said, "typed");
	turn_until(scene.reactor, has(&scene.ours, "typed"));
	tell(&scene.ours, "shown");
	turn_until(scene.reactor, has(&scene.said, "shown"));
	tell(&scene.said, "\x01\x18"); /* C-a C-x: leave */
	turn_until(scene.reactor, scene.ended && recorder_lost(&scene.said));
	assert_int_equal(scene.code, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(curl_gets_all_up_to_the_close),	TEST(nc_hears_its_words_after_its_end),
		TEST(socat_is_served_at_a_socket_file), TEST(socat_serves_us),
		TEST(socat_is_a_serial_device),		TEST(picocom_talks_to_our_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
