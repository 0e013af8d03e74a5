/* SPDX-License-Identifier: MIT */
/* Datagram recorder: see datagram-recorder.h. */
#include "datagram-recorder.h"

#include <string.h>

#include "harness.h"

static struct datagram_recorder *recorder_of(struct utw_datagram_receiver *receiver)
{
	struct datagram_recorder *r =
		utw_container_of(receiver, struct datagram_recorder, receiver);

	assert_false(r->closed);
	return r;
}

static void recorder_received(struct utw_datagram_receiver *receiver, const void *data, size_t len,
			      size_t full_len, const struct utw_address *from)
{
	struct datagram_recorder *r = recorder_of(receiver);

	assert_true(r->count < DATAGRAMS_KEPT);
	memcpy(r->got[r->count].start, data, len < 8 ? len : 8);
	r->got[r->count].len = len;
	r->got[r->count].full_len = full_len;
	r->count++;
	r->from = *from;
	if (r->on_received)
		r->on_received(r);
}

static void recorder_writable(struct utw_datagram_receiver *receiver)
{
	struct datagram_recorder *r = recorder_of(receiver);

	r->writables++;
	if (r->on_writable)
		r->on_writable(r);
}

static void recorder_error(struct utw_datagram_receiver *receiver, struct utw_failure *failure,
			   const struct utw_address *to)
{
	struct datagram_recorder *r = recorder_of(receiver);

	assert_ptr_equal(utw_failure_domain(failure), &utw_domain_errno);
	r->errors++;
	r->error_code = utw_failure_code(failure);
	if (to)
		r->error_to = *to;
}

static void recorder_overflow(struct utw_datagram_receiver *receiver, uint64_t datagrams)
{
	recorder_of(receiver)->overflowed += datagrams;
}

static const struct utw_datagram_ops recorder_ops = {
	.received = recorder_received,
	.writable = recorder_writable,
	.error = recorder_error,
	.overflow = recorder_overflow,
};

void datagram_recorder_init(struct datagram_recorder *r)
{
	memset(r, 0, sizeof(*r));
	utw_datagram_receiver_init(&r->receiver, &recorder_ops);
}

void datagram_recorder_close(struct datagram_recorder *r)
{
	r->closed = true;
	utw_datagram_close(r->port);
	assert_null(r->receiver.port);
	r->port = NULL;
}
