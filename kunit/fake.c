// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver without a device. It implements the real operations, does what a
 * test tells it, and records what the core asked of it; what that should have
 * been is the tests' business. Devices end with their test.
 */
#include <kunit/resource.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device.h"
#include "fake.h"

/* What the fake keeps with a request. */
struct fake_private {
	u64 mark;
};

static struct fake *fake_of(struct untwist_channel *ch)
{
	return untwist_device_drvdata(untwist_channel_device(ch));
}

/* Gates. */

/**
 * fake_gate_shut() - have the next call of an operation stop
 * @fake: fake
 * @call: operation, one that may sleep
 */
void fake_gate_shut(struct fake *fake, enum fake_call call)
{
	struct fake_gate *gate = &fake->gates[call];

	reinit_completion(&gate->reached);
	reinit_completion(&gate->opened);
	WRITE_ONCE(gate->shut, true);
}
EXPORT_SYMBOL_GPL(fake_gate_shut);

/**
 * fake_gate_await() - wait until a call stands at its gate
 * @test: test, which fails if none comes
 * @fake: fake
 * @call: operation
 */
void fake_gate_await(struct kunit *test, struct fake *fake, enum fake_call call)
{
	struct completion *reached = &fake->gates[call].reached;

	KUNIT_ASSERT_NE_MSG(test, wait_for_completion_timeout(reached, TEST_LIMIT), 0ul,
			    "operation %d was not called", call);
}
EXPORT_SYMBOL_GPL(fake_gate_await);

/**
 * fake_gate_open() - let the calls of an operation pass
 * @fake: fake
 * @call: operation
 */
void fake_gate_open(struct fake *fake, enum fake_call call)
{
	WRITE_ONCE(fake->gates[call].shut, false);
	complete_all(&fake->gates[call].opened);
}
EXPORT_SYMBOL_GPL(fake_gate_open);

static void record(struct fake *fake, enum fake_call call)
{
	struct fake_gate *gate = &fake->gates[call];
	unsigned int at = atomic_inc_return(&fake->ordered) - 1;

	if (at < ARRAY_SIZE(fake->order))
		fake->order[at] = call;
	atomic_inc(&fake->calls[call]);
	if (READ_ONCE(gate->shut)) {
		complete(&gate->reached);
		wait_for_completion_timeout(&gate->opened, TEST_LIMIT);
	}
}

/* Requests. */

struct completing {
	struct untwist_request *req;
	s32 res;
};

static void complete_now(void *arg)
{
	struct completing *c = arg;

	c->req->value[0] = atomic_inc_return(&fake_of(c->req->channel)->completed);
	untwist_complete(c->req, c->res);
}

/**
 * fake_complete() - complete a request that was taken
 * @req: request
 * @context: where
 * @res: result
 */
void fake_complete(struct untwist_request *req, enum test_context context, s32 res)
{
	struct completing c = { .req = req, .res = res };

	test_call_in(context, complete_now, &c);
}
EXPORT_SYMBOL_GPL(fake_complete);

/**
 * fake_take() - take the oldest request that is held
 * @fake: fake
 *
 * Return: the request, to be completed by the caller; NULL, there is none.
 */
struct untwist_request *fake_take(struct fake *fake)
{
	struct untwist_request *req;
	unsigned long flags;

	raw_spin_lock_irqsave(&fake->lock, flags);
	req = list_first_entry_or_null(&fake->held, struct untwist_request, node);
	if (req)
		list_del_init(&req->node);
	raw_spin_unlock_irqrestore(&fake->lock, flags);
	return req;
}
EXPORT_SYMBOL_GPL(fake_take);

/**
 * fake_take_this() - take one certain request, if it is still held
 * @fake: fake
 * @req: request; may be gone
 *
 * Return: true, and the caller completes it.
 */
bool fake_take_this(struct fake *fake, const struct untwist_request *req)
{
	struct untwist_request *other, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&fake->lock, flags);
	list_for_each_entry(other, &fake->held, node)
		if (other == req)
			found = other;
	if (found)
		list_del_init(&found->node);
	raw_spin_unlock_irqrestore(&fake->lock, flags);
	return found;
}
EXPORT_SYMBOL_GPL(fake_take_this);

/**
 * fake_held() - which requests are held
 * @fake: fake
 * @reqs: filled in, the oldest first
 * @max: how many at most
 *
 * Return: how many.
 */
unsigned int fake_held(struct fake *fake, struct untwist_request **reqs, unsigned int max)
{
	struct untwist_request *req;
	unsigned long flags;
	unsigned int n = 0;

	raw_spin_lock_irqsave(&fake->lock, flags);
	list_for_each_entry(req, &fake->held, node)
		if (n < max)
			reqs[n++] = req;
	raw_spin_unlock_irqrestore(&fake->lock, flags);
	return n;
}
EXPORT_SYMBOL_GPL(fake_held);

