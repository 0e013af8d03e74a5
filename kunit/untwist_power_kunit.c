// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleep of the whole system: what is held, what is waited for, and what becomes of
 * it. The test takes the part of the kernel that calls suspend and resume.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>

#include "asker.h"
#include "channel.h"
#include "power.h"
#include "program.h"
#include "thread.h"

static struct fake *quiet_fake(struct kunit *test, unsigned int flags)
{
	const struct untwist_config config = {
		.kind = UNTWIST_KIND_NONE,
		.flags = UNTWIST_QUIESCE | flags,
	};

	return fake_register(test, &config);
}

static int sleep_now(struct fake *fake)
{
	return untwist_power_suspend(untwist_device_dev(fake->ud));
}

static void wake_up_now(struct fake *fake)
{
	untwist_power_resume(untwist_device_dev(fake->ud));
}

/* A suspend that is not patient at all. */
static void set_patience(struct kunit *test, const char *seconds)
{
	struct file *file =
		filp_open("/sys/module/untwist/parameters/quiesce_seconds", O_WRONLY, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, (ssize_t)strlen(seconds),
			kernel_write(file, seconds, strlen(seconds), NULL));
	filp_close(file, NULL);
}

struct config_case {
	const char *what;
	unsigned int flags;
	bool cancel;
	int ret;
};

static const struct config_case config_cases[] = {
	{ "quiesce", UNTWIST_QUIESCE, false, 0 },
	{ "quiesce and cancel", UNTWIST_QUIESCE | UNTWIST_QUIESCE_CANCEL, true, 0 },
	{ "cancel alone", UNTWIST_QUIESCE_CANCEL, true, -EINVAL },
	{ "without an operation", UNTWIST_QUIESCE | UNTWIST_QUIESCE_CANCEL, false, -EINVAL },
	{ "no parent", UNTWIST_RUNTIME_PM, true, -EINVAL },
	{ "unknown flag", 1u << 6, true, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(config, config_cases, what);

static void description_is_checked(struct kunit *test)
{
	const struct config_case *c = test->param_value;
	const struct untwist_config config = {
		.name = "quiet",
		.ops = c->cancel ? &fake_ops : &fake_ops_without_cancel,
		.kind = UNTWIST_KIND_STREAM,
		.flags = c->flags,
	};

	KUNIT_EXPECT_EQ(test, c->ret, PTR_ERR_OR_ZERO(fake_try_register(test, &config)));
}

static void request_waits_for_the_system(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, 0);
	struct program *p = program_start(test, fake, 0);
	struct untwist_cqe cqe;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, sleep_now(fake));
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ i, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, 0, program_completions(p, &cqe, 1));
	wake_up_now(fake);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, (u64)i, program_await(p).user_data);
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 9, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 9ull, program_await(p).user_data);
}

/* The core answers by itself. */
static void core_does_not_sleep(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, 0);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);

	KUNIT_ASSERT_EQ(test, 0, sleep_now(fake));
	q->call.opcode = UNTWIST_OP_NOP;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, 0, question_await(q));
	wake_up_now(fake);
}

static void device_that_did_not_ask_is_left_alone(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_ASSERT_EQ(test, 0, sleep_now(fake));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 2ull, program_await(p).user_data);
}

static int sleeping_thread(void *fake)
{
	return sleep_now(fake);
}

static void sleep_waits_for_the_driver(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, 0);
	struct program *p = program_start(test, fake, 0);
	struct test_thread *sleeper;
	unsigned long end = jiffies + TEST_LIMIT;

	set_patience(test, "20");
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	sleeper = test_thread_start(test, sleeping_thread, fake);
	while (!wq_has_sleeper(&fake->ud->power.idle)) {
		KUNIT_ASSERT_TRUE(test, time_before(jiffies, end));
		cond_resched();
	}
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 1u, fake_complete_held(fake, 3));
	KUNIT_EXPECT_EQ(test, 0, test_thread_join(test, sleeper));
	KUNIT_EXPECT_EQ(test, 3, program_await(p).res);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
	wake_up_now(fake);
	KUNIT_EXPECT_EQ(test, 2ull, program_await(p).user_data);
	set_patience(test, "5");
}

/* The system stays awake, and so does the device. */
static void driver_that_takes_too_long_refuses(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, 0);
	struct program *p = program_start(test, fake, 0);

	set_patience(test, "0");
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, -EBUSY, sleep_now(fake));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 2ull, program_await(p).user_data);
	fake_complete_held(fake, 0);
	KUNIT_EXPECT_EQ(test, 1ull, program_await(p).user_data);
	KUNIT_EXPECT_EQ(test, 0, sleep_now(fake));
	wake_up_now(fake);
	set_patience(test, "5");
}

