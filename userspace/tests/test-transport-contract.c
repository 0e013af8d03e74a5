/* SPDX-License-Identifier: MIT */
/*
 * The contract of transports, over every kind: pipe, socket, record socket,
 * TCP, terminal, and the device that UNTWIST_TEST_DEVICE names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "transport-pairs.h"

#define BULK  (512 * 1024)
#define PIECE 1024

static struct pair *pair_of(void **state)
{
	return *state;
}

/* Where that which `near` writes comes out. */
static struct recorder *sink(struct pair *pair)
{
	return pair->kind->echoes ? &pair->near : &pair->far;
}

static void fill(char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251);
}

/* Write it in pieces that every kind takes as one record. */
static int write_all(struct utw_transport *t, const char *data, size_t len)
{
	int status = 0;

	for (size_t done = 0; done < len; done += PIECE) {
		size_t piece = len - done < PIECE ? len - done : PIECE;

		status = utw_transport_write(t, data + done, piece);
		assert_true(status >= 0);
	}
	return status;
}

static void started(struct pair *pair)
{
	turn_until(pair->reactor, pair->near.story_len);
	if (!pair->kind->echoes)
		turn_until(pair->reactor, pair->far.story_len);
}

static void abort_now(struct recorder *r)
{
	r->in_call = true;
	utw_transport_close(r->protocol.transport, UTW_CLOSE_ABORT, 0);
	r->in_call = false;
}

static void made_comes_later_and_once(void **state)
{
	struct pair *pair = pair_of(state);

	assert_story(&pair->near, "");
	started(pair);
	assert_story(&pair->near, "M");
}

static void write_before_made_arrives(void **state)
{
	struct pair *pair = pair_of(state);

	assert_int_equal(utw_transport_write(pair->near_transport, "hello", 5), UTW_WRITE_OK);
	assert_int_equal(utw_transport_queued(pair->near_transport), 5);
	turn_until(pair->reactor, sink(pair)->data_len == 5);
	assert_memory_equal(sink(pair)->data, "hello", 5);
	assert_story(sink(pair), pair->kind->record ? "MR" : "MD");
	assert_int_equal(utw_transport_queued(pair->near_transport), 0);
}

static void writes_of_one_turn_go_out_together(void **state)
{
	struct pair *pair = pair_of(state);

	started(pair);
	for (int i = 0; i < 100; i++)
		utw_transport_write(pair->near_transport, "0123456789", 10);
	turn_until(pair->reactor, pair->far.data_len == 1000);
	assert_int_equal(pair->far.pieces, 1);
}

static void records_keep_their_boundaries(void **state)
{
	struct pair *pair = pair_of(state);
	struct iovec iov[2] = { { .iov_base = "th", .iov_len = 2 }, { "ree", 3 } };

	utw_transport_write(pair->near_transport, "one", 3);
	utw_transport_write(pair->near_transport, "", 0);
	utw_transport_write(pair->near_transport, "two", 3);
	utw_transport_writev(pair->near_transport, iov, 2);
	turn_until(pair->reactor, sink(pair)->data_len == 11);
	assert_int_equal(sink(pair)->pieces, 3);
	assert_int_equal(sink(pair)->last_full_len, 5);
}

struct bulk {
	char data[BULK];
	size_t sent;
};

static struct bulk bulk;

static void bulk_go_on(struct recorder *r)
{
	while (bulk.sent < BULK) {
		int status =
			utw_transport_write(r->protocol.transport, bulk.data + bulk.sent, PIECE);

		assert_true(status >= 0);
		bulk.sent += PIECE;
		if (status == UTW_WRITE_OVER)
			return;
	}
}

static void bulk_comes_back_unchanged(void **state)
{
	struct pair *pair = pair_of(state);

	fill(bulk.data, BULK);
	bulk.sent = 0;
	pair->near.on_made = bulk_go_on;
	pair->near.on_resume = bulk_go_on;
	pair->far.echo = true;
	turn_until(pair->reactor, pair->near.data_len == BULK);
	assert_memory_equal(pair->near.data, bulk.data, BULK);
}

