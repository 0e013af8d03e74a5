/* SPDX-License-Identifier: MIT */
/*
 * Line: see untwist/line.h.
 *
 * The cutter holds an unfinished line; `scanned` counts those of its bytes that
 * hold no start of a delimiter, so that no byte is looked at twice.
 */
#include <untwist/line.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/uio.h>

#include <untwist/failure.h>
#include <untwist/transport.h>

#include "cutter.h"

static struct utw_line *line_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct utw_line, protocol);
}

/* Where the delimiter starts at or after `from`, or SIZE_MAX. */
static size_t find_delimiter(const struct utw_line *l, const char *data, size_t len, size_t from)
{
	const char *hit = memmem(data + from, len - from, l->delimiter, l->delimiter_len);

	return hit ? (size_t)(hit - data) : SIZE_MAX;
}

/* Length of the longest end of `data` that may be the start of a delimiter. */
static size_t partial_delimiter(const struct utw_line *l, const char *data, size_t len)
{
	size_t n = l->delimiter_len - 1 < len ? l->delimiter_len - 1 : len;

	while (n && memcmp(data + len - n, l->delimiter, n) != 0)
		n--;
	return n;
}

static void tell_too_long(struct utw_line *l, const char *data, size_t len)
{
	if (l->ops->too_long)
		l->ops->too_long(l, data, len);
	else
		utw_cutter_fail(&l->cutter,
				utw_failure_new(&utw_domain_reason, UTW_LIMIT, "line", NULL,
						"%zu bytes and no end yet, at offset %" PRIu64
						" of %s; the limit is %zu",
						len, l->cutter.offset,
						utw_transport_name(l->protocol.transport), l->max));
}

/* A whole line is there. */
static size_t step_whole(struct utw_line *l, const char *data, size_t len, size_t line_len)
{
	size_t step = line_len + l->delimiter_len;

	l->scanned = 0;
	utw_cutter_offer(&l->cutter, data + step, len - step);
	if (l->skipping)
		l->skipping = false;
	else if (line_len > l->max)
		tell_too_long(l, data, line_len);
	else
		l->ops->line(l, data, line_len);
	return step;
}

/* No delimiter yet: keep it all, unless it is too long to ever be a line. */
static size_t step_part(struct utw_line *l, const char *data, size_t len)
{
	size_t partial = partial_delimiter(l, data, len);

	l->scanned = len - partial;
	if (!l->skipping && len - partial <= l->max)
		return 0;
	l->scanned = 0;
	utw_cutter_offer(&l->cutter, data + len, 0);
	if (!l->skipping) {
		l->skipping = true;
		tell_too_long(l, data, len);
	}
	return len - partial;
}

static size_t step_line(struct utw_line *l, const char *data, size_t len)
{
	size_t at = find_delimiter(l, data, len, l->scanned);

	return at == SIZE_MAX ? step_part(l, data, len) : step_whole(l, data, len, at);
}

static size_t step_raw(struct utw_line *l, const char *data, size_t len)
{
	size_t step = len < l->raw_left ? len : (size_t)l->raw_left;

	if (l->raw_left != UTW_LINE_RAW_ALL)
		l->raw_left -= step;
	utw_cutter_offer(&l->cutter, data + step, len - step);
	l->raw_chunk = step;
	l->raw_rest = 0;
	if (l->ops->raw)
		l->ops->raw(l, data, step);
	l->raw_chunk = 0;
	return step - l->raw_rest;
}

static bool line_step(struct utw_cutter *c, const char *data, size_t len, size_t *used)
{
	struct utw_line *l = utw_container_of(c, struct utw_line, cutter);

	/* A raw step may give all of its bytes back, to be cut into lines. */
	if (l->raw_left) {
		*used = step_raw(l, data, len);
		return true;
	}
	*used = step_line(l, data, len);
	return *used > 0;
}

static const struct utw_cutter_ops line_cutter = { .step = line_step };

static void line_data(struct utw_protocol *p, const void *data, size_t len)
{
	utw_cutter_feed(&line_of(p)->cutter, data, len);
}

