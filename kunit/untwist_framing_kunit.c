// SPDX-License-Identifier: GPL-2.0-only
/*
 * SLIP and COBS: the examples of their authors, what a receiver makes of bad
 * frames, and that nothing of a bad frame reaches the next one.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/untwist_framing.h>

#define RECORD_MAX 700u
#define FRAME_MAX  (2 * RECORD_MAX + 2)

struct bytes {
	u8 len;
	u8 data[11];
};

struct framed_case {
	const char *framing;
	const char *desc;
	struct bytes record;
	struct bytes frame;
};

/* clang-format off */
static const struct framed_case framed[] = {
	{ "slip", "plain", { 3, "abc" }, { 5, { 0xc0, 'a', 'b', 'c', 0xc0 } } },
	{ "slip", "end inside", { 2, { 'a', 0xc0 } }, { 5, { 0xc0, 'a', 0xdb, 0xdc, 0xc0 } } },
	{ "slip", "escape inside", { 1, { 0xdb } }, { 4, { 0xc0, 0xdb, 0xdd, 0xc0 } } },
	{ "slip", "not an escape", { 2, { 0xdc, 0xdd } }, { 4, { 0xc0, 0xdc, 0xdd, 0xc0 } } },
	{ "slip", "zero", { 1, { 0 } }, { 3, { 0xc0, 0, 0xc0 } } },
	{ "cobs", "zero", { 1, { 0 } }, { 3, { 1, 1, 0 } } },
	{ "cobs", "two zeroes", { 2, { 0, 0 } }, { 4, { 1, 1, 1, 0 } } },
	{ "cobs", "zeroes around", { 3, { 0, 'a', 0 } }, { 5, { 1, 2, 'a', 1, 0 } } },
	{ "cobs", "zero between", { 4, { 'a', 'b', 0, 'c' } }, { 6, { 3, 'a', 'b', 2, 'c', 0 } } },
	{ "cobs", "no zero", { 4, "abcd" }, { 6, { 5, 'a', 'b', 'c', 'd', 0 } } },
	{ "cobs", "zeroes behind", { 4, { 'a', 0, 0, 0 } }, { 6, { 2, 'a', 1, 1, 1, 0 } } },
};

/* clang-format on */

static void framed_desc(const struct framed_case *c, char *to)
{
	snprintf(to, KUNIT_PARAM_DESC_SIZE, "%s, %s", c->framing, c->desc);
}

KUNIT_ARRAY_PARAM(framed, framed, framed_desc);

static const char *const names[] = { "slip", "cobs" };

