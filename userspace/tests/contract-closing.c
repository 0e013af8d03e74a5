/* SPDX-License-Identifier: MIT */
/* The contract of transports: the modes of a close, deadlines, and one direction alone. */
#include "contract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void transport_case_60_abort_twice_one_lost(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
	contract_abort(&pair->near);
	contract_abort(&pair->near);
	assert_story(&pair->near, "M");
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_ABORTED);
	turn_all(pair->reactor);
	assert_story(&pair->near, "ML");
}

static void transport_case_60_abort_then_close_is_an_abort(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
	contract_abort(&pair->near);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_ABORTED);
}

static void transport_case_60_write_after_loss_is_refused(void **state)
{
	struct pair *pair = contract_pair(state);
	struct utw_transport *t = pair->near_transport;

	contract_abort(&pair->near);
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
	struct pair *pair = contract_pair(state);
	char *data = malloc(CONTRACT_BULK);

	contract_fill(data, CONTRACT_BULK);
	contract_write(pair->near_transport, data, CONTRACT_BULK);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	assert_int_equal(utw_transport_write(pair->near_transport, "x", 1), -EPIPE);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_DONE);
	turn_until(pair->reactor, pair->far.data_len == CONTRACT_BULK);
	assert_memory_equal(pair->far.data, data, CONTRACT_BULK);
	free(data);
	turn_until(pair->reactor, strpbrk(pair->far.story, "EL"));
}

static void close_past_its_deadline_is_a_timeout(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
	utw_transport_pause(pair->far_transport);
	contract_choke(pair);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_all(pair->reactor);
	assert_false(recorder_lost(&pair->near));
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, 1);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_TIMEOUT);
}

static void close_stops_reading_while_it_flushes(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
	utw_transport_pause(pair->far_transport);
	contract_choke(pair);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	utw_transport_write(pair->far_transport, "too late", 8);
	turn_all(pair->reactor);
	assert_false(recorder_lost(&pair->near));
	assert_int_equal(pair->near.data_len, 0);
}

static void half_close_leaves_the_other_direction(void **state)
{
	struct pair *pair = contract_pair(state);

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
	struct pair *pair = contract_pair(state);
	int expected = pair->kind->half_close ? 0 : -EOPNOTSUPP;

	assert_int_equal(utw_transport_close_write(pair->near_transport), expected);
}

const struct contract_test contract_closing[] = {
	{ "transport_case_60_abort_twice_one_lost", transport_case_60_abort_twice_one_lost, 0 },
	{ "transport_case_60_abort_then_close_is_an_abort",
	  transport_case_60_abort_then_close_is_an_abort, 0 },
	{ "transport_case_60_write_after_loss_is_refused",
	  transport_case_60_write_after_loss_is_refused, 0 },
	{ "close_flushes_everything_first", close_flushes_everything_first, NEED_FAR_SIDE },
	{ "close_past_its_deadline_is_a_timeout", close_past_its_deadline_is_a_timeout,
	  NEED_FAR_SIDE },
	{ "close_stops_reading_while_it_flushes", close_stops_reading_while_it_flushes,
	  NEED_FAR_SIDE },
	{ "half_close_leaves_the_other_direction", half_close_leaves_the_other_direction,
	  NEED_HALF_CLOSE },
	{ "half_close_is_refused_where_it_cannot_be", half_close_is_refused_where_it_cannot_be, 0 },
	{ NULL, NULL, 0 },
};
