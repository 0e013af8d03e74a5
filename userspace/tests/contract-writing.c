/* SPDX-License-Identifier: MIT */
/* The contract of transports: what is written, the marks of the queue, and its cap. */
#include "contract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void write_before_made_arrives(void **state)
{
	struct pair *pair = contract_pair(state);

	assert_int_equal(utw_transport_write(pair->near_transport, "hello", 5), UTW_WRITE_OK);
	assert_int_equal(utw_transport_queued(pair->near_transport), 5);
	turn_until(pair->reactor, contract_sink(pair)->data_len == 5);
	assert_memory_equal(contract_sink(pair)->data, "hello", 5);
	assert_story(contract_sink(pair), pair->kind->record ? "MR" : "MD");
	assert_int_equal(utw_transport_queued(pair->near_transport), 0);
}

static void writes_of_one_turn_go_out_together(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
	for (int i = 0; i < 100; i++)
		utw_transport_write(pair->near_transport, "0123456789", 10);
	turn_until(pair->reactor, pair->far.data_len == 1000);
	assert_int_equal(pair->far.pieces, 1);
}

static void records_keep_their_boundaries(void **state)
{
	struct pair *pair = contract_pair(state);
	struct iovec iov[2] = { { .iov_base = "th", .iov_len = 2 }, { "ree", 3 } };

	utw_transport_write(pair->near_transport, "one", 3);
	utw_transport_write(pair->near_transport, "", 0);
	utw_transport_write(pair->near_transport, "two", 3);
	utw_transport_writev(pair->near_transport, iov, 2);
	turn_until(pair->reactor, contract_sink(pair)->data_len == 11);
	assert_int_equal(contract_sink(pair)->pieces, 3);
	assert_int_equal(contract_sink(pair)->last_full_len, 5);
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
	struct pair *pair = contract_pair(state);
	char *data = calloc(1, UTW_HIGH_MARK);

	contract_started(pair);
	pair->near.on_resume = resumed_at_low_mark;
	assert_int_equal(contract_write(pair->near_transport, data, UTW_HIGH_MARK), UTW_WRITE_OK);
	assert_story(&pair->near, "M");
	assert_int_equal(utw_transport_write(pair->near_transport, "1", 1), UTW_WRITE_OVER);
	assert_story(&pair->near, "MP");
	assert_int_equal(utw_transport_write(pair->near_transport, "2", 1), UTW_WRITE_OVER);
	assert_story(&pair->near, "MP");
	free(data);
	turn_until(pair->reactor, contract_sink(pair)->data_len == UTW_HIGH_MARK + 2);
	turn_all(pair->reactor);
	assert_int_equal(count_of(&pair->near, 'P'), 1);
	assert_int_equal(count_of(&pair->near, 'S'), 1);
}

static void transport_case_56_resume_at_low_mark_only(void **state)
{
	struct pair *pair = contract_pair(state);
	char *data = calloc(1, 70000);

	contract_started(pair);
	pair->near.on_resume = resumed_at_low_mark;
	utw_transport_pause(pair->far_transport);
	/* More than any kernel buffer here holds. */
	while (!utw_transport_queued(pair->near_transport)) {
		contract_write(pair->near_transport, data, 70000);
		turn_all(pair->reactor);
	}
	if (!strchr(pair->near.story, 'P'))
		contract_write(pair->near_transport, data, 70000);
	free(data);
	turn_all(pair->reactor);
	assert_int_equal(pair->near.story[pair->near.story_len - 1], 'P');
	utw_transport_resume(pair->far_transport);
	turn_until(pair->reactor, pair->near.story[pair->near.story_len - 1] == 'S');
}

static void write_beyond_cap_takes_nothing(void **state)
{
	struct pair *pair = contract_pair(state);
	struct utw_transport *t = pair->near_transport;

	assert_int_equal(utw_transport_set_watermarks(t, 5, 4, 10, UTW_CAP_FAIL), -EINVAL);
	assert_int_equal(utw_transport_set_watermarks(t, 0, 11, 10, UTW_CAP_FAIL), -EINVAL);
	assert_int_equal(utw_transport_set_watermarks(t, 0, 10, 10, UTW_CAP_FAIL), 0);
	assert_int_equal(utw_transport_write(t, "0123456789A", 11), -ENOBUFS);
	assert_int_equal(utw_transport_queued(t), 0);
	assert_int_equal(utw_transport_write(t, "0123456789", 10), UTW_WRITE_OK);
	assert_int_equal(utw_transport_write(t, "A", 1), -ENOBUFS);
	turn_until(pair->reactor, contract_sink(pair)->data_len == 10);
	assert_false(utw_transport_closing(t));
}

static void write_beyond_cap_aborts_by_policy(void **state)
{
	struct pair *pair = contract_pair(state);
	struct utw_transport *t = pair->near_transport;

	utw_transport_set_watermarks(t, 0, 1, 1, UTW_CAP_ABORT);
	pair->near.in_call = true;
	assert_int_equal(utw_transport_write(t, "22", 2), -ENOBUFS);
	pair->near.in_call = false;
	turn_until(pair->reactor, recorder_lost(&pair->near));
	assert_lost(&pair->near, UTW_LOST);
	assert_true(utw_failure_has(pair->near.reason, &utw_domain_errno, ENOBUFS));
}

static void write_to_a_peer_that_is_gone_is_a_loss(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
	contract_abort(&pair->near);
	turn_until(pair->reactor, recorder_lost(&pair->near));
	utw_transport_write(pair->far_transport, "into the void", 13);
	turn_until(pair->reactor, recorder_lost(&pair->far));
	assert_lost(&pair->far, UTW_LOST);
}

const struct contract_test contract_writing[] = {
	{ "write_before_made_arrives", write_before_made_arrives, 0 },
	{ "writes_of_one_turn_go_out_together", writes_of_one_turn_go_out_together,
	  NEED_STREAM | NEED_FAR_SIDE },
	{ "records_keep_their_boundaries", records_keep_their_boundaries, NEED_RECORD },
	{ "transport_case_55_pause_above_high_once", transport_case_55_pause_above_high_once, 0 },
	{ "transport_case_56_resume_at_low_mark_only", transport_case_56_resume_at_low_mark_only,
	  NEED_FAR_SIDE },
	{ "write_beyond_cap_takes_nothing", write_beyond_cap_takes_nothing, 0 },
	{ "write_beyond_cap_aborts_by_policy", write_beyond_cap_aborts_by_policy, 0 },
	{ "write_to_a_peer_that_is_gone_is_a_loss", write_to_a_peer_that_is_gone_is_a_loss,
	  NEED_HALF_CLOSE },
	{ NULL, NULL, 0 },
};
