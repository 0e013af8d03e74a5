// SPDX-License-Identifier: MIT
/* Failures: their parts, their causes, their one line. */
#include <untwist/failure.h>

#include <errno.h>
#include <string.h>

#include "harness-alloc.h"
#include "harness.h"

static struct utw_failure *failure_with_cause(void)
{
	struct utw_failure *cause = utw_failure_from_errno(-ENODEV, "read", "%s", "/dev/x");

	return utw_failure_new(&utw_domain_reason, UTW_GONE, "submit", cause, "request %d", 7);
}

static void new_keeps_every_part(void **state)
{
	struct utw_failure *f = failure_with_cause();
	const struct utw_failure *cause = utw_failure_cause(f);

	(void)state;
	assert_ptr_equal(utw_failure_domain(f), &utw_domain_reason);
	assert_int_equal(utw_failure_code(f), UTW_GONE);
	assert_string_equal(utw_failure_operation(f), "submit");
	assert_string_equal(utw_failure_message(f), "request 7");
	assert_int_equal(utw_failure_code(cause), ENODEV);
	assert_null(utw_failure_cause(cause));
	utw_failure_unref(f);
}

static void new_records_the_place_of_its_call(void **state)
{
	struct utw_failure *f = utw_failure_from_errno(-EIO, "read", "x");
	int made_at = __LINE__ - 1, line = 0;

	(void)state;
	assert_non_null(strstr(utw_failure_place(f, &line), "test-failure.c"));
	assert_int_equal(line, made_at);
	assert_non_null(utw_failure_place(f, NULL));
	utw_failure_unref(f);
}

static void new_copies_the_operation(void **state)
{
	char operation[] = "opcode 3";
	struct utw_failure *f = utw_failure_from_errno(-EIO, operation, "%s", "");

	(void)state;
	memset(operation, 'x', sizeof(operation) - 1);
	assert_string_equal(utw_failure_operation(f), "opcode 3");
	utw_failure_unref(f);
}

static void from_errno_takes_either_sign(void **state)
{
	struct utw_failure *a = utw_failure_from_errno(-EPIPE, "write", "x");
	struct utw_failure *b = utw_failure_from_errno(EPIPE, "write", "x");

	(void)state;
	assert_true(utw_failure_is(a, &utw_domain_errno, EPIPE));
	assert_true(utw_failure_is(b, &utw_domain_errno, EPIPE));
	utw_failure_unref(a);
	utw_failure_unref(b);
}

static void is_looks_at_the_top_and_has_at_all(void **state)
{
	struct utw_failure *f = failure_with_cause();

	(void)state;
	assert_true(utw_failure_is(f, &utw_domain_reason, UTW_GONE));
	assert_false(utw_failure_is(f, &utw_domain_errno, ENODEV));
	assert_false(utw_failure_is(f, &utw_domain_errno, UTW_GONE));
	assert_true(utw_failure_has(f, &utw_domain_errno, ENODEV));
	assert_true(utw_failure_has(f, &utw_domain_reason, UTW_GONE));
	assert_false(utw_failure_has(f, &utw_domain_errno, EIO));
	utw_failure_unref(f);
}

static const char whole_story[] =
	"submit: request 7 (device gone), caused by read: /dev/x (No such device)";

static void format_tells_the_chain_in_one_line(void **state)
{
	struct utw_failure *f = failure_with_cause();
	char buf[128];

	(void)state;
	assert_int_equal(utw_failure_format(f, buf, sizeof(buf)), strlen(whole_story));
	assert_string_equal(buf, whole_story);
	utw_failure_unref(f);
}

static void format_without_a_message_leaves_no_gap(void **state)
{
	struct utw_failure *f = utw_failure_from_errno(-EIO, "read", "%s", "");
	char buf[64];

	(void)state;
	utw_failure_format(f, buf, sizeof(buf));
	assert_string_equal(buf, "read (Input/output error)");
	utw_failure_unref(f);
}

static void format_into_every_size_is_cut_and_terminated(void **state)
{
	struct utw_failure *f = failure_with_cause();
	size_t size;

	(void)state;
	for (size = 0; size <= sizeof(whole_story); size++) {
		char buf[sizeof(whole_story) + 1];

		memset(buf, '#', sizeof(buf));
		assert_int_equal(utw_failure_format(f, buf, size), strlen(whole_story));
		assert_int_equal(buf[size], '#');
		if (size) {
			assert_int_equal(strlen(buf), size - 1);
			assert_memory_equal(buf, whole_story, size - 1);
		}
	}
	utw_failure_unref(f);
}

static void format_of_unknown_codes_says_so(void **state)
{
	struct utw_failure *f = utw_failure_new(&utw_domain_reason, 9999, "a", NULL, "b");
	struct utw_failure *g = utw_failure_from_errno(99999, "a", "b");
	char buf[64];

	(void)state;
	utw_failure_format(f, buf, sizeof(buf));
	assert_string_equal(buf, "a: b (unknown reason)");
	utw_failure_format(g, buf, sizeof(buf));
	assert_string_equal(buf, "a: b (unknown error)");
	utw_failure_unref(f);
	utw_failure_unref(g);
}

static void every_reason_has_its_own_words(void **state)
{
	int a, b;

	(void)state;
	for (a = UTW_DONE; a <= UTW_REFUSED; a++) {
		assert_string_not_equal(utw_domain_reason.describe(a), "unknown reason");
		for (b = UTW_DONE; b < a; b++)
			assert_string_not_equal(utw_domain_reason.describe(a),
						utw_domain_reason.describe(b));
	}
}

static void ref_keeps_it_until_the_last_unref(void **state)
{
	struct utw_failure *f = failure_with_cause();

	(void)state;
	assert_ptr_equal(utw_failure_ref(f), f);
	utw_failure_unref(f);
	assert_int_equal(utw_failure_code(f), UTW_GONE);
	utw_failure_unref(f);
	utw_failure_unref(NULL);
	assert_null(utw_failure_ref(NULL));
}

static void unref_of_a_long_chain_needs_no_stack(void **state)
{
	struct utw_failure *f = NULL;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++)
		f = utw_failure_new(&utw_domain_errno, EIO, "a", f, "b");
	utw_failure_unref(f);
}

static void new_without_memory_is_immortal(void **state)
{
	struct utw_failure *cause = utw_failure_from_errno(-EIO, "read", "x");
	struct utw_failure *f;
	int i;

	(void)state;
	alloc_fail_at(1);
	f = utw_failure_new(&utw_domain_reason, UTW_LOST, "read", cause, "x");
	assert_true(utw_failure_is(f, &utw_domain_errno, ENOMEM));
	assert_ptr_equal(utw_failure_ref(f), f);
	for (i = 0; i < 5; i++)
		utw_failure_unref(f);
	assert_true(utw_failure_is(f, &utw_domain_errno, ENOMEM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_keeps_every_part),
		TEST(new_records_the_place_of_its_call),
		TEST(new_copies_the_operation),
		TEST(from_errno_takes_either_sign),
		TEST(is_looks_at_the_top_and_has_at_all),
		TEST(format_tells_the_chain_in_one_line),
		TEST(format_without_a_message_leaves_no_gap),
		TEST(format_into_every_size_is_cut_and_terminated),
		TEST(format_of_unknown_codes_says_so),
		TEST(every_reason_has_its_own_words),
		TEST(ref_keeps_it_until_the_last_unref),
		TEST(unref_of_a_long_chain_needs_no_stack),
		TEST(new_without_memory_is_immortal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
