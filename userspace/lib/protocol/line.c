/* SPDX-License-Identifier: MIT */
/*
 * Line: see untwist/line.h.
 *
 * A chunk is cut where it lies; only what cannot be delivered yet is copied to
 * `held`. The two are never mixed: while something is held, chunks are added
 * to it first. `scanned` counts the bytes of the unfinished line that hold no
 * start of a delimiter, so that no byte is looked at twice.
 */
#include <untwist/line.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <untwist/transport.h>

#include "base/buffer.h"

static struct utw_line *line_of(struct utw_protocol *p)
{
	return utw_container_of(p, struct utw_line, protocol);
}

static bool may_deliver(const struct utw_line *l)
{
	return !l->paused && !utw_transport_closing(l->protocol.transport);
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
		utw_transport_close(l->protocol.transport, UTW_CLOSE_FLUSH, UTW_LINE_CLOSE_TIMEOUT);
}

/* A whole line is there. */
static size_t step_whole(struct utw_line *l, const char *data, size_t len, size_t line_len)
{
	size_t step = line_len + l->delimiter_len;

	l->scanned = 0;
	l->undelivered = data + step;
	l->undelivered_len = len - step;
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
	l->undelivered = data + len;
	l->undelivered_len = 0;
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
	l->undelivered = data + step;
	l->undelivered_len = len - step;
	l->raw_chunk = step;
	l->raw_rest = 0;
	if (l->ops->raw)
		l->ops->raw(l, data, step);
	l->raw_chunk = 0;
	return step - l->raw_rest;
}

/* Deliver what can be. Returns how many bytes are done with. */
static size_t deliver(struct utw_line *l, const char *data, size_t len)
{
	size_t used = 0;

	l->delivering = true;
	while (used < len && may_deliver(l)) {
		bool raw = l->raw_left > 0;
		size_t step = raw ? step_raw(l, data + used, len - used)
				  : step_line(l, data + used, len - used);

		used += step;
		if (!step && !raw)
			break;
	}
	l->delivering = false;
	return used;
}

/* What is left when another protocol has taken over is that one's, or nobody's. */
static void hold(struct utw_line *l, const char *data, size_t len)
{
	if (!len || !l->protocol.transport)
		return;
	if (!l->held)
		l->held = calloc(1, sizeof(*l->held));
	if (!l->held || utw_buffer_append(l->held, data, len))
		utw_transport_close(l->protocol.transport, UTW_CLOSE_ABORT, 0);
}

static bool holds(const struct utw_line *l)
{
	return l->held && !utw_buffer_empty(l->held);
}

static void deliver_held(struct utw_line *l)
{
	utw_buffer_consume(l->held,
			   deliver(l, utw_buffer_data(l->held), utw_buffer_length(l->held)));
	if (!l->protocol.transport)
		utw_line_release(l);
}

static void line_data(struct utw_protocol *p, const void *data, size_t len)
{
	struct utw_line *l = line_of(p);
	size_t used = 0;

	if (holds(l)) {
		hold(l, data, len);
		deliver_held(l);
	} else {
		used = deliver(l, data, len);
		hold(l, (const char *)data + used, len - used);
	}
	/* Paused and resumed again meanwhile. */
	if (!l->paused)
		utw_transport_resume(l->protocol.transport);
}

static void line_later(struct utw_call *c)
{
	struct utw_line *l = utw_container_of(c, struct utw_line, later);

	if (holds(l))
		deliver_held(l);
	if (!l->paused)
		utw_transport_resume(l->protocol.transport);
}

static void line_record(struct utw_protocol *p, const void *data, size_t len, size_t full_len)
{
	(void)full_len;
	line_data(p, data, len);
}

static void line_made(struct utw_protocol *p)
{
	struct utw_line *l = line_of(p);

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

	utw_line_release(l);
	l->ops->lost(l, reason);
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
	utw_call_init(&l->later, line_later);
	l->ops = ops;
	l->max = UTW_LINE_MAX;
	utw_line_set_delimiter(l, "\r\n", 2);
}

void utw_line_release(struct utw_line *l)
{
	utw_call_stop(&l->later);
	if (l->held)
		utw_buffer_release(l->held);
	free(l->held);
	l->held = NULL;
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
	l->paused = true;
	utw_call_stop(&l->later);
	utw_transport_pause(l->protocol.transport);
}

void utw_line_resume(struct utw_line *l)
{
	if (!l->paused)
		return;
	l->paused = false;
	/* Inside a callback the loop that made it goes on by itself. */
	if (!l->delivering && l->protocol.transport)
		utw_call_start_at_end(&l->later, utw_transport_reactor(l->protocol.transport));
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
	if (l->delivering) {
		*ret = l->undelivered;
		return l->undelivered_len;
	}
	*ret = holds(l) ? utw_buffer_data(l->held) : "";
	return holds(l) ? utw_buffer_length(l->held) : 0;
}
