// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients: what a module is told of its calls, when, and how often.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "asker.h"
#include "channel.h"
#include "program.h"
#include "thread.h"
#include "watch.h"

/* Opens. */

static void device_is_found_by_its_name(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct untwist_device *ud = untwist_device_find("fake");

	KUNIT_EXPECT_PTR_EQ(test, fake->ud, ud);
	untwist_device_put(ud);
	KUNIT_EXPECT_NULL(test, untwist_device_find("fake1"));
	KUNIT_EXPECT_NULL(test, untwist_device_find("fak"));
	untwist_device_put(NULL);
}

/* As one may be that was found a moment ago. */
static void device_that_is_gone_cannot_be_opened(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct untwist_device *ud = untwist_device_find("fake");

	fake_unregister(fake);
	KUNIT_EXPECT_NULL(test, untwist_device_find("fake"));
	KUNIT_EXPECT_EQ(test, -ENODEV, (int)PTR_ERR(untwist_client_open(ud, NULL, NULL)));
	untwist_device_put(ud);
}

static void device_without_requests_has_no_clients(struct kunit *test)
{
	const struct untwist_config config = {
		.name = "dull",
		.ops = &fake_ops,
		.kind = UNTWIST_KIND_STREAM,
	};
	struct untwist_device *ud = fake_try_register(test, &config);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ud));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, (int)PTR_ERR(untwist_client_open(ud, NULL, NULL)));
}

static void driver_may_refuse_a_client(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_new(test);

	fake->open_ret = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, asker_open(asker, fake));
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&asker->gones));
}

static void client_is_an_open(struct kunit *test)
{
	const struct untwist_config config = {
		.kind = UNTWIST_KIND_NONE,
		.flags = UNTWIST_EXCLUSIVE,
	};
	struct fake *fake = fake_register(test, &config);
	struct asker *first = asker_start(test, fake);
	struct asker *second = asker_new(test);

	KUNIT_EXPECT_EQ(test, -EBUSY, asker_open(second, fake));
	asker_close(first);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, 0, asker_open(second, fake));
}

static void client_has_no_part_in_the_data(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_RECORD);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_HOLD, 0);
	struct untwist_request *req;

	KUNIT_EXPECT_EQ(test, 1u, untwist_broadcast(fake->ud, "abc", 3));
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	req = fake_take(fake);
	KUNIT_EXPECT_EQ(test, 0ul, untwist_push(req->channel, "abc", 3));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_room(req->channel, 3));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_pending(req->channel));
	untwist_event(req->channel, 1);
	untwist_end_of_stream(req->channel);
	fake_complete(req, TEST_HERE, 5);
	KUNIT_EXPECT_EQ(test, 5, question_await(q));
	KUNIT_EXPECT_EQ(test, 0ul, fake_stat(fake, UNTWIST_STAT_RX_LOST_RECORDS));
	EXPECT_BITS(test, EPOLLIN, program_poll(p) & EPOLLIN);
}

/* Answers. */

struct answer_case {
	const char *what;
	enum fake_action action;
	enum test_context context;
	s32 res;
};

static const struct answer_case answer_cases[] = {
	{ "in submit", FAKE_COMPLETE, TEST_HERE, 7 },
	{ "in a thread", FAKE_COMPLETE, TEST_THREAD, 8 },
	{ "in a soft interrupt", FAKE_COMPLETE, TEST_SOFTIRQ, 9 },
	{ "in a hard interrupt", FAKE_COMPLETE, TEST_HARDIRQ, 0 },
	{ "refused", FAKE_REFUSE, TEST_HERE, -EIO },
};

KUNIT_ARRAY_PARAM_DESC(answer, answer_cases, what);

/* However it comes, on the workqueue, and with what the driver said. */
static void answer_comes_on_the_workqueue(struct kunit *test)
{
	const struct answer_case *c = test->param_value;
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, c->action, c->res);

	q->call.arg[0] = FAKE_ARG0(c->action, c->context);
	q->call.user_data = 77;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, c->res, question_await(q));
	KUNIT_EXPECT_EQ(test, 77ull, q->last.user_data);
	KUNIT_EXPECT_EQ(test, c->action == FAKE_COMPLETE, (bool)q->last.value[0]);
	KUNIT_EXPECT_PTR_EQ(test, asker->client, untwist_call_client(&q->call));
}

static void unknown_opcode_is_an_answer(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct question *q = question_new(asker_start(test, fake), FAKE_COMPLETE, 1);

	q->call.opcode = UNTWIST_OP_DRIVER + FAKE_NR_OPCODES;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, question_await(q));
	q->call.opcode = UNTWIST_OP_NOP;
	question_renew(q);
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, 0, question_await(q));
}

