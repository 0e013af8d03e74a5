/* SPDX-License-Identifier: MIT */
/*
 * Session: see session.h.
 *
 * Each line becomes an answer in a queue at once, be it a question to the
 * device or a complaint that needs none; what is complete at the head of the
 * queue is written out. So the order of the input is kept, errors included.
 */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/untwist_edu.h>

#include "number.h"
#include "unit.h"

#define ANSWER_TEXT 256

struct answer {
	struct session *session; /* NULL: the session has ended before */
	struct unit *unit;
	struct answer *next;
	uint64_t line;
	uint64_t asked; /* ns */
	int n;
	bool complete;
	bool complaint;
	char text[ANSWER_TEXT];
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static struct session *session_of(struct utw_line *l)
{
	return utw_container_of(l, struct session, line);
}

static void session_write(struct session *s, const struct answer *a)
{
	size_t len = strlen(a->text);

	if (a->complaint && s->complaints)
		utw_transport_write(s->complaints, a->text, len);
	else
		utw_transport_write(s->line.protocol.transport, a->text, len);
}

/* Read only while there is room for the questions and a way out for the answers. */
static void session_balance(struct session *s)
{
	if (s->ended)
		return;
	if (s->over || s->complaints_over || s->waiting >= SESSION_WINDOW)
		utw_line_pause(&s->line);
	else if (s->waiting <= SESSION_WINDOW / 2)
		utw_line_resume(&s->line);
}

/* Write what is complete at the head of the queue, and end after the last. */
static void session_answer(struct session *s)
{
	while (s->first && s->first->complete) {
		struct answer *a = s->first;

		s->first = a->next;
		if (!s->first)
			s->last = NULL;
		s->waiting--;
		session_write(s, a);
		free(a);
	}
	if (s->ended && !s->first)
		utw_transport_close(s->line.protocol.transport, UTW_CLOSE_FLUSH, UTW_FOREVER);
	session_balance(s);
}

static void answer_complain(struct answer *a, const char *what)
{
	a->complete = true;
	a->complaint = true;
	snprintf(a->text, sizeof(a->text), "line %" PRIu64 ": %s\n", a->line, what);
}

/* The deferred has fired: the one place where callbacks are counted. */
static void answer_heard(struct answer *a)
{
	a->unit->callbacks++;
	histogram_add(&a->unit->latency, now() - a->asked);
}

static void answer_deliver(struct answer *a)
{
	if (a->session)
		session_answer(a->session);
	else
		free(a);
}

static struct utw_result answer_value(void *value, void *data)
{
	const struct utw_completion *completion = value;
	struct answer *a = data;

	answer_heard(a);
	a->complete = true;
	snprintf(a->text, sizeof(a->text), "%d! = %" PRIu64 "\n", a->n, completion->value[0]);
	answer_deliver(a);
	return utw_result_value(NULL);
}

static struct utw_result answer_failure(struct utw_failure *failure, void *data)
{
	struct answer *a = data;
	char what[ANSWER_TEXT - 32];

	answer_heard(a);
	a->unit->failed++;
	if (utw_failure_is(failure, &utw_domain_reason, UTW_GONE))
		snprintf(what, sizeof(what), "not answered, %s is gone",
			 utw_device_name(a->unit->device));
	else
		utw_failure_format(failure, what, sizeof(what));
	answer_complain(a, what);
	answer_deliver(a);
	return utw_result_value(NULL);
}

static void answer_ask(struct answer *a)
{
	struct utw_request request = {
		.opcode = UNTWIST_EDU_OP_FACTORIAL,
		.arg = { (uint64_t)a->n },
	};
	struct utw_deferred *d;

	a->asked = now();
	d = utw_device_submit(a->unit->device, &request);
	if (!d) {
		answer_complain(a, "out of memory");
		return;
	}
	a->unit->requests++;
	utw_deferred_add_callbacks(d, answer_value, answer_failure, a);
	utw_deferred_unref(d);
}

static struct answer *session_queue(struct session *s)
{
	struct answer *a = calloc(1, sizeof(*a));