static void pause_holds_and_resume_delivers(void **state)
{
	struct pair *pair = pair_of(state);
	struct recorder *r = sink(pair);

	started(pair);
	assert_int_equal(utw_transport_pause(r->protocol.transport), 0);
	utw_transport_write(pair->near_transport, "later", 5);
	turn_all(pair->reactor);
	assert_int_equal(r->data_len, 0);
	r->in_call = true;
	assert_int_equal(utw_transport_resume(r->protocol.transport), 0);
	r->in_call = false;
	turn_until(pair->reactor, r->data_len == 5);
}

static void pause_yourself(struct recorder *r)
{
	utw_transport_pause(r->protocol.transport);
}

static void pause_in_data_stops_at_once(void **state)
{
	struct pair *pair = pair_of(state);
	struct recorder *r = sink(pair);

	r->on_data = pause_yourself;
	for (int i = 0; i < 3; i++)
		utw_transport_write(pair->near_transport, "x", 1);
	turn_until(pair->reactor, r->pieces);
	turn_all(pair->reactor);
	assert_int_equal(r->pieces, 1);
	r->on_data = NULL;
	utw_transport_resume(r->protocol.transport);
	turn_until(pair->reactor, r->pieces == 3);
}

static void resumed_at_low_mark(struct recorder *r)
{
	assert_int_equal(utw_transport_queued(r->protocol.transport), 0);
}

static unsigned int count_of(const struct recorder *r, char event)
{
	unsigned int count = 0;

	for (size_t i = 0; i < r->story_len; i++)
		count += r->story[i] == event;
	return count;
}

/* The better rule for the second write: one pause for one crossing. */
static void transport_case_55_pause_above_high_once(void **state)
{
	struct pair *pair = pair_of(state);
	char *data = calloc(1, UTW_HIGH_MARK);

	started(pair);
	pair->near.on_resume = resumed_at_low_mark;
	assert_int_equal(write_all(pair->near_transport, data, UTW_HIGH_MARK), UTW_WRITE_OK);
	assert_story(&pair->near, "M");
	assert_int_equal(utw_transport_write(pair->near_transport, "1", 1), UTW_WRITE_OVER);
	assert_story(&pair->near, "MP");
	assert_int_equal(utw_transport_write(pair->near_transport, "2", 1), UTW_WRITE_OVER);
	assert_story(&pair->near, "MP");
	free(data);
	turn_until(pair->reactor, sink(pair)->data_len == UTW_HIGH_MARK + 2);
	turn_all(pair->reactor);
	assert_int_equal(count_of(&pair->near, 'P'), 1);
	assert_int_equal(count_of(&pair->near, 'S'), 1);
}

static void transport_case_56_resume_at_low_mark_only(void **state)
{
	struct pair *pair = pair_of(state);
	char *data = calloc(1, 70000);

	started(pair);
	pair->near.on_resume = resumed_at_low_mark;
	utw_transport_pause(pair->far_transport);
	/* More than any kernel buffer here holds. */
	while (!utw_transport_queued(pair->near_transport)) {
		write_all(pair->near_transport, data, 70000);
		turn_all(pair->reactor);
	}
	if (!strchr(pair->near.story, 'P'))
		write_all(pair->near_transport, data, 70000);
	free(data);
	turn_all(pair->reactor);
	assert_int_equal(pair->near.story[pair->near.story_len - 1], 'P');
	utw_transport_resume(pair->far_transport);
	turn_until(pair->reactor, pair->near.story[pair->near.story_len - 1] == 'S');
}

static void write_beyond_cap_takes_nothing(void **state)
{
	struct pair *pair = pair_of(state);
	struct utw_transport *t = pair->near_transport;

	assert_int_equal(utw_transport_set_watermarks(t, 5, 4, 10, UTW_CAP_FAIL), -EINVAL);
	assert_int_equal(utw_transport_set_watermarks(t, 0, 11, 10, UTW_CAP_FAIL), -EINVAL);
	assert_int_equal(utw_transport_set_watermarks(t, 0, 10, 10, UTW_CAP_FAIL), 0);
	assert_int_equal(utw_transport_write(t, "0123456789A", 11), -ENOBUFS);
	assert_int_equal(utw_transport_queued(t), 0);
	assert_int_equal(utw_transport_write(t, "0123456789", 10), UTW_WRITE_OK);
	assert_int_equal(utw_transport_write(t, "A", 1), -ENOBUFS);
	turn_until(pair->reactor, sink(pair)->data_len == 10);
	assert_false(utw_transport_closing(t));
}

