// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request plane: whatever happens to a request in whatever state, it
 * completes exactly once. Each row of the table of states and events is a test
 * case; what happens at the same moment is in the races' suite.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/string.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "stats.h"
#include "thread.h"
#include "watch.h"

static struct program *start(struct kunit *test)
{
	return program_start(test, fake_register_kind(test, UNTWIST_KIND_NONE), O_NONBLOCK);
}

static struct fake *fake_behind(struct program *p)
{
	return untwist_device_drvdata(untwist_channel_device(p->ch));
}

static void expect_none(struct kunit *test, struct program *p)
{
	struct untwist_cqe cqe;

	KUNIT_EXPECT_EQ(test, 0, program_completions(p, &cqe, 1));
}

static void expect_one(struct kunit *test, struct program *p, u64 user_data, s32 res)
{
	struct untwist_cqe cqe = program_await(p);

	KUNIT_EXPECT_EQ(test, user_data, cqe.user_data);
	KUNIT_EXPECT_EQ(test, res, cqe.res);
	KUNIT_EXPECT_EQ(test, 0u, cqe.flags);
	expect_none(test, p);
}

static void misuse_over(void *unused)
{
	WRITE_ONCE(untwist_misuse_expected, false);
}

static void expect_misuse(struct kunit *test)
{
	WRITE_ONCE(untwist_misuse_expected, true);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, misuse_over, NULL));
}

/* Completion: when and where. */

struct complete_case {
	const char *name;
	u32 opcode;
	bool in_submit;
	enum test_context context;
};

static const struct complete_case complete_cases[] = {
	{ "in submit", FAKE_OP_PLAIN, true, TEST_HERE },
	{ "before submit returns, thread", FAKE_OP_PLAIN, true, TEST_THREAD },
	{ "before submit returns, softirq", FAKE_OP_PLAIN, true, TEST_SOFTIRQ },
	{ "before submit returns, hardirq", FAKE_OP_PLAIN, true, TEST_HARDIRQ },
	{ "after submit", FAKE_OP_PLAIN, false, TEST_HERE },
	{ "after submit, thread", FAKE_OP_PLAIN, false, TEST_THREAD },
	{ "after submit, softirq", FAKE_OP_PLAIN, false, TEST_SOFTIRQ },
	{ "after submit, hardirq", FAKE_OP_PLAIN, false, TEST_HARDIRQ },
	{ "with done, in submit", FAKE_OP_DONE, true, TEST_HERE },
	{ "with done, before submit returns, hardirq", FAKE_OP_DONE, true, TEST_HARDIRQ },
	{ "with done, after submit", FAKE_OP_DONE, false, TEST_HERE },
	{ "with done, after submit, softirq", FAKE_OP_DONE, false, TEST_SOFTIRQ },
	{ "with done, after submit, hardirq", FAKE_OP_DONE, false, TEST_HARDIRQ },
};

KUNIT_ARRAY_PARAM_DESC(complete, complete_cases, name);

static void completes_once(struct kunit *test)
{
	const struct complete_case *c = test->param_value;
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	const struct ask ask = {
		.user_data = 0x123456789abcdef0ull,
		.opcode = c->opcode,
		.action = c->in_submit ? FAKE_COMPLETE : FAKE_HOLD,
		.context = c->context,
		.res = 7,
	};

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &ask));
	if (!c->in_submit) {
		expect_none(test, p);
		fake_complete(fake_take(fake), c->context, 7);
	}
	expect_one(test, p, ask.user_data, 7);
	KUNIT_EXPECT_EQ(test, c->opcode == FAKE_OP_DONE, fake_calls(fake, FAKE_DONE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&fake->done_outside));
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake, UNTWIST_STAT_REQUESTS));
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake, UNTWIST_STAT_COMPLETIONS));
	KUNIT_EXPECT_EQ(test, 0ul, fake_stat(fake, UNTWIST_STAT_MISUSES));
}

static void refused_by_submit(struct kunit *test)
{
	struct program *p = start(test);

	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, FAKE_REFUSE, 0, -EIO }));
	expect_one(test, p, 1, -EIO);
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake_behind(p), UNTWIST_STAT_ERRORS));
}

static void nop_and_unknown_never_reach_the_driver(struct kunit *test)
{
	struct program *p = start(test);
	struct untwist_sqe entries[3] = {
		{ .user_data = 1, .opcode = UNTWIST_OP_NOP },
		{ .user_data = 2, .opcode = UNTWIST_OP_DRIVER - 1 },
		{ .user_data = 3, .opcode = UNTWIST_OP_DRIVER + FAKE_NR_OPCODES },
	};
	struct untwist_submit submit = { .count = 3, .entry_size = sizeof(entries[0]) };
	struct untwist_cqe cqes[3] = {};

	KUNIT_EXPECT_EQ(test, 3, program_submit_entries(p, &submit, entries));
	KUNIT_EXPECT_EQ(test, 3, program_completions(p, cqes, 3));
	KUNIT_EXPECT_EQ(test, 0, cqes[0].res);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, cqes[1].res);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, cqes[2].res);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake_behind(p), FAKE_SUBMIT));
}

