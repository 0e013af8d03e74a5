// SPDX-License-Identifier: MIT
/* The table of docs/cancellation.md: one test a row, each through all columns. */
#include <untwist/deferred.h>

#include <errno.h>

#include "harness.h"

#define VALUE ((void *)42)

enum column {
	NO_CANCELLER,
	SAYS_NOW,
	SAYS_LATER,
	FIRES_VALUE,
	FIRES_FAILURE,
	COLUMNS,
};

/* What one cell is tried with. */
struct cell {
	enum column column;
	struct utw_deferred *d;
	unsigned int calls; /* of the canceller */
	unsigned int ran; /* the function at the end of the chain */
	void *value;
	const struct utw_domain *domain; /* of the failure, or NULL */
	int code;
};

static enum utw_cancel cell_cancel(struct utw_deferred *d, void *data)
{
	struct cell *cell = data;

	cell->calls++;
	if (cell->column == FIRES_VALUE)
		utw_deferred_callback(d, VALUE);
	if (cell->column == FIRES_FAILURE)
		utw_deferred_errback(d, utw_failure_from_errno(-EIO, "test", "as planned"));
	return cell->column == SAYS_LATER ? UTW_CANCEL_LATER : UTW_CANCEL_NOW;
}

static struct utw_result cell_note(void *value, struct utw_failure *failure, void *data)
{
	struct cell *cell = data;

	cell->ran++;
	cell->value = value;
	cell->domain = failure ? utw_failure_domain(failure) : NULL;
	cell->code = failure ? utw_failure_code(failure) : 0;
	return utw_result_value(NULL);
}

/* A deferred that has not fired, with the column's canceller. */
static struct utw_deferred *cell_producer(struct cell *cell)
{
	struct utw_deferred *d = utw_deferred_new();

	if (cell->column != NO_CANCELLER)
		utw_deferred_set_canceller(d, cell_cancel, cell);
	return d;
}

static void cell_init(struct cell *cell, enum column column)
{
	*cell = (struct cell){ .column = column };
	cell->d = cell_producer(cell);
}

static void assert_ran_with(const struct cell *cell, void *value, const struct utw_domain *domain,
			    int code)
{
	assert_int_equal(cell->ran, 1);
	assert_ptr_equal(cell->value, value);
	assert_ptr_equal(cell->domain, domain);
	assert_int_equal(cell->code, code);
}

/* The first row: what the chain saw, and what becomes of the producer's late results. */
static void assert_cancelled_unfired(const struct cell *cell, struct utw_deferred *producer)
{
	assert_int_equal(cell->calls, cell->column != NO_CANCELLER);
	switch (cell->column) {
	case NO_CANCELLER:
		assert_ran_with(cell, NULL, &utw_domain_reason, UTW_CANCELLED);
		assert_int_equal(utw_deferred_callback(producer, VALUE), 0);
		break;
	case SAYS_NOW:
		assert_ran_with(cell, NULL, &utw_domain_reason, UTW_CANCELLED);
		break;
	case SAYS_LATER:
		assert_int_equal(cell->ran, 0);
		assert_int_equal(utw_deferred_callback(producer, VALUE), 0);
		assert_ran_with(cell, VALUE, NULL, 0);
		break;
	case FIRES_VALUE:
		assert_ran_with(cell, VALUE, NULL, 0);
		break;
	case FIRES_FAILURE:
		assert_ran_with(cell, NULL, &utw_domain_errno, EIO);
		break;
	case COLUMNS:
		fail();
	}
	assert_int_equal(utw_deferred_callback(producer, VALUE), -EALREADY);
	assert_int_equal(cell->ran, 1);
}

static void row_has_not_fired(void **state)
{
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		utw_deferred_add_both(cell.d, cell_note, &cell);
		utw_deferred_cancel(cell.d);
		assert_cancelled_unfired(&cell, cell.d);
		utw_deferred_unref(cell.d);
	}
}

static void row_has_not_fired_and_is_paused(void **state)
{
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		utw_deferred_add_both(cell.d, cell_note, &cell);
		utw_deferred_pause(cell.d);
		utw_deferred_cancel(cell.d);
		assert_int_equal(cell.ran, 0);
		utw_deferred_unpause(cell.d);
		assert_cancelled_unfired(&cell, cell.d);
		utw_deferred_unref(cell.d);
	}
}

