// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls on a node: what poll() says, who waits and who does not,
 * faults, and what is left to do after the device has gone with its module.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uio.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "thread.h"
#include "watch.h"

static const struct untwist_config small_stream = {
	.kind = UNTWIST_KIND_STREAM,
	.rx_size = 64,
	.tx_size = 64,
	.requests_max = 1,
};

/* A call with flags of its own, or on memory that is the program's. */
static ssize_t call_read(struct program *p, void __user *buf, size_t len, int flags)
{
	struct kiocb iocb;
	struct iov_iter to;

	init_sync_kiocb(&iocb, p->file);
	iocb.ki_flags |= flags;
	iov_iter_ubuf(&to, ITER_DEST, buf, len);
	return p->file->f_op->read_iter(&iocb, &to);
}

static ssize_t call_write(struct program *p, void __user *buf, size_t len, int flags)
{
	struct kiocb iocb;
	struct iov_iter from;

	init_sync_kiocb(&iocb, p->file);
	iocb.ki_flags |= flags;
	iov_iter_ubuf(&from, ITER_SOURCE, buf, len);
	return p->file->f_op->write_iter(&iocb, &from);
}

/* Memory that no program has. */
static void __user *const nowhere = (void __user *)16;

/* Poll. */

enum poll_state {
	RECEIVED = 1 << 0,
	SENT_FULL = 1 << 1,
	LOST = 1 << 2,
	SUBMITTED = 1 << 3,
	COMPLETED = 1 << 4,
	ON_COMPLETIONS = 1 << 5,
	GONE = 1 << 6,
	ENDED = 1 << 7,
	HAPPENED = 1 << 8,
};

#define IN  (EPOLLIN | EPOLLRDNORM)
#define OUT (EPOLLOUT | EPOLLWRNORM)
#define HUP (EPOLLHUP | EPOLLERR)
#define END (IN | EPOLLRDHUP)

struct poll_case {
	const char *name;
	unsigned int state;
	__poll_t bits;
};

static const struct poll_case poll_cases[] = {
	{ "nothing", 0, OUT },
	{ "received", RECEIVED, IN | OUT },
	{ "sent full", SENT_FULL, 0 },
	{ "received, sent full", RECEIVED | SENT_FULL, IN },
	{ "lost", RECEIVED | LOST, IN | OUT | EPOLLPRI },
	{ "gone", GONE, HUP },
	{ "gone, received", RECEIVED | GONE, IN | HUP },
	{ "gone, lost", RECEIVED | LOST | GONE, IN | EPOLLPRI | HUP },
	{ "gone, sent full", SENT_FULL | GONE, HUP },
	{ "ended", ENDED, END | OUT },
	{ "ended, received", RECEIVED | ENDED, END | OUT },
	{ "ended, gone", ENDED | GONE, END | HUP },
	{ "happened", HAPPENED, OUT | EPOLLPRI },
	{ "happened, lost", RECEIVED | LOST | HAPPENED, IN | OUT | EPOLLPRI },
	{ "gone, happened", HAPPENED | GONE, EPOLLPRI | HUP },
	{ "completed, but on data", SUBMITTED | COMPLETED, OUT },
	{ "completions: nothing", ON_COMPLETIONS, OUT },
	{ "completions: received, but on completions", ON_COMPLETIONS | RECEIVED, OUT },
	{ "completions: ended", ON_COMPLETIONS | ENDED, OUT },
	{ "completions: happened", ON_COMPLETIONS | HAPPENED, OUT | EPOLLPRI },
	{ "completions: lost", ON_COMPLETIONS | RECEIVED | LOST, OUT },
	{ "completions: full", ON_COMPLETIONS | SUBMITTED, 0 },
	{ "completions: completed", ON_COMPLETIONS | SUBMITTED | COMPLETED, IN },
	{ "completions: gone", ON_COMPLETIONS | GONE, HUP },
	{ "completions: gone, completed", ON_COMPLETIONS | SUBMITTED | COMPLETED | GONE, IN | HUP },
};