static void sleep_may_cancel(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, UNTWIST_QUIESCE_CANCEL);
	struct program *p = program_start(test, fake, 0);
	struct program *q = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2 }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(q, &(struct ask){ 3 }));
	KUNIT_EXPECT_EQ(test, 0, sleep_now(fake));
	KUNIT_EXPECT_EQ(test, -ECANCELED, program_await(p).res);
	KUNIT_EXPECT_EQ(test, -ECANCELED, program_await(p).res);
	KUNIT_EXPECT_EQ(test, -ECANCELED, program_await(q).res);
	wake_up_now(fake);
}

static void many_completions_outlive_the_sleep(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, UNTWIST_QUIESCE_CANCEL);
	struct question *q = question_new(asker_start(test, fake), FAKE_HOLD, 0);
	struct untwist_request *req;

	q->call.opcode = FAKE_OP_SHOTS;
	q->call.flags = UNTWIST_SQE_MULTISHOT;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	req = fake_take(fake);
	KUNIT_EXPECT_EQ(test, 0, sleep_now(fake));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_CANCEL));
	wake_up_now(fake);
	KUNIT_EXPECT_EQ(test, 0, untwist_post(req, 1, 0, 0));
	fake_complete(req, TEST_HERE, 2);
	KUNIT_EXPECT_EQ(test, 2, question_await(q));
	KUNIT_EXPECT_EQ(test, 1, q->shots);
}

static void link_is_held_as_well(struct kunit *test)
{
	struct fake *fake = quiet_fake(test, 0);
	struct asker *asker = asker_start(test, fake);
	struct question *first = question_new(asker, FAKE_COMPLETE, 1);
	struct question *second = question_new(asker, FAKE_COMPLETE, 2);
	struct untwist_call *const calls[] = { &first->call, &second->call };

	first->call.flags = UNTWIST_SQE_LINK;
	KUNIT_ASSERT_EQ(test, 0, sleep_now(fake));
	KUNIT_ASSERT_EQ(test, 0, untwist_client_submit(asker->client, calls, 2));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_SUBMIT));
	wake_up_now(fake);
	KUNIT_EXPECT_EQ(test, 2, question_await(second));
	KUNIT_EXPECT_EQ(test, 1, question_await(first));
}

/* Early ends of what is held: the driver does not hear of it. */

static const struct untwist_ops *const ops_cases[] = { &fake_ops, &fake_ops_without_cancel };

static void ops_desc(const struct untwist_ops *const *ops, char *to)
{
	strscpy(to, (*ops)->cancel ? "with cancel" : "without cancel", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ops, ops_cases, ops_desc);

static struct fake *sleeping_fake(struct kunit *test)
{
	const struct untwist_config config = {
		.kind = UNTWIST_KIND_NONE,
		.ops = *(const struct untwist_ops *const *)test->param_value,
		.flags = UNTWIST_QUIESCE,
	};
	struct fake *fake = fake_register(test, &config);

	KUNIT_ASSERT_EQ(test, 0, sleep_now(fake));
	return fake;
}

static void held_request_can_be_cancelled(struct kunit *test)
{
	struct fake *fake = sleeping_fake(test);
	struct program *p = program_start(test, fake, 0);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, FAKE_COMPLETE }));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 2, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, 0, program_cancel(p, 1));
	KUNIT_EXPECT_EQ(test, -ECANCELED, program_await(p).res);
	wake_up_now(fake);
	KUNIT_EXPECT_EQ(test, 2ull, program_await(p).user_data);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_SUBMIT));
}

static void held_request_can_time_out(struct kunit *test)
{
	struct fake *fake = sleeping_fake(test);
	struct question *q = question_new(asker_start(test, fake), FAKE_COMPLETE, 0);

	q->call.timeout_ns = 1000;
	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	KUNIT_EXPECT_EQ(test, -ETIME, question_await(q));
	wake_up_now(fake);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_SUBMIT));
}

static void close_ends_what_is_held(struct kunit *test)
{
	struct fake *fake = sleeping_fake(test);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_COMPLETE, 1);

	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	asker_close(asker);
	KUNIT_EXPECT_EQ(test, -ECANCELED, q->last.res);
	KUNIT_EXPECT_EQ(test, 1, fake_calls(fake, FAKE_CLOSE));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_SUBMIT));
}

