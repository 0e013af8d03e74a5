// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many requests a channel holds, in which order they are read, what a
 * submission refuses, and who is told when there is room again.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stats.h"
#include "submit.h"
#include "thread.h"
#include "watch.h"

static struct program *start(struct kunit *test, u32 requests_max)
{
	const struct untwist_config config = { .requests_max = requests_max };

	return program_start(test, fake_register(test, &config), O_NONBLOCK);
}

static struct fake *fake_behind(struct program *p)
{
	return untwist_device_drvdata(untwist_channel_device(p->ch));
}

static bool woken_with(struct watch *watch, __poll_t bits)
{
	return (watch_keys(watch) & bits) == bits;
}

/* Room. */

static void room_returns_with_the_read(struct kunit *test)
{
	struct program *p = start(test, 2);
	struct fake *fake = fake_behind(p);
	const struct ask asks[] = { { 1 }, { 2 }, { 3 } };
	struct untwist_cqe cqe;
	struct watch *watch;

	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT | EPOLLWRNORM));
	KUNIT_EXPECT_EQ(test, 2, program_submit(p, asks, 3));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, -EAGAIN, program_ask(p, &asks[2]));

	/* Complete is not read: a completion needs its place. */
	fake_complete(fake_take(fake), TEST_HERE, 0);
	fake_complete(fake_take(fake), TEST_HERE, 0);
	KUNIT_EXPECT_EQ(test, -EAGAIN, program_ask(p, &asks[2]));
	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLOUT));

	watch = watch_start(test, p->ch);
	program_await(p);
	KUNIT_EXPECT_TRUE(test, woken_with(watch, EPOLLOUT | EPOLLWRNORM));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &asks[2]));
	fake_complete_held(fake, 0);
	program_await(p);
	program_await(p);
	KUNIT_EXPECT_EQ(test, 0, program_completions(p, &cqe, 1));
}

struct cancel_call {
	struct program *p;
	u64 user_data;
};

static int cancel(void *arg)
{
	struct cancel_call *call = arg;

	return program_cancel(call->p, call->user_data);
}

/* The one slot is lent to a cancel that takes its time: no room, and then some. */
static void room_returns_with_a_slow_cancel(struct kunit *test)
{
	struct program *p = start(test, 1);
	struct fake *fake = fake_behind(p);
	struct cancel_call *call = kunit_kzalloc(test, sizeof(*call), GFP_KERNEL);
	struct test_thread *canceller;
	const struct ask ask = { 1 };
	struct watch *watch;

	KUNIT_ASSERT_NOT_NULL(test, call);
	*call = (struct cancel_call){ p, 1 };
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &ask));
	fake_gate_shut(fake, FAKE_CANCEL);
	canceller = test_thread_start(test, cancel, call);
	fake_gate_await(test, fake, FAKE_CANCEL);
	KUNIT_EXPECT_EQ(test, -ECANCELED, program_await(p).res);

	KUNIT_EXPECT_FALSE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, -EAGAIN, program_ask(p, &ask));
	watch = watch_start(test, p->ch);
	fake_gate_open(fake, FAKE_CANCEL);
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(test, canceller));
	KUNIT_EXPECT_TRUE(test, woken_with(watch, EPOLLOUT | EPOLLWRNORM));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &ask));
}

/* While the chain was put together, the plane was full: who saw that is to look again. */
static void room_returns_with_a_chain_that_is_not_taken(struct kunit *test)
{
	struct program *p = start(test, 2);
	const struct untwist_sqe chain[] = {
		{ .opcode = FAKE_OP_PLAIN, .flags = UNTWIST_SQE_LINK },
		{ .opcode = FAKE_OP_PAYLOAD, .addr = ULONG_MAX - 100, .len = 16 },
	};
	struct untwist_submit submit = { .count = 2, .entry_size = sizeof(chain[0]) };
	struct watch *watch = watch_start(test, p->ch);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, -EFAULT, program_submit_entries(p, &submit, chain));
	KUNIT_EXPECT_TRUE(test, woken_with(watch, EPOLLOUT | EPOLLWRNORM));
	KUNIT_EXPECT_TRUE(test, program_polls(p, EPOLLOUT));
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &(struct ask){ 2 }));
	KUNIT_EXPECT_EQ(test, 2, fake_calls(fake_behind(p), FAKE_SUBMIT));
}

static void channels_have_room_of_their_own(struct kunit *test)
{
	struct program *p = start(test, 1);
	struct program *other = program_start(test, fake_behind(p), O_NONBLOCK);

	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, -EAGAIN, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, 1, program_ask(other, &(struct ask){ 2 }));
	fake_complete_held(fake_behind(p), 0);
	KUNIT_EXPECT_EQ(test, 1ull, program_await(p).user_data);
	KUNIT_EXPECT_EQ(test, 2ull, program_await(other).user_data);
}