KUNIT_ARRAY_PARAM_DESC(poll, poll_cases, name);

static void bring_about(struct kunit *test, struct fake *fake, struct program *p,
			unsigned int state)
{
	const enum fake_action action = state & COMPLETED ? FAKE_COMPLETE : FAKE_HOLD;
	u8 buf[64] = {};

	if (state & RECEIVED)
		KUNIT_ASSERT_EQ(test, 64ul, untwist_push(p->ch, buf, 64));
	if (state & LOST)
		KUNIT_ASSERT_EQ(test, 0ul, untwist_push(p->ch, buf, 1));
	if (state & ENDED)
		untwist_end_of_stream(p->ch);
	if (state & HAPPENED)
		untwist_event(p->ch, 1);
	if (state & SENT_FULL)
		KUNIT_ASSERT_EQ(test, 64l, kernel_write(p->file, buf, 64, NULL));
	if (state & SUBMITTED)
		KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1, 0, action }));
	if (state & ON_COMPLETIONS)
		p->ch->plane = UNTWIST_PLANE_COMPLETIONS;
	if (state & GONE)
		fake_unregister(fake);
}

static void poll_tells(struct kunit *test)
{
	const struct poll_case *c = test->param_value;
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	bring_about(test, fake, p, c->state);
	EXPECT_BITS(test, c->bits, program_poll(p));
}

/* Without a transmit operation, nobody would take what is written. */
static void cannot_write_to_what_does_not_listen(struct kunit *test)
{
	static const struct untwist_ops no_ops;
	const struct untwist_config config = { .ops = &no_ops, .kind = UNTWIST_KIND_STREAM };
	struct fake *fake = fake_register(test, &config);
	struct program *p = program_start(test, fake, 0);

	KUNIT_EXPECT_EQ(test, -EINVAL, (int)kernel_write(p->file, "x", 1, NULL));
	EXPECT_BITS(test, 0, program_poll(p));
	KUNIT_EXPECT_EQ(test, 1ul, untwist_push(p->ch, "x", 1));
	EXPECT_BITS(test, IN, program_poll(p));
}

static void cannot_write_to_completions(struct kunit *test)
{
	struct program *p = program_start(test, fake_register_kind(test, UNTWIST_KIND_NONE), 0);

	KUNIT_EXPECT_EQ(test, -EINVAL, (int)kernel_write(p->file, "x", 1, NULL));
}

/* Waiting. */

struct waiter {
	struct program *p;
	char buf[80];
	size_t len;
};

static int read_blocking(void *arg)
{
	struct waiter *waiter = arg;

	return kernel_read(waiter->p->file, waiter->buf, waiter->len, NULL);
}

static int write_blocking(void *arg)
{
	struct waiter *waiter = arg;

	return kernel_write(waiter->p->file, waiter->buf, waiter->len, NULL);
}

static struct waiter *waiter_new(struct kunit *test, struct program *p, size_t len)
{
	struct waiter *waiter = kunit_kzalloc(test, sizeof(*waiter), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, waiter);
	waiter->p = p;
	waiter->len = len;
	return waiter;
}

static void read_waits_for_data(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), 0);
	struct waiter *waiter = waiter_new(test, p, 80);
	struct test_thread *reader = test_thread_start(test, read_blocking, waiter);

	watch_until_sleepers(test, p->ch, 1);
	untwist_push(p->ch, "abc", 3);
	KUNIT_EXPECT_EQ(test, 3, test_thread_join(test, reader));
	KUNIT_EXPECT_STREQ(test, "abc", waiter->buf);
}

static void read_waits_for_completions(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, 0);
	struct test_thread *reader;

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	reader = test_thread_start(test, read_blocking, waiter_new(test, p, 80));
	watch_until_sleepers(test, p->ch, 1);
	fake_complete(fake_take(fake), TEST_HARDIRQ, 0);
	KUNIT_EXPECT_EQ(test, (int)sizeof(struct untwist_cqe), test_thread_join(test, reader));
}

