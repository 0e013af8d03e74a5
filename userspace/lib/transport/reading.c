/* SPDX-License-Identifier: MIT */
/*
 * The read side: what has come is delivered before the end is told.
 *
 * Each readiness is served within a budget of bytes and records, so that one
 * busy transport does not starve the others; what is left makes the poller
 * report the same end again in the next turn.
 */
#include "transport-private.h"

#include <errno.h>
#include <sys/epoll.h>

/* Bytes asked for in one system call; on the stack, so that callbacks may nest reactors. */
#define READ_SIZE 32768

#define HANGUP (EPOLLHUP | EPOLLERR)

enum pump_end {
	PUMP_EMPTY, /* nothing more for now */
	PUMP_BUDGET, /* there may be more: come again */
	PUMP_STOPPED, /* by the protocol: paused, closed, switched or lost */
	PUMP_ENDED, /* by the other side, or by an error: see *error */
};

static bool read_wanted(const struct utw_transport *t)
{
	return t->made && !t->reason && t->read_side == UTW_READ_ON;
}

/*
 * A short read means that the input was empty a moment ago, which saves the
 * system call that would say so; except when `all` is to be read, as after a
 * hang-up, when the end is next.
 */
static enum pump_end pump_bytes(struct utw_transport *t, bool all, int *error)
{
	char data[READ_SIZE];
	size_t budget = UTW_TURN_BYTES;

	while (budget) {
		size_t size = budget < sizeof(data) ? budget : sizeof(data);
		ssize_t got = t->carrier->read(t, data, size);

		if (got == -EAGAIN)
			return PUMP_EMPTY;
		if (got <= 0) {
			*error = (int)got;
			return PUMP_ENDED;
		}
		if (t->protocol->ops->data)
			t->protocol->ops->data(t->protocol, data, (size_t)got);
		if (!read_wanted(t))
			return PUMP_STOPPED;
		if ((size_t)got < size && !all)
			return PUMP_EMPTY;
		budget -= (size_t)got;
	}
	return PUMP_BUDGET;
}

static enum pump_end pump_records(struct utw_transport *t, int *error)
{
	size_t bytes = 0;

	for (int count = 0; count < UTW_TURN_RECORDS && bytes < UTW_TURN_BYTES; count++) {
		const void *data;
		size_t full_len;
		bool end = false;
		ssize_t got = t->carrier->read_record(t, &data, &full_len, &end);

		if (got == -EAGAIN)
			return PUMP_EMPTY;
		if (got < 0 || end) {
			*error = end ? 0 : (int)got;
			return PUMP_ENDED;
		}
		if (t->protocol->ops->record)
			t->protocol->ops->record(t->protocol, data, (size_t)got, full_len);
		if (!read_wanted(t))
			return PUMP_STOPPED;
		bytes += full_len;
	}
	return PUMP_BUDGET;
}

static enum pump_end pump(struct utw_transport *t, bool all, int *error)
{
	*error = 0;
	return t->record ? pump_records(t, error) : pump_bytes(t, all, error);
}

/* Writing is over. When all was sent and all was read, that is an orderly end. */
static void lose_broken(struct utw_transport *t)
{
	if (t->read_side == UTW_READ_ENDED && !t->unsent)
		utw_transport_lose(t, utw_transport_done(t, "the other side"));
	else
		utw_transport_lose(t, utw_failure_ref(t->annex->draining));
}

/*
 * The one attempt to send what waits that protocol.h promises. That it fails is
 * no reason of its own; but an end with bytes unsent is not an orderly one.
 */
static void read_ended_all(struct utw_transport *t)
{
	if (utw_transport_waiting(t) && utw_annex_make(t)) {
		t->annex->draining = utw_transport_done(t, "the other side");
		utw_transport_flush(t);
	}
	if (utw_transport_waiting(t) || t->unsent)
		utw_transport_lose(t, utw_transport_failure(t, -EPIPE, "write"));
	else
		utw_transport_lose(t, utw_transport_done(t, "the other side"));
}