	s->lines++;
	if (!a) {
		utw_transport_close(s->line.protocol.transport, UTW_CLOSE_ABORT, 0);
		return NULL;
	}
	a->session = s;
	a->unit = s->unit;
	a->line = s->lines;
	if (s->last)
		s->last->next = a;
	else
		s->first = a;
	s->last = a;
	s->waiting++;
	return a;
}

static void session_line(struct utw_line *l, const char *line, size_t len)
{
	struct session *s = session_of(l);
	struct answer *a = session_queue(s);
	char complaint[NUMBER_COMPLAINT];

	if (!a)
		return;
	a->n = number_read(line, len, UNTWIST_EDU_FACTORIAL_MAX, complaint);
	if (a->n < 0)
		answer_complain(a, complaint);
	else
		answer_ask(a);
	session_answer(s);
}

static void session_too_long(struct utw_line *l, const char *data, size_t len)
{
	struct session *s = session_of(l);
	struct answer *a = session_queue(s);
	char complaint[64];

	(void)data;
	(void)len;
	if (!a)
		return;
	snprintf(complaint, sizeof(complaint), "longer than %d bytes", SESSION_LINE_MAX);
	answer_complain(a, complaint);
	session_answer(s);
}

/* A last line without its newline is a line. */
static void session_eof(struct utw_line *l)
{
	struct session *s = session_of(l);
	const char *rest;
	size_t len = utw_line_held(l, &rest);

	if (len && !l->skipping)
		session_line(l, rest, len);
	s->ended = true;
	session_answer(s);
}

static void session_pause(struct utw_line *l)
{
	session_of(l)->over = true;
	session_balance(session_of(l));
}

static void session_resume(struct utw_line *l)
{
	session_of(l)->over = false;
	session_balance(session_of(l));
}

static void session_unlink(struct session *s)
{
	if (s->next)
		s->next->previous = s->previous;
	if (s->previous)
		s->previous->next = s->next;
	else
		s->unit->sessions = s->next;
}

static void session_free(struct session *s)
{
	session_unlink(s);
	utw_transport_close(s->complaints, UTW_CLOSE_FLUSH, UTW_FOREVER);
	utw_transport_unref(s->complaints);
	free(s);
}

/* Questions that the device has not answered outlive their session. */
static void session_forget_answers(struct session *s)
{
	struct answer *next;

	for (struct answer *a = s->first; a; a = next) {
		next = a->next;
		a->session = NULL;
		if (a->complete)
			free(a);
	}
}

static void session_lost(struct utw_line *l, struct utw_failure *reason)
{
	struct session *s = session_of(l);
	struct unit *u = s->unit;

	(void)reason;
	session_forget_answers(s);
	session_free(s);
	unit_stream_lost(u);
}

static const struct utw_line_ops session_ops = {
	.line = session_line,
	.too_long = session_too_long,
	.eof = session_eof,
	.pause = session_pause,
	.resume = session_resume,
	.lost = session_lost,
};

struct session *session_new(struct unit *u, struct utw_transport *complaints)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	utw_line_init(&s->line, &session_ops);
	utw_line_set_delimiter(&s->line, "\n", 1);
	utw_line_set_max(&s->line, SESSION_LINE_MAX);
	s->unit = u;
	s->complaints = complaints;
	s->next = u->sessions;
	if (s->next)
		s->next->previous = s;
	u->sessions = s;
	unit_stream_begun(u);
	return s;
}

void session_discard(struct session *s)
{
	s->unit->streams--;
	session_free(s);
}

void session_complaints_over(struct session *s, bool over)
{
	s->complaints_over = over;
	session_balance(s);
}

void session_finish(struct session *s)
{
	if (s->ended)
		return;
	utw_line_pause(&s->line);
	s->ended = true;
	session_answer(s);
}