/**
 * fake_complete_held() - complete all requests that are held
 * @fake: fake
 * @res: result
 *
 * Return: how many.
 */
unsigned int fake_complete_held(struct fake *fake, s32 res)
{
	struct untwist_request *req;
	unsigned int n;

	for (n = 0; (req = fake_take(fake)); n++)
		fake_complete(req, TEST_HERE, res);
	return n;
}
EXPORT_SYMBOL_GPL(fake_complete_held);

static void hold(struct fake *fake, struct untwist_request *req)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fake->lock, flags);
	list_add_tail(&req->node, &fake->held);
	raw_spin_unlock_irqrestore(&fake->lock, flags);
}

static void turn(struct untwist_request *req)
{
	u8 *bytes = req->payload;
	u32 i;

	for (i = 0; i < req->len; i++)
		bytes[i] = ~bytes[i];
}

static int fake_submit(struct untwist_request *req)
{
	struct fake *fake = fake_of(req->channel);
	struct fake_private *private = untwist_request_priv(req);
	enum test_context context = req->arg[0] >> 8;
	enum fake_action action = req->arg[0] & 0xff;
	s32 res = req->arg[1];

	if (private->mark)
		atomic_inc(&fake->dirty);
	private->mark = ~0ull;
	if (req->opcode == FAKE_OP_TURN)
		turn(req);
	if (fake->maps && untwist_request_map(req))
		return -EIO;

	/* From hold() on the request may be completed by others, and be gone. */
	if (action == FAKE_HOLD)
		hold(fake, req);
	else if (action != FAKE_REFUSE)
		fake_complete(req, context, res);
	record(fake, FAKE_SUBMIT);
	return action == FAKE_REFUSE || action == FAKE_COMPLETE_REFUSE ? res : 0;
}

static s32 fake_zero(struct untwist_request *req)
{
	return sg_zero_buffer(req->sgt->sgl, req->sgt->orig_nents, req->len, 0);
}

static void fake_done(struct untwist_request *req)
{
	struct fake *fake = fake_of(req->channel);

	if (atomic_inc_return(&fake->inside_done) > 1)
		atomic_inc(&fake->done_overlaps);
	if (!(current->flags & PF_WQ_WORKER))
		atomic_inc(&fake->done_outside);
	record(fake, FAKE_DONE);
	atomic_dec(&fake->inside_done);
}

static void fake_cancel(struct untwist_request *req)
{
	struct fake *fake = fake_of(req->channel);

	if (!fake->keeps && fake_take_this(fake, req))
		fake_complete(req, TEST_HERE, -ECANCELED);
	record(fake, FAKE_CANCEL);
}

/* Channels. */

static int fake_open(struct untwist_channel *ch)
{
	struct fake *fake = fake_of(ch);

	record(fake, FAKE_OPEN);
	return fake->open_ret;
}

static void fake_close(struct untwist_channel *ch)
{
	record(fake_of(ch), FAKE_CLOSE);
}

static void fake_transmit(struct untwist_channel *ch)
{
	struct fake *fake = fake_of(ch);

	record(fake, FAKE_TRANSMIT);
	if (fake->on_transmit)
		fake->on_transmit(ch);
}

static void fake_resume(struct untwist_channel *ch)
{
	struct fake *fake = fake_of(ch);

	record(fake, FAKE_RESUME);
	if (fake->on_resume)
		fake->on_resume(ch);
}

const struct untwist_ops fake_ops = {
	.open = fake_open,
	.close = fake_close,
	.transmit = fake_transmit,
	.resume = fake_resume,
	.cancel = fake_cancel,
};
EXPORT_SYMBOL_GPL(fake_ops);

const struct untwist_ops fake_ops_without_cancel = {
	.open = fake_open,
	.close = fake_close,
	.transmit = fake_transmit,
	.resume = fake_resume,
};
EXPORT_SYMBOL_GPL(fake_ops_without_cancel);

#define IN_PLACE (UNTWIST_TO_DEVICE | UNTWIST_FROM_DEVICE | UNTWIST_PAGES)

static const struct untwist_opcode fake_opcodes[FAKE_NR_OPCODES] = {
	{ .name = "plain", .submit = fake_submit },
	{ .name = "done", .submit = fake_submit, .done = fake_done },
	{ .name = "payload", .submit = fake_submit, .payload = UNTWIST_TO_DEVICE },
	{ .name = "shots", .submit = fake_submit, .multishot = true },
	{ .name = "turn",
	  .submit = fake_submit,
	  .payload = UNTWIST_TO_DEVICE | UNTWIST_FROM_DEVICE },
	{ .name = "pages", .submit = fake_submit, .done = fake_done, .payload = IN_PLACE },
	{ .name = "out", .submit = fake_submit, .payload = UNTWIST_TO_DEVICE | UNTWIST_PAGES },
	{ .name = "zero", .execute = fake_zero, .payload = UNTWIST_FROM_DEVICE | UNTWIST_PAGES },
};