static void write_beyond_cap_aborts_by_policy(void **state)
{
	struct pair *pair = pair_of(state);
	struct utw_transport *t = pair->near_transport;

	utw_transport_set_watermarks(t, 0, 1, 1, UTW_CAP_ABORT);
	pair->near.in_call = true;
	assert_int_equal(utw_transport_write(t, "22", 2), -ENOBUFS);
	pair->near.in_call = false;
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_LOST);
	assert_true(utw_failure_has(pair->near.reason, &utw_domain_errno, ENOBUFS));
}

static void transport_case_60_abort_twice_one_lost(void **state)
{
	struct pair *pair = pair_of(state);

	started(pair);
	abort_now(&pair->near);
	abort_now(&pair->near);
	assert_story(&pair->near, "M");
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_ABORTED);
	turn_all(pair->reactor);
	assert_story(&pair->near, "ML");
}

static void transport_case_60_abort_then_close_is_an_abort(void **state)
{
	struct pair *pair = pair_of(state);

	started(pair);
	abort_now(&pair->near);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_ABORTED);
}

static void transport_case_60_write_after_loss_is_refused(void **state)
{
	struct pair *pair = pair_of(state);
	struct utw_transport *t = pair->near_transport;

	abort_now(&pair->near);
	assert_int_equal(utw_transport_write(t, "x", 1), -EPIPE);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_story(&pair->near, "ML");
	assert_int_equal(utw_transport_write(t, "x", 1), -EPIPE);
	assert_int_equal(utw_transport_write(NULL, "x", 1), -EPIPE);
	assert_int_equal(utw_transport_pause(t), -EPIPE);
	assert_int_equal(utw_transport_resume(t), -EPIPE);
	assert_int_equal(utw_transport_close_write(t), -EPIPE);
	utw_transport_close(t, UTW_CLOSE_ABORT, 0);
	turn_all(pair->reactor);
	assert_null(utw_transport_protocol(t));
	assert_true(utw_transport_closing(t));
}

static void close_flushes_everything_first(void **state)
{
	struct pair *pair = pair_of(state);
	char *data = malloc(BULK);

	fill(data, BULK);
	write_all(pair->near_transport, data, BULK);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	assert_int_equal(utw_transport_write(pair->near_transport, "x", 1), -EPIPE);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_DONE);
	turn_until(pair->reactor, pair->far.data_len == BULK);
	assert_memory_equal(pair->far.data, data, BULK);
	free(data);
	turn_until(pair->reactor, strpbrk(pair->far.story, "EL"));
}

static void close_past_its_deadline_is_a_timeout(void **state)
{
	struct pair *pair = pair_of(state);
	char *data = calloc(1, 70000);

	started(pair);
	utw_transport_pause(pair->far_transport);
	while (!utw_transport_queued(pair->near_transport)) {
		write_all(pair->near_transport, data, 70000);
		turn_all(pair->reactor);
	}
	free(data);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_all(pair->reactor);
	assert_false(recorder_lost(&pair->near));
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, 1);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_TIMEOUT);
}

static void close_stops_reading_while_it_flushes(void **state)
{
	struct pair *pair = pair_of(state);
	char *data = calloc(1, 70000);

	started(pair);
	utw_transport_pause(pair->far_transport);
	while (!utw_transport_queued(pair->near_transport)) {
		write_all(pair->near_transport, data, 70000);
		turn_all(pair->reactor);
	}
	free(data);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	utw_transport_write(pair->far_transport, "too late", 8);
	turn_all(pair->reactor);
	assert_false(recorder_lost(&pair->near));
	assert_int_equal(pair->near.data_len, 0);
}