/* A write of bytes returns when all are taken, or in the middle when it must. */
static void write_waits_for_room(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), 0);
	struct test_thread *writer;
	u8 buf[64];

	writer = test_thread_start(test, write_blocking, waiter_new(test, p, 80));
	watch_until_sleepers(test, p->ch, 1);
	KUNIT_EXPECT_EQ(test, 64ul, untwist_pull(p->ch, buf, 64));
	KUNIT_EXPECT_EQ(test, 80, test_thread_join(test, writer));
	KUNIT_EXPECT_EQ(test, 16ul, untwist_pending(p->ch));
}

static void signals_end_the_wait(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), 0);
	struct test_thread *reader, *writer, *late;

	reader = test_thread_start(test, read_blocking, waiter_new(test, p, 80));
	writer = test_thread_start(test, write_blocking, waiter_new(test, p, 80));
	watch_until_sleepers(test, p->ch, 2);
	test_thread_interrupt(reader);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, test_thread_join(test, reader));
	/* What was taken is told, and only who has got nowhere starts anew. */
	test_thread_interrupt(writer);
	KUNIT_EXPECT_EQ(test, 64, test_thread_join(test, writer));
	late = test_thread_start(test, write_blocking, waiter_new(test, p, 80));
	watch_until_sleepers(test, p->ch, 1);
	test_thread_interrupt(late);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, test_thread_join(test, late));
}

static void nowait_never_waits(struct kunit *test)
{
	struct program *p = program_start(test, fake_register(test, &small_stream), 0);
	u8 buf[64] = {};

	KUNIT_EXPECT_TRUE(test, p->file->f_mode & FMODE_NOWAIT);
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)call_read(p, p->memory, 1, IOCB_NOWAIT));
	KUNIT_ASSERT_EQ(test, 64l, kernel_write(p->file, buf, 64, NULL));
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)call_write(p, p->memory, 1, IOCB_NOWAIT));
	/* Nor for another call to finish its copy. */
	untwist_push(p->ch, buf, 1);
	untwist_pull(p->ch, buf, 64);
	mutex_lock(&p->ch->rd_mutex);
	mutex_lock(&p->ch->wr_mutex);
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)call_read(p, p->memory, 1, IOCB_NOWAIT));
	KUNIT_EXPECT_EQ(test, -EAGAIN, (int)call_write(p, p->memory, 1, IOCB_NOWAIT));
	mutex_unlock(&p->ch->wr_mutex);
	mutex_unlock(&p->ch->rd_mutex);
	KUNIT_EXPECT_EQ(test, 1l, call_read(p, p->memory, 1, IOCB_NOWAIT));
	KUNIT_EXPECT_EQ(test, 1l, call_write(p, p->memory, 1, IOCB_NOWAIT));
}

/* Faults. */

static const u32 kinds[] = { UNTWIST_KIND_STREAM, UNTWIST_KIND_RECORD };

static void kind_desc(const u32 *kind, char *to)
{
	snprintf(to, KUNIT_PARAM_DESC_SIZE, *kind == UNTWIST_KIND_STREAM ? "bytes" : "records");
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

static void faults_lose_nothing(struct kunit *test)
{
	const u32 *kind = test->param_value;
	struct program *p = program_start(test, fake_register_kind(test, *kind), O_NONBLOCK);
	char buf[4] = {};

	untwist_push(p->ch, "abc", 3);
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)call_read(p, nowhere, 3, 0));
	KUNIT_EXPECT_EQ(test, 3l, kernel_read(p->file, buf, 3, NULL));
	KUNIT_EXPECT_STREQ(test, "abc", buf);
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)call_write(p, nowhere, 3, 0));
	KUNIT_EXPECT_EQ(test, 0ul, untwist_pending(p->ch));
}