/* Order. */

static struct ask *asks_new(struct kunit *test, u32 opcode, enum fake_action action)
{
	struct ask *asks = kunit_kcalloc(test, PROGRAM_BATCH, sizeof(*asks), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, asks);
	for (i = 0; i < PROGRAM_BATCH; i++)
		asks[i] = (struct ask){ .user_data = i, .opcode = opcode, .action = action };
	return asks;
}

static void expect_batch_in_order(struct kunit *test, struct program *p)
{
	unsigned int i;

	for (i = 0; i < PROGRAM_BATCH; i++) {
		struct untwist_cqe cqe = program_await(p);

		KUNIT_ASSERT_EQ(test, (u64)i, cqe.user_data);
		/* Results beyond the first travel along. */
		KUNIT_ASSERT_EQ(test, i + 1ull, cqe.value[0]);
	}
}

struct order_case {
	const char *name;
	u32 opcode;
	enum fake_action action;
};

static const struct order_case order_cases[] = {
	{ "in submit", FAKE_OP_PLAIN, FAKE_COMPLETE },
	{ "in submit, with done", FAKE_OP_DONE, FAKE_COMPLETE },
	{ "later", FAKE_OP_PLAIN, FAKE_HOLD },
	{ "later, with done", FAKE_OP_DONE, FAKE_HOLD },
};

KUNIT_ARRAY_PARAM_DESC(order, order_cases, name);

static void read_in_the_order_of_completion(struct kunit *test)
{
	const struct order_case *c = test->param_value;
	struct program *p = start(test, PROGRAM_BATCH);
	struct fake *fake = fake_behind(p);
	struct ask *asks = asks_new(test, c->opcode, c->action);

	KUNIT_ASSERT_EQ(test, PROGRAM_BATCH, program_submit(p, asks, PROGRAM_BATCH));
	fake_complete_held(fake, 0);
	expect_batch_in_order(test, p);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake->done_overlaps));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake->done_outside));
}

/* What completes in submit is quick, but what finished before it is read before it. */
static void quick_ones_do_not_overtake(struct kunit *test)
{
	struct program *p = start(test, 4);
	struct fake *fake = fake_behind(p);
	struct untwist_cqe cqe;

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, FAKE_OP_DONE }));
	fake_gate_shut(fake, FAKE_DONE);
	fake_complete_held(fake, 0);
	fake_gate_await(test, fake, FAKE_DONE);
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 0, program_completions(p, &cqe, 1));
	fake_gate_open(fake, FAKE_DONE);
	KUNIT_EXPECT_EQ(test, 1ull, program_await(p).user_data);
	KUNIT_EXPECT_EQ(test, 2ull, program_await(p).user_data);
}

/* The driver's own memory of a request starts out zero, though slots are reused. */
static void private_memory_starts_zero(struct kunit *test)
{
	struct program *p = start(test, 3);
	int i;

	for (i = 0; i < 10; i++) {
		KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ i, 0, FAKE_COMPLETE }));
		KUNIT_ASSERT_EQ(test, (u64)i, program_await(p).user_data);
	}
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake_behind(p)->dirty));
}

static void completions_are_read_whole(struct kunit *test)
{
	struct program *p = start(test, 4);
	const struct ask asks[] = {
		{ 1, 0, FAKE_COMPLETE },
		{ 2, 0, FAKE_COMPLETE },
		{ 3, 0, FAKE_COMPLETE },
	};
	struct untwist_cqe cqes[3];
	const int size = sizeof(cqes[0]);

	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_read(p->file, cqes, size, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)kernel_read(p->file, cqes, size - 1, NULL));
	KUNIT_ASSERT_EQ(test, 3, program_submit(p, asks, 3));
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)kernel_read(p->file, cqes, size - 1, NULL));
	KUNIT_EXPECT_EQ(test, size, (int)kernel_read(p->file, cqes, 2 * size - 1, NULL));
	KUNIT_EXPECT_EQ(test, 1ull, cqes[0].user_data);
	KUNIT_EXPECT_EQ(test, 2 * size, (int)kernel_read(p->file, cqes, sizeof(cqes), NULL));
	KUNIT_EXPECT_EQ(test, 2ull, cqes[0].user_data);
	KUNIT_EXPECT_EQ(test, 3ull, cqes[1].user_data);
}

/* What a submission refuses. */

#define GOOD_SUBMIT                                                  \
	{                                                            \
		.count = 1, .entry_size = sizeof(struct untwist_sqe) \
	}