static void row_was_cancelled_before(void **state)
{
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		utw_deferred_add_both(cell.d, cell_note, &cell);
		utw_deferred_cancel(cell.d);
		utw_deferred_cancel(cell.d);
		assert_cancelled_unfired(&cell, cell.d);
		utw_deferred_cancel(cell.d);
		assert_int_equal(cell.ran, 1);
		assert_int_equal(cell.calls, column != NO_CANCELLER);
		utw_deferred_unref(cell.d);
	}
}

static void row_has_its_result(void **state)
{
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		utw_deferred_callback(cell.d, VALUE);
		utw_deferred_cancel(cell.d);
		utw_deferred_add_both(cell.d, cell_note, &cell);
		assert_ran_with(&cell, VALUE, NULL, 0);
		assert_int_equal(cell.calls, 0);
		assert_int_equal(utw_deferred_callback(cell.d, VALUE), -EALREADY);
		utw_deferred_unref(cell.d);
	}
}

static void row_has_its_result_and_is_paused(void **state)
{
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		utw_deferred_add_both(cell.d, cell_note, &cell);
		utw_deferred_pause(cell.d);
		utw_deferred_callback(cell.d, VALUE);
		utw_deferred_cancel(cell.d);
		utw_deferred_unpause(cell.d);
		assert_ran_with(&cell, VALUE, NULL, 0);
		assert_int_equal(cell.calls, 0);
		utw_deferred_unref(cell.d);
	}
}

static struct utw_result cancel_from_inside(void *value, void *data)
{
	struct cell *cell = data;

	(void)value;
	utw_deferred_cancel(cell->d);
	return utw_result_pass();
}

static void row_is_running_its_callbacks(void **state)
{
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		utw_deferred_add_callback(cell.d, cancel_from_inside, &cell);
		utw_deferred_add_both(cell.d, cell_note, &cell);
		utw_deferred_callback(cell.d, VALUE);
		assert_ran_with(&cell, VALUE, NULL, 0);
		assert_int_equal(cell.calls, 0);
		utw_deferred_unref(cell.d);
	}
}

static struct utw_result wait_for(void *value, void *data)
{
	(void)value;
	return utw_result_wait(utw_deferred_ref(data));
}

static enum utw_cancel must_not_be_asked(struct utw_deferred *d, void *data)
{
	(void)d;
	(void)data;
	fail_msg("only the innermost one is cancelled");
	return UTW_CANCEL_NOW;
}

/* One that waits for `inner`; its own canceller is none of the business any more. */
static struct utw_deferred *waiting_for(struct utw_deferred *inner)
{
	struct utw_deferred *outer = utw_deferred_new();

	utw_deferred_set_canceller(outer, must_not_be_asked, NULL);
	utw_deferred_add_callback(outer, wait_for, inner);
	utw_deferred_callback(outer, NULL);
	return outer;
}

static void row_waits_for_another_one(void **state)
{
	struct utw_deferred *between, *outer;
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		between = waiting_for(cell.d);
		outer = waiting_for(between);
		utw_deferred_add_both(outer, cell_note, &cell);
		utw_deferred_cancel(outer);
		assert_cancelled_unfired(&cell, cell.d);
		utw_deferred_unref(outer);
		utw_deferred_unref(between);
		utw_deferred_unref(cell.d);
	}
}

static void row_waits_for_one_that_died_unfired(void **state)
{
	struct utw_deferred *outer;
	struct cell cell;
	int column;

	(void)state;
	for (column = 0; column < COLUMNS; column++) {
		cell_init(&cell, (enum column)column);
		outer = waiting_for(cell.d);
		utw_deferred_add_both(outer, cell_note, &cell);
		utw_deferred_unref(cell.d);
		assert_int_equal(cell.ran, 0);
		utw_deferred_cancel(outer);
		assert_ran_with(&cell, NULL, &utw_domain_reason, UTW_CANCELLED);
		assert_int_equal(cell.calls, 0);
		utw_deferred_unref(outer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(row_has_not_fired),
		TEST(row_has_not_fired_and_is_paused),
		TEST(row_was_cancelled_before),
		TEST(row_has_its_result),
		TEST(row_has_its_result_and_is_paused),
		TEST(row_is_running_its_callbacks),
		TEST(row_waits_for_another_one),
		TEST(row_waits_for_one_that_died_unfired),
	};

	return cmocka_run_group_tests_name("deferred-matrix", tests, NULL, NULL);
}
