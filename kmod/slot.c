// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: the memory of requests, used again and again. Each use has a
 * generation, so that who answers late is told apart.
 */
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "slot.h"

static_assert(UNTWIST_REQUESTS_MAX == 1u << UNTWIST_REQ_GENERATION);
static_assert(UNTWIST_REQ_TIMED_OUT < 1 << UNTWIST_REQ_GENERATION);

#define GENERATION_ONE (UNTWIST_REQ_INDEX_MASK + 1)

static size_t slot_stride(const struct untwist_device *ud)
{
	return ALIGN(sizeof(struct untwist_slot) + ud->config.request_size, ARCH_KMALLOC_MINALIGN);
}

/**
 * untwist_slot_at() - a slot by its number
 * @ch: channel whose slots were made
 * @index: number, below untwist_config.requests_max
 *
 * Return: the slot, in use or not.
 */
struct untwist_slot *untwist_slot_at(const struct untwist_channel *ch, u32 index)
{
	return ch->requests.slots + index * slot_stride(ch->ud);
}

/**
 * untwist_slots_size() - the memory of a channel's requests
 * @ud: its device
 *
 * Return: bytes.
 */
size_t untwist_slots_size(const struct untwist_device *ud)
{
	return ud->config.requests_max * slot_stride(ud);
}
EXPORT_SYMBOL_IF_KUNIT(untwist_slots_size);

/**
 * untwist_slots_alloc() - make the memory of a channel's requests
 * @ch: channel, its requests.setup_lock held
 *
 * Context: may sleep.
 *
 * Return: all slots, listed as free; NULL, no memory.
 */
void *untwist_slots_alloc(struct untwist_channel *ch)
{
	u32 max = ch->ud->config.requests_max;
	void *slots = kvcalloc(max, slot_stride(ch->ud), GFP_KERNEL_ACCOUNT);
	u32 i;

	for (i = 0; slots && i < max; i++) {
		struct untwist_slot *slot = slots + i * slot_stride(ch->ud);

		slot->index = i;
		list_add_tail(&slot->link, &ch->requests.free);
	}
	return slots;
}

/**
 * untwist_slot_take() - get room for a request
 * @ch: channel
 * @sink: where its completion goes; NULL, to the CQ, for which the caller has a
 *	credit, which the slot has from now on
 *
 * Return: a slot, of which all but what belongs to the core is zero; NULL when
 * the channel holds as many requests as it may.
 */
struct untwist_slot *untwist_slot_take(struct untwist_channel *ch, const struct untwist_sink *sink)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;
	u32 index, state;

	spin_lock(&rq->lock);
	slot = list_first_entry_or_null(&rq->free, struct untwist_slot, link);
	if (slot)
		list_del(&slot->link);
	spin_unlock(&rq->lock);
	if (!slot)
		return NULL;

	index = slot->index;
	state = ((u32)atomic_read(&slot->state) & UNTWIST_REQ_GENERATION_MASK) + GENERATION_ONE;
	memset(slot, 0, slot_stride(ch->ud));
	slot->index = index;
	slot->sink = sink;
	slot->req.channel = ch;
	INIT_LIST_HEAD(&slot->req.node);
	INIT_LIST_HEAD(&slot->wait);
	timerqueue_init(&slot->deadline);
	refcount_set(&slot->refs, 2); /* the request, and who starts or ends it */
	atomic_set(&slot->state, (int)(state | UNTWIST_REQ_LIVE));
	return slot;
}

static void slot_free(struct untwist_requests *rq, struct untwist_slot *slot)
{
	lockdep_assert_held(&rq->lock);
	list_add_tail(&slot->link, &rq->free);
}

/**
 * untwist_slot_untake() - give a slot back that was never begun
 * @ch: channel
 * @slot: slot; its payload is returned as it is
 *
 * Context: process, within untwist_channel_enter() or after unplug.
 */
void untwist_slot_untake(struct untwist_channel *ch, struct untwist_slot *slot)
{
	struct untwist_requests *rq = &ch->requests;
	bool made_room;

	untwist_payload_return(&slot->payload, 0);
	atomic_andnot(~UNTWIST_REQ_GENERATION_MASK, &slot->state);
	spin_lock(&rq->lock);
	made_room = list_empty(&rq->free);
	slot_free(rq, slot);
	spin_unlock(&rq->lock);
	if (!slot->sink)
		made_room |= untwist_cq_unreserve(&rq->cq, 1);
	/* Who looked meanwhile has seen no room. */
	if (made_room && !untwist_channel_dead(ch))
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/**
 * untwist_slot_unref() - drop a reference to a slot, with the lock held
 * @rq: request plane
 * @slot: slot
 *
 * Return: true if there is room now where there was none.
 */
bool untwist_slot_unref(struct untwist_requests *rq, struct untwist_slot *slot)
{
	bool was_empty;

	lockdep_assert_held(&rq->lock);
	if (!refcount_dec_and_test(&slot->refs))
		return false;
	was_empty = list_empty(&rq->free);
	slot_free(rq, slot);
	return was_empty;
}

/**
 * untwist_slot_put() - drop a reference to a slot
 * @ch: channel
 * @slot: slot
 *
 * Context: process, within untwist_channel_enter(): the wake-up may need the
 * work.
 */
void untwist_slot_put(struct untwist_channel *ch, struct untwist_slot *slot)
{
	bool made_room;

	spin_lock(&ch->requests.lock);
	made_room = untwist_slot_unref(&ch->requests, slot);
	spin_unlock(&ch->requests.lock);
	/* A cancel that took its time may have held the only slot there was. */
	if (made_room)
		untwist_channel_announce(ch, UNTWIST_EV_OUT);
}

/**
 * untwist_slot_find_tag() - the request with a tag
 * @ch: channel
 * @tag: tag, whatever its value
 *
 * Return: the request, live and pinned; NULL, it is complete.
 */
struct untwist_slot *untwist_slot_find_tag(struct untwist_channel *ch, u32 tag)
{
	struct untwist_requests *rq = &ch->requests;
	struct untwist_slot *slot;

	spin_lock(&rq->lock);
	list_for_each_entry(slot, &rq->live, link) {
		if (untwist_slot_tag(slot) != tag)
			continue;
		refcount_inc(&slot->refs);
		spin_unlock(&rq->lock);
		return slot;
	}
	spin_unlock(&rq->lock);
	return NULL;
}

/**
 * untwist_request_priv() - the driver's own memory with a request
 * @req: request that came by submit
 *
 * Return: untwist_config.request_size bytes, zero when submit is called.
 */
void *untwist_request_priv(struct untwist_request *req)
{
	return untwist_to_slot(req) + 1;
}
EXPORT_SYMBOL_GPL(untwist_request_priv);
