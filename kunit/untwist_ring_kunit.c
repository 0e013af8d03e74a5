// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings, by programs that write there what they like, when they like. Each row
 * of the table is a test case, of two tests, the second of which is where
 * the indices begin again at zero.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "channel.h"
#include "fake.h"
#include "program.h"
#include "ring.h"
#include "stats.h"
#include "thread.h"

#define ENTRIES 8u

static struct program *start(struct kunit *test)
{
	const struct untwist_config config = { .requests_max = 64 };
	struct untwist_ring_setup setup = { .sq_entries = ENTRIES, .cq_entries = 64 };
	struct program *p = program_new(test);

	KUNIT_ASSERT_EQ(test, 0, program_open_channel(p, fake_register(test, &config)));
	KUNIT_ASSERT_EQ(test, 0, untwist_ring_setup(p->ch, &setup));
	return p;
}

static struct untwist_ringbuf *ring_behind(struct program *p)
{
	return p->ch->requests.ring;
}

static int enter(struct program *p, u32 to_submit)
{
	const struct untwist_ring_enter enter = { .to_submit = to_submit };

	return untwist_ring_enter(p->ch, &enter);
}

/* The oldest completion, reaped as a program does. */
static struct untwist_cqe reap(struct program *p)
{
	struct untwist_ring *head = ring_behind(p)->head;
	struct untwist_cqe cqe = p->ch->requests.cq.entries[head->cq_head & 63];

	/* As the contract wants it: the entry was read. */
	smp_store_release(&head->cq_head, head->cq_head + 1);
	return cqe;
}

/* As many as there can be, whatever is in them. */
static void show_all(struct untwist_ring *head)
{
	/* As the contract wants it: the entries are there. */
	smp_store_release(&head->sq_tail, head->sq_head + ENTRIES);
}

/* What a program may say of how much it has submitted. */

struct tail_case {
	const char *name;
	u32 tail;
	int taken;
};

