// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients: opens of a device by other modules. A client is a channel whose
 * completions go to functions instead of a queue. They are called by the
 * channel's work, after the slots are free again, so that who is told that a
 * request is done may submit as many anew.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "channel.h"
#include "client.h"
#include "execute.h"
#include "holdup.h"
#include "latency.h"
#include "submit.h"

#define CALL_CHAIN (UNTWIST_SQE_LINK | UNTWIST_SQE_HARDLINK)
#define CALL_FLAGS (CALL_CHAIN | UNTWIST_SQE_DRAIN | UNTWIST_SQE_MULTISHOT)

/**
 * struct untwist_client - an open by another module
 * @ch: its channel, which frees this
 * @ops: what it is told
 * @data: the client's own
 * @lock: guards @done
 * @done: calls that are complete, for the work to tell
 * @closing: untwist_client_close() was called
 * @told: @ops->gone was called; the work's
 */
struct untwist_client {
	struct untwist_channel *ch;
	const struct untwist_client_ops *ops;
	void *data;
	spinlock_t lock; /* see above */
	struct list_head done;
	bool closing;
	bool told;
};

/*
 * lockdep's stand-in for "inside a callback of a client", for which
 * untwist_client_close() waits.
 */
#ifdef CONFIG_LOCKDEP
static struct lock_class_key callback_key;
static struct lockdep_map callback_map =
	STATIC_LOCKDEP_MAP_INIT("untwist_client_callback", &callback_key);
#endif

/* Callbacks. */

static void call_tell(struct untwist_call *call, const struct untwist_cqe *cqe)
{
	lock_map_acquire_read(&callback_map);
	call->done(call, cqe);
	lock_map_release(&callback_map);
}

/* What has many completions is posted by the work alone; the rest may be so anywhere. */
static void client_post(struct untwist_slot *slot, const struct untwist_cqe *cqe)
{
	struct untwist_call *call = slot->sink_data;
	struct untwist_client *client = call->client;

	if (cqe->flags & UNTWIST_CQE_F_MORE) {
		call_tell(call, cqe);
		return;
	}
	call->cqe = *cqe;
	call->posted_at = slot->stage_at;
	spin_lock(&client->lock);
	list_add_tail(&call->node, &client->done);
	spin_unlock(&client->lock);
}

static const struct untwist_sink client_sink = { .post = client_post };

static struct untwist_call *client_next_done(struct untwist_client *client)
{
	struct untwist_call *call;

	spin_lock(&client->lock);
	call = list_first_entry_or_null(&client->done, struct untwist_call, node);
	if (call)
		list_del(&call->node);
	spin_unlock(&client->lock);
	return call;
}

static void client_tell_gone(struct untwist_client *client)
{
	/* An open that failed, and a close, are no surprise. */
	if (client->told || READ_ONCE(client->closing) ||
	    !test_bit(UNTWIST_CH_OPENED, &client->ch->state))
		return;
	client->told = true;
	if (!client->ops || !client->ops->gone)
		return;
	lock_map_acquire_read(&callback_map);
	client->ops->gone(client);
	lock_map_release(&callback_map);
}

/**
 * untwist_client_run() - tell a client what has happened
 * @client: client
 *
 * Context: its channel's work.
 */
void untwist_client_run(struct untwist_client *client)
{
	bool ended = !refcount_read(&client->ch->users);
	struct untwist_call *call;

	/* Without users all that was submitted is in the list already. */
	smp_rmb();
	while ((call = client_next_done(client))) {
		struct untwist_cqe cqe = call->cqe;

		if (untwist_latency_on(client->ch->ud))
			untwist_latency_told(client->ch->ud, call->posted_at);
		call_tell(call, &cqe);
	}
	if (ended)
		client_tell_gone(client);
}

/* Submission. */

static int call_check(const struct untwist_channel *ch, const struct untwist_call *call,
		      const struct untwist_opcode *op)
{
	bool multishot = call->flags & UNTWIST_SQE_MULTISHOT;

	if (!call->done || call->flags & ~CALL_FLAGS || (call->flags & CALL_CHAIN) == CALL_CHAIN)
		return -EINVAL;
	if (call->len && (!call->payload || !op->payload))
		return -EINVAL;
	if (call->len > ch->ud->config.payload_max)
		return -EMSGSIZE;
	if (multishot && (!op->multishot || (call->len && op->payload & UNTWIST_FROM_DEVICE)))
		return -EOPNOTSUPP;
	return 0;
}

/* Linked to the next, all but the last; and only the first may drain. */
static int chain_check(const struct untwist_call *call, unsigned int index, unsigned int nr)
{
	if (!!(call->flags & CALL_CHAIN) != (index + 1 < nr))
		return -EINVAL;
	return index && call->flags & UNTWIST_SQE_DRAIN ? -EINVAL : 0;
}

