/* SPDX-License-Identifier: MIT */
/* Histograms: quantiles to one part in sixteen, and the bars. */
#include "factorial/histogram.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

static char *drawn(const struct histogram *h, bool blocks)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	histogram_draw(h, to, blocks);
	fclose(to);
	return text;
}

static unsigned int count_of(const char *text, const char *part)
{
	unsigned int count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

static void empty_one_draws_nothing(void **state)
{
	struct histogram h = { .count = 0 };
	char *text = drawn(&h, false);

	(void)state;
	assert_string_equal(text, "");
	assert_int_equal(histogram_quantile(&h, 500), 0);
	free(text);
}

static void quantile_is_never_below_nor_far_above(void **state)
{
	struct histogram h = { .count = 0 };

	(void)state;
	for (uint64_t ns = 1; ns <= 100000; ns++)
		histogram_add(&h, ns);
	for (unsigned int permille = 10; permille < 1000; permille += 10) {
		uint64_t exact = permille * UINT64_C(100);
		uint64_t told = histogram_quantile(&h, permille);

		assert_true(told >= exact);
		assert_true(told <= exact + exact / 16 + 1);
	}
	assert_int_equal(histogram_quantile(&h, 1000), 100000);
}

static void quantile_of_one_is_that_one(void **state)
{
	static const uint64_t table[] = { 0, 1, 2, 15, 16, 17, 1000, UINT64_C(1) << 62 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct histogram h = { .count = 0 };

		histogram_add(&h, table[i]);
		assert_int_equal(histogram_quantile(&h, 500), table[i]);
		assert_int_equal(histogram_quantile(&h, 990), table[i]);
	}
}

static void bars_are_to_scale_and_none_is_empty(void **state)
{
	struct histogram h = { .count = 0 };
	char *text;

	(void)state;
	for (int i = 0; i < 10000; i++)
		histogram_add(&h, 1500);
	histogram_add(&h, 5000);
	text = drawn(&h, false);
	/* 1 to 2, 2 to 4, 4 to 8 us, and the quantiles. */
	assert_int_equal(count_of(text, "\n"), 4);
	assert_int_equal(count_of(text, "#"), 51);
	assert_int_equal(count_of(text, " 10000\n"), 1);
	assert_int_equal(count_of(text, " 0\n"), 1);
	assert_non_null(strstr(text, "median 1.5 us, p99 1.5 us, max 5.0 us\n"));
	free(text);
}

static void blocks_draw_eighths(void **state)
{
	struct histogram h = { .count = 0 };
	char *text;

	(void)state;
	for (int i = 0; i < 400; i++)
		histogram_add(&h, 1500);
	histogram_add(&h, 3000);
	text = drawn(&h, true);
	assert_int_equal(count_of(text, "█"), 50);
	assert_int_equal(count_of(text, "▏"), 1);
	assert_null(strchr(text, '#'));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_one_draws_nothing),	   TEST(quantile_is_never_below_nor_far_above),
		TEST(quantile_of_one_is_that_one), TEST(bars_are_to_scale_and_none_is_empty),
		TEST(blocks_draw_eighths),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
