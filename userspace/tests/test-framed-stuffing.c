/* SPDX-License-Identifier: MIT */
/* COBS and SLIP: known encodings, every split, and going on after a bad frame. */
#include <string.h>
#include <sys/socket.h>

#include <untwist/framed.h>
#include <untwist/transport.h>

#include "frame-wire.h"
#include "harness-alloc.h"
#include "harness.h"
#include "recorder.h"

struct encoding {
	const char *plain;
	size_t plain_len;
	const char *wire;
	size_t wire_len;
};

#define ENCODING(plain, wire)                                    \
	{                                                        \
		plain, sizeof(plain) - 1, wire, sizeof(wire) - 1 \
	}

static const struct encoding cobs_known[] = {
	ENCODING("", "\1\0"),
	ENCODING("\0", "\1\1\0"),
	ENCODING("\0\0", "\1\1\1\0"),
	ENCODING("\x11\x22\0\x33", "\3\x11\x22\2\x33\0"),
	ENCODING("\x11\x22\x33\x44", "\5\x11\x22\x33\x44\0"),
	ENCODING("\x11\0\0\0", "\2\x11\1\1\1\0"),
};

static const struct encoding slip_known[] = {
	ENCODING("a",
		 "\xc0"
		 "a\xc0"),
	ENCODING("\xc0", "\xc0\xdb\xdc\xc0"),
	ENCODING("\xdb", "\xc0\xdb\xdd\xc0"),
	ENCODING("a\xdb\xdc"
		 "b",
		 "\xc0"
		 "a\xdb\xdd\xdc"
		 "b\xc0"),
};

static struct encoding expected;

static void compare(struct frame_wire *w, const char *data, size_t len)
{
	(void)w;
	assert_int_equal(len, expected.plain_len);
	assert_memory_equal(data, expected.plain, len);
}

static void assert_known(const struct utw_framing *framing, const struct encoding *e)
{
	struct frame_wire w;
	char wire[1200];

	frame_wire_open(&w, framing, true);
	expected = *e;
	w.on_frame = compare;
	assert_true(utw_framed_send(&w.framed, e->plain, e->plain_len) >= 0);
	turn_all(w.reactor);
	assert_int_equal(recv(w.fd, wire, sizeof(wire), MSG_DONTWAIT), e->wire_len);
	assert_memory_equal(wire, e->wire, e->wire_len);
	frame_wire_feed(&w, e->wire, e->wire_len);
	frame_wire_trickle(&w, e->wire, e->wire_len);
	assert_int_equal(w.frames, 2);
	frame_wire_close(&w);
}

static void cobs_known_encodings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cobs_known); i++)
		assert_known(&utw_cobs, &cobs_known[i]);
}

static void slip_known_encodings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slip_known); i++)
		assert_known(&utw_slip, &slip_known[i]);
}

/* A block of 254 bytes needs no 0 behind it, and none is made of it. */
static void cobs_full_blocks(void **state)
{
	char plain[600], wire[610];
	struct encoding e = { .plain = plain, .wire = wire };

	(void)state;
	memset(plain, 'x', sizeof(plain));
	memset(wire, 'x', sizeof(wire));
	wire[0] = '\xff';
	wire[255] = '\0';
	e.plain_len = 254;
	e.wire_len = 256;
	assert_known(&utw_cobs, &e);
	wire[255] = '\2';
	wire[257] = '\0';
	e.plain_len = 255;
	e.wire_len = 258;
	assert_known(&utw_cobs, &e);
	plain[254] = '\0';
	wire[255] = '\1';
	wire[256] = '\1';
	assert_known(&utw_cobs, &e);
}

