/* SPDX-License-Identifier: MIT */
/* Numbers: what a line may look like, and what is said of those that do not. */
#include "factorial/number.h"

#include <errno.h>
#include <string.h>

#include "harness.h"

#define MAX 12

static int read_text(const char *text, char complaint[NUMBER_COMPLAINT])
{
	return number_read(text, strlen(text), MAX, complaint);
}

static void numbers_are_read(void **state)
{
	static const struct {
		const char *text;
		int value;
	} table[] = { { "0", 0 },
		      { "12", 12 },
		      { "007", 7 },
		      { "+5", 5 },
		      { "-0", 0 },
		      { " \t3 \r", 3 },
		      { "00000000000000000000000012", 12 } };
	char complaint[NUMBER_COMPLAINT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(read_text(table[i].text, complaint), table[i].value);
}

static void other_text_is_no_number(void **state)
{
	static const char *const table[] = { "",  " ", "abc", "1 2", "1.5", "0x5",
					     "+", "-", "--1", "1e1", "5!",  "\xd9\xa3" };
	char complaint[NUMBER_COMPLAINT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(read_text(table[i], complaint), -EINVAL);
		assert_non_null(strstr(complaint, "is not a number"));
	}
}

static void far_numbers_are_out_of_range(void **state)
{
	static const char *const table[] = { "13", "-1", "2147483648", "18446744073709551617",
					     "99999999999999999999999999999999999999999999" };
	char complaint[NUMBER_COMPLAINT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(read_text(table[i], complaint), -ERANGE);
		assert_non_null(strstr(complaint, "is out of range (0 to 12)"));
	}
}

static void complaint_is_fit_for_any_terminal(void **state)
{
	static const char line[] = { 'a', '\0', '\x1b', '\xff', 'b' };
	char complaint[NUMBER_COMPLAINT];

	(void)state;
	assert_int_equal(number_read(line, sizeof(line), MAX, complaint), -EINVAL);
	assert_string_equal(complaint, "\"a\\x00\\x1b\\xffb\" is not a number");
}

static void longest_complaint_fits(void **state)
{
	char line[1000];
	char complaint[NUMBER_COMPLAINT];

	(void)state;
	memset(line, 0x01, sizeof(line));
	assert_int_equal(number_read(line, sizeof(line), MAX, complaint), -EINVAL);
	assert_non_null(strstr(complaint, "...\" is not a number"));
	memset(line, '9', sizeof(line));
	assert_int_equal(number_read(line, sizeof(line), MAX, complaint), -ERANGE);
	assert_non_null(strstr(complaint, "... is out of range (0 to 12)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_are_read),
		TEST(other_text_is_no_number),
		TEST(far_numbers_are_out_of_range),
		TEST(complaint_is_fit_for_any_terminal),
		TEST(longest_complaint_fits),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