static int call_payload(struct untwist_channel *ch, const struct untwist_call *call,
			const struct untwist_opcode *op, struct untwist_payload *payload)
{
	*payload = (struct untwist_payload){};
	if (!call->len)
		return 0;
	if (op->payload & UNTWIST_TO_DEVICE)
		payload->data = kmemdup(call->payload, call->len, GFP_KERNEL);
	else
		payload->data = kzalloc(call->len, GFP_KERNEL);
	if (!payload->data)
		return -ENOMEM;
	payload->len = call->len;
	payload->home = op->payload & UNTWIST_FROM_DEVICE ? call->payload : NULL;
	return op->payload & UNTWIST_PAGES ? untwist_payload_list(payload, ch, op->payload) : 0;
}

static struct untwist_slot *call_slot(struct untwist_client *client, struct untwist_call *call,
				      const struct untwist_opcode *op)
{
	const struct untwist_sqe sqe = {
		.user_data = call->user_data,
		.opcode = call->opcode,
		.flags = call->flags,
		.timeout_ns = call->timeout_ns,
		.arg = { call->arg[0], call->arg[1] },
	};
	struct untwist_payload payload;
	struct untwist_slot *slot;
	int ret = call_payload(client->ch, call, op, &payload);

	if (ret)
		return ERR_PTR(ret);
	slot = untwist_slot_take(client->ch, &client_sink);
	if (!slot) {
		untwist_payload_return(&payload, 0);
		return ERR_PTR(-EAGAIN);
	}
	untwist_slot_fill(slot, &sqe, op, &payload);
	slot->sink_data = call;
	call->client = client;
	WRITE_ONCE(call->tag, untwist_slot_tag(slot));
	return slot;
}

static struct untwist_slot *call_take(struct untwist_client *client, struct untwist_call *call)
{
	struct untwist_channel *ch = client->ch;
	const struct untwist_opcode *op = untwist_opcode_find(ch->ud, call->opcode);
	int ret = call_check(ch, call, op);

	if (!ret && call->flags & UNTWIST_SQE_MULTISHOT)
		ret = untwist_shots_make(&ch->requests);
	return ret ? ERR_PTR(ret) : call_slot(client, call, op);
}

static void chain_untake(struct untwist_channel *ch, struct untwist_slot *first)
{
	while (first) {
		struct untwist_slot *next = first->next;

		untwist_slot_untake(ch, first);
		first = next;
	}
}

static struct untwist_slot *chain_take(struct untwist_client *client,
				       struct untwist_call *const *calls, unsigned int nr)
{
	struct untwist_slot *first = NULL, *last = NULL, *slot;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = chain_check(calls[i], i, nr);
		slot = ret ? ERR_PTR(ret) : call_take(client, calls[i]);
		if (IS_ERR(slot)) {
			chain_untake(client->ch, first);
			return slot;
		}
		slot->prev = last;
		if (last)
			last->next = slot;
		else
			first = slot;
		last = slot;
	}
	return first;
}

/**
 * untwist_client_submit() - ask something of the device
 * @client: client
 * @calls: one call, or a chain: all but the last have UNTWIST_SQE_LINK or
 *	UNTWIST_SQE_HARDLINK
 * @nr: how many, at least 1
 *
 * All are taken or none.
 *
 * Context: process, may sleep; a callback of the client, too.
 *
 * Return: 0, and each call's done function is called once more than
 * UNTWIST_CQE_F_MORE says, with -EOPNOTSUPP for an opcode that the device does not
 * know. Else nothing has become of any: -EINVAL, something in a call is wrong;
 * -EOPNOTSUPP, the opcode does not complete many times; -EMSGSIZE, the payload is
 * longer than the device takes;
 * -E2BIG, a chain that it can never take; -EAGAIN, the client has as many
 * requests in flight as it may, and there is room once one of them is done;
 * -ENODEV, the device is gone; -ESHUTDOWN, the client is being closed; -ENOMEM.
 */
int untwist_client_submit(struct untwist_client *client, struct untwist_call *const *calls,
			  unsigned int nr)
{
	struct untwist_channel *ch = client->ch;
	struct untwist_slot *first;

	if (!nr)
		return -EINVAL;
	if (nr > ch->ud->config.requests_max)
		return -E2BIG;
	if (READ_ONCE(client->closing))
		return -ESHUTDOWN;
	if (!untwist_channel_enter(ch))
		return -ENODEV;
	first = chain_take(client, calls, nr);
	if (!IS_ERR(first)) {
		refcount_add((int)nr, &ch->users);
		untwist_channel_leave_posted(ch, untwist_slots_begin(ch, first));
	}
	untwist_channel_leave(ch, 1);
	return PTR_ERR_OR_ZERO(first);
}
EXPORT_SYMBOL_GPL(untwist_client_submit);