/* The orderly end of the other side. */
static void read_ended(struct utw_transport *t)
{
	bool apart = t->carrier->shut_write && t->protocol->ops->eof;

	t->read_side = UTW_READ_ENDED;
	if (utw_transport_draining(t)) {
		lose_broken(t);
	} else if (apart) {
		t->protocol->ops->eof(t->protocol);
		if (!t->reason && t->write_side == UTW_WRITE_SHUT)
			utw_transport_lose(t, utw_transport_done(t, "the other side"));
	} else {
		read_ended_all(t);
	}
}

/* Nothing to read, and the poller says that both directions are over. */
static void read_hung_up(struct utw_transport *t)
{
	int error = t->carrier->hangup(t);

	if (!error && utw_transport_waiting(t))
		error = -EPIPE;
	if (error)
		utw_transport_lose(t, utw_transport_failure(t, error, "read"));
	else
		utw_transport_lose(t, utw_transport_done(t, "the other side"));
}

/* A loss was seen while nobody reads: say so once, and keep what has come. */
void utw_transport_hung_up_paused(struct utw_transport *t)
{
	if (t->hung_up)
		return;
	t->hung_up = true;
	if (t->protocol->ops->hangup)
		t->protocol->ops->hangup(t->protocol);
}

/* An end is told once, and urgent data cuts reads short. */
static bool read_all(const struct utw_transport *t, uint32_t events)
{
	return events & (t->carrier->edge ? HANGUP | EPOLLRDHUP | EPOLLPRI : HANGUP);
}

void utw_transport_read_ready(struct utw_transport *t, uint32_t events)
{
	bool hangup = events & HANGUP;
	int error;

	switch (t->read_side) {
	case UTW_READ_ON:
		switch (pump(t, read_all(t, events), &error)) {
		case PUMP_EMPTY:
			if (hangup)
				read_hung_up(t);
			break;
		case PUMP_ENDED:
			if (error)
				utw_transport_lose(t, utw_transport_failure(t, error, "read"));
			else
				read_ended(t);
			break;
		case PUMP_BUDGET:
			t->left = true;
			break;
		case PUMP_STOPPED:
			break;
		}
		break;
	case UTW_READ_PAUSED:
		if (events & (HANGUP | EPOLLRDHUP))
			utw_transport_hung_up_paused(t);
		break;
	case UTW_READ_ENDED:
	case UTW_READ_CLOSED:
		if (!hangup)
			break;
		utw_transport_flush(t);
		if (utw_transport_draining(t))
			lose_broken(t);
		else
			read_hung_up(t);
		break;
	}
}

void utw_transport_drain(struct utw_transport *t)
{
	enum pump_end end = PUMP_EMPTY;
	int error = 0;

	if (t->read_side == UTW_READ_PAUSED && !t->unsent)
		return;
	if (read_wanted(t))
		end = pump(t, true, &error);
	if (t->reason)
		return;
	if (end == PUMP_BUDGET || !t->made)
		utw_transport_schedule(t);
	else if (end == PUMP_ENDED && !error)
		read_ended(t);
	else if (end != PUMP_STOPPED || t->read_side != UTW_READ_PAUSED || t->unsent)
		lose_broken(t);
}

uint32_t utw_transport_read_events(const struct utw_transport *t)
{
	uint32_t always = t->carrier->priority || t->carrier->edge ? EPOLLPRI : 0;

	switch (t->read_side) {
	case UTW_READ_ON:
		return always | EPOLLIN | EPOLLRDHUP;
	case UTW_READ_PAUSED:
		return t->hung_up ? 0 : always | EPOLLRDHUP;
	case UTW_READ_ENDED:
	case UTW_READ_CLOSED:
		break;
	}
	return 0;
}

int utw_transport_pause(struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	if (t->read_side == UTW_READ_ON) {
		t->read_side = UTW_READ_PAUSED;
		utw_transport_update(t);
	}
	return 0;
}

int utw_transport_resume(struct utw_transport *t)
{
	if (utw_transport_lost(t))
		return -EPIPE;
	if (t->read_side == UTW_READ_PAUSED) {
		t->read_side = UTW_READ_ON;
		t->hung_up = false;
		if (utw_transport_draining(t))
			utw_transport_schedule(t);
		utw_transport_update(t);
	}
	return 0;
}