static void name_desc(const char *const *name, char *to)
{
	strscpy(to, *name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(name, names, name_desc);

static const struct untwist_framing *framing_of(struct kunit *test, const char *name)
{
	const struct untwist_framing *framing = untwist_framing_find(name);

	KUNIT_ASSERT_NOT_NULL(test, framing);
	return framing;
}

static const struct untwist_framing *framing_param(struct kunit *test)
{
	return framing_of(test, *(const char *const *)test->param_value);
}

struct receiver {
	struct untwist_unframer unframer;
	u8 buf[RECORD_MAX];
	unsigned int records;
	unsigned int malformed;
	unsigned int too_long;
	u8 last[RECORD_MAX];
	size_t last_len;
};

static struct receiver *receiver_new(struct kunit *test, const struct untwist_framing *framing,
				     size_t size)
{
	struct receiver *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	untwist_unframer_init(&r->unframer, framing, r->buf, size);
	return r;
}

static void receive(struct receiver *r, const void *data, size_t len)
{
	enum untwist_unframed unframed;
	size_t taken;

	for (; len; data += taken, len -= taken) {
		taken = untwist_unframe(&r->unframer, data, len, &unframed);
		r->malformed += unframed == UNTWIST_UNFRAMED_MALFORMED;
		r->too_long += unframed == UNTWIST_UNFRAMED_TOO_LONG;
		if (unframed != UNTWIST_UNFRAMED_RECORD)
			continue;
		r->records++;
		r->last_len = r->unframer.len;
		memcpy(r->last, r->unframer.buf, r->unframer.len);
	}
}

static void expect_last(struct kunit *test, const struct receiver *r, const void *record,
			size_t len)
{
	KUNIT_ASSERT_EQ(test, len, r->last_len);
	KUNIT_EXPECT_MEMEQ(test, r->last, record, len);
}

static void expect_counts(struct kunit *test, const struct receiver *r, unsigned int records,
			  unsigned int malformed, unsigned int too_long)
{
	KUNIT_EXPECT_EQ(test, records, r->records);
	KUNIT_EXPECT_EQ(test, malformed, r->malformed);
	KUNIT_EXPECT_EQ(test, too_long, r->too_long);
}

static void finds_by_name(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, "slip", framing_of(test, "slip")->name);
	KUNIT_EXPECT_STREQ(test, "cobs", framing_of(test, "cobs")->name);
	KUNIT_EXPECT_NULL(test, untwist_framing_find("none"));
	KUNIT_EXPECT_NULL(test, untwist_framing_find(""));
}

static void frames_as_published(struct kunit *test)
{
	const struct framed_case *c = test->param_value;
	const struct untwist_framing *framing = framing_of(test, c->framing);
	u8 frame[64];
	size_t len = untwist_frame(framing, c->record.data, c->record.len, frame);

	KUNIT_ASSERT_EQ(test, (size_t)c->frame.len, len);
	KUNIT_EXPECT_MEMEQ(test, frame, c->frame.data, len);
	KUNIT_EXPECT_LE(test, len, untwist_frame_max(framing, c->record.len));
}

/* However the line cuts them up. */
static void unframes_at_every_cut(struct kunit *test)
{
	const struct framed_case *c = test->param_value;
	const struct untwist_framing *framing = framing_of(test, c->framing);
	size_t cut;

	for (cut = 0; cut <= c->frame.len; cut++) {
		struct receiver *r = receiver_new(test, framing, RECORD_MAX);

		receive(r, c->frame.data, cut);
		receive(r, c->frame.data + cut, c->frame.len - cut);
		expect_counts(test, r, 1, 0, 0);
		expect_last(test, r, c->record.data, c->record.len);
	}
}

/* A block is full at 254 bytes; only when more follows is there another one. */
static void cobs_fills_blocks(struct kunit *test)
{
	const struct untwist_framing *framing = framing_of(test, "cobs");
	u8 *record = kunit_kzalloc(test, RECORD_MAX, GFP_KERNEL);
	u8 *frame = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	memset(record, 'x', RECORD_MAX);

	KUNIT_EXPECT_EQ(test, 255u, untwist_frame(framing, record, 253, frame));
	KUNIT_EXPECT_EQ(test, 0xfe, frame[0]);
	KUNIT_EXPECT_EQ(test, 256u, untwist_frame(framing, record, 254, frame));
	KUNIT_EXPECT_EQ(test, 0xff, frame[0]);
	KUNIT_EXPECT_EQ(test, 0, frame[255]);
	KUNIT_EXPECT_EQ(test, 258u, untwist_frame(framing, record, 255, frame));
	KUNIT_EXPECT_EQ(test, 0xff, frame[0]);
	KUNIT_EXPECT_EQ(test, 0x02, frame[255]);
}

/* As other senders end a record of 254 bytes. */
static void cobs_takes_an_empty_last_block(struct kunit *test)
{
	struct receiver *r = receiver_new(test, framing_of(test, "cobs"), RECORD_MAX);
	u8 frame[257] = {};

	memset(frame, 'x', 255);
	frame[0] = 0xff;
	frame[255] = 0x01;
	receive(r, frame, sizeof(frame));
	expect_counts(test, r, 1, 0, 0);
	expect_last(test, r, frame + 1, 254);
}

/* Every length, of bytes that are hard on the framing and of any. */
static void round_trips(struct kunit *test)
{
	const struct untwist_framing *framing = framing_param(test);
	static const u8 hard[] = { 0x00, 0xc0, 0xdb, 0xdc, 0xdd, 0xff, 0x01, 'x' };
	struct receiver *r = receiver_new(test, framing, RECORD_MAX);
	u8 *record = kunit_kzalloc(test, RECORD_MAX, GFP_KERNEL);
	u8 *frame = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);
	struct rnd_state state;
	size_t len, i, framed_len;

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	prandom_seed_state(&state, 1);
	for (len = 1; len <= RECORD_MAX; len++) {
		for (i = 0; i < len; i++) {
			u32 any = prandom_u32_state(&state);

			record[i] = len % 2 ? any : hard[any % (len % 4 ? 8 : 4)];
		}
		framed_len = untwist_frame(framing, record, len, frame);
		KUNIT_ASSERT_LE(test, framed_len, untwist_frame_max(framing, len));
		receive(r, frame, framed_len);
		KUNIT_ASSERT_EQ(test, len, (size_t)r->records);
		expect_last(test, r, record, len);
	}
	expect_counts(test, r, RECORD_MAX, 0, 0);
}

/* The longest frame there can be is as long as the promise, and no longer. */
static void frame_max_is_reached(struct kunit *test)
{
	u8 *record = kunit_kzalloc(test, RECORD_MAX, GFP_KERNEL);
	u8 *frame = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);
	const struct untwist_framing *slip = framing_of(test, "slip");
	const struct untwist_framing *cobs = framing_of(test, "cobs");

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	memset(record, 0xc0, RECORD_MAX);
	KUNIT_EXPECT_EQ(test, untwist_frame_max(slip, 100),
			untwist_frame(slip, record, 100, frame));
	KUNIT_EXPECT_EQ(test, untwist_frame_max(cobs, 509),
			untwist_frame(cobs, record, 509, frame));
}

static void delimiters_between_frames_are_idle(struct kunit *test)
{
	const struct untwist_framing *framing = framing_param(test);
	struct receiver *r = receiver_new(test, framing, RECORD_MAX);
	unsigned int i;

	for (i = 0; i < 10; i++)
		receive(r, &framing->delimiter, 1);
	expect_counts(test, r, 0, 0, 0);
}

struct bad_case {
	const char *framing;
	const char *desc;
	struct bytes frame;
};