/* Completing twice: the driver's mistake, which must not become the program's. */

static void twice_in_submit(struct kunit *test)
{
	struct program *p = start(test);

	expect_misuse(test);
	KUNIT_EXPECT_EQ(test, 1,
			program_ask(p, &(struct ask){ 1, 0, FAKE_COMPLETE_REFUSE, 0, -EIO }));
	expect_one(test, p, 1, -EIO);
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake_behind(p), UNTWIST_STAT_MISUSES));
}

static void twice_before_the_work(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct untwist_request *req;

	expect_misuse(test);
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, FAKE_OP_DONE }));
	req = fake_take(fake);
	fake_gate_shut(fake, FAKE_DONE);
	fake_complete(req, TEST_HERE, 5);
	fake_gate_await(test, fake, FAKE_DONE);
	fake_complete(req, TEST_HARDIRQ, 6);
	fake_gate_open(fake, FAKE_DONE);
	expect_one(test, p, 1, 5);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_DONE));
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake, UNTWIST_STAT_MISUSES));
}

static void twice_after_it_is_read(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct untwist_request *req;

	expect_misuse(test);
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	req = fake_take(fake);
	fake_complete(req, TEST_HERE, 5);
	expect_one(test, p, 1, 5);
	fake_complete(req, TEST_HERE, 6);
	expect_none(test, p);
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake, UNTWIST_STAT_MISUSES));
	/* The slot is none the worse for it. */
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	expect_one(test, p, 2, 0);
}

/* Cancel in each state. */

static void cancel_of_nothing(struct kunit *test)
{
	struct program *p = start(test);

	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2 }));
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake_behind(p), FAKE_CANCEL));
}

static void cancel_of_issued(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 1));
	expect_one(test, p, 1, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake, UNTWIST_STAT_CANCELS));
}

static void cancel_twice(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);

	fake->keeps = true;
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, -EALREADY, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CANCEL));
	expect_none(test, p);
	/* The driver does not have to obey. */
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake, 9));
	expect_one(test, p, 1, 9);
}

static void cancel_without_the_operation(struct kunit *test)
{
	const struct untwist_config config = { .ops = &fake_ops_without_cancel };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, -EALREADY, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 2));
	fake_complete_held(fake, 3);
	expect_one(test, p, 1, 3);
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
}

static void cancel_of_done(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, FAKE_OP_DONE }));
	fake_gate_shut(fake, FAKE_DONE);
	fake_complete_held(fake, 4);
	fake_gate_await(test, fake, FAKE_DONE);
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
	fake_gate_open(fake, FAKE_DONE);
	expect_one(test, p, 1, 4);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CANCEL));
}

static void cancel_of_unread(struct kunit *test)
{
	struct program *p = start(test);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, -ENOENT, program_cancel(p, 1));
	expect_one(test, p, 1, 0);
}

/* Of several with the same mark, the oldest; each only once. */
static void cancel_takes_the_oldest(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	const struct ask asks[] = { { 1 }, { 2 }, { 1 } };

	fake->keeps = true;
	KUNIT_ASSERT_EQ(test, 3, program_submit(p, asks, 3));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, -EALREADY, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, 2, fake_calls(fake, FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, 3u, fake_complete_held(fake, 0));
}

/* While submit holds a request, its cancel has to wait. */

struct in_submit {
	struct kunit *test;
	struct program *p;
	int ret;
};

static int cancel_when_in_submit(void *arg)
{
	struct in_submit *s = arg;
	struct fake *fake = fake_behind(s->p);

	if (!wait_for_completion_timeout(&fake->gates[FAKE_SUBMIT].reached, TEST_LIMIT))
		return -ETIMEDOUT;
	s->ret = program_cancel(s->p, 1);
	if (!s->ret && program_cancel(s->p, 1) != -EALREADY)
		s->ret = -EINVAL;
	/* The gate opens only now, so a cancel from here would be seen. */
	if (fake_calls(fake, FAKE_CANCEL))
		s->ret = -EINVAL;
	fake_gate_open(fake, FAKE_SUBMIT);
	return s->ret;
}

static int submit_and_cancel_inside(struct kunit *test, struct program *p, const struct ask *ask)
{
	struct in_submit *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct test_thread *canceller;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->p = p;
	fake_gate_shut(fake_behind(p), FAKE_SUBMIT);
	canceller = test_thread_start(test, cancel_when_in_submit, s);
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, ask));
	return test_thread_join(test, canceller);
}

