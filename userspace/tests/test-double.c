/* SPDX-License-Identifier: MIT */
/* Doubles and the pump between them, with protocols of every kind on top. */
#include <untwist/testing/double.h>

#include <errno.h>
#include <string.h>

#include <untwist/framed.h>
#include <untwist/framing.h>
#include <untwist/testing/pump.h>

#include "harness-alloc.h"
#include "harness.h"
#include "recorder.h"

struct stage {
	struct utw_reactor *reactor;
	struct recorder near, far;
	struct utw_double a, b;
};

static void stage_open(struct stage *s, enum utw_double_kind kind, bool eof)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(utw_reactor_new(&s->reactor), 0);
	recorder_init(&s->near, eof);
	recorder_init(&s->far, eof);
	assert_int_equal(utw_double_open(&s->a, s->reactor, kind, &s->near.protocol), 0);
	assert_int_equal(utw_double_open(&s->b, s->reactor, kind, &s->far.protocol), 0);
	turn_all(s->reactor);
}

static void stage_close(struct stage *s)
{
	utw_transport_close(s->near.protocol.transport, UTW_CLOSE_ABORT, 0);
	utw_transport_close(s->far.protocol.transport, UTW_CLOSE_ABORT, 0);
	turn_all(s->reactor);
	utw_double_release(&s->a);
	utw_double_release(&s->b);
	recorder_release(&s->near);
	recorder_release(&s->far);
	utw_reactor_free(s->reactor);
}

static void what_is_fed_comes_and_what_is_written_is_seen(void **state)
{
	struct stage s;
	char got[4];

	(void)state;
	stage_open(&s, UTW_DOUBLE_STREAM, true);
	assert_int_equal(utw_double_feed(&s.a, "hello", 5), 0);
	assert_story(&s.near, "M");
	turn_all(s.reactor);
	assert_int_equal(s.near.data_len, 5);
	utw_transport_write(s.near.protocol.transport, "answer", 6);
	turn_all(s.reactor);
	assert_string_equal(utw_double_written(&s.a, NULL), "answer");
	assert_int_equal(utw_double_take(&s.a, got, sizeof(got)), 4);
	assert_string_equal(utw_double_written(&s.a, NULL), "er");
	assert_int_equal(utw_double_take(&s.a, got, sizeof(got)), 2);
	assert_int_equal(utw_double_take(&s.a, got, sizeof(got)), -EAGAIN);
	utw_double_end(&s.a);
	turn_all(s.reactor);
	assert_story(&s.near, "MDE");
	utw_transport_close_write(s.near.protocol.transport);
	turn_all(s.reactor);
	assert_true(s.a.shut);
	assert_lost(&s.near, UTW_DONE);
	assert_true(s.a.closed);
	assert_false(s.a.aborted);
	stage_close(&s);
}

static void pieces_of_one_byte(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, UTW_DOUBLE_STREAM, true);
	utw_double_set_piece(&s.a, 1);
	utw_double_feed(&s.a, "hello", 5);
	turn_all(s.reactor);
	assert_int_equal(s.near.pieces, 5);
	assert_memory_equal(s.near.data, "hello", 5);
	stage_close(&s);
}

static void other_side_that_takes_no_more(void **state)
{
	struct stage s;
	char data[100000], got[40];

	(void)state;
	memset(data, 'x', sizeof(data));
	stage_open(&s, UTW_DOUBLE_STREAM, true);
	utw_double_set_room(&s.a, 30);
	assert_int_equal(utw_transport_write(s.near.protocol.transport, data, sizeof(data)),
			 UTW_WRITE_OVER);
	turn_all(s.reactor);
	assert_int_equal(utw_transport_queued(s.near.protocol.transport), sizeof(data) - 30);
	assert_story(&s.near, "MP");
	assert_int_equal(utw_double_take(&s.a, got, sizeof(got)), 30);
	turn_all(s.reactor);
	assert_int_equal(utw_transport_queued(s.near.protocol.transport), sizeof(data) - 60);
	utw_double_set_room(&s.a, SIZE_MAX);
	turn_all(s.reactor);
	assert_story(&s.near, "MPS");
	stage_close(&s);
}

static void device_that_cuts_and_is_unplugged(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, UTW_DOUBLE_RECORD, true);
	assert_true(utw_transport_is_record(s.near.protocol.transport));
	utw_double_feed_cut(&s.a, "12345678", 8, 20);
	utw_double_feed(&s.a, "", 0);
	turn_all(s.reactor);
	assert_int_equal(s.near.pieces, 2);
	assert_int_equal(s.near.data_len, 8);
	utw_double_lose(&s.a, UTW_GONE);
	turn_all(s.reactor);
	assert_story(&s.near, "MRL");
	assert_lost(&s.near, UTW_GONE);
	stage_close(&s);
}

static void nth_call_fails(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, UTW_DOUBLE_STREAM, true);
	utw_double_set_piece(&s.a, 1);
	utw_double_feed(&s.a, "hello", 5);
	utw_double_fail(&s.a, UTW_DOUBLE_READ, 3, -EIO);
	turn_all(s.reactor);
	assert_int_equal(s.near.data_len, 2);
	assert_lost(&s.near, UTW_LOST);
	assert_true(utw_failure_has(s.near.reason, &utw_domain_errno, EIO));
	utw_double_fail(&s.b, UTW_DOUBLE_WRITE, 1, -ENOSPC);
	utw_transport_write(s.far.protocol.transport, "x", 1);
	turn_all(s.reactor);
	assert_true(utw_failure_has(s.far.reason, &utw_domain_errno, ENOSPC));
	assert_int_equal(s.b.writes, 1);
	stage_close(&s);
}

