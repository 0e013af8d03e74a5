/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: headers good and bad, and connections behind them. */
#include <untwist/proxy.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guests.h"
#include "harness-clock.h"
#include "harness.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

struct header {
	const char *bytes;
	size_t len;
	const char *peer; /* NULL: unknown */
	const char *host;
};

#define HEADER(bytes, peer, host)                    \
	{                                            \
		bytes, sizeof(bytes) - 1, peer, host \
	}

static const struct header good[] = {
	HEADER("PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n", "192.0.2.1:1111", "192.0.2.2:2222"),
	HEADER("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", "[2001:db8::1]:65535", "[::1]:0"),
	HEADER("PROXY UNKNOWN\r\n", NULL, NULL),
	HEADER("PROXY UNKNOWN whatever it is\r\n", NULL, NULL),
	HEADER(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x04\x57\x08\xae", "192.0.2.1:1111",
	       "192.0.2.2:2222"),
	HEADER(SIGNATURE "\x21\x11\0\x10\xc0\0\2\1\xc0\0\2\2\x04\x57\x08\xae\4\0\1z",
	       "192.0.2.1:1111", "192.0.2.2:2222"),
	HEADER(SIGNATURE "\x21\x21\0\x24"
			 "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
			 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2",
	       "[2001:db8::1]:1", "[::1]:2"),
	HEADER(SIGNATURE "\x20\0\0\0", NULL, NULL),
	HEADER(SIGNATURE "\x21\x31\0\1z", NULL, NULL),
};

static const struct header bad[] = {
	HEADER("G", NULL, "no header"),
	HEADER("PROXI", NULL, "no header"),
	HEADER("PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\n", NULL, "CR LF"),
	HEADER("PROXY TCP4 192.0.2.1 192.0.2.2 1111\r\n", NULL, "too few words"),
	HEADER("PROXY TCP5 192.0.2.1 192.0.2.2 1111 2222\r\n", NULL, "neither TCP4 nor"),
	HEADER("PROXY TCP4 192.0.2.1 192.0.2.2 1111 65536\r\n", NULL, "wrong address or port"),
	HEADER("PROXY TCP4 192.0.2.1 192.0.2.2 01111 2\r\n", NULL, "wrong address or port"),
	HEADER("PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222 3\r\n", NULL, "wrong address or port"),
	HEADER("PROXY TCP4 ::1 ::1 1111 2222\r\n", NULL, "wrong address or port"),
	HEADER("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", NULL, "wrong address or port"),
	HEADER(SIGNATURE "\x31\x11\0\0", NULL, "unknown version"),
	HEADER(SIGNATURE "\x22\x11\0\0", NULL, "unknown command"),
	HEADER(SIGNATURE "\x21\x41\0\0", NULL, "unknown family"),
	HEADER(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\x04\x57\x08", NULL, "less than its"),
	HEADER(SIGNATURE "\x21\x11\x20\0", NULL, "too long"),
};

static void assert_address(const struct utw_address *a, const char *expected)
{
	char text[UTW_ADDRESS_TEXT];

	utw_address_format(a, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void good_headers_are_read_and_waited_for(void **state)
{
	const char *why = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct utw_proxy_header h;

		for (size_t len = 0; len < good[i].len; len++)
			assert_int_equal(utw_proxy_parse(&h, good[i].bytes, len, &why), 0);
		assert_int_equal(utw_proxy_parse(&h, good[i].bytes, good[i].len, &why), 1);
		assert_int_equal(h.len, good[i].len);
		assert_int_equal(h.known, good[i].peer != NULL);
		if (h.known) {
			assert_address(&h.peer, good[i].peer);
			assert_address(&h.host, good[i].host);
		}
	}
}

static void bad_headers_are_refused(void **state)
{
	char line[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct utw_proxy_header h;
		const char *why = "";

		assert_int_equal(utw_proxy_parse(&h, bad[i].bytes, bad[i].len, &why), -EBADMSG);
		if (!strstr(why, bad[i].host))
			fail_msg("%zu: %s", i, why);
	}
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	for (size_t len = 14; len <= 107; len++) {
		struct utw_proxy_header h;
		const char *why = "";

		assert_int_equal(utw_proxy_parse(&h, line, len, &why), len < 107 ? 0 : -EBADMSG);
	}
}

/* However the header and what follows are cut, the protocol sees the client and the rest. */
static void connection_is_the_clients(void **state)
{
	static const char bytes[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\nhello";

	(void)state;
	for (size_t cut = 1; cut < sizeof(bytes) - 1; cut++) {
		struct utw_proxy_policy p;
		struct utw_protocol *protocol;
		struct guests g;

		guests_open(&g);
		utw_proxy_policy_init(&p, &g.factory);
		protocol = guests_serve(&g, &p.policy.factory, 0);
		assert_non_null(protocol);
		guests_send(&g, 0, bytes, cut);
		guests_send(&g, 0, bytes + cut, sizeof(bytes) - 1 - cut);
		assert_int_equal(g.count, 1);
		assert_address(&g.peers[0], "192.0.2.1:1111");
		assert_story(&g.recorders[0], "MD");
		assert_int_equal(g.recorders[0].data_len, 5);
		assert_memory_equal(g.recorders[0].data, "hello", 5);
		protocol = &g.recorders[0].protocol;
		assert_address(utw_transport_peer(protocol->transport), "192.0.2.1:1111");
		assert_address(utw_transport_host(protocol->transport), "192.0.2.2:2222");
		utw_transport_write(protocol->transport, "answer", 6);
		assert_int_equal(guests_received(&g, 0, (char[8]){ 0 }, 8), 6);
		assert_int_equal(p.refused, 0);
		guests_close(&g);
	}
}

static void refused(const char *bytes, size_t len, uint64_t wait)
{
	struct utw_proxy_policy p;
	struct guests g;
	char got;

	clock_freeze(100 * SECONDS);
	guests_open(&g);
	utw_proxy_policy_init(&p, &g.factory);
	guests_serve(&g, &p.policy.factory, 0);
	guests_send(&g, 0, bytes, len);
	clock_advance(wait);
	turn_all(g.reactor);
	assert_int_equal(p.refused, 1);
	assert_int_equal(g.count, 0);
	assert_int_equal(recv(g.fd[0], &got, 1, MSG_DONTWAIT), 0);
	close(g.fd[0]);
	guests_close(&g);
}

static void connection_without_a_header_is_aborted(void **state)
{
	(void)state;
	refused("GET / HTTP/1.1\r\n", 16, 0);
	refused("PROXY TCP4", 10, UTW_PROXY_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_headers_are_read_and_waited_for),
		TEST(bad_headers_are_refused),
		TEST(connection_is_the_clients),
		TEST(connection_without_a_header_is_aborted),
	};

	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
