/* SPDX-License-Identifier: MIT */
/* Endpoints as texts: case 63 of the semantics, and what wrong ones are told. */
#include <untwist/endpoint.h>

#include <errno.h>
#include <string.h>

#include <untwist/failure.h>

#include "endpoint/arguments.h"
#include "harness-alloc.h"
#include "harness.h"

static struct utw_arguments parsed(const char *text)
{
	struct utw_arguments a;
	const char *why;
	size_t column;

	assert_int_equal(utw_arguments_parse(&a, text, &why, &column), 0);
	return a;
}

static void assert_argument(const struct utw_argument *a, const char *key, const char *value)
{
	if (key)
		assert_string_equal(a->key, key);
	else
		assert_null(a->key);
	assert_string_equal(a->value, value);
}

static void endpoint_case_63_values_and_keys(void **state)
{
	struct utw_arguments a = parsed("a:b:d=1:c");

	(void)state;
	assert_int_equal(a.count, 4);
	assert_argument(&a.list[0], NULL, "a");
	assert_argument(&a.list[1], NULL, "b");
	assert_argument(&a.list[2], "d", "1");
	assert_argument(&a.list[3], NULL, "c");
	assert_int_equal(a.list[2].column, 5);
	utw_arguments_release(&a);
}

static void endpoint_case_63_quotes(void **state)
{
	struct utw_arguments a = parsed("unix:foo\\:bar\\=baz\\:qux\\\\");

	(void)state;
	assert_int_equal(a.count, 2);
	assert_argument(&a.list[1], NULL, "foo:bar=baz:qux\\");
	utw_arguments_release(&a);
	a = parsed("unix:address=foo=bar");
	assert_argument(&a.list[1], "address", "foo=bar");
	utw_arguments_release(&a);
}

static void brackets_hold_colons(void **state)
{
	struct utw_arguments a = parsed("tcp:[::1]:80:host=[::2]:a[:b");

	(void)state;
	assert_int_equal(a.count, 6);
	assert_argument(&a.list[1], NULL, "[::1]");
	assert_argument(&a.list[2], NULL, "80");
	assert_argument(&a.list[3], "host", "[::2]");
	assert_argument(&a.list[4], NULL, "a[");
	utw_arguments_release(&a);
}

/* A text that is wrong, and what must be told of it. */
struct wrong {
	enum utw_endpoint_role role;
	const char *text;
	const char *told;
};

static const struct wrong wrong[] = {
	{ UTW_ENDPOINT_CLIENT, "bogus-type:nothing", "column 1: there is no type \"bogus-type\"" },
	{ UTW_ENDPOINT_CLIENT, "", "column 1: there is no type \"\" to connect to" },
	{ UTW_ENDPOINT_CLIENT, "systemd:0", "column 1: there is no type \"systemd\" to connect" },
	{ UTW_ENDPOINT_CLIENT, "a=b:c", "column 1: the type comes first" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost", "column 14: tcp needs \"port\"" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:80x", "column 15: port is not a number from 0 to" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:65536", "column 15: port is not a number from 0 to" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:", "column 15: port is not a number" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:0", "column 15: nobody can be reached" },
	{ UTW_ENDPOINT_CLIENT, "tcp:no where:80", "column 5: host is neither" },
	{ UTW_ENDPOINT_CLIENT, "tcp:1.2.3:80", "column 5: host is neither" },
	{ UTW_ENDPOINT_CLIENT, "tcp::80", "column 5: nobody can be reached" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:80:port=81", "column 18: \"port\" is given twice" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:80:tiemout=1", "column 18: tcp has no \"tiemout\"" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:80:1:2", "column 20: tcp takes no further" },
	{ UTW_ENDPOINT_CLIENT, "tcp:localhost:80\\", "column 17: a backslash with nothing" },
	{ UTW_ENDPOINT_SERVER, "tcp:80:interface=x", "column 8: interface is neither" },
	{ UTW_ENDPOINT_CLIENT, "tls:localhost:80:verify=never", "column 18: verify is yes or no" },
	{ UTW_ENDPOINT_CLIENT, "tls:localhost:80:alpn=h2,,x", "column 18: alpn is up to 16 names" },
	{ UTW_ENDPOINT_CLIENT, "tls:localhost", "column 14: tls needs \"port\"" },
	{ UTW_ENDPOINT_SERVER, "tls:443", "column 8: tls needs \"certificate\"" },
	{ UTW_ENDPOINT_SERVER, "tls:443:/x:interface=y", "column 12: interface is neither" },
	{ UTW_ENDPOINT_CLIENT, "unix:", "column 6: path is empty" },
	{ UTW_ENDPOINT_SERVER, "unix:/x:mode=888", "column 9: mode is not an octal" },
	{ UTW_ENDPOINT_SERVER, "unix:/x:mode=7777", "column 9: mode is not an octal" },
	{ UTW_ENDPOINT_CLIENT, "serial:/x:0", "column 11: baud is less than 1" },
	{ UTW_ENDPOINT_CLIENT, "serial:/x:data=9", "column 11: data is not a number from 0 to 8" },
	{ UTW_ENDPOINT_CLIENT, "serial:/x:parity=weird", "column 11: parity is none, odd" },
	{ UTW_ENDPOINT_CLIENT, "serial:/x:flow=weird", "column 11: flow is none, rtscts" },
	{ UTW_ENDPOINT_CLIENT, "udp:example.org:5", "column 5: host is neither an IP address" },
	{ UTW_ENDPOINT_CLIENT, "udp:localhost:0", "column 15: nobody can be reached" },
	{ UTW_ENDPOINT_SERVER, "udp:5:idle=0", "column 7: idle is less than 1" },
	{ UTW_ENDPOINT_SERVER, "udp:5:peers=0", "column 7: peers is less than 1" },
	{ UTW_ENDPOINT_SERVER, "udp:5:interface=x", "column 7: interface is neither" },
	{ UTW_ENDPOINT_CLIENT, "process:", "column 9: path is empty" },
	{ UTW_ENDPOINT_CLIENT, "process:a:folder=b:folder=c",
	  "column 20: \"folder\" is given twice" },
	{ UTW_ENDPOINT_CLIENT, "process:a:B=c", "column 11: process has no \"B\"" },
	{ UTW_ENDPOINT_SERVER, "systemd:", "column 9: index is not a number" },
	{ UTW_ENDPOINT_SERVER, "systemd", "column 1: systemd needs an index or a name" },
	{ UTW_ENDPOINT_SERVER, "systemd:0:name=a", "column 1: systemd needs an index or a name" },
	{ UTW_ENDPOINT_CLIENT, "stdio:x", "column 7: stdio takes no further" },
	{ UTW_ENDPOINT_CLIENT, "fd:99999999999999999999999", "column 4: number is not a number" },
};

static void wrong_texts_are_told_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct utw_failure *why = NULL;
		struct utw_endpoint *e = NULL;

		assert_int_equal(utw_endpoint_parse(&e, wrong[i].role, wrong[i].text, NULL, &why),
				 -EINVAL);
		assert_null(e);
		if (!strstr(utw_failure_message(why), wrong[i].told))
			fail_msg("%s: %s", wrong[i].text, utw_failure_message(why));
		utw_failure_unref(why);
		assert_int_equal(utw_endpoint_parse(&e, wrong[i].role, wrong[i].text, NULL, NULL),
				 -EINVAL);
	}
}