static const struct tail_case tail_cases[] = {
	{ "none", 0, 0 },
	{ "one", 1, 1 },
	{ "all", ENTRIES, ENTRIES },
	{ "one too many", ENTRIES + 1, -EBADMSG },
	{ "one taken back", -1u, -EBADMSG },
	{ "all taken back", -ENTRIES, -EBADMSG },
	{ "half way round", 0x80000000u, -EBADMSG },
	{ "nearly half way round", 0x7fffffffu, -EBADMSG },
	{ "nearly all the way round", ENTRIES + 1 - 0x80000000u, -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(tail, tail_cases, name);

static void check_tail(struct kunit *test, const struct tail_case *c, u32 start_at)
{
	struct program *p = start(test);
	struct untwist_ringbuf *ring = ring_behind(p);

	ring->sq_head = start_at;
	ring->head->sq_head = start_at;
	ring->head->sq_tail = start_at + c->tail;
	KUNIT_EXPECT_EQ(test, c->taken, enter(p, U32_MAX));
	KUNIT_EXPECT_EQ(test, start_at + max(c->taken, 0), ring->head->sq_head);
	KUNIT_EXPECT_EQ(test, max(c->taken, 0), (int)untwist_cq_ready(&p->ch->requests.cq));
	KUNIT_EXPECT_EQ(test, c->taken < 0, untwist_ring_broken(p->ch));
	/* For good. */
	ring->head->sq_tail = ring->head->sq_head;
	KUNIT_EXPECT_EQ(test, min(c->taken, 0), enter(p, 0));
}

static void tail_is_believed_if_it_can_be(struct kunit *test)
{
	check_tail(test, test->param_value, 0);
}

static void tail_is_believed_if_it_can_be_past_the_end(struct kunit *test)
{
	check_tail(test, test->param_value, -2u);
}

/* What goes the short way stays behind what was before it. */
static void plain_entries_keep_their_place_among_others(struct kunit *test)
{
	static const struct untwist_sqe entries[ENTRIES] = {
		{ .user_data = 0 },
		{ .user_data = 1, .flags = UNTWIST_SQE_LINK },
		{ .user_data = 2 },
		{ .user_data = 3, .flags = ~0u },
		{ .user_data = 4, .opcode = ~0u },
		{ .user_data = 5, .opcode = FAKE_OP_PLAIN, .arg = { FAKE_COMPLETE, 0 } },
		{ .user_data = 6, .flags = UNTWIST_SQE_DRAIN },
		{ .user_data = 7 },
	};
	static const s32 results[ENTRIES] = { [3] = -EINVAL, [4] = -EOPNOTSUPP };
	struct program *p = start(test);
	unsigned int i;
	long left;

	memcpy(ring_behind(p)->sqes, entries, sizeof(entries));
	show_all(ring_behind(p)->head);
	KUNIT_ASSERT_EQ(test, (int)ENTRIES, enter(p, ENTRIES));
	/* What is refused as it has all flags goes by the work, and what comes after it too. */
	left = wait_event_interruptible_timeout(p->ch->wait,
						untwist_cq_ready(&p->ch->requests.cq) == ENTRIES,
						TEST_LIMIT);
	KUNIT_ASSERT_GT(test, left, 0l);
	for (i = 0; i < ENTRIES; i++) {
		struct untwist_cqe cqe = reap(p);

		KUNIT_EXPECT_EQ(test, (u64)i, cqe.user_data);
		KUNIT_EXPECT_EQ(test, results[i], cqe.res);
	}
}

/* Entries that change while they are taken: each is one thing or the other. */

struct flipping {
	struct untwist_ringbuf *ring;
	bool over;
};

static int flip(void *arg)
{
	static const struct untwist_sqe faces[] = {
		{ .user_data = 1, .opcode = UNTWIST_OP_NOP },
		{ .user_data = 2, .opcode = UNTWIST_OP_NOP, .flags = ~0u },
		{ .user_data = 3, .opcode = FAKE_OP_PLAIN, .len = ~0u },
		{ .user_data = 4, .opcode = FAKE_OP_PLAIN, .arg = { FAKE_COMPLETE, 0 } },
		{ .user_data = 5, .opcode = ~0u, .flags = UNTWIST_SQE_LINK },
		{ .user_data = 6, .flags = UNTWIST_SQE_DRAIN | UNTWIST_SQE_MULTISHOT },
	};
	struct flipping *flipping = arg;
	unsigned int i;

	for (i = 0; !READ_ONCE(flipping->over); i++) {
		flipping->ring->sqes[i % ENTRIES] = faces[i / 3 % ARRAY_SIZE(faces)];
		cond_resched();
	}
	return 0;
}

static void entries_may_change_while_they_are_taken(struct kunit *test)
{
	struct program *p = start(test);
	struct untwist_ringbuf *ring = ring_behind(p);
	struct flipping *flipping = kunit_kzalloc(test, sizeof(*flipping), GFP_KERNEL);
	struct test_thread *thread;
	unsigned int taken = 0, reaped = 0;

	KUNIT_ASSERT_NOT_NULL(test, flipping);
	flipping->ring = ring;
	thread = test_thread_start(test, flip, flipping);
	while (reaped < 20000) {
		int n;

		show_all(ring->head);
		n = enter(p, ENTRIES);
		if (n < 0 && n != -EAGAIN)
			break;
		taken += max(n, 0);
		fake_complete_held(untwist_device_drvdata(untwist_channel_device(p->ch)), 0);
		while (untwist_cq_ready(&p->ch->requests.cq)) {
			s32 res = reap(p).res;

			KUNIT_EXPECT_TRUE(test,
					  res == 0 || res == -EINVAL || res == -EMSGSIZE ||
						  res == -EOPNOTSUPP || res == -ECANCELED);
			reaped++;
		}
		cond_resched();
	}
	WRITE_ONCE(flipping->over, true);
	test_thread_join(test, thread);
	KUNIT_EXPECT_GE(test, reaped, 20000u);
	KUNIT_EXPECT_GE(test, taken, reaped);
	KUNIT_EXPECT_FALSE(test, untwist_ring_broken(p->ch));
}

/* The device goes while a program enters. */

struct entering {
	struct program *p;
	struct completion begun;
	unsigned int taken;
};

static int enter_until_the_end(void *arg)
{
	struct entering *e = arg;
	struct untwist_ringbuf *ring = ring_behind(e->p);
	int n;

	do {
		show_all(ring->head);
		n = enter(e->p, ENTRIES);
		e->taken += max(n, 0);
		if (e->taken >= 3 * ENTRIES)
			complete(&e->begun);
		/* All but the last of them, so that there is something to see. */
		if (n != -ENODEV && e->taken > 2 * ENTRIES)
			WRITE_ONCE(ring->head->cq_head, ring->head->cq_tail);
	} while (n >= 0 || n == -EAGAIN);
	return n;
}

static void enter_races_unplug(struct kunit *test)
{
	unsigned int round;

	for (round = 0; round < 100; round++) {
		struct program *p = start(test);
		struct fake *fake = untwist_device_drvdata(untwist_channel_device(p->ch));
		struct entering *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
		struct test_thread *thread;

		KUNIT_ASSERT_NOT_NULL(test, e);
		e->p = p;
		init_completion(&e->begun);
		thread = test_thread_start(test, enter_until_the_end, e);
		KUNIT_ASSERT_NE(test, 0ul, wait_for_completion_timeout(&e->begun, TEST_LIMIT));
		fake_unregister(fake);
		KUNIT_EXPECT_EQ(test, -ENODEV, test_thread_join(test, thread));
		KUNIT_EXPECT_EQ(test, e->taken, ring_behind(p)->head->sq_head);
		KUNIT_EXPECT_EQ(test, e->taken, ring_behind(p)->head->cq_tail);
		KUNIT_EXPECT_EQ(test, UNTWIST_RING_DEAD, ring_behind(p)->head->kernel_flags);
		program_close(p);
	}
}

/* clang-format off */
static struct kunit_case ring_cases[] = {
	KUNIT_CASE_PARAM(tail_is_believed_if_it_can_be, tail_gen_params),
	KUNIT_CASE_PARAM(tail_is_believed_if_it_can_be_past_the_end, tail_gen_params),
	KUNIT_CASE(plain_entries_keep_their_place_among_others),
	KUNIT_CASE_SLOW(entries_may_change_while_they_are_taken),
	KUNIT_CASE_SLOW(enter_races_unplug),
	{}
};

/* clang-format on */

static struct kunit_suite ring_suite = {
	.name = "untwist_ring",
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);

MODULE_DESCRIPTION("KUnit suite of Untwist's rings");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
