// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program does with a node. Reads, writes and polls go through the open
 * file. Requests go to the functions right behind the ioctls, with entries in
 * the memory of a real address space.
 */
#include <kunit/resource.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "channel.h"
#include "submit.h"
#include "program.h"
#include "stream.h"

/* Entries, and then the payloads that are used in place. */
#define PROGRAM_ENTRIES	      SZ_16K
#define PROGRAM_PAYLOAD_SPACE (PROGRAM_PAYLOAD_PAGES * PAGE_SIZE)
#define PROGRAM_MEMORY	      (PROGRAM_ENTRIES + PROGRAM_BATCH * PROGRAM_PAYLOAD_SPACE)

static_assert(PROGRAM_BATCH * sizeof(struct untwist_sqe) <= PROGRAM_ENTRIES);
static_assert(PROGRAM_PAYLOAD_LEN < PROGRAM_PAYLOAD_SPACE);

/**
 * program_close() - close what a program has open, if anything
 * @p: program
 *
 * When this returns, the close has been done: a thread of the kernel would
 * leave it to others for later.
 */
void program_close(struct program *p)
{
	if (p->file)
		__fput_sync(p->file);
	else if (p->ch)
		untwist_channel_release(p->ch);
	p->file = NULL;
	p->ch = NULL;
}
EXPORT_SYMBOL_GPL(program_close);

static void program_end(void *p)
{
	program_close(p);
}

/**
 * program_new() - begin a program
 * @test: test that it ends with, in whose thread it runs
 *
 * Return: the program, without anything open.
 */
struct program *program_new(struct kunit *test)
{
	struct program *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	unsigned long memory;

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->test = test;
	memory = kunit_vm_mmap(test, NULL, 0, PROGRAM_MEMORY, PROT_READ | PROT_WRITE,
			       MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !memory || IS_ERR_VALUE(memory));
	p->memory = (struct untwist_sqe __user *)memory;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, program_end, p));
	return p;
}
EXPORT_SYMBOL_GPL(program_new);

/**
 * program_open() - open a node
 * @p: program without anything open
 * @fake: whose node
 * @flags: O_* but for the access mode
 *
 * Return: 0 or what open() failed with.
 */