static void cancel_in_submit_comes_after_it(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);

	KUNIT_EXPECT_EQ(test, 0, submit_and_cancel_inside(test, p, &(struct ask){ 1 }));
	expect_one(test, p, 1, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CANCEL));
}

static void cancel_in_submit_of_completed(struct kunit *test)
{
	struct program *p = start(test);
	const struct ask ask = { .user_data = 1, .action = FAKE_COMPLETE, .res = 8 };

	KUNIT_EXPECT_EQ(test, -ENOENT, submit_and_cancel_inside(test, p, &ask));
	expect_one(test, p, 1, 8);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake_behind(p), FAKE_CANCEL));
}

/* The file is closed, or the device goes. */

static void close_cancels_and_does_not_wait(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);

	fake->keeps = true;
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	fake_gate_shut(fake, FAKE_CLOSE);
	program_close(p);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake, -ECANCELED));
	fake_gate_await(test, fake, FAKE_CLOSE);
	fake_gate_open(fake, FAKE_CLOSE);
	KUNIT_EXPECT_EQ(test, 1ul, fake_stat(fake, UNTWIST_STAT_COMPLETIONS));
}

static void close_without_cancel_operation(struct kunit *test)
{
	const struct untwist_config config = { .ops = &fake_ops_without_cancel };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, FAKE_OP_DONE }));
	fake_gate_shut(fake, FAKE_CLOSE);
	program_close(p);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CLOSE));
	fake_complete(fake_take(fake), TEST_HARDIRQ, 0);
	fake_gate_await(test, fake, FAKE_CLOSE);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_DONE));
	fake_gate_open(fake, FAKE_CLOSE);
}

static void unregister_cancels(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	const struct ask asks[] = { { 1 }, { 2, FAKE_OP_DONE }, { 3 } };
	struct untwist_cqe cqes[4];
	int i;

	KUNIT_ASSERT_EQ(test, 3, program_submit(p, asks, 3));
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, 3, fake_calls(fake, FAKE_CANCEL));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_DONE));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	KUNIT_ASSERT_EQ(test, 3, program_completions(p, cqes, 4));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, -ENODEV, cqes[i].res);
	KUNIT_EXPECT_EQ(test, -ENODEV, program_ask(p, &asks[0]));
	KUNIT_EXPECT_EQ(test, -ENODEV, program_cancel(p, 1));
}

static int unregister(void *fake)
{
	fake_unregister(fake);
	return 0;
}

/* Its result is kept, and the end is told when it has come, to everybody. */
static void unregister_waits_for_what_cannot_be_cancelled(struct kunit *test)
{
	const struct untwist_config config = { .ops = &fake_ops_without_cancel };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct test_thread *thread;
	struct watch *watches[3];
	struct untwist_cqe cqe;
	int i;

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	thread = test_thread_start(test, unregister, fake);
	watch_until_unplug_waits(test, p->ch);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)kernel_read(p->file, &cqe, sizeof(cqe), NULL));
	EXPECT_BITS(test, 0, program_poll(p));
	for (i = 0; i < 3; i++)
		watches[i] = watch_start_exclusive(test, p->ch);

	fake_complete(fake_take(fake), TEST_HERE, 6);
	test_thread_join(test, thread);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_GE(test, atomic_read(&watches[i]->wakes), 1);
	EXPECT_BITS(test, EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR, program_poll(p));
	expect_one(test, p, 1, 6);
	KUNIT_EXPECT_EQ(test, -ENODEV, (int)kernel_read(p->file, &cqe, sizeof(cqe), NULL));
}

/* clang-format off */
static struct kunit_case request_cases[] = {
	KUNIT_CASE_PARAM(completes_once, complete_gen_params),
	KUNIT_CASE(refused_by_submit),
	KUNIT_CASE(nop_and_unknown_never_reach_the_driver),
	KUNIT_CASE(twice_in_submit),
	KUNIT_CASE(twice_before_the_work),
	KUNIT_CASE(twice_after_it_is_read),
	KUNIT_CASE(cancel_of_nothing),
	KUNIT_CASE(cancel_of_issued),
	KUNIT_CASE(cancel_twice),
	KUNIT_CASE(cancel_without_the_operation),
	KUNIT_CASE(cancel_of_done),
	KUNIT_CASE(cancel_of_unread),
	KUNIT_CASE(cancel_takes_the_oldest),
	KUNIT_CASE(cancel_in_submit_comes_after_it),
	KUNIT_CASE(cancel_in_submit_of_completed),
	KUNIT_CASE(close_cancels_and_does_not_wait),
	KUNIT_CASE(close_without_cancel_operation),
	KUNIT_CASE(unregister_cancels),
	KUNIT_CASE(unregister_waits_for_what_cannot_be_cancelled),
	{}
};

/* clang-format on */

static struct kunit_suite request_suite = {
	.name = "untwist_request",
	.test_cases = request_cases,
};

kunit_test_suite(request_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's requests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