/* clang-format off */
static const struct bad_case bad[] = {
	{ "slip", "escape of nothing", { 4, { 'a', 'b', 0xdb, 0xc0 } } },
	{ "slip", "escape of a plain byte", { 6, { 'a', 0xdb, 'x', 'c', 'd', 0xc0 } } },
	{ "slip", "escape of an escape", { 5, { 'a', 0xdb, 0xdb, 0xdc, 0xc0 } } },
	{ "slip", "two faults", { 5, { 0xdb, 'x', 0xdb, 'y', 0xc0 } } },
	{ "cobs", "cut off in a block", { 4, { 5, 'a', 'b', 0 } } },
	{ "cobs", "cut off behind a code", { 2, { 2, 0 } } },
	{ "cobs", "cut off in a later block", { 5, { 2, 'a', 3, 'b', 0 } } },
	{ "cobs", "cut off in a full block", { 3, { 0xff, 'a', 0 } } },
};

/* clang-format on */

static void bad_desc(const struct bad_case *c, char *to)
{
	snprintf(to, KUNIT_PARAM_DESC_SIZE, "%s, %s", c->framing, c->desc);
}

KUNIT_ARRAY_PARAM(bad, bad, bad_desc);

/* It counts once, and the frame before and behind arrive as they are. */
static void a_bad_frame_touches_no_other(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	const struct untwist_framing *framing = framing_of(test, c->framing);
	struct receiver *r = receiver_new(test, framing, RECORD_MAX);
	u8 frame[32];
	size_t len;

	len = untwist_frame(framing, (const u8 *)"before", 6, frame);
	receive(r, frame, len);
	expect_last(test, r, "before", 6);
	receive(r, c->frame.data, c->frame.len);
	expect_counts(test, r, 1, 1, 0);
	len = untwist_frame(framing, (const u8 *)"behind", 6, frame);
	receive(r, frame, len);
	expect_last(test, r, "behind", 6);
	expect_counts(test, r, 2, 1, 0);
}

static void what_does_not_fit_is_told_once(struct kunit *test)
{
	const struct untwist_framing *framing = framing_param(test);
	struct receiver *r = receiver_new(test, framing, 4);
	u8 frame[32];

	receive(r, frame, untwist_frame(framing, (const u8 *)"four", 4, frame));
	expect_counts(test, r, 1, 0, 0);
	receive(r, frame, untwist_frame(framing, (const u8 *)"fives", 5, frame));
	expect_counts(test, r, 1, 0, 1);
	receive(r, frame, untwist_frame(framing, (const u8 *)"much longer", 11, frame));
	expect_counts(test, r, 1, 0, 2);
	receive(r, frame, untwist_frame(framing, (const u8 *)"fits", 4, frame));
	expect_counts(test, r, 2, 0, 2);
	expect_last(test, r, "fits", 4);
}

/* What KASAN watches: whatever comes, nothing is written beyond the record. */
static void noise_does_no_harm(struct kunit *test)
{
	const struct untwist_framing *framing = framing_param(test);
	size_t size = 16;
	u8 *buf = kunit_kmalloc(test, size, GFP_KERNEL);
	struct untwist_unframer u;
	struct rnd_state state;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	untwist_unframer_init(&u, framing, buf, size);
	prandom_seed_state(&state, 2);
	for (i = 0; i < 20000; i++) {
		enum untwist_unframed unframed;
		u8 noise[8];

		prandom_bytes_state(&state, noise, sizeof(noise));
		if (i % 4 == 0)
			noise[i % sizeof(noise)] = framing->delimiter;
		KUNIT_ASSERT_GE(test, untwist_unframe(&u, noise, sizeof(noise), &unframed), 1ul);
		KUNIT_ASSERT_LE(test, u.len, size);
		if (unframed == UNTWIST_UNFRAMED_RECORD)
			KUNIT_ASSERT_GE(test, u.len, 1ul);
	}
}

/* clang-format off */
static struct kunit_case framing_cases[] = {
	KUNIT_CASE(finds_by_name),
	KUNIT_CASE_PARAM(frames_as_published, framed_gen_params),
	KUNIT_CASE_PARAM(unframes_at_every_cut, framed_gen_params),
	KUNIT_CASE(cobs_fills_blocks),
	KUNIT_CASE(cobs_takes_an_empty_last_block),
	KUNIT_CASE_PARAM(round_trips, name_gen_params),
	KUNIT_CASE(frame_max_is_reached),
	KUNIT_CASE_PARAM(delimiters_between_frames_are_idle, name_gen_params),
	KUNIT_CASE_PARAM(a_bad_frame_touches_no_other, bad_gen_params),
	KUNIT_CASE_PARAM(what_does_not_fit_is_told_once, name_gen_params),
	KUNIT_CASE_PARAM(noise_does_no_harm, name_gen_params),
	{}
};

/* clang-format on */

static struct kunit_suite framing_suite = {
	.name = "untwist_framing",
	.test_cases = framing_cases,
};

kunit_test_suite(framing_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's SLIP and COBS framing");
MODULE_LICENSE("GPL");