/* A device may be pulled out of a machine that sleeps, and never wakes up then. */
static void unplug_ends_what_is_held(struct kunit *test)
{
	struct fake *fake = sleeping_fake(test);
	struct asker *asker = asker_start(test, fake);
	struct question *q = question_new(asker, FAKE_COMPLETE, 1);

	KUNIT_ASSERT_EQ(test, 0, question_ask(q));
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, -ENODEV, q->last.res);
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_SUBMIT));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&asker->gones));
}

/* Sleep against submission. */

#define NAPS  200
#define ASKED 32

/**
 * struct nap - who sleeps and who asks
 * @test: test
 * @fake: fake
 * @questions: of the round
 * @left_at: step of who asks
 * @right_at: step of who sleeps
 */
struct nap {
	struct kunit *test;
	struct fake *fake;
	struct question *questions[ASKED];
	unsigned int left_at;
	unsigned int right_at;
};

static void nap_begin(void *arg)
{
	struct nap *nap = arg;
	unsigned int i;

	nap->left_at = 0;
	nap->right_at = 0;
	for (i = 0; i < ASKED; i++)
		question_renew(nap->questions[i]);
}

static void ask_left(void *arg)
{
	struct nap *nap = arg;
	unsigned int i;

	for (i = 0; i < ASKED; i++) {
		test_race_step(&nap->left_at, &nap->right_at, i + 1);
		KUNIT_EXPECT_EQ(nap->test, 0, question_ask(nap->questions[i]));
	}
}

/* Nothing is with the driver while the system sleeps. */
static void sleep_right(void *arg)
{
	struct nap *nap = arg;
	unsigned int i;
	int seen;

	for (i = 0; i < ASKED; i += 4) {
		test_race_step(&nap->right_at, &nap->left_at, i + 1);
		KUNIT_EXPECT_EQ(nap->test, 0, sleep_now(nap->fake));
		seen = fake_calls(nap->fake, FAKE_SUBMIT);
		cond_resched();
		KUNIT_EXPECT_EQ(nap->test, seen, fake_calls(nap->fake, FAKE_SUBMIT));
		wake_up_now(nap->fake);
	}
}

static void nap_after(void *arg)
{
	struct nap *nap = arg;
	unsigned int i;

	for (i = 0; i < ASKED; i++)
		KUNIT_EXPECT_EQ(nap->test, 1, question_await(nap->questions[i]));
}

static void submit_races_sleep(struct kunit *test)
{
	struct nap *nap = kunit_kzalloc(test, sizeof(*nap), GFP_KERNEL);
	const struct test_race race = {
		.before = nap_begin,
		.left = ask_left,
		.right = sleep_right,
		.after = nap_after,
		.arg = nap,
	};
	struct asker *asker;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, nap);
	nap->test = test;
	nap->fake = quiet_fake(test, 0);
	asker = asker_start(test, nap->fake);
	for (i = 0; i < ASKED; i++) {
		nap->questions[i] = question_new(asker, FAKE_COMPLETE, 1);
		nap->questions[i]->call.opcode = i % 2 ? FAKE_OP_DONE : FAKE_OP_PLAIN;
	}
	test_race_run(test, &race, NAPS);
	KUNIT_EXPECT_EQ(test, NAPS * ASKED, fake_calls(nap->fake, FAKE_SUBMIT));
}

/* clang-format off */
static struct kunit_case power_cases[] = {
	KUNIT_CASE_PARAM(description_is_checked, config_gen_params),
	KUNIT_CASE(request_waits_for_the_system),
	KUNIT_CASE(core_does_not_sleep),
	KUNIT_CASE(device_that_did_not_ask_is_left_alone),
	KUNIT_CASE(sleep_waits_for_the_driver),
	KUNIT_CASE(driver_that_takes_too_long_refuses),
	KUNIT_CASE(sleep_may_cancel),
	KUNIT_CASE(many_completions_outlive_the_sleep),
	KUNIT_CASE(link_is_held_as_well),
	KUNIT_CASE_PARAM(held_request_can_be_cancelled, ops_gen_params),
	KUNIT_CASE_PARAM(held_request_can_time_out, ops_gen_params),
	KUNIT_CASE_PARAM(close_ends_what_is_held, ops_gen_params),
	KUNIT_CASE_PARAM(unplug_ends_what_is_held, ops_gen_params),
	KUNIT_CASE_SLOW(submit_races_sleep),
	{}
};

/* clang-format on */

static struct kunit_suite power_suite = {
	.name = "untwist_power",
	.test_cases = power_cases,
};

kunit_test_suite(power_suite);

MODULE_DESCRIPTION("KUnit suite of devices and systems that sleep");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