struct refusal_case {
	const char *name;
	struct untwist_submit submit;
	struct untwist_sqe entry;
	int ret;
};

static const struct refusal_case refusal_cases[] = {
	{ "no entries", { .entry_size = 64 }, {}, -EINVAL },
	{ "flags", { .count = 1, .entry_size = 64, .flags = 1 }, {}, -EINVAL },
	{ "reserved", { .count = 1, .entry_size = 64, .reserved = 1 }, {}, -EINVAL },
	{ "entry too short", { .count = 1, .entry_size = 63 }, {}, -EINVAL },
	{ "entry too long", { .count = 1, .entry_size = PAGE_SIZE + 1 }, {}, -EINVAL },
	{ "entry flags", GOOD_SUBMIT, { .flags = 1u << 31 }, -EINVAL },
	{ "entry reserved0", GOOD_SUBMIT, { .reserved0 = 1 }, -EINVAL },
	{ "entry reserved1", GOOD_SUBMIT, { .reserved1 = 1 }, -EINVAL },
	{ "address without length", GOOD_SUBMIT, { .addr = 4096 }, -EINVAL },
	{ "payload not taken", GOOD_SUBMIT, { .addr = 4096, .len = 1 }, -EINVAL },
	{ "payload too long",
	  GOOD_SUBMIT,
	  { .opcode = FAKE_OP_PAYLOAD, .addr = 4096, .len = 4097 },
	  -EMSGSIZE },
	{ "payload not mapped",
	  GOOD_SUBMIT,
	  { .opcode = FAKE_OP_PAYLOAD, .addr = 16, .len = 1 },
	  -EFAULT },
	{ "payload wraps",
	  GOOD_SUBMIT,
	  { .opcode = FAKE_OP_PAYLOAD, .addr = U64_MAX, .len = 2 },
	  -EFAULT },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusal_cases, name);

static void submission_refuses(struct kunit *test)
{
	const struct refusal_case *c = test->param_value;
	struct program *p = start(test, 1);
	struct untwist_submit submit = c->submit;

	KUNIT_EXPECT_EQ(test, c->ret, program_submit_entries(p, &submit, &c->entry));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake_behind(p), FAKE_SUBMIT));
	/* Nothing was kept of it. */
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
}

/* What came before a bad entry is taken, and the bad one is not. */
static void submission_stops_at_a_bad_entry(struct kunit *test)
{
	struct program *p = start(test, 8);
	const struct untwist_sqe entries[] = {
		{ .opcode = FAKE_OP_PLAIN },
		{ .opcode = FAKE_OP_PLAIN },
		{ .flags = 1u << 31 },
		{ .opcode = FAKE_OP_PLAIN },
	};
	struct untwist_submit submit = { .count = 4, .entry_size = sizeof(entries[0]) };

	KUNIT_EXPECT_EQ(test, 2, program_submit_entries(p, &submit, entries));
	KUNIT_EXPECT_EQ(test, 2u, fake_complete_held(fake_behind(p), 0));
}

/* A driver may have no operations at all. */
static void submission_without_opcodes(struct kunit *test)
{
	static const struct untwist_ops no_ops;
	const struct untwist_config config = {
		.name = "plain",
		.ops = &no_ops,
		.kind = UNTWIST_KIND_STREAM,
	};
	struct untwist_device *ud = fake_try_register(test, &config);
	struct untwist_submit submit = GOOD_SUBMIT;
	struct untwist_channel *ch;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ud);
	ch = untwist_channel_open(ud);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ch);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, untwist_requests_submit(ch, &submit));
	untwist_channel_release(ch);
}

/* clang-format off */
static struct kunit_case credit_cases[] = {
	KUNIT_CASE(room_returns_with_the_read),
	KUNIT_CASE(room_returns_with_a_slow_cancel),
	KUNIT_CASE(room_returns_with_a_chain_that_is_not_taken),
	KUNIT_CASE(channels_have_room_of_their_own),
	KUNIT_CASE_PARAM(read_in_the_order_of_completion, order_gen_params),
	KUNIT_CASE(quick_ones_do_not_overtake),
	KUNIT_CASE(private_memory_starts_zero),
	KUNIT_CASE(completions_are_read_whole),
	KUNIT_CASE_PARAM(submission_refuses, refusal_gen_params),
	KUNIT_CASE(submission_stops_at_a_bad_entry),
	KUNIT_CASE(submission_without_opcodes),
	{}
};

/* clang-format on */

static struct kunit_suite credit_suite = {
	.name = "untwist_credit",
	.test_cases = credit_cases,
};

kunit_test_suite(credit_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's room for requests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
