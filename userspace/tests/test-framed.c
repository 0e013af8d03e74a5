/* SPDX-License-Identifier: MIT */
/* Framed: cases 45 to 50 of the semantics, fixed sizes, and what is said in framed.h. */
#include <untwist/framed.h>

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <untwist/transport.h>

#include "frame-wire.h"
#include "harness-alloc.h"
#include "harness.h"
#include "recorder.h"

static void assert_sent(struct frame_wire *w, const void *expected, size_t len)
{
	char got[512];

	turn_all(w->reactor);
	assert_int_equal(recv(w->fd, got, sizeof(got), MSG_DONTWAIT), len);
	assert_memory_equal(got, expected, len);
}

static void netstring_case_45_good_ones(void **state)
{
	static const char text[] = "0:,1:a,4:1:a,,10:0123456789,";

	(void)state;
	assert_any_cut_tells(&utw_netstring, 99999, text, sizeof(text) - 1,
			     "F:;F:a;F:1:a,;F:0123456789;");
}

static void netstring_case_45_in_pieces(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, true);
	frame_wire_feed(&w, "1", 1);
	frame_wire_feed(&w, "0:01234", 7);
	frame_wire_feed(&w, "56789", 5);
	assert_told(&w, "");
	frame_wire_feed(&w, ",", 1);
	assert_told(&w, "F:0123456789;");
	frame_wire_close(&w);
}

/* Each is told bad once, the good one behind it is never told, and the connection ends. */
static void netstring_case_46_bad_ones(void **state)
{
	static const char *const bad[] = { ":aaa,",	   "3aaa,", "aaa,",  "2:aaa,", "0:a,",
					   "007:abcdefg,", "-1:a,", " 1:a,", "+1:a,",  ":," };
	struct frame_wire w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		frame_wire_open(&w, &utw_netstring, true);
		frame_wire_feed(&w, bad[i], strlen(bad[i]));
		assert_told(&w, "B;X;");
		assert_string_not_equal(w.why, "");
		frame_wire_close(&w);
	}
}

static void netstring_refuses_at_the_first_byte_that_none_can_have(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, false);
	frame_wire_feed(&w, "3:abc,00", 8);
	assert_told(&w, "F:abc;X;");
	assert_non_null(strstr(w.why, "netstring: "));
	assert_non_null(strstr(w.why, "begins with zero, at offset 6 of"));
	frame_wire_close(&w);
}

static void netstring_over_the_limit_is_refused_by_its_digits(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, false);
	utw_framed_set_max(&w.framed, 50);
	frame_wire_feed(&w, "2:ab,51", 7);
	assert_told(&w, "F:ab;X;");
	assert_non_null(strstr(w.why, "a frame of 51 bytes at offset 5 of"));
	assert_non_null(strstr(w.why, "the limit is 50"));
	frame_wire_close(&w);
}

static void netstring_send_and_empty(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, true);
	assert_int_equal(utw_framed_send(&w.framed, "hello", 5), 0);
	assert_int_equal(utw_framed_send(&w.framed, "", 0), 0);
	assert_sent(&w, "5:hello,0:,", 11);
	frame_wire_close(&w);
}

static void prefix_case_49_every_split(void **state)
{
	static const char bytes[] = { 0, 4, 'u', 'b', 'a', 'r', 0, 0, 0 };
	struct frame_wire w;
	const char *held;

	(void)state;
	assert_any_cut_tells(&utw_prefix16, 65535, bytes, sizeof(bytes), "F:ubar;F:;");
	frame_wire_open(&w, &utw_prefix16, true);
	frame_wire_feed(&w, bytes, sizeof(bytes));
	assert_int_equal(utw_framed_held(&w.framed, &held), 1);
	assert_int_equal(*held, 0);
	frame_wire_close(&w);
}

static void prefix_case_49_send(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_prefix16, true);
	assert_int_equal(utw_framed_send(&w.framed, "foo", 3), 0);
	assert_sent(&w, "\0\3foo", 5);
	frame_wire_close(&w);
}

static void prefix_case_50_limit_on_the_prefix_alone(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_prefix32, true);
	utw_framed_set_max(&w.framed, 10);
	frame_wire_feed(&w,
			"\0\0\0\12"
			"0123456789",
			14);
	assert_told(&w, "F:0123456789;");
	frame_wire_feed(&w, "\0\0\0\13", 4);
	assert_told(&w, "B;X;");
	frame_wire_close(&w);
}

static void prefix_case_50_send_over_the_range(void **state)
{
	static char data[65536];
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_prefix8, true);
	assert_int_equal(utw_framed_send(&w.framed, data, 255), 0);
	assert_int_equal(utw_framed_send(&w.framed, data, 256), -EMSGSIZE);
	frame_wire_close(&w);
	frame_wire_open(&w, &utw_prefix16, true);
	assert_int_equal(utw_framed_send(&w.framed, data, 65536), -EMSGSIZE);
	assert_true(utw_framed_send(&w.framed, data, 65535) >= 0);
	frame_wire_close(&w);
}

