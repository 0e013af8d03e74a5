// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that is a client of a fake's device, and records what it is told.
 */
#include <kunit/resource.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "asker.h"
#include "context.h"

static void asker_enter(struct asker *asker)
{
	if (atomic_inc_return(&asker->inside) > 1)
		atomic_inc(&asker->overlaps);
}

static void asker_gone(struct untwist_client *client)
{
	struct asker *asker = untwist_client_data(client);

	asker_enter(asker);
	atomic_inc(&asker->gones);
	atomic_dec(&asker->inside);
	complete_all(&asker->gone);
}

static const struct untwist_client_ops asker_ops = { .gone = asker_gone };

/* A test may have failed with calls in flight. */
static void asker_end(void *arg)
{
	struct asker *asker = arg;
	struct question *q, *next;

	asker_close(asker);
	list_for_each_entry_safe(q, next, &asker->questions, node)
		kfree(q);
}

/**
 * asker_new() - begin a module without a client
 * @test: test that it ends with
 *
 * Return: the module.
 */
struct asker *asker_new(struct kunit *test)
{
	struct asker *asker = kunit_kzalloc(test, sizeof(*asker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, asker);
	asker->test = test;
	init_completion(&asker->gone);
	INIT_LIST_HEAD(&asker->questions);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, asker_end, asker));
	return asker;
}
EXPORT_SYMBOL_GPL(asker_new);

/**
 * asker_open() - open a client
 * @asker: module without one
 * @fake: whose device
 *
 * Return: 0 or what the open failed with.
 */
int asker_open(struct asker *asker, struct fake *fake)
{
	struct untwist_client *client = untwist_client_open(fake->ud, &asker_ops, asker);

	if (IS_ERR(client))
		return PTR_ERR(client);
	asker->client = client;
	return 0;
}
EXPORT_SYMBOL_GPL(asker_open);

/**
 * asker_start() - begin a module with a client
 * @test: test that it ends with, which fails if there is no client
 * @fake: whose device
 *
 * Return: the module.
 */
struct asker *asker_start(struct kunit *test, struct fake *fake)
{
	struct asker *asker = asker_new(test);

	KUNIT_ASSERT_EQ(test, 0, asker_open(asker, fake));
	return asker;
}
EXPORT_SYMBOL_GPL(asker_start);

/**
 * asker_close() - close the client, if there is one
 * @asker: module
 */
void asker_close(struct asker *asker)
{
	struct untwist_client *client = asker->client;

	if (!client)
		return;
	untwist_client_close(client);
	asker->client = NULL;
}
EXPORT_SYMBOL_GPL(asker_close);

static void question_done(struct untwist_call *call, const struct untwist_cqe *cqe)
{
	struct question *q = container_of(call, struct question, call);
	struct asker *asker = q->asker;

	asker_enter(asker);
	if (!(current->flags & PF_WQ_WORKER))
		q->outside++;
	if (cqe->flags & UNTWIST_CQE_F_MORE) {
		q->shots++;
		atomic_dec(&asker->inside);
		return;
	}
	q->last = *cqe;
	q->dones++;
	q->order = atomic_inc_return(&asker->dones);
	if (q->on_done)
		q->on_done(q);
	atomic_dec(&asker->inside);
	complete(&q->done);
}

/**
 * question_renew() - have a question that was answered forget that
 * @q: question
 */
void question_renew(struct question *q)
{
	q->dones = 0;
	q->shots = 0;
	q->last = (struct untwist_cqe){};
	reinit_completion(&q->done);
}
EXPORT_SYMBOL_GPL(question_renew);

/**
 * question_new() - a call, not submitted yet
 * @asker: whose
 * @action: what the fake does with it
 * @res: result
 *
 * Return: the question.
 */
struct question *question_new(struct asker *asker, enum fake_action action, s32 res)
{
	struct question *q = kzalloc(sizeof(*q), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(asker->test, q);
	q->asker = asker;
	list_add_tail(&q->node, &asker->questions);
	init_completion(&q->done);
	q->call.opcode = FAKE_OP_PLAIN;
	q->call.arg[0] = FAKE_ARG0(action, TEST_HERE);
	q->call.arg[1] = FAKE_ARG1(res);
	q->call.done = question_done;
	return q;
}
EXPORT_SYMBOL_GPL(question_new);

/**
 * question_ask() - submit a question
 * @q: question
 *
 * Return: as untwist_client_submit().
 */
int question_ask(struct question *q)
{
	struct untwist_call *call = &q->call;

	return untwist_client_submit(q->asker->client, &call, 1);
}
EXPORT_SYMBOL_GPL(question_ask);

/**
 * question_await() - wait for the answer
 * @q: question that was submitted; its test fails if no answer comes
 *
 * Return: the result.
 */
s32 question_await(struct question *q)
{
	KUNIT_ASSERT_NE_MSG(q->asker->test, wait_for_completion_timeout(&q->done, TEST_LIMIT), 0ul,
			    "no answer came");
	KUNIT_ASSERT_EQ(q->asker->test, 1, q->dones);
	KUNIT_ASSERT_EQ(q->asker->test, 0, q->outside);
	KUNIT_ASSERT_EQ(q->asker->test, 0, atomic_read(&q->asker->overlaps));
	return q->last.res;
}
EXPORT_SYMBOL_GPL(question_await);