static void double_without_memory(void **state)
{
	struct utw_reactor *r;
	struct recorder p;
	struct utw_double d;

	(void)state;
	assert_int_equal(utw_reactor_new(&r), 0);
	recorder_init(&p, true);
	alloc_fail_at(1);
	assert_int_equal(utw_double_open(&d, r, UTW_DOUBLE_STREAM, &p.protocol), -ENOMEM);
	alloc_fail_at(0);
	assert_null(p.protocol.transport);
	utw_reactor_free(r);
}

/* Netstrings there and back through a pump that is as bad as it can be to a stream. */
struct counting {
	struct utw_framed framed;
	unsigned int frames;
	size_t bytes;
};

static void counting_frame(struct utw_framed *f, const void *data, size_t len)
{
	struct counting *c = utw_container_of(f, struct counting, framed);
	const char *bytes = data;

	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], (char)(c->frames + i));
	c->frames++;
	c->bytes += len;
}

static void counting_lost(struct utw_framed *f, struct utw_failure *reason)
{
	(void)f;
	(void)reason;
}

static const struct utw_framed_ops counting_ops = { .frame = counting_frame,
						    .lost = counting_lost };

static void stream_survives_the_worst_pump(void **state)
{
	static const struct utw_framing *const framings[] = { &utw_netstring, &utw_prefix16,
							      &utw_cobs, &utw_slip };

	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct utw_pump_options options = { .seed = seed, .piece = 7, .delay = 3 };
		struct counting near, far;
		struct utw_double a, b;
		struct utw_reactor *r;
		struct utw_pump pump;
		char data[64];

		memset(&near, 0, sizeof(near));
		memset(&far, 0, sizeof(far));
		assert_int_equal(utw_reactor_new(&r), 0);
		utw_framed_init(&near.framed, &counting_ops, framings[seed % 4]);
		utw_framed_init(&far.framed, &counting_ops, framings[seed % 4]);
		utw_double_open(&a, r, UTW_DOUBLE_STREAM, &near.framed.protocol);
		utw_double_open(&b, r, UTW_DOUBLE_STREAM, &far.framed.protocol);
		utw_pump_init(&pump, r, &a, &b, &options);
		for (unsigned int i = 0; i < 50; i++) {
			for (size_t k = 0; k < sizeof(data); k++)
				data[k] = (char)(i + k);
			utw_framed_send(&near.framed, data, 1 + i);
		}
		assert_true(utw_pump_run(&pump) > 0);
		assert_int_equal(far.frames, 50);
		assert_int_equal(far.bytes, 50 * 51 / 2);
		utw_transport_close(near.framed.protocol.transport, UTW_CLOSE_FLUSH, 0);
		assert_true(utw_pump_run(&pump) > 0);
		assert_null(far.framed.protocol.transport);
		utw_pump_release(&pump);
		utw_double_release(&a);
		utw_double_release(&b);
		utw_reactor_free(r);
	}
}

static void records_are_lost_and_swapped_as_the_seed_says(void **state)
{
	struct utw_pump_options options = { .seed = 4, .lose = 5, .swap = 5 };
	struct utw_pump pump;
	struct stage s;
	char first[64] = "";
	unsigned int lost = 0;

	(void)state;
	for (int again = 0; again < 2; again++) {
		bool ordered = true;

		stage_open(&s, UTW_DOUBLE_RECORD, true);
		utw_pump_init(&pump, s.reactor, &s.a, &s.b, &options);
		for (char c = 'A'; c < 'A' + 40; c++)
			utw_transport_write(s.near.protocol.transport, &c, 1);
		assert_true(utw_pump_run(&pump) > 0);
		assert_int_equal(s.far.data_len + pump.lost, 40);
		assert_true(pump.lost > 0);
		for (size_t i = 1; i < s.far.data_len; i++)
			ordered = ordered && s.far.data[i - 1] < s.far.data[i];
		assert_false(ordered);
		s.far.data[s.far.data_len] = '\0';
		if (again) {
			assert_string_equal(s.far.data, first);
			assert_int_equal(pump.lost, lost);
		}
		strcpy(first, s.far.data);
		lost = pump.lost;
		utw_pump_release(&pump);
		stage_close(&s);
	}
}

static void two_that_talk_for_ever_are_stopped(void **state)
{
	struct utw_pump pump;
	struct stage s;

	(void)state;
	stage_open(&s, UTW_DOUBLE_STREAM, true);
	s.near.echo = s.far.echo = true;
	utw_pump_init(&pump, s.reactor, &s.a, &s.b, NULL);
	utw_transport_write(s.near.protocol.transport, "x", 1);
	assert_int_equal(utw_pump_run(&pump), -ELOOP);
	utw_pump_release(&pump);
	stage_close(&s);
}

static void abort_is_a_loss_for_the_other(void **state)
{
	struct utw_pump pump;
	struct stage s;

	(void)state;
	stage_open(&s, UTW_DOUBLE_STREAM, true);
	utw_pump_init(&pump, s.reactor, &s.a, &s.b, NULL);
	utw_transport_close(s.near.protocol.transport, UTW_CLOSE_ABORT, 0);
	assert_true(utw_pump_run(&pump) > 0);
	assert_lost(&s.far, UTW_LOST);
	utw_pump_release(&pump);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_fed_comes_and_what_is_written_is_seen),
		TEST(pieces_of_one_byte),
		TEST(other_side_that_takes_no_more),
		TEST(device_that_cuts_and_is_unplugged),
		TEST(nth_call_fails),
		TEST(double_without_memory),
		TEST(stream_survives_the_worst_pump),
		TEST(records_are_lost_and_swapped_as_the_seed_says),
		TEST(two_that_talk_for_ever_are_stopped),
		TEST(abort_is_a_loss_for_the_other),
	};

	return cmocka_run_group_tests_name("double", tests, NULL, NULL);
}