int program_open(struct program *p, struct fake *fake, int flags)
{
	char path[64];
	struct file *file;

	snprintf(path, sizeof(path), "/dev/untwist/%s", fake->name);
	file = filp_open(path, O_RDWR | flags, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	p->file = file;
	p->ch = file->private_data;
	return 0;
}
EXPORT_SYMBOL_GPL(program_open);

/**
 * program_open_channel() - open a channel without a node, which is quick
 * @p: program without anything open
 * @fake: whose channel
 *
 * Return: 0 or what the open failed with.
 */
int program_open_channel(struct program *p, struct fake *fake)
{
	struct untwist_channel *ch = untwist_channel_open(fake->ud);

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	p->ch = ch;
	return 0;
}
EXPORT_SYMBOL_GPL(program_open_channel);

/**
 * program_start() - begin a program and open a node
 * @test: test that it ends with, which fails if the node cannot be opened
 * @fake: whose node
 * @flags: O_* but for the access mode
 *
 * Return: the program.
 */
struct program *program_start(struct kunit *test, struct fake *fake, int flags)
{
	struct program *p = program_new(test);

	KUNIT_ASSERT_EQ(test, 0, program_open(p, fake, flags));
	return p;
}
EXPORT_SYMBOL_GPL(program_start);

/* Requests. */

/**
 * program_submit_entries() - submit entries just as they are
 * @p: program
 * @submit: the argument; the address of the entries is filled in
 * @entries: up to PROGRAM_BATCH of them
 *
 * Return: as UNTWIST_IOC_SUBMIT.
 */
int program_submit_entries(struct program *p, struct untwist_submit *submit,
			   const struct untwist_sqe *entries)
{
	size_t size = min_t(size_t, submit->count, PROGRAM_BATCH) * sizeof(*entries);
	int ret;

	if (copy_to_user(p->memory, entries, size))
		return -EFAULT;
	submit->entries = (uintptr_t)p->memory;
	if (!untwist_channel_enter(p->ch))
		return -ENODEV;
	ret = untwist_requests_submit(p->ch, submit);
	untwist_channel_leave(p->ch, 1);
	return ret;
}
EXPORT_SYMBOL_GPL(program_submit_entries);

/**
 * program_payload() - where the payload of a request is that uses it in place
 * @p: program
 * @user_data: of the request; those of PROGRAM_BATCH in a row differ
 *
 * Return: the address of PROGRAM_PAYLOAD_LEN bytes, across pages.
 */
u64 program_payload(const struct program *p, u64 user_data)
{
	unsigned int i = user_data % PROGRAM_BATCH;

	return (uintptr_t)p->memory + PROGRAM_ENTRIES + (i + 1) * PROGRAM_PAYLOAD_SPACE -
		PROGRAM_PAYLOAD_LEN;
}
EXPORT_SYMBOL_GPL(program_payload);

static struct untwist_sqe entry_of(const struct program *p, const struct ask *ask)
{
	struct untwist_sqe entry = {
		.user_data = ask->user_data,
		.opcode = ask->opcode ? ask->opcode : FAKE_OP_PLAIN,
		.arg = { FAKE_ARG0(ask->action, ask->context), FAKE_ARG1(ask->res) },
	};

	if (entry.opcode >= FAKE_OP_PAGES) {
		entry.addr = program_payload(p, ask->user_data);
		entry.len = PROGRAM_PAYLOAD_LEN;
	}
	return entry;
}

/**
 * program_submit() - submit requests to a fake
 * @p: program
 * @asks: requests
 * @count: how many, at most PROGRAM_BATCH
 *
 * Return: as UNTWIST_IOC_SUBMIT.
 */
int program_submit(struct program *p, const struct ask *asks, unsigned int count)
{
	struct untwist_submit submit = { .count = count, .entry_size = sizeof(struct untwist_sqe) };
	struct untwist_sqe *entries = kcalloc(count, sizeof(*entries), GFP_KERNEL);
	unsigned int i;
	int ret;

	if (!entries)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		entries[i] = entry_of(p, &asks[i]);
	ret = program_submit_entries(p, &submit, entries);
	kfree(entries);
	return ret;
}
EXPORT_SYMBOL_GPL(program_submit);

/**
 * program_ask() - submit one request to a fake
 * @p: program
 * @ask: request
 *
 * Return: as UNTWIST_IOC_SUBMIT.
 */
int program_ask(struct program *p, const struct ask *ask)
{
	return program_submit(p, ask, 1);
}
EXPORT_SYMBOL_GPL(program_ask);

/**
 * program_cancel() - cancel a request
 * @p: program
 * @user_data: which
 *
 * Return: as UNTWIST_IOC_CANCEL.
 */
int program_cancel(struct program *p, u64 user_data)
{
	int ret;

	if (!untwist_channel_enter(p->ch))
		return -ENODEV;
	ret = untwist_requests_cancel(p->ch, user_data);
	untwist_channel_leave(p->ch, 1);
	return ret;
}
EXPORT_SYMBOL_GPL(program_cancel);

/**
 * program_completions() - read completions that are there
 * @p: program
 * @cqes: filled in
 * @max: how many at most
 *
 * Return: how many were read, or a negative errno.
 */
int program_completions(struct program *p, struct untwist_cqe *cqes, unsigned int max)
{
	struct kvec vec = { .iov_base = cqes, .iov_len = max * sizeof(*cqes) };
	struct iov_iter to;
	ssize_t ret;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, vec.iov_len);
	mutex_lock(&p->ch->rd_mutex);
	ret = untwist_requests_read(p->ch, &to);
	mutex_unlock(&p->ch->rd_mutex);
	return ret < 0 ? ret : ret / (ssize_t)sizeof(*cqes);
}
EXPORT_SYMBOL_GPL(program_completions);

/**
 * program_await() - wait for one completion and read it
 * @p: program, whose test fails if none comes
 *
 * Return: the completion.
 */
struct untwist_cqe program_await(struct program *p)
{
	struct untwist_cqe cqe = {};
	long left = wait_event_interruptible_timeout(p->ch->wait,
						     untwist_requests_ready(&p->ch->requests),
						     TEST_LIMIT);

	KUNIT_ASSERT_GT_MSG(p->test, left, 0l, "no completion came");
	KUNIT_ASSERT_EQ(p->test, 1, program_completions(p, &cqe, 1));
	return cqe;
}
EXPORT_SYMBOL_GPL(program_await);

/**
 * program_set_options() - choose how data is treated
 * @p: program
 * @options: what is to hold
 *
 * Return: as UNTWIST_IOC_SET_OPTIONS.
 */
int program_set_options(struct program *p, const struct untwist_options *options)
{
	return untwist_stream_set_options(p->ch, options);
}
EXPORT_SYMBOL_GPL(program_set_options);

/**
 * program_poll() - the bits that poll() gives now
 * @p: program with a file
 *
 * Return: a set of EPOLL*.
 */
__poll_t program_poll(struct program *p)
{
	return vfs_poll(p->file, NULL);
}
EXPORT_SYMBOL_GPL(program_poll);

/**
 * program_polls() - whether poll() gives all of some bits now
 * @p: program with a file
 * @bits: the bits
 *
 * Return: true if it does; it may give others as well.
 */
bool program_polls(struct program *p, __poll_t bits)
{
	return (program_poll(p) & bits) == bits;
}
EXPORT_SYMBOL_GPL(program_polls);