static void faults_lose_no_completion(struct kunit *test)
{
	struct fake *fake = fake_register_kind(test, UNTWIST_KIND_NONE);
	struct program *p = program_start(test, fake, O_NONBLOCK);

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 9, 0, FAKE_COMPLETE }));
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)call_read(p, nowhere, 64, 0));
	KUNIT_EXPECT_EQ(test, 9ull, program_await(p).user_data);
}

/* The device has gone, and its module with it: KASAN tells who looks there. */

static void gone_reads_what_is_left(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, 0);
	u8 buf[64] = {};

	KUNIT_ASSERT_EQ(test, 64ul, untwist_push(p->ch, buf, 64));
	/* The driver waits for room: it is not to be called when there is some. */
	KUNIT_ASSERT_EQ(test, 0ul, untwist_room(p->ch, 1));
	fake_unregister(fake);
	KUNIT_EXPECT_EQ(test, 60l, kernel_read(p->file, buf, 60, NULL));
	KUNIT_EXPECT_EQ(test, -ENODEV, (int)kernel_write(p->file, buf, 1, NULL));
	KUNIT_EXPECT_EQ(test, 4l, kernel_read(p->file, buf, 60, NULL));
	KUNIT_EXPECT_EQ(test, -ENODEV, (int)kernel_read(p->file, buf, 60, NULL));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_RESUME));
	KUNIT_EXPECT_EQ(test, 0, fake_calls(fake, FAKE_TRANSMIT));
}

static void gone_with_signals_wanted(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	struct untwist_cqe cqe;

	KUNIT_ASSERT_LE(test, 0, p->file->f_op->fasync(0, p->file, 1));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	untwist_push(p->ch, "x", 1);
	fake_unregister(fake);
	/* It was full, so there is room now; the device's workqueue is no more. */
	KUNIT_EXPECT_EQ(test, 1, program_completions(p, &cqe, 1));
	KUNIT_EXPECT_EQ(test, -ENODEV, cqe.res);
	KUNIT_EXPECT_LE(test, 0, p->file->f_op->fasync(-1, p->file, 0));
}

static void push_here(void *ch)
{
	untwist_push(ch, "x", 1);
}

/* What signals need is done elsewhere; who announces may be anywhere. */
static void signals_wanted_from_an_interrupt(struct kunit *test)
{
	struct fake *fake = fake_register(test, &small_stream);
	struct program *p = program_start(test, fake, O_NONBLOCK);
	char c;

	KUNIT_ASSERT_LE(test, 0, p->file->f_op->fasync(0, p->file, 1));
	test_call_in(TEST_HARDIRQ, push_here, p->ch);
	test_call_in(TEST_SOFTIRQ, push_here, p->ch);
	KUNIT_EXPECT_EQ(test, 1l, kernel_read(p->file, &c, 1, NULL));
	KUNIT_EXPECT_LE(test, 0, p->file->f_op->fasync(-1, p->file, 0));
}

/* clang-format off */
static struct kunit_case file_cases[] = {
	KUNIT_CASE_PARAM(poll_tells, poll_gen_params),
	KUNIT_CASE(cannot_write_to_what_does_not_listen),
	KUNIT_CASE(cannot_write_to_completions),
	KUNIT_CASE(read_waits_for_data),
	KUNIT_CASE(read_waits_for_completions),
	KUNIT_CASE(write_waits_for_room),
	KUNIT_CASE(signals_end_the_wait),
	KUNIT_CASE(nowait_never_waits),
	KUNIT_CASE_PARAM(faults_lose_nothing, kind_gen_params),
	KUNIT_CASE(faults_lose_no_completion),
	KUNIT_CASE(gone_reads_what_is_left),
	KUNIT_CASE(gone_with_signals_wanted),
	KUNIT_CASE(signals_wanted_from_an_interrupt),
	{}
};

/* clang-format on */

static struct kunit_suite file_suite = {
	.name = "untwist_file",
	.test_cases = file_cases,
};

kunit_test_suite(file_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's system calls");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