static void payload_goes_and_comes(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);
	u8 bytes[] = { 0x01, 0x02, 0xff, 0x04 };
	struct untwist_request *req;

	q->call.opcode = FAKE_OP_TURN;
	q->call.payload = bytes;
	q->call.len = sizeof(bytes);
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	req = fake_take(fake);
	KUNIT_EXPECT_EQ(test, 0x01, (int)bytes[0]);
	/* As many as the result says. */
	fake_complete(req, TEST_HERE, 3);
	KUNIT_EXPECT_EQ(test, 3, question_await(q));
	KUNIT_EXPECT_EQ(test, 0, memcmp(bytes, "\xfe\xfd\x00\x04", 4));
}

/* A driver that works in place does so on the copy. */
static void payload_in_place_is_a_copy(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);
	u8 bytes[] = { 1, 2, 3 };
	struct untwist_request *req;

	q->call.opcode = FAKE_OP_PAGES;
	q->call.payload = bytes;
	q->call.len = sizeof(bytes);
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	req = fake_take(fake);
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_EXPECT_NULL(test, req->payload);
	sg_copy_from_buffer(req->sgt->sgl, req->sgt->orig_nents, "ab", 2);
	KUNIT_EXPECT_EQ(test, 1, bytes[0]);
	fake_complete(req, TEST_HERE, 3);
	KUNIT_EXPECT_EQ(test, 3, question_await(q));
	KUNIT_EXPECT_EQ(test, 0, memcmp(bytes, "ab\3", 3));
}

/* What goes to the device is taken at once. */
static void payload_to_the_device_is_copied(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);
	u8 bytes[] = { 1, 2, 3 };
	struct untwist_request *req;

	q->call.opcode = FAKE_OP_PAYLOAD;
	q->call.payload = bytes;
	q->call.len = sizeof(bytes);
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	memset(bytes, 0, sizeof(bytes));
	req = fake_take(fake);
	KUNIT_EXPECT_EQ(test, 3u, req->len);
	KUNIT_EXPECT_EQ(test, 0, memcmp(req->payload, "\1\2\3", 3));
	fake_complete(req, TEST_HERE, 3);
	KUNIT_EXPECT_EQ(test, 3, question_await(q));
	KUNIT_EXPECT_EQ(test, 0, (int)bytes[0]);
}

struct refusal_case {
	const char *what;
	u32 opcode;
	u32 flags;
	u32 len;
	bool no_payload;
	int ret;
};

static const struct refusal_case refusal_cases[] = {
	{ "unknown flag", FAKE_OP_PLAIN, 1u << 31, 0, false, -EINVAL },
	{ "arena", FAKE_OP_PAYLOAD, UNTWIST_SQE_ARENA, 4, false, -EINVAL },
	{ "both links", FAKE_OP_PLAIN, UNTWIST_SQE_LINK | UNTWIST_SQE_HARDLINK, 0, false, -EINVAL },
	{ "link to nothing", FAKE_OP_PLAIN, UNTWIST_SQE_LINK, 0, false, -EINVAL },
	{ "payload not taken", FAKE_OP_PLAIN, 0, 4, false, -EINVAL },
	{ "no payload there", FAKE_OP_PAYLOAD, 0, 4, true, -EINVAL },
	{ "payload too long", FAKE_OP_PAYLOAD, 0, 4097, false, -EMSGSIZE },
	{ "not many", FAKE_OP_PLAIN, UNTWIST_SQE_MULTISHOT, 0, false, -EOPNOTSUPP },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusal_cases, what);

static void wrong_call_is_refused(struct kunit *test)
{
	const struct refusal_case *c = test->param_value;
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *good = question_new(asker, FAKE_COMPLETE, 1);
	struct question *bad = question_new(asker, FAKE_COMPLETE, 1);
	struct untwist_call *const calls[] = { &good->call, &bad->call };
	u8 bytes[4] = {};

	bad->call.opcode = c->opcode;
	bad->call.flags = c->flags;
	bad->call.len = c->len;
	bad->call.payload = c->no_payload ? NULL : bytes;
	KUNIT_EXPECT_EQ(test, c->ret, question_ask(bad));
	/* Nor is what it is linked to taken. */
	good->call.flags = UNTWIST_SQE_LINK;
	KUNIT_EXPECT_EQ(test, c->ret, untwist_client_submit(asker->client, calls, 2));
	asker_close(asker);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&asker->dones));
}

static void call_nobody_is_told_of_is_refused(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_COMPLETE, 1);
	struct untwist_call *call = &q->call;

	KUNIT_EXPECT_EQ(test, -EINVAL, untwist_client_submit(asker->client, &call, 0));
	q->call.done = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, question_ask(q));
}

