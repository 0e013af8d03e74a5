// SPDX-License-Identifier: MIT
/* The ring list. */
#include "base/list.h"

#include "harness.h"

static void pop_gives_the_order_of_append(void **state)
{
	struct utw_link list, a, b;

	(void)state;
	utw_list_init(&list);
	assert_true(utw_list_empty(&list));
	utw_list_append(&list, &a);
	utw_list_append(&list, &b);
	assert_ptr_equal(utw_list_pop(&list), &a);
	assert_ptr_equal(utw_list_pop(&list), &b);
	assert_null(utw_list_pop(&list));
}

static void remove_twice_is_harmless(void **state)
{
	struct utw_link list, a, b;

	(void)state;
	utw_list_init(&list);
	utw_list_append(&list, &a);
	utw_list_append(&list, &b);
	utw_list_remove(&a);
	utw_list_remove(&a);
	assert_ptr_equal(utw_list_pop(&list), &b);
	assert_true(utw_list_empty(&list));
}

static void splice_moves_all_to_the_end(void **state)
{
	struct utw_link to, from, a, b, c;

	(void)state;
	utw_list_init(&to);
	utw_list_init(&from);
	utw_list_append(&to, &a);
	utw_list_append(&from, &b);
	utw_list_append(&from, &c);
	utw_list_splice(&to, &from);
	assert_true(utw_list_empty(&from));
	utw_list_splice(&to, &from);
	assert_ptr_equal(utw_list_pop(&to), &a);
	assert_ptr_equal(utw_list_pop(&to), &b);
	assert_ptr_equal(utw_list_pop(&to), &c);
	assert_null(utw_list_pop(&to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pop_gives_the_order_of_append),
		TEST(remove_twice_is_harmless),
		TEST(splice_moves_all_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