static void right_texts_are_read(void **state)
{
	static const char *const right[] = { "tcp:localhost:80",
					     "tcp:port=80:host=127.0.0.1",
					     "tcp:[::1]:80:timeout=5",
					     "tcp:host=\\:\\:1:port=80",
					     "tcp:unix:80",
					     "tcp:some-host_2.example.org:80",
					     "tls:example.org:443:timeout=5:alpn=h2,http/1.1",
					     "fd:3",
					     "stdio:",
					     "stdio",
					     "device:/dev/x" };
	struct utw_endpoint *e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, right[i], NULL, NULL),
				 0);
		assert_string_equal(utw_endpoint_text(e), right[i]);
		utw_endpoint_free(e);
	}
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, "tcp:timeout=7:localhost:80",
					    NULL, NULL),
			 0);
	assert_string_equal(utw_endpoint_value(e, "host"), "localhost");
	assert_string_equal(utw_endpoint_value(e, "port"), "80");
	assert_string_equal(utw_endpoint_value(e, "timeout"), "7");
	assert_null(utw_endpoint_value(e, "other"));
	utw_endpoint_free(e);
	utw_endpoint_free(NULL);
}

static void repeated_arguments_keep_their_order(void **state)
{
	struct utw_endpoint *e;

	(void)state;
	assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT,
					    "process:sh:-c:arg=echo a\\:b:folder=/:A\\=c:", NULL,
					    NULL),
			 0);
	assert_string_equal(utw_endpoint_value(e, "path"), "sh");
	assert_string_equal(utw_endpoint_value_at(e, "arg", 0), "-c");
	assert_string_equal(utw_endpoint_value_at(e, "arg", 1), "echo a:b");
	assert_string_equal(utw_endpoint_value_at(e, "arg", 2), "A=c");
	assert_string_equal(utw_endpoint_value_at(e, "arg", 3), "");
	assert_null(utw_endpoint_value_at(e, "arg", 4));
	assert_null(utw_endpoint_value_at(e, "path", 1));
	utw_endpoint_free(e);
}

static void quoted_text_means_itself(void **state)
{
	static const char *const texts[] = { "plain", "a:b", "a=b", "\\", "[::1]", "", "=:\\[" };
	char text[64] = "device:", small[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct utw_endpoint *e;

		utw_endpoint_quote(texts[i], text + 7, sizeof(text) - 7);
		assert_int_equal(utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, text, NULL, NULL), 0);
		assert_string_equal(utw_endpoint_value(e, "path"), texts[i]);
		utw_endpoint_free(e);
	}
	assert_int_equal(utw_endpoint_quote("a:b:c", small, sizeof(small)), 7);
	assert_string_equal(small, "a\\:");
	assert_int_equal(utw_endpoint_quote("a:b", NULL, 0), 4);
}

static void no_memory_is_a_failure(void **state)
{
	struct utw_failure *why;
	struct utw_endpoint *e;
	unsigned int nth;

	(void)state;
	for (nth = 1;; nth++) {
		int error;

		alloc_fail_at(nth);
		error = utw_endpoint_parse(&e, UTW_ENDPOINT_CLIENT, "tcp:localhost:80", NULL, &why);
		if (!alloc_failed())
			break;
		assert_int_equal(error, -ENOMEM);
		utw_failure_unref(why);
	}
	alloc_fail_at(0);
	assert_true(nth > 3);
	utw_endpoint_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(endpoint_case_63_values_and_keys),
		TEST(endpoint_case_63_quotes),
		TEST(brackets_hold_colons),
		TEST(wrong_texts_are_told_where),
		TEST(right_texts_are_read),
		TEST(repeated_arguments_keep_their_order),
		TEST(quoted_text_means_itself),
		TEST(no_memory_is_a_failure),
	};

	return cmocka_run_group_tests_name("endpoint-text", tests, NULL, NULL);
}
