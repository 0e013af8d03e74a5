/* SPDX-License-Identifier: MIT */
/* Addresses: text to value and back. */
#include <untwist/address.h>

#include <errno.h>
#include <string.h>

#include "harness.h"

static void assert_round_trip(const char *text, const char *expected)
{
	struct utw_address a;
	char buf[UTW_ADDRESS_TEXT];

	assert_int_equal(utw_address_parse(&a, text), 0);
	assert_int_equal(utw_address_format(&a, buf, sizeof(buf)), strlen(expected));
	assert_string_equal(buf, expected);
}

static void parse_reads_what_format_writes(void **state)
{
	(void)state;
	assert_round_trip("127.0.0.1:80", "127.0.0.1:80");
	assert_round_trip("localhost:7000", "127.0.0.1:7000");
	assert_round_trip("*:0", "0.0.0.0:0");
	assert_round_trip(":65535", "0.0.0.0:65535");
	assert_round_trip("[::1]:22", "[::1]:22");
	assert_round_trip("unix:/run/a:b", "unix:/run/a:b");
	assert_round_trip("unix:relative", "unix:relative");
	assert_round_trip("unix:@abstract", "unix:@abstract");
}

static void parse_refuses_other_text(void **state)
{
	static const char *const wrong[] = {
		"",	      "80",	    "host:80",	     "1.2.3:80",
		"1.2.3.4:",   "1.2.3.4:x",  "1.2.3.4:65536", "[::1:80",
		"1.2.3.4:-1", "1.2.3.4: 1", "::1:80",	     "[]:80",
		"unix:",      "unix:@"
	};
	struct utw_address a = { .length = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(utw_address_parse(&a, wrong[i]), -EINVAL);
	assert_int_equal(a.length, 77);
}

static void equal_compares_host_and_port(void **state)
{
	struct utw_address a, b;

	(void)state;
	utw_address_parse(&a, "127.0.0.1:80");
	utw_address_parse(&b, "localhost:80");
	assert_true(utw_address_equal(&a, &b));
	assert_int_equal(utw_address_port(&a), 80);
	utw_address_parse(&b, "127.0.0.1:81");
	assert_false(utw_address_equal(&a, &b));
	utw_address_parse(&b, "[::1]:80");
	assert_false(utw_address_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parse_reads_what_format_writes),
		TEST(parse_refuses_other_text),
		TEST(equal_compares_host_and_port),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
