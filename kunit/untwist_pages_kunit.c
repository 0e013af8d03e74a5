// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payloads in place: who has the pages when, who is charged for them, and that
 * they are given back exactly once, whoever ends the request.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "bout.h"
#include "channel.h"
#include "fake.h"
#include "pages.h"
#include "program.h"
#include "ring.h"

#define PAYLOADS BOUT_BATCH

/* Pinning and mapping takes a debugging kernel its time. */
#define ROUNDS 40

/* What is charged for requests in place. */
struct holdings {
	long long mm;
	long user;
};

static struct holdings holdings_now(void)
{
	return (struct holdings){
		.mm = atomic64_read(&current->mm->pinned_vm),
		.user = atomic_long_read(&current_user()->locked_vm),
	};
}

/* How often the last page of a payload is pinned; other references are far less. */
static int pins_of(struct kunit *test, const struct program *p, u64 user_data)
{
	unsigned long end = program_payload(p, user_data) + PROGRAM_PAYLOAD_LEN - 1;
	struct page *page;
	int refs;

	KUNIT_ASSERT_EQ(test, 1, get_user_pages_fast(end & PAGE_MASK, 1, FOLL_WRITE, &page));
	refs = page_count(page);
	put_page(page);
	return refs / GUP_PIN_COUNTING_BIAS;
}

/* Requests have their payloads, the first with user_data 0, and nothing else is held. */
static void expect_held(struct kunit *test, const struct program *p, const struct holdings *before,
			unsigned int requests)
{
	struct holdings now = holdings_now();
	unsigned int i;

	KUNIT_EXPECT_EQ(test, before->mm + requests * PROGRAM_PAYLOAD_PAGES, now.mm);
	KUNIT_EXPECT_EQ(test, before->user + requests * PROGRAM_PAYLOAD_PAGES, now.user);
	for (i = 0; i < PAYLOADS; i++)
		KUNIT_EXPECT_EQ(test, i < requests, pins_of(test, p, i));
	if (p->ch)
		KUNIT_EXPECT_EQ(test, (long)requests * PROGRAM_PAYLOAD_PAGES,
				atomic_long_read(&p->ch->pinned));
}

/* A device that mappings can be for. */

static void device_end(void *pdev)
{
	platform_device_unregister(pdev);
}

static struct device *device_new(struct kunit *test)
{
	struct platform_device *pdev = platform_device_register_simple("untwist_pages_kunit",
								       PLATFORM_DEVID_NONE, NULL,
								       0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, device_end, pdev));
	KUNIT_ASSERT_EQ(test, 0, dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)));
	return &pdev->dev;
}

static struct fake *fake_behind(const struct program *p)
{
	return untwist_device_drvdata(untwist_channel_device(p->ch));
}

static struct program *start(struct kunit *test)
{
	const struct untwist_config config = { .dma_dev = device_new(test) };
	struct fake *fake = fake_register(test, &config);

	fake->maps = true;
	return program_start(test, fake, O_NONBLOCK);
}

static struct untwist_pages *pages_of(const struct untwist_request *req)
{
	return container_of(req->sgt, struct untwist_pages, table);
}

/* One request. */

static void driver_and_program_share_the_bytes(struct kunit *test)
{
	struct program *p = start(test);
	char __user *payload = (char __user *)(uintptr_t)program_payload(p, 0);
	struct untwist_request *req;
	char bytes[4];

	KUNIT_ASSERT_EQ(test, 0, copy_to_user(payload + PROGRAM_PAYLOAD_LEN - 4, "abcd", 4));
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 0, FAKE_OP_PAGES }));
	req = fake_take(fake_behind(p));
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_EXPECT_NULL(test, req->payload);
	KUNIT_EXPECT_EQ(test, (u32)PROGRAM_PAYLOAD_LEN, req->len);
	sg_pcopy_to_buffer(req->sgt->sgl, req->sgt->orig_nents, bytes, 4, PROGRAM_PAYLOAD_LEN - 4);
	KUNIT_EXPECT_MEMEQ(test, bytes, "abcd", 4);
	/* Before it is complete, and though it fails. */
	sg_pcopy_from_buffer(req->sgt->sgl, req->sgt->orig_nents, "wxyz", 4, 0);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(bytes, payload, 4));
	KUNIT_EXPECT_MEMEQ(test, bytes, "wxyz", 4);
	fake_complete(req, TEST_HARDIRQ, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, program_await(p).res);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(bytes, payload, 4));
	KUNIT_EXPECT_MEMEQ(test, bytes, "wxyz", 4);
}