static void transport_case_71_close_in_data_delivers_no_more(void **state)
{
	struct pair *pair = pair_of(state);
	struct recorder *r = sink(pair);

	r->on_data = abort_now;
	for (int i = 0; i < 3; i++)
		utw_transport_write(pair->near_transport, "record", 6);
	turn_until(pair->reactor, recorder_lost(r));
	assert_int_equal(r->pieces, 1);
	assert_lost(r, UTW_ABORTED);
}

static void transport_case_74_one_transport_does_not_starve(void **state)
{
	struct pair *pair = pair_of(state);
	unsigned int before;

	for (int i = 0; i < 3 * UTW_TURN_RECORDS; i++)
		utw_transport_write(pair->near_transport, "x", 1);
	do {
		before = sink(pair)->pieces;
		turn_once(pair->reactor, "records", __FILE__, __LINE__);
		assert_true(sink(pair)->pieces - before <= UTW_TURN_RECORDS);
	} while (sink(pair)->pieces < 3 * UTW_TURN_RECORDS);
}

static void half_close_leaves_the_other_direction(void **state)
{
	struct pair *pair = pair_of(state);

	utw_transport_write(pair->near_transport, "last", 4);
	assert_int_equal(utw_transport_close_write(pair->near_transport), 0);
	assert_int_equal(utw_transport_write(pair->near_transport, "x", 1), -EPIPE);
	turn_until(pair->reactor, strchr(pair->far.story, 'E'));
	assert_int_equal(pair->far.data_len, 4);
	utw_transport_write(pair->far_transport, "answer", 6);
	turn_until(pair->reactor, pair->near.data_len == 6);
	assert_false(recorder_lost(&pair->near) || recorder_lost(&pair->far));
	utw_transport_close_write(pair->far_transport);
	turn_until(pair->reactor, recorder_lost(&pair->near) && recorder_lost(&pair->far));
	assert_lost(&pair->near, UTW_DONE);
	assert_lost(&pair->far, UTW_DONE);
	assert_non_null(strstr(pair->near.story, "EL"));
}

static void half_close_is_refused_where_it_cannot_be(void **state)
{
	struct pair *pair = pair_of(state);
	int expected = pair->kind->half_close ? 0 : -EOPNOTSUPP;

	assert_int_equal(utw_transport_close_write(pair->near_transport), expected);
}

static void data_before_the_end_is_delivered_first(void **state)
{
	struct pair *pair = pair_of(state);

	write_all(pair->near_transport, "before the end", 14);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, strpbrk(pair->far.story, "EL"));
	assert_int_equal(pair->far.data_len, 14);
}

static void end_is_noticed_while_paused(void **state)
{
	struct pair *pair = pair_of(state);

	started(pair);
	utw_transport_pause(pair->far_transport);
	utw_transport_write(pair->near_transport, "unread", 6);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, strchr(pair->far.story, 'H'));
	turn_all(pair->reactor);
	assert_story(&pair->far, "MH");
	utw_transport_resume(pair->far_transport);
	turn_until(pair->reactor, strpbrk(pair->far.story, "EL"));
	assert_int_equal(pair->far.data_len, 6);
}

static void end_without_eof_operation_is_a_loss(void **state)
{
	struct pair *pair = pair_of(state);

	recorder_init(&pair->far, false);
	pair->far.protocol.transport = pair->far_transport;
	started(pair);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, recorder_lost(&pair->far));
	assert_lost(&pair->far, UTW_DONE);
}

static void write_to_a_peer_that_is_gone_is_a_loss(void **state)
{
	struct pair *pair = pair_of(state);

	started(pair);
	abort_now(&pair->near);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	utw_transport_write(pair->far_transport, "into the void", 13);
	turn_until(pair->reactor, recorder_lost(&pair->far));
	assert_lost(&pair->far, UTW_LOST);
}

static void set_protocol_hands_over(void **state)
{
	struct pair *pair = pair_of(state);
	struct recorder next;

	recorder_init(&next, true);
	started(pair);
	assert_int_equal(utw_transport_set_protocol(pair->near_transport, &pair->near.protocol),
			 -EBUSY);
	assert_int_equal(utw_transport_set_protocol(pair->near_transport, &next.protocol), 0);
	assert_null(pair->near.protocol.transport);
	if (pair->kind->echoes)
		utw_transport_write(pair->near_transport, "new", 3);
	else
		utw_transport_write(pair->far_transport, "new", 3);
	turn_until(pair->reactor, next.data_len == 3);
	assert_story(&next, pair->kind->record ? "MR" : "MD");
	assert_story(&pair->near, "M");
	abort_now(&next);
	turn_until(pair->reactor, recorder_lost(&next));
	recorder_release(&next);
}

