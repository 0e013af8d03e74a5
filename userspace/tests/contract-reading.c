/* SPDX-License-Identifier: MIT */
/* The contract of transports: what is read, in which order, and how much of it at once. */
#include "contract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void made_comes_later_and_once(void **state)
{
	struct pair *pair = contract_pair(state);

	assert_story(&pair->near, "");
	contract_started(pair);
	assert_story(&pair->near, "M");
}

struct bulk {
	char data[CONTRACT_BULK];
	size_t sent;
};

static struct bulk bulk;

static void bulk_go_on(struct recorder *r)
{
	while (bulk.sent < CONTRACT_BULK) {
		int status = utw_transport_write(r->protocol.transport, bulk.data + bulk.sent,
						 CONTRACT_PIECE);

		assert_true(status >= 0);
		bulk.sent += CONTRACT_PIECE;
		if (status == UTW_WRITE_OVER)
			return;
	}
}

static void bulk_comes_back_unchanged(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_fill(bulk.data, CONTRACT_BULK);
	bulk.sent = 0;
	pair->near.on_made = bulk_go_on;
	pair->near.on_resume = bulk_go_on;
	pair->far.echo = true;
	turn_until(pair->reactor, pair->near.data_len == CONTRACT_BULK);
	assert_memory_equal(pair->near.data, bulk.data, CONTRACT_BULK);
}

static void pause_holds_and_resume_delivers(void **state)
{
	struct pair *pair = contract_pair(state);
	struct recorder *r = contract_sink(pair);

	contract_started(pair);
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
	struct pair *pair = contract_pair(state);
	struct recorder *r = contract_sink(pair);

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

static void transport_case_71_close_in_data_delivers_no_more(void **state)
{
	struct pair *pair = contract_pair(state);
	struct recorder *r = contract_sink(pair);

	r->on_data = contract_abort;
	for (int i = 0; i < 3; i++)
		utw_transport_write(pair->near_transport, "record", 6);
	turn_until(pair->reactor, recorder_lost(r));
	assert_int_equal(r->pieces, 1);
	assert_lost(r, UTW_ABORTED);
}

static void transport_case_74_one_transport_does_not_starve(void **state)
{
	struct pair *pair = contract_pair(state);
	unsigned int before;

	for (int i = 0; i < 3 * UTW_TURN_RECORDS; i++)
		utw_transport_write(pair->near_transport, "x", 1);
	do {
		before = contract_sink(pair)->pieces;
		turn_once(pair->reactor, "records", __FILE__, __LINE__);
		assert_true(contract_sink(pair)->pieces - before <= UTW_TURN_RECORDS);
	} while (contract_sink(pair)->pieces < 3 * UTW_TURN_RECORDS);
}

static void data_before_the_end_is_delivered_first(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_write(pair->near_transport, "before the end", 14);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, strpbrk(pair->far.story, "EL"));
	assert_int_equal(pair->far.data_len, 14);
}

static void end_is_noticed_while_paused(void **state)
{
	struct pair *pair = contract_pair(state);

	contract_started(pair);
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
	struct pair *pair = contract_pair(state);

	recorder_init(&pair->far, false);
	pair->far.protocol.transport = pair->far_transport;
	contract_started(pair);
	utw_transport_close(pair->near_transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	turn_until(pair->reactor, recorder_lost(&pair->far));
	assert_lost(&pair->far, UTW_DONE);
}

static void set_protocol_hands_over(void **state)
{
	struct pair *pair = contract_pair(state);
	struct recorder next;

	recorder_init(&next, true);
	contract_started(pair);
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
	contract_abort(&next);
	turn_until(pair->reactor, recorder_lost(&next));
	recorder_release(&next);
}

const struct contract_test contract_reading[] = {
	{ "made_comes_later_and_once", made_comes_later_and_once, 0 },
	{ "bulk_comes_back_unchanged", bulk_comes_back_unchanged, 0 },
	{ "pause_holds_and_resume_delivers", pause_holds_and_resume_delivers, 0 },
	{ "pause_in_data_stops_at_once", pause_in_data_stops_at_once, NEED_RECORD },
	{ "transport_case_71_close_in_data_delivers_no_more",
	  transport_case_71_close_in_data_delivers_no_more, 0 },
	{ "transport_case_74_one_transport_does_not_starve",
	  transport_case_74_one_transport_does_not_starve, NEED_RECORD },
	{ "data_before_the_end_is_delivered_first", data_before_the_end_is_delivered_first,
	  NEED_FAR_SIDE },
	{ "end_is_noticed_while_paused", end_is_noticed_while_paused, NEED_FAR_SIDE | NEED_STREAM },
	{ "end_without_eof_operation_is_a_loss", end_without_eof_operation_is_a_loss,
	  NEED_FAR_SIDE },
	{ "set_protocol_hands_over", set_protocol_hands_over, 0 },
	{ NULL, NULL, 0 },
};