static void execute_has_the_pages_as_well(struct kunit *test)
{
	struct program *p = start(test);
	char __user *payload = (char __user *)(uintptr_t)program_payload(p, 0);
	struct holdings before;
	char byte = 1;

	KUNIT_ASSERT_EQ(test, 0, copy_to_user(payload + PROGRAM_PAYLOAD_LEN - 1, &byte, 1));
	before = holdings_now();
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 0, FAKE_OP_ZERO }));
	KUNIT_EXPECT_EQ(test, PROGRAM_PAYLOAD_LEN, program_await(p).res);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(&byte, payload + PROGRAM_PAYLOAD_LEN - 1, 1));
	KUNIT_EXPECT_EQ(test, 0, byte);
	expect_held(test, p, &before, 0);
}

/* The device's view ends before done; the pages are kept until after it. */
static void done_finds_them_unmapped_and_held(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct holdings before = holdings_now();
	struct untwist_request *req;

	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 0, FAKE_OP_PAGES }));
	req = fake_take(fake);
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_EXPECT_NOT_NULL(test, pages_of(req)->mapped);
	KUNIT_EXPECT_EQ(test, (int)DMA_BIDIRECTIONAL, (int)pages_of(req)->direction);
	expect_held(test, p, &before, 1);
	fake_gate_shut(fake, FAKE_DONE);
	fake_complete(req, TEST_HERE, 1);
	fake_gate_await(test, fake, FAKE_DONE);
	KUNIT_EXPECT_NULL(test, pages_of(req)->mapped);
	expect_held(test, p, &before, 1);
	fake_gate_open(fake, FAKE_DONE);
	KUNIT_EXPECT_EQ(test, 1, program_await(p).res);
	expect_held(test, p, &before, 0);
}

static void mapping_takes_pages_and_a_device(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);

	/* Without a payload in place: the fake says that the mapping failed. */
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 1 }));
	KUNIT_EXPECT_EQ(test, -EIO, program_await(p).res);
	fake->ud->config.dma_dev = NULL;
	KUNIT_ASSERT_EQ(test, 1, program_ask(p, &(struct ask){ 0, FAKE_OP_OUT }));
	KUNIT_EXPECT_EQ(test, -EIO, program_await(p).res);
	KUNIT_EXPECT_EQ(test, 0l, atomic_long_read(&p->ch->pinned));
}

static void segments_are_as_short_as_the_device_wants(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct untwist_ring_setup setup = { .sq_entries = 4, .arena_size = SZ_1M };
	struct scatterlist *sg;
	struct untwist_pages *pages;
	u32 len = 0;

	fake->ud->segment_max = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0, untwist_ring_setup(p->ch, &setup));
	pages = untwist_pages_take_arena(p->ch, 100, SZ_1M - 200, UNTWIST_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	for (sg = pages->table.sgl; sg; sg = sg_next(sg)) {
		KUNIT_EXPECT_LE(test, sg->length, (unsigned int)PAGE_SIZE);
		len += sg->length;
	}
	KUNIT_EXPECT_EQ(test, (u32)SZ_1M - 200, len);
	untwist_pages_return(pages);
	pages = untwist_pages_take_arena(p->ch, 100, SZ_1M - 99, UNTWIST_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)PTR_ERR_OR_ZERO(pages));
}

/* Limits. */

static void limit_restore(void *limit)
{
	current->signal->rlim[RLIMIT_MEMLOCK] = *(struct rlimit *)limit;
}