/* Room. */

#define ROUNDS_ALONE 1000

static void ask_again(struct question *q)
{
	q->last.value[1] = (u64)(s64)(q->dones < ROUNDS_ALONE ? question_ask(q) : 0);
	if (q->last.value[1])
		WRITE_ONCE(q->outside, (int)q->last.value[1]);
}

/* Who is told that a request is done finds the room that it took. */
static void callback_may_ask_again_at_once(struct kunit *test)
{
	const struct untwist_config config = { .kind = UNTWIST_KIND_NONE, .requests_max = 1 };
	struct fake *fake = fake_register(test, &config);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_COMPLETE, 1);
	unsigned int i;

	q->on_done = ask_again;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	for (i = 0; i < ROUNDS_ALONE; i++)
		KUNIT_ASSERT_NE(test, 0ul, wait_for_completion_timeout(&q->done, TEST_LIMIT));
	KUNIT_EXPECT_EQ(test, ROUNDS_ALONE, q->dones);
	KUNIT_EXPECT_EQ(test, 0, q->outside);
}

static void more_than_there_is_room_for_is_refused(struct kunit *test)
{
	const struct untwist_config config = { .kind = UNTWIST_KIND_NONE, .requests_max = 2 };
	struct fake *fake = fake_register(test, &config);
	struct asker *asker = asker_start(test, fake);
	struct question *a = question_new(asker, FAKE_HOLD, 0);
	struct question *b = question_new(asker, FAKE_COMPLETE, 0);
	struct question *c = question_new(asker, FAKE_COMPLETE, 0);
	struct untwist_call *const calls[] = { &b->call, &c->call, &a->call };

	b->call.flags = UNTWIST_SQE_LINK;
	KUNIT_EXPECT_EQ(test, -E2BIG, untwist_client_submit(asker->client, calls, 3));
	KUNIT_ASSERT_EQ(test, 0, question_ask(a));
	KUNIT_EXPECT_EQ(test, -EAGAIN, untwist_client_submit(asker->client, calls, 2));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake, 3));
	KUNIT_EXPECT_EQ(test, 3, question_await(a));
	KUNIT_EXPECT_EQ(test, 0, untwist_client_submit(asker->client, calls, 2));
	KUNIT_EXPECT_EQ(test, 0, question_await(c));
}

/* Chains. */

struct chain_case {
	const char *what;
	u32 link;
	s32 first;
	s32 second;
};

static const struct chain_case chain_cases[] = {
	{ "link", UNTWIST_SQE_LINK, 4, 5 },
	{ "broken link", UNTWIST_SQE_LINK, -EIO, -ECANCELED },
	{ "hard link", UNTWIST_SQE_HARDLINK, -EIO, 5 },
};

KUNIT_ARRAY_PARAM_DESC(chain, chain_cases, what);

static void link_starts_when_the_one_before_is_done(struct kunit *test)
{
	const struct chain_case *c = test->param_value;
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *first = question_new(asker, FAKE_HOLD, 0);
	struct question *second = question_new(asker, FAKE_COMPLETE, 5);
	struct untwist_call *const calls[] = { &first->call, &second->call };

	first->call.flags = c->link;
	KUNIT_ASSERT_EQ(test, 0, untwist_client_submit(asker->client, calls, 2));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
	fake_complete_held(fake, c->first);
	KUNIT_EXPECT_EQ(test, c->second, question_await(second));
	KUNIT_EXPECT_EQ(test, c->first, question_await(first));
	KUNIT_EXPECT_EQ(test, 1, first->order);
}

/* Early ends. */

static void call_can_be_cancelled(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_HOLD, 0);
	struct question *other = question_new(asker, FAKE_HOLD, 0);

	KUNIT_ASSERT_EQ(test, 0, question_ask(other));
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, 0, untwist_client_cancel(asker->client, &q->call));
	KUNIT_EXPECT_EQ(test, -ECANCELED, question_await(q));
	KUNIT_EXPECT_EQ(test, -ENOENT, untwist_client_cancel(asker->client, &q->call));
	KUNIT_EXPECT_EQ(test, 0, other->dones);
	fake->keeps = true;
	KUNIT_EXPECT_EQ(test, 0, untwist_client_cancel(asker->client, &other->call));
	KUNIT_EXPECT_EQ(test, -EALREADY, untwist_client_cancel(asker->client, &other->call));
	fake_complete_held(fake, 3);
	KUNIT_EXPECT_EQ(test, 3, question_await(other));
}

static void call_can_time_out(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);

	q->call.timeout_ns = 1000;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, -ETIME, question_await(q));
}