static void line_record(struct utw_protocol *p, const void *data, size_t len, size_t full_len)
{
	(void)full_len;
	line_data(p, data, len);
}

static void line_made(struct utw_protocol *p)
{
	struct utw_line *l = line_of(p);

	utw_cutter_begin(&l->cutter);
	if (l->ops->made)
		l->ops->made(l);
}

static void line_overflow(struct utw_protocol *p, uint64_t bytes, uint64_t records)
{
	struct utw_line *l = line_of(p);

	if (l->ops->overflow)
		l->ops->overflow(l, bytes, records);
}

static void line_eof(struct utw_protocol *p)
{
	struct utw_line *l = line_of(p);

	l->ops->eof(l);
}

static void line_hangup(struct utw_protocol *p)
{
	struct utw_line *l = line_of(p);

	if (l->ops->hangup)
		l->ops->hangup(l);
}

static void line_pause_writes(struct utw_protocol *p)
{
	struct utw_line *l = line_of(p);

	if (l->ops->pause)
		l->ops->pause(l);
}

static void line_resume_writes(struct utw_protocol *p)
{
	struct utw_line *l = line_of(p);

	if (l->ops->resume)
		l->ops->resume(l);
}

static void line_lost(struct utw_protocol *p, struct utw_failure *reason)
{
	struct utw_line *l = line_of(p);

	reason = utw_cutter_end(&l->cutter, reason);
	l->ops->lost(l, reason);
	utw_failure_unref(reason);
}

#define LINE_PROTOCOL_COMMON                                                                    \
	.made = line_made, .data = line_data, .record = line_record, .overflow = line_overflow, \
	.hangup = line_hangup, .pause = line_pause_writes, .resume = line_resume_writes,        \
	.lost = line_lost

/* Whether there is an eof operation decides what the end of the peer means. */
static const struct utw_protocol_ops ops_with_eof = { LINE_PROTOCOL_COMMON, .eof = line_eof };
static const struct utw_protocol_ops ops_without_eof = { LINE_PROTOCOL_COMMON };

void utw_line_init(struct utw_line *l, const struct utw_line_ops *ops)
{
	memset(l, 0, sizeof(*l));
	utw_protocol_init(&l->protocol, ops->eof ? &ops_with_eof : &ops_without_eof);
	utw_cutter_init(&l->cutter, &line_cutter, &l->protocol);
	l->ops = ops;
	l->max = UTW_LINE_MAX;
	utw_line_set_delimiter(l, "\r\n", 2);
}

void utw_line_release(struct utw_line *l)
{
	utw_cutter_release(&l->cutter);
}

int utw_line_set_delimiter(struct utw_line *l, const char *delimiter, size_t len)
{
	if (len < 1 || len > UTW_LINE_DELIMITER_MAX)
		return -EINVAL;
	memcpy(l->delimiter, delimiter, len);
	l->delimiter_len = len;
	l->scanned = 0;
	return 0;
}

void utw_line_set_max(struct utw_line *l, size_t max)
{
	l->max = max;
}

void utw_line_set_raw(struct utw_line *l, uint64_t bytes)
{
	l->raw_left = bytes;
	l->scanned = 0;
}

int utw_line_set_lines(struct utw_line *l, size_t rest)
{
	if (rest > l->raw_chunk)
		return -EINVAL;
	l->raw_left = 0;
	l->raw_rest = rest;
	return 0;
}

void utw_line_pause(struct utw_line *l)
{
	utw_cutter_pause(&l->cutter);
}

void utw_line_resume(struct utw_line *l)
{
	utw_cutter_resume(&l->cutter);
}

int utw_line_send(struct utw_line *l, const char *line, size_t len)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)line, .iov_len = len },
		{ .iov_base = l->delimiter, .iov_len = l->delimiter_len },
	};

	return utw_transport_writev(l->protocol.transport, iov, 2);
}

size_t utw_line_held(const struct utw_line *l, const char **ret)
{
	return utw_cutter_held(&l->cutter, ret);
}

uint64_t utw_line_offset(const struct utw_line *l)
{
	return l->cutter.offset;
}