static void limit_memory(struct kunit *test, unsigned long pages)
{
	struct rlimit *old = kunit_kmalloc(test, sizeof(*old), GFP_KERNEL);
	unsigned long used = atomic_long_read(&current_user()->locked_vm);

	KUNIT_ASSERT_NOT_NULL(test, old);
	*old = current->signal->rlim[RLIMIT_MEMLOCK];
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, limit_restore, old));
	current->signal->rlim[RLIMIT_MEMLOCK].rlim_cur = (used + pages) * PAGE_SIZE;
}

static int ask_as(struct kunit *test, struct program *p, u64 user_data, bool may_lock_memory)
{
	struct cred *cred = prepare_creds();
	const struct cred *old;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	if (!may_lock_memory)
		cap_lower(cred->cap_effective, CAP_IPC_LOCK);
	old = override_creds(cred);
	ret = program_ask(p, &(struct ask){ user_data, FAKE_OP_PAGES });
	revert_creds(old);
	put_cred(cred);
	return ret;
}

static void locked_memory_of_the_user_is_limited(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct holdings before = holdings_now();

	limit_memory(test, 2 * PROGRAM_PAYLOAD_PAGES - 1);
	KUNIT_EXPECT_EQ(test, 1, ask_as(test, p, 0, false));
	KUNIT_EXPECT_EQ(test, -EDQUOT, ask_as(test, p, 1, false));
	expect_held(test, p, &before, 1);
	KUNIT_EXPECT_EQ(test, 1, ask_as(test, p, 1, true));
	KUNIT_EXPECT_EQ(test, -EDQUOT, ask_as(test, p, 2, false));
	expect_held(test, p, &before, 2);
	fake_complete_held(fake, 1);
	program_await(p);
	program_await(p);
	KUNIT_EXPECT_EQ(test, 1, ask_as(test, p, 0, false));
	fake_complete_held(fake, 1);
	program_await(p);
	expect_held(test, p, &before, 0);
}

static void pages_of_an_open_are_limited(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct holdings before = holdings_now();
	const struct ask asks[] = { { 0, FAKE_OP_PAGES }, { 1, FAKE_OP_PAGES } };

	fake->ud->limits.pinned_max = 2 * PROGRAM_PAYLOAD_PAGES * PAGE_SIZE - 1;
	KUNIT_EXPECT_EQ(test, 1, program_submit(p, asks, 2));
	KUNIT_EXPECT_EQ(test, -EDQUOT, program_ask(p, &asks[1]));
	expect_held(test, p, &before, 1);
	fake_complete_held(fake, 1);
	program_await(p);
	KUNIT_EXPECT_EQ(test, 1, program_ask(p, asks));
	fake_complete_held(fake, 1);
	program_await(p);
	fake->ud->limits.pinned_max = 0;
	KUNIT_EXPECT_EQ(test, -EDQUOT, program_ask(p, asks));
	expect_held(test, p, &before, 0);
}

/* Who has no memory of its own, as a thread of the kernel, has nothing to be pinned. */
static void pages_need_a_program(struct kunit *test)
{
	struct program *p = start(test);
	struct mm_struct *mm = current->mm;
	struct untwist_pages *pages;

	kthread_unuse_mm(mm);
	pages = untwist_pages_take(p->ch, program_payload(p, 0), 1, UNTWIST_TO_DEVICE);
	kthread_use_mm(mm);
	KUNIT_EXPECT_EQ(test, -EFAULT, (int)PTR_ERR_OR_ZERO(pages));
}

/* The end by others. */

static void close_gives_them_back(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct holdings before = holdings_now();
	const struct ask asks[] = { { 0, FAKE_OP_PAGES }, { 1, FAKE_OP_OUT } };

	fake->keeps = true;
	KUNIT_ASSERT_EQ(test, 2, program_submit(p, asks, 2));
	program_close(p);
	expect_held(test, p, &before, 2);
	fake_gate_shut(fake, FAKE_CLOSE);
	KUNIT_EXPECT_EQ(test, 2u, fake_complete_held(fake, 1));
	fake_gate_await(test, fake, FAKE_CLOSE);
	expect_held(test, p, &before, 0);
	fake_gate_open(fake, FAKE_CLOSE);
}