/**
 * untwist_client_cancel() - ask for the early end of a call
 * @client: client that it was submitted to
 * @call: call; the caller makes sure that it is not freed meanwhile
 *
 * Context: process, may sleep; a callback of the client, too.
 *
 * Return: 0, and its done function is called, with -ECANCELED as a rule; -ENOENT,
 * it is complete, and the same holds unless it was called before; -EALREADY,
 * asked before or not possible.
 */
int untwist_client_cancel(struct untwist_client *client, struct untwist_call *call)
{
	struct untwist_channel *ch = client->ch;
	struct untwist_slot *slot;
	int ret = -ENOENT;

	/* Without users it is complete. */
	if (!refcount_inc_not_zero(&ch->users))
		return -ENOENT;
	slot = untwist_slot_find_tag(ch, READ_ONCE(call->tag));
	if (slot) {
		ret = untwist_slot_cancel(ch, slot, UNTWIST_REQ_CANCELLED);
		untwist_slot_put(ch, slot);
	}
	untwist_channel_leave(ch, 1);
	return ret;
}
EXPORT_SYMBOL_GPL(untwist_client_cancel);

/* Birth and death. */

/**
 * untwist_client_attach() - join a client and its channel
 * @client: client; freed with the channel from now on
 * @ch: channel that nobody else knows yet
 */
void untwist_client_attach(struct untwist_client *client, struct untwist_channel *ch)
{
	client->ch = ch;
	ch->client = client;
}

/**
 * untwist_client_free() - free the memory of a client
 * @client: client without a channel, or of one that is being freed; or NULL
 */
void untwist_client_free(struct untwist_client *client)
{
	kfree(client);
}

/**
 * untwist_client_open() - open a device for a module
 * @ud: device, from untwist_device_find() or from its driver; the caller makes
 *	sure that it stays during the call, and need not after it
 * @ops: what the client is told, or NULL; must outlive the client
 * @data: for untwist_client_data()
 *
 * It counts as an open, for the limits of the device and of the user who runs. A
 * client has no part in a device's data: what the driver pushes to it is refused.
 *
 * Context: process, may sleep. Calls the driver's open.
 *
 * Return: the client, which untwist_client_close() ends; or an ERR_PTR:
 * -EOPNOTSUPP, the device takes no requests; -ENODEV, it is gone; -EBUSY or
 * -EDQUOT, it has as many opens as it may; -ENOMEM; -ERESTARTSYS; or what the
 * driver said.
 */
struct untwist_client *untwist_client_open(struct untwist_device *ud,
					   const struct untwist_client_ops *ops, void *data)
{
	struct untwist_client *client;
	struct untwist_channel *ch;

	if (!untwist_device_has_requests(ud))
		return ERR_PTR(-EOPNOTSUPP);
	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return ERR_PTR(-ENOMEM);
	client->ops = ops;
	client->data = data;
	spin_lock_init(&client->lock);
	INIT_LIST_HEAD(&client->done);
	ch = untwist_channel_open_client(ud, client);
	if (IS_ERR(ch))
		return ERR_CAST(ch);
	/* What a client that is forgotten would call must not go. */
	__module_get(THIS_MODULE);
	return client;
}
EXPORT_SYMBOL_GPL(untwist_client_open);

/**
 * untwist_client_close() - end a client
 * @client: client; gone when this returns, and no callback comes any more
 *
 * What is in flight is cancelled, and waited for. While a driver takes its time,
 * the log tells every ten seconds. The device may be gone before.
 *
 * Context: process, may sleep; not a callback of any client, for it would wait
 * for itself.
 */
void untwist_client_close(struct untwist_client *client)
{
	struct untwist_channel *ch = client->ch;

	lock_map_acquire(&callback_map);
	lock_map_release(&callback_map);
	WRITE_ONCE(client->closing, true);
	untwist_channel_shut(ch);
	untwist_channel_await_closed(ch, "the close of a client");
	/* The last user is gone, and what it had to tell is with the work. */
	flush_work(&ch->work);
	untwist_channel_put(ch);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(untwist_client_close);

/**
 * untwist_client_data() - what a module keeps with a client
 * @client: client
 *
 * Return: what untwist_client_open() was given.
 */
void *untwist_client_data(const struct untwist_client *client)
{
	return client->data;
}
EXPORT_SYMBOL_GPL(untwist_client_data);