/* Whatever is sent comes back, for all lengths around the size of a block. */
static void any_bytes_come_back(void **state)
{
	static const struct utw_framing *const framings[] = { &utw_cobs, &utw_slip };
	unsigned char plain[520];
	unsigned char wire[1200];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 37 % 251 % 7 ? i * 193 >> 3 : 0);
	for (size_t k = 0; k < ARRAY_SIZE(framings); k++) {
		struct frame_wire w;

		frame_wire_open(&w, framings[k], true);
		w.on_frame = compare;
		for (size_t len = 1; len <= sizeof(plain); len++) {
			ssize_t got;

			expected.plain = (const char *)plain;
			expected.plain_len = len;
			assert_true(utw_framed_send(&w.framed, plain, len) >= 0);
			turn_all(w.reactor);
			got = recv(w.fd, wire, sizeof(wire), MSG_DONTWAIT);
			assert_true(got > 0);
			frame_wire_feed(&w, wire, (size_t)got);
			assert_int_equal(w.frames, len);
		}
		frame_wire_close(&w);
	}
}

static void cobs_every_split_and_a_bad_frame(void **state)
{
	static const char wire[] = "\4abc\0\0\5ab\0\3de\0\1\0";

	(void)state;
	assert_any_cut_tells(&utw_cobs, 100, wire, sizeof(wire) - 1, "F:abc;B;F:de;F:;");
}

static void slip_every_split_and_a_bad_frame(void **state)
{
	static const char wire[] = "\xc0"
				   "abc\xc0\xc0"
				   "a\xdb"
				   "bc\xc0"
				   "de\xc0";

	(void)state;
	assert_any_cut_tells(&utw_slip, 100, wire, sizeof(wire) - 1, "F:abc;B;F:de;");
}

static void too_long_is_skipped_to_its_end(void **state)
{
	static const char slip[] = "12345\xc0"
				   "123456789\xc0"
				   "1234\xc0";
	static const char cobs[] = "\6"
				   "12345\0\7"
				   "123456\0\2"
				   "1\0";

	(void)state;
	assert_any_cut_tells(&utw_slip, 5, slip, sizeof(slip) - 1, "F:12345;B;F:1234;");
	assert_any_cut_tells(&utw_cobs, 5, cobs, sizeof(cobs) - 1, "F:12345;B;F:1;");
}

static void without_a_say_a_bad_frame_ends_it(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_cobs, false);
	frame_wire_feed(&w, "\2a\0\5ab\0\2c\0", 10);
	assert_told(&w, "F:a;X;");
	assert_non_null(
		strstr(w.why, "cobs: the end of a frame inside of a block, at offset 6 of"));
	frame_wire_close(&w);
}

static void limit_is_named_with_the_begin_of_the_frame(void **state)
{
	struct frame_wire w;

	(void)state;
	frame_wire_open(&w, &utw_slip, false);
	utw_framed_set_max(&w.framed, 4);
	frame_wire_feed(&w,
			"abc\xc0"
			"ab",
			6);
	frame_wire_feed(&w, "cde", 3);
	assert_told(&w, "F:abc;X;");
	assert_non_null(strstr(w.why, "a frame of 5 bytes at offset 4 of"));
	assert_non_null(strstr(w.why, "the limit is 4"));
	frame_wire_close(&w);
}

static void frame_without_memory_aborts(void **state)
{
	for (unsigned int nth = 1; nth <= 2; nth++) {
		struct frame_wire w;

		(void)state;
		frame_wire_open(&w, &utw_slip, true);
		assert_int_equal(send(w.fd, "a\xc0", 2, 0), 2);
		alloc_fail_at(nth);
		turn_all(w.reactor);
		assert_true(alloc_failed());
		alloc_fail_at(0);
		turn_all(w.reactor);
		assert_told(&w, "X;");
		frame_wire_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cobs_known_encodings),
		TEST(slip_known_encodings),
		TEST(cobs_full_blocks),
		TEST(any_bytes_come_back),
		TEST(cobs_every_split_and_a_bad_frame),
		TEST(slip_every_split_and_a_bad_frame),
		TEST(too_long_is_skipped_to_its_end),
		TEST(without_a_say_a_bad_frame_ends_it),
		TEST(limit_is_named_with_the_begin_of_the_frame),
		TEST(frame_without_memory_aborts),
	};

	return cmocka_run_group_tests_name("framed-stuffing", tests, NULL, NULL);
}