static void unregister_gives_them_back(struct kunit *test)
{
	struct program *p = start(test);
	struct fake *fake = fake_behind(p);
	struct holdings before = holdings_now();
	const struct ask asks[] = { { 0, FAKE_OP_PAGES }, { 1, FAKE_OP_OUT } };

	KUNIT_ASSERT_EQ(test, 2, program_submit(p, asks, 2));
	expect_held(test, p, &before, 2);
	fake_unregister(fake);
	expect_held(test, p, &before, 0);
}

/* Races. */

static struct bout *pages_bout(struct kunit *test)
{
	struct device *dev = device_new(test);
	struct bout *bout = bout_new(test, NULL);

	bout->opcode = FAKE_OP_PAGES;
	bout->fake->ud->config.dma_dev = dev;
	bout->fake->maps = true;
	return bout;
}

static void after_cancel(void *arg)
{
	struct bout *bout = arg;
	s32 res[BOUT_BATCH];
	unsigned int i;

	bout_read_all(bout, res);
	for (i = 0; i < BOUT_BATCH; i++)
		bout_score(bout, res[i] == -ECANCELED);
	KUNIT_ASSERT_EQ(bout->test, 0l, atomic_long_read(&bout->p->ch->pinned));
}

static void complete_races_cancel(struct kunit *test)
{
	struct bout *bout = pages_bout(test);
	struct holdings before = holdings_now();
	const struct test_race race = {
		.before = bout_ask,
		.left = bout_cancel_left,
		.right = bout_complete_right,
		.after = after_cancel,
		.arg = bout,
	};

	KUNIT_ASSERT_EQ(test, 0, program_open_channel(bout->p, bout->fake));
	test_race_run(test, &race, ROUNDS);
	bout_expect_score(bout, ROUNDS * BOUT_BATCH);
	expect_held(test, bout->p, &before, 0);
}

/* What untwist_unregister() does to each channel. */
static void unplug_left(void *arg)
{
	struct bout *bout = arg;

	untwist_channel_kill(bout->p->ch);
	untwist_channel_shut(bout->p->ch);
}

static void after_unplug(void *arg)
{
	struct bout *bout = arg;
	struct completion *closed = &bout->p->ch->closed;
	s32 res[BOUT_BATCH];
	unsigned int i;

	KUNIT_ASSERT_NE(bout->test, wait_for_completion_timeout(closed, TEST_LIMIT), 0ul);
	KUNIT_ASSERT_EQ(bout->test, 0l, atomic_long_read(&bout->p->ch->pinned));
	bout_read_all(bout, res);
	for (i = 0; i < BOUT_BATCH; i++)
		bout_score(bout, res[i] == -ENODEV);
	program_close(bout->p);
}

static void complete_races_unplug(struct kunit *test)
{
	struct bout *bout = pages_bout(test);
	struct holdings before = holdings_now();
	const struct test_race race = {
		.before = bout_open_and_ask,
		.left = unplug_left,
		.right = bout_complete_right,
		.after = after_unplug,
		.arg = bout,
	};

	test_race_run(test, &race, ROUNDS);
	bout_expect_score(bout, ROUNDS * BOUT_BATCH);
	expect_held(test, bout->p, &before, 0);
}

/* clang-format off */
static struct kunit_case pages_cases[] = {
	KUNIT_CASE(driver_and_program_share_the_bytes),
	KUNIT_CASE(execute_has_the_pages_as_well),
	KUNIT_CASE(done_finds_them_unmapped_and_held),
	KUNIT_CASE(mapping_takes_pages_and_a_device),
	KUNIT_CASE(segments_are_as_short_as_the_device_wants),
	KUNIT_CASE(locked_memory_of_the_user_is_limited),
	KUNIT_CASE(pages_of_an_open_are_limited),
	KUNIT_CASE(pages_need_a_program),
	KUNIT_CASE(close_gives_them_back),
	KUNIT_CASE(unregister_gives_them_back),
	KUNIT_CASE_SLOW(complete_races_cancel),
	KUNIT_CASE_SLOW(complete_races_unplug),
	{}
};

/* clang-format on */

static struct kunit_suite pages_suite = {
	.name = "untwist_pages",
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's payloads in place");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