enum need {
	NEED_STREAM = 1 << 0,
	NEED_RECORD = 1 << 1,
	NEED_FAR_SIDE = 1 << 2,
	NEED_HALF_CLOSE = 1 << 3,
};

static const struct contract_test {
	const char *name;
	CMUnitTestFunction function;
	unsigned int needs;
} contract[] = {
#define CONTRACT(function, needs)          \
	{                                  \
#function, function, needs \
	}
	CONTRACT(made_comes_later_and_once, 0),
	CONTRACT(write_before_made_arrives, 0),
	CONTRACT(writes_of_one_turn_go_out_together, NEED_STREAM | NEED_FAR_SIDE),
	CONTRACT(records_keep_their_boundaries, NEED_RECORD),
	CONTRACT(bulk_comes_back_unchanged, 0),
	CONTRACT(pause_holds_and_resume_delivers, 0),
	CONTRACT(pause_in_data_stops_at_once, NEED_RECORD),
	CONTRACT(transport_case_55_pause_above_high_once, 0),
	CONTRACT(transport_case_56_resume_at_low_mark_only, NEED_FAR_SIDE),
	CONTRACT(write_beyond_cap_takes_nothing, 0),
	CONTRACT(write_beyond_cap_aborts_by_policy, 0),
	CONTRACT(transport_case_60_abort_twice_one_lost, 0),
	CONTRACT(transport_case_60_abort_then_close_is_an_abort, 0),
	CONTRACT(transport_case_60_write_after_loss_is_refused, 0),
	CONTRACT(close_flushes_everything_first, NEED_FAR_SIDE),
	CONTRACT(close_past_its_deadline_is_a_timeout, NEED_FAR_SIDE),
	CONTRACT(close_stops_reading_while_it_flushes, NEED_FAR_SIDE),
	CONTRACT(transport_case_71_close_in_data_delivers_no_more, 0),
	CONTRACT(transport_case_74_one_transport_does_not_starve, NEED_RECORD),
	CONTRACT(half_close_leaves_the_other_direction, NEED_HALF_CLOSE),
	CONTRACT(half_close_is_refused_where_it_cannot_be, 0),
	CONTRACT(data_before_the_end_is_delivered_first, NEED_FAR_SIDE),
	CONTRACT(end_is_noticed_while_paused, NEED_FAR_SIDE | NEED_STREAM),
	CONTRACT(end_without_eof_operation_is_a_loss, NEED_FAR_SIDE),
	CONTRACT(write_to_a_peer_that_is_gone_is_a_loss, NEED_HALF_CLOSE),
	CONTRACT(set_protocol_hands_over, 0),
};

static bool applies(const struct contract_test *test, const struct pair_kind *kind)
{
	unsigned int lacks = (kind->record ? NEED_STREAM : NEED_RECORD) |
		(kind->echoes ? NEED_FAR_SIDE : 0) | (kind->half_close ? 0 : NEED_HALF_CLOSE);

	return !(test->needs & lacks);
}

static int run_over(const struct pair_kind *kind)
{
	struct CMUnitTest tests[ARRAY_SIZE(contract)];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(contract); i++) {
		if (!applies(&contract[i], kind))
			continue;
		tests[count++] = (struct CMUnitTest){ contract[i].name, contract[i].function,
						      pair_setup, pair_teardown, (void *)kind };
	}
	return _cmocka_run_group_tests(kind->name, tests, count, NULL, NULL);
}

int main(void)
{
	const struct pair_kind *kinds[] = {
		&pair_pipe, &pair_socket, &pair_seqpacket, &pair_tcp, &pair_terminal,
	};
	struct pair_kind device;
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		failed += run_over(kinds[i]);
	if (pair_probe_device(&device))
		failed += run_over(&device);
	return failed ? 1 : 0;
}