static void fixed_every_split(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_fixed, true);
	assert_int_equal(utw_framed_set_size(&w.framed, 0), -EINVAL);
	assert_int_equal(utw_framed_set_size(&w.framed, 3), 0);
	frame_wire_trickle(&w, "abcdef", 6);
	frame_wire_feed(&w, "ghijk", 5);
	assert_told(&w, "F:abc;F:def;F:ghi;");
	assert_int_equal(utw_framed_send(&w.framed, "ab", 2), -EMSGSIZE);
	assert_int_equal(utw_framed_send(&w.framed, "abc", 3), 0);
	assert_sent(&w, "abc", 3);
	frame_wire_close(&w);
}

static void grow_by_one(struct frame_wire *w, const char *data, size_t len)
{
	(void)data;
	utw_framed_set_size(&w->framed, len + 1);
}

static void fixed_size_may_change_at_each_frame(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_fixed, true);
	w.on_frame = grow_by_one;
	frame_wire_feed(&w, "abbcccdd", 8);
	assert_told(&w, "F:a;F:bb;F:ccc;");
	frame_wire_feed(&w, "dd", 2);
	assert_told(&w, "F:dddd;");
	frame_wire_close(&w);
}

static void fixed_size_may_shrink_while_a_frame_waits(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_fixed, true);
	utw_framed_set_size(&w.framed, 4);
	frame_wire_feed(&w, "ab", 2);
	utw_framed_set_size(&w.framed, 2);
	frame_wire_feed(&w, "c", 1);
	assert_told(&w, "F:ab;");
	frame_wire_close(&w);
}

static void pause_here(struct frame_wire *w, const char *data, size_t len)
{
	(void)data;
	(void)len;
	utw_framed_pause(&w->framed);
}

static void pause_stops_inside_a_chunk(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, true);
	w.on_frame = pause_here;
	frame_wire_feed(&w, "1:a,1:b,1:", 10);
	assert_told(&w, "F:a;");
	frame_wire_feed(&w, "c,", 2);
	assert_told(&w, "");
	utw_framed_resume(&w.framed);
	assert_told(&w, "");
	turn_all(w.reactor);
	assert_told(&w, "F:b;");
	utw_framed_resume(&w.framed);
	turn_all(w.reactor);
	assert_told(&w, "F:c;");
	frame_wire_close(&w);
}

static void close_here(struct frame_wire *w, const char *data, size_t len)
{
	const char *held;

	(void)data;
	(void)len;
	assert_int_equal(utw_framed_held(&w->framed, &held), 4);
	assert_memory_equal(held, "1:b,", 4);
	utw_transport_close(w->framed.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
}

static void close_in_a_frame_delivers_no_more(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, true);
	w.on_frame = close_here;
	frame_wire_feed(&w, "1:a,1:b,", 8);
	assert_told(&w, "F:a;X;");
	frame_wire_close(&w);
}

/* Counted, not timed: the framing is asked only when there is something new to say. */
static unsigned int asked;

static enum utw_cut_kind counting_decode(struct utw_framed *f, const uint8_t *data, size_t len,
					 struct utw_cut *cut)
{
	asked++;
	return utw_prefix32.decode(f, data, len, cut);
}

static void one_byte_feeds_are_linear(void **state)
{
	struct utw_framing counting = utw_prefix32;
	const size_t len = 1024 * 1024;
	struct frame_wire w;
	uint32_t prefix = htobe32((uint32_t)len);

	(void)state;
	counting.decode = counting_decode;
	asked = 0;
	frame_wire_open(&w, &counting, true);
	utw_framed_set_max(&w.framed, len);
	frame_wire_feed(&w, &prefix, sizeof(prefix));
	for (size_t i = 0; i < len; i++)
		w.framed.protocol.ops->data(&w.framed.protocol, "z", 1);
	assert_int_equal(w.frames, 1);
	assert_int_equal(asked, 2);
	frame_wire_close(&w);
}

static void part_that_cannot_be_kept_aborts(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_netstring, true);
	assert_int_equal(write(w.fd, "5:he", 4), 4);
	alloc_fail_at(1);
	turn_all(w.reactor);
	assert_true(alloc_failed());
	alloc_fail_at(0);
	turn_all(w.reactor);
	assert_told(&w, "X;");
	frame_wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(netstring_case_45_good_ones),
		TEST(netstring_case_45_in_pieces),
		TEST(netstring_case_46_bad_ones),
		TEST(netstring_refuses_at_the_first_byte_that_none_can_have),
		TEST(netstring_over_the_limit_is_refused_by_its_digits),
		TEST(netstring_send_and_empty),
		TEST(prefix_case_49_every_split),
		TEST(prefix_case_49_send),
		TEST(prefix_case_50_limit_on_the_prefix_alone),
		TEST(prefix_case_50_send_over_the_range),
		TEST(fixed_every_split),
		TEST(fixed_size_may_change_at_each_frame),
		TEST(fixed_size_may_shrink_while_a_frame_waits),
		TEST(pause_stops_inside_a_chunk),
		TEST(close_in_a_frame_delivers_no_more),
		TEST(one_byte_feeds_are_linear),
		TEST(part_that_cannot_be_kept_aborts),
	};

	return cmocka_run_group_tests_name("framed", tests, NULL, NULL);
}
