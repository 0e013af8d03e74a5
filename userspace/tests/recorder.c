/* SPDX-License-Identifier: MIT */
/* Recorder: see recorder.h. */
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define PATIENCE_NS UINT64_C(20000000000)

static struct recorder *recorder_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct recorder, protocol);
}

static void tell(struct recorder *r, char event)
{
	assert_false(r->in_call && event != 'P');
	assert_null(memchr(r->story, 'L', r->story_len));
	if (r->story_len && r->story[r->story_len - 1] == event && (event == 'D' || event == 'R'))
		return;
	assert_true(r->story_len < RECORDER_STORY - 1);
	r->story[r->story_len++] = event;
}

static void act(struct recorder *r, recorder_act_fn fn)
{
	if (fn)
		fn(r);
}

static void keep(struct recorder *r, const void *data, size_t len)
{
	r->pieces++;
	r->data = realloc(r->data, r->data_len + len + 1);
	assert_non_null(r->data);
	memcpy(r->data + r->data_len, data, len);
	r->data_len += len;
	if (r->echo)
		assert_true(utw_transport_write(r->protocol.transport, data, len) >= 0);
}

static void recorder_made(struct utw_protocol *p)
{
	tell(recorder_of(p), 'M');
	assert_non_null(p->transport);
	act(recorder_of(p), recorder_of(p)->on_made);
}

static void recorder_data(struct utw_protocol *p, const void *data, size_t len)
{
	struct recorder *r = recorder_of(p);

	tell(r, 'D');
	assert_true(len > 0);
	keep(r, data, len);
	act(r, r->on_data);
}

static void recorder_record(struct utw_protocol *p, const void *data, size_t len, size_t full_len)
{
	struct recorder *r = recorder_of(p);

	tell(r, 'R');
	r->last_full_len = full_len;
	keep(r, data, len);
	act(r, r->on_data);
}

static void recorder_overflow(struct utw_protocol *p, uint64_t bytes, uint64_t records)
{
	(void)bytes;
	tell(recorder_of(p), 'O');
	recorder_of(p)->overflow_records += records;
}

static void recorder_eof(struct utw_protocol *p)
{
	tell(recorder_of(p), 'E');
	act(recorder_of(p), recorder_of(p)->on_eof);
}

static void recorder_hangup(struct utw_protocol *p)
{
	tell(recorder_of(p), 'H');
}

static void recorder_pause(struct utw_protocol *p)
{
	tell(recorder_of(p), 'P');
	act(recorder_of(p), recorder_of(p)->on_pause);
}

static void recorder_resume(struct utw_protocol *p)
{
	tell(recorder_of(p), 'S');
	act(recorder_of(p), recorder_of(p)->on_resume);
}

static void recorder_lost_op(struct utw_protocol *p, struct utw_failure *reason)
{
	struct recorder *r = recorder_of(p);

	tell(r, 'L');
	assert_null(p->transport);
	r->reason = utw_failure_ref(reason);
}

#define RECORDER_COMMON                                                                    \
	.made = recorder_made, .data = recorder_data, .record = recorder_record,           \
	.overflow = recorder_overflow, .hangup = recorder_hangup, .pause = recorder_pause, \
	.resume = recorder_resume, .lost = recorder_lost_op

static const struct utw_protocol_ops with_eof = { RECORDER_COMMON, .eof = recorder_eof };
static const struct utw_protocol_ops without_eof = { RECORDER_COMMON };

void recorder_init(struct recorder *r, bool eof)
{
	memset(r, 0, sizeof(*r));
	utw_protocol_init(&r->protocol, eof ? &with_eof : &without_eof);
}

void recorder_release(struct recorder *r)
{
	free(r->data);
	utw_failure_unref(r->reason);
	r->data = NULL;
	r->reason = NULL;
}

bool recorder_lost(const struct recorder *r)
{
	return r->reason;
}

void assert_lost(const struct recorder *r, int reason)
{
	char text[256];

	assert_non_null(r->reason);
	utw_failure_format(r->reason, text, sizeof(text));
	if (!utw_failure_is(r->reason, &utw_domain_reason, reason))
		fail_msg("lost for another reason than %d: %s", reason, text);
}

void assert_story(const struct recorder *r, const char *story)
{
	assert_string_equal(r->story, story);
}

void turn_once(struct utw_reactor *r, const char *condition, const char *file, int line)
{
	int calls = utw_reactor_run_once(r, PATIENCE_NS);

	assert_true(calls >= 0);
	if (calls == 0)
		fail_msg("%s:%d: waited in vain for: %s", file, line, condition);
}

void turn_all(struct utw_reactor *r)
{
	while (utw_reactor_run_once(r, 0) > 0)
		;
}