static void many_completions_come_before_the_last(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);
	struct untwist_request *req;
	unsigned int i;

	q->call.opcode = FAKE_OP_SHOTS;
	q->call.flags = UNTWIST_SQE_MULTISHOT;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	req = fake_take(fake);
	for (i = 0; i < 50; i++)
		KUNIT_ASSERT_EQ(test, 0, untwist_post(req, 1, i, 0));
	fake_complete(req, TEST_HARDIRQ, 2);
	KUNIT_EXPECT_EQ(test, 2, question_await(q));
	KUNIT_EXPECT_EQ(test, 50, q->shots);
}

/* Ends. */

static void close_cancels_and_tells_before_it_returns(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *held = question_new(asker, FAKE_HOLD, 0);
	struct question *done = question_new(asker, FAKE_COMPLETE, 1);

	KUNIT_ASSERT_EQ(test, 0, question_ask(held));
	KUNIT_ASSERT_EQ(test, 0, question_ask(done));
	asker_close(asker);
	KUNIT_EXPECT_EQ(test, 1, held->dones);
	KUNIT_EXPECT_EQ(test, -ECANCELED, held->last.res);
	KUNIT_EXPECT_EQ(test, 1, done->dones);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&asker->gones));
}

static int closing_thread(void *asker)
{
	asker_close(asker);
	return 0;
}

static void close_waits_for_the_driver(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_HOLD, 0);
	struct test_thread *closer;

	fake->keeps = true;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	fake_gate_shut(fake, FAKE_CANCEL);
	closer = test_thread_start(test, closing_thread, asker);
	fake_gate_await(test, fake, FAKE_CANCEL);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, question_ask(q));
	fake_gate_open(fake, FAKE_CANCEL);
	KUNIT_EXPECT_EQ(test, 0, q->dones);
	KUNIT_EXPECT_NOT_NULL(test, asker->client);
	fake_complete_held(fake, 4);
	test_thread_join(test, closer);
	KUNIT_EXPECT_EQ(test, 4, q->last.res);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
}

static void gone_device_ends_calls_and_tells(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_HOLD, 0);

	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	fake_unregister(fake);
	/* All of it has been told when the device is gone for its driver. */
	KUNIT_EXPECT_EQ(test, 1, q->dones);
	KUNIT_EXPECT_EQ(test, -ENODEV, q->last.res);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&asker->gones));
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, -ENODEV, question_ask(q));
	KUNIT_EXPECT_EQ(test, -ENOENT, untwist_client_cancel(asker->client, &q->call));
	asker_close(asker);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&asker->gones));
	KUNIT_EXPECT_EQ(test, 1, q->dones);
}

static void idle_client_is_told_as_well(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct asker *asker = asker_start(test, fake);

	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&asker->gones));
}

/* clang-format off */
static struct kunit_case client_cases[] = {
	KUNIT_CASE(device_is_found_by_its_name),
	KUNIT_CASE(device_that_is_gone_cannot_be_opened),
	KUNIT_CASE(device_without_requests_has_no_clients),
	KUNIT_CASE(driver_may_refuse_a_client),
	KUNIT_CASE(client_is_an_open),
	KUNIT_CASE(client_has_no_part_in_the_data),
	KUNIT_CASE_PARAM(answer_comes_on_the_workqueue, answer_gen_params),
	KUNIT_CASE(unknown_opcode_is_an_answer),
	KUNIT_CASE(payload_goes_and_comes),
	KUNIT_CASE(payload_in_place_is_a_copy),
	KUNIT_CASE(payload_to_the_device_is_copied),
	KUNIT_CASE_PARAM(wrong_call_is_refused, refusal_gen_params),
	KUNIT_CASE(call_nobody_is_told_of_is_refused),
	KUNIT_CASE(callback_may_ask_again_at_once),
	KUNIT_CASE(more_than_there_is_room_for_is_refused),
	KUNIT_CASE_PARAM(link_starts_when_the_one_before_is_done, chain_gen_params),
	KUNIT_CASE(call_can_be_cancelled),
	KUNIT_CASE(call_can_time_out),
	KUNIT_CASE(many_completions_come_before_the_last),
	KUNIT_CASE(close_cancels_and_tells_before_it_returns),
	KUNIT_CASE(close_waits_for_the_driver),
	KUNIT_CASE(gone_device_ends_calls_and_tells),
	KUNIT_CASE(idle_client_is_told_as_well),
	{}
};

/* clang-format on */

static struct kunit_suite client_suite = {
	.name = "untwist_client",
	.test_cases = client_cases,
};

kunit_test_suite(client_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's clients");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