/* Registration. */

static void text_free(void *text)
{
	kfree(text);
}

static struct fake *fake_new(struct kunit *test, const struct untwist_ops *ops)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	raw_spin_lock_init(&fake->lock);
	INIT_LIST_HEAD(&fake->held);
	for (i = 0; i < FAKE_NR_CALLS; i++) {
		init_completion(&fake->gates[i].reached);
		init_completion(&fake->gates[i].opened);
	}
	fake->text = kzalloc(sizeof(*fake->text), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake->text);
	fake->text->ops = ops ? *ops : fake_ops;
	memcpy(fake->text->opcodes, fake_opcodes, sizeof(fake_opcodes));
	return fake;
}

/**
 * fake_unregister() - take the device of a fake away, and its module with it
 * @fake: fake; its device may be gone already
 */
void fake_unregister(struct fake *fake)
{
	if (!fake->ud)
		return;
	untwist_unregister(fake->ud);
	fake->ud = NULL;
	text_free(fake->text);
	fake->text = NULL;
}
EXPORT_SYMBOL_GPL(fake_unregister);

/* A test may have failed in the middle: nothing may be left that blocks. */
static void fake_end(void *arg)
{
	struct fake *fake = arg;
	int i;

	for (i = 0; i < FAKE_NR_CALLS; i++)
		fake_gate_open(fake, i);
	fake_complete_held(fake, -ECANCELED);
	fake_unregister(fake);
}

/**
 * fake_register() - register a fake's device
 * @test: test that it ends with
 * @config: its description. Without a name, it is "fake"; without ops, they
 *	are fake_ops; the opcodes are always the fake's.
 *
 * Return: the fake; a test that cannot have it fails.
 */
struct fake *fake_register(struct kunit *test, const struct untwist_config *config)
{
	struct untwist_config full = *config;
	struct fake *fake = fake_new(test, config->ops);

	strscpy(fake->name, config->name ? config->name : "fake", sizeof(fake->name));
	full.name = fake->name;
	full.ops = &fake->text->ops;
	full.opcodes = fake->text->opcodes;
	full.nr_opcodes = FAKE_NR_OPCODES;
	full.request_size = sizeof(struct fake_private);
	full.drvdata = fake;
	fake->ud = untwist_register(NULL, &full);
	if (IS_ERR(fake->ud)) {
		text_free(fake->text);
		KUNIT_FAIL_AND_ABORT(test, "cannot register %s: %ld", fake->name,
				     PTR_ERR(fake->ud));
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fake_end, fake));
	return fake;
}
EXPORT_SYMBOL_GPL(fake_register);

/**
 * fake_register_kind() - register a fake's device with nothing but a kind
 * @test: test that it ends with
 * @kind: UNTWIST_KIND_*
 *
 * Return: as fake_register().
 */
struct fake *fake_register_kind(struct kunit *test, u32 kind)
{
	const struct untwist_config config = { .kind = kind };

	return fake_register(test, &config);
}
EXPORT_SYMBOL_GPL(fake_register_kind);

static void unregister(void *ud)
{
	untwist_unregister(ud);
}

/**
 * fake_try_register() - register a device that is not to be opened
 * @test: test that it ends with, if there is one
 * @config: its description, just so
 *
 * Return: what untwist_register() said.
 */
struct untwist_device *fake_try_register(struct kunit *test, const struct untwist_config *config)
{
	struct untwist_device *ud = untwist_register(NULL, config);

	if (!IS_ERR(ud))
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unregister, ud));
	return ud;
}
EXPORT_SYMBOL_GPL(fake_try_register);

/* Records. */

/**
 * fake_calls() - how often an operation was called
 * @fake: fake
 * @call: operation
 *
 * Return: how often.
 */
int fake_calls(const struct fake *fake, enum fake_call call)
{
	return atomic_read(&fake->calls[call]);
}
EXPORT_SYMBOL_GPL(fake_calls);

/**
 * fake_stat() - one of the device's counters
 * @fake: fake
 * @stat: UNTWIST_STAT_*
 *
 * Return: its value.
 */
unsigned long fake_stat(const struct fake *fake, unsigned int stat)
{
	return untwist_stats_read(fake->ud->stats, stat);
}
EXPORT_SYMBOL_GPL(fake_stat);
