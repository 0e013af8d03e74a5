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

static void splice_until_moves_the_first_ones(void **state)
{
	struct utw_link to, from, a, b, c, d;

	(void)state;
	utw_list_init(&to);
	utw_list_init(&from);
	utw_list_append(&to, &a);
	utw_list_append(&from, &b);
	utw_list_append(&from, &c);
	utw_list_append(&from, &d);
	utw_list_splice_until(&to, &from, &c);
	assert_ptr_equal(utw_list_pop(&from), &d);
	assert_true(utw_list_empty(&from));
	utw_list_append(&from, &d);
	utw_list_splice_until(&to, &from, &d);
	assert_true(utw_list_empty(&from));
	assert_ptr_equal(utw_list_pop(&to), &a);
	assert_ptr_equal(utw_list_pop(&to), &b);
	assert_ptr_equal(utw_list_pop(&to), &c);
	assert_ptr_equal(utw_list_pop(&to), &d);
	assert_null(utw_list_pop(&to));
}

/* An object with lists inside, as the library's are. */
struct owner {
	void *padding;
	struct utw_link waiting;
	struct utw_link taken;
	unsigned int (*limit)(unsigned int count);
	void (*drop)(struct utw_link *link);
};

static unsigned int all(unsigned int count)
{
	return count;
}

static unsigned int count_of(const struct utw_link *list)
{
	unsigned int count = 0;

	for (struct utw_link *link = utw_list_first(list); link != list; link = link->next)
		count++;
	return count;
}

/* Walk, drain or move: with all of it in one function, see the note in base/list.h. */
static void walk_and_move(struct owner *o)
{
	struct utw_link *link;
	unsigned int count = 0, most;

	for (link = utw_list_first(&o->waiting); link != &o->waiting; link = link->next)
		count++;
	most = o->limit(count);
	if (!most) {
		while (!utw_list_empty(&o->waiting))
			o->drop(utw_list_first(&o->waiting));
		return;
	}
	for (unsigned int i = 0; i < most; i++) {
		link = utw_list_pop(&o->waiting);
		utw_list_append(&o->taken, link);
	}
}

static void list_is_walked_and_popped_in_one_function(void **state)
{
	struct utw_link links[5];
	struct owner o = { .limit = all, .drop = utw_list_remove };
	/* As from another file, of which the compiler knows nothing. */
	void (*volatile act)(struct owner * o) = walk_and_move;

	(void)state;
	utw_list_init(&o.waiting);
	utw_list_init(&o.taken);
	for (unsigned int i = 0; i < ARRAY_SIZE(links); i++)
		utw_list_append(&o.waiting, &links[i]);
	act(&o);
	assert_true(utw_list_empty(&o.waiting));
	assert_int_equal(count_of(&o.taken), ARRAY_SIZE(links));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pop_gives_the_order_of_append),
		TEST(remove_twice_is_harmless),
		TEST(splice_moves_all_to_the_end),
		TEST(splice_until_moves_the_first_ones),
		TEST(list_is_walked_and_popped_in_one_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
