/* SPDX-License-Identifier: MIT */
/*
 * Framed: see untwist/framed.h.
 *
 * A framing says how many bytes it `need`s before it can say more; it is not
 * asked before, so that bytes which trickle in cost nothing to look at.
 */
#include <untwist/framed.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <untwist/failure.h>
#include <untwist/framing.h>
#include <untwist/transport.h>

#include "base/buffer.h"
#include "cutter.h"
#include "stuffing.h"

static struct utw_framed *framed_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct utw_framed, protocol);
}

/* Back to where a frame begins. */
static void framed_rest(struct utw_framed *f)
{
	f->state[0] = 0;
	f->state[1] = 0;
	f->need = 0;
	if (f->unwrapped)
		utw_buffer_clear(f->unwrapped);
}

static struct utw_failure *failure_too_long(const struct utw_framed *f, const struct utw_cut *cut)
{
	return utw_failure_new(&utw_domain_reason, UTW_LIMIT, f->framing->name, NULL,
			       "a frame of %zu bytes at offset %" PRIu64 " of %s; the limit is %zu",
			       cut->len, f->begun, utw_transport_name(f->protocol.transport),
			       f->max);
}

static struct utw_failure *failure_bad(const struct utw_framed *f, const struct utw_cut *cut)
{
	return utw_failure_new(&utw_domain_errno, EBADMSG, f->framing->name, NULL,
			       "%s, at offset %" PRIu64 " of %s", cut->why,
			       f->cutter.offset + cut->at,
			       utw_transport_name(f->protocol.transport));
}

/* Takes `why`. */
static void framed_bad(struct utw_framed *f, struct utw_failure *why)
{
	framed_rest(f);
	if (f->ops->bad)
		f->ops->bad(f, why);
	if (!f->ops->bad || !f->framing->resumes)
		utw_cutter_fail(&f->cutter, why);
	else
		utw_failure_unref(why);
}

static bool framed_step(struct utw_cutter *c, const char *data, size_t len, size_t *used)
{
	struct utw_framed *f = utw_container_of(c, struct utw_framed, cutter);
	struct utw_cut cut = { .used = len };
	enum utw_cut_kind kind;

	if (len < f->need)
		return false;
	if (!utw_stuffing_begun(f))
		f->begun = c->offset;
	kind = f->framing->decode(f, (const uint8_t *)data, len, &cut);
	*used = cut.used;
	utw_cutter_offer(c, data + cut.used, len - cut.used);
	switch (kind) {
	case UTW_CUT_MORE:
		f->need = cut.need;
		return false;
	case UTW_CUT_SKIP:
		break;
	case UTW_CUT_FRAME:
		f->need = 0;
		f->ops->frame(f, cut.data, cut.len);
		break;
	case UTW_CUT_TOO_LONG:
		framed_bad(f, failure_too_long(f, &cut));
		break;
	case UTW_CUT_BAD:
		framed_bad(f, failure_bad(f, &cut));
		break;
	case UTW_CUT_NO_MEMORY:
		utw_transport_close(f->protocol.transport, UTW_CLOSE_ABORT, 0);
		break;
	}
	return true;
}

static const struct utw_cutter_ops framed_cutter = { .step = framed_step };

static void framed_made(struct utw_protocol *p)
{
	struct utw_framed *f = framed_of(p);

	utw_cutter_begin(&f->cutter);
	if (f->ops->made)
		f->ops->made(f);
}

static void framed_data(struct utw_protocol *p, const void *data, size_t len)
{
	utw_cutter_feed(&framed_of(p)->cutter, data, len);
}

static void framed_record(struct utw_protocol *p, const void *data, size_t len, size_t full_len)
{
	(void)full_len;
	framed_data(p, data, len);
}

static void framed_overflow(struct utw_protocol *p, uint64_t bytes, uint64_t records)
{
	struct utw_framed *f = framed_of(p);

	if (f->ops->overflow)
		f->ops->overflow(f, bytes, records);
}

static void framed_eof(struct utw_protocol *p)
{
	struct utw_framed *f = framed_of(p);

	f->ops->eof(f);
}

static void framed_hangup(struct utw_protocol *p)
{
	struct utw_framed *f = framed_of(p);

	if (f->ops->hangup)
		f->ops->hangup(f);
}

static void framed_pause_writes(struct utw_protocol *p)
{
	struct utw_framed *f = framed_of(p);

	if (f->ops->pause)
		f->ops->pause(f);
}

static void framed_resume_writes(struct utw_protocol *p)
{
	struct utw_framed *f = framed_of(p);

	if (f->ops->resume)
		f->ops->resume(f);
}

static void framed_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct utw_framed *f = framed_of(p);
	struct utw_failure *told = utw_cutter_end(&f->cutter, reason);

	utw_framed_release(f);
	f->ops->lost(f, told);
	utw_failure_unref(told);
}

#define FRAMED_PROTOCOL_COMMON                                                              \
	.made = framed_made, .data = framed_data, .record = framed_record,                  \
	.overflow = framed_overflow, .hangup = framed_hangup, .pause = framed_pause_writes, \
	.resume = framed_resume_writes, .lost = framed_lost

/* Whether there is an eof operation decides what the end of the peer means. */
static const struct utw_protocol_ops ops_with_eof = { FRAMED_PROTOCOL_COMMON, .eof = framed_eof };
static const struct utw_protocol_ops ops_without_eof = { FRAMED_PROTOCOL_COMMON };

void utw_framed_init(struct utw_framed *f, const struct utw_framed_ops *ops,
		     const struct utw_framing *framing)
{
	memset(f, 0, sizeof(*f));
	utw_protocol_init(&f->protocol, ops->eof ? &ops_with_eof : &ops_without_eof);
	utw_cutter_init(&f->cutter, &framed_cutter, &f->protocol);
	f->ops = ops;
	f->framing = framing;
	f->max = framing->max;
	f->size = 1;
}

void utw_framed_release(struct utw_framed *f)
{
	utw_cutter_release(&f->cutter);
	framed_rest(f);
	f->skipping = false;
	if (f->unwrapped)
		utw_buffer_release(f->unwrapped);
	free(f->unwrapped);
	f->unwrapped = NULL;
}

void utw_framed_set_max(struct utw_framed *f, size_t max)
{
	f->max = max;
}

int utw_framed_set_size(struct utw_framed *f, size_t size)
{
	if (!size)
		return -EINVAL;
	f->size = size;
	f->need = 0;
	return 0;
}

void utw_framed_pause(struct utw_framed *f)
{
	utw_cutter_pause(&f->cutter);
}

void utw_framed_resume(struct utw_framed *f)
{
	utw_cutter_resume(&f->cutter);
}

int utw_framed_send(struct utw_framed *f, const void *data, size_t len)
{
	return f->framing->send(f, data, len);
}

size_t utw_framed_held(const struct utw_framed *f, const char **ret)
{
	return utw_cutter_held(&f->cutter, ret);
}

uint64_t utw_framed_offset(const struct utw_framed *f)
{
	return f->begun;
}
