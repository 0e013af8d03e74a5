/* SPDX-License-Identifier: MIT */
/*
 * The write side: a bounded queue, its marks, and the way to the kernel.
 *
 * What is written in a turn waits for its end, so that many small writes
 * become one system call. Nothing here calls back from inside a write, but for
 * the pause that the high mark promises.
 */
#include "transport-private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int write_status(const struct utw_transport *t)
{
	return t->over ? UTW_WRITE_OVER : UTW_WRITE_OK;
}

static bool write_accepted(const struct utw_transport *t)
{
	return !utw_transport_lost(t) && !utw_transport_draining(t) &&
		t->write_side == UTW_WRITE_ON && (!t->closing || t->await_producer);
}

/* Wrapping sums are no danger: such a total is beyond any cap. */
static int iov_length(const struct iovec *iov, int count, size_t *ret)
{
	size_t sum = 0;

	if (count < 0)
		return -EINVAL;
	for (int i = 0; i < count; i++) {
		if (iov[i].iov_len > SIZE_MAX - sum)
			return -ENOBUFS;
		sum += iov[i].iov_len;
	}
	*ret = sum;
	return 0;
}

static int write_refuse_full(struct utw_transport *t, size_t len)
{
	const char *name = utw_transport_name(t);

	if (utw_annex(t)->policy == UTW_CAP_ABORT) {
		t->rude = true;
		utw_transport_lose(t,
				   utw_failure_new(&utw_domain_reason, UTW_LOST, "write",
						   utw_failure_from_errno(-ENOBUFS, "write", "%s",
									  name),
						   "%s: %zu bytes wait and %zu more are beyond the cap",
						   name, utw_transport_waiting(t), len));
	}
	return -ENOBUFS;
}

/* An idle connection keeps no memory for what it might have to send. */
void utw_transport_queue_drop(struct utw_transport *t)
{
	if (!t->queue)
		return;
	utw_buffer_release(&t->queue->bytes);
	free(t->queue);
	t->queue = NULL;
}

static struct utw_transport_queue *queue_make(struct utw_transport *t)
{
	if (!t->queue)
		t->queue = calloc(1, sizeof(*t->queue));
	return t->queue;
}

static int queue_add(struct utw_transport *t, const struct iovec *iov, int count, size_t len)
{
	size_t header = t->record ? sizeof(uint32_t) : 0;
	uint32_t record_len = (uint32_t)len;
	char *to = queue_make(t) ? utw_buffer_reserve(&t->queue->bytes, header + len) : NULL;

	if (!to) {
		if (!utw_transport_waiting(t))
			utw_transport_queue_drop(t);
		return -ENOMEM;
	}
	memcpy(to, &record_len, header);
	to += header;
	for (int i = 0; i < count; i++) {
		if (iov[i].iov_len)
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	utw_buffer_commit(&t->queue->bytes, header + len);
	t->queue->payload += len;
	return 0;
}

static void mark_high(struct utw_transport *t)
{
	if (t->over || utw_transport_waiting(t) <= utw_annex(t)->high)
		return;
	t->over = true;
	if (t->protocol->ops->pause)
		t->protocol->ops->pause(t->protocol);
	utw_transport_producer_pause(t);
}

int utw_transport_writev(struct utw_transport *t, const struct iovec *iov, int count)
{
	const struct utw_transport_annex *annex;
	size_t len, waiting;
	int error = iov_length(iov, count, &len);

	if (error)
		return error;
	if (!write_accepted(t))
		return -EPIPE;
	if (!len)
		return write_status(t);
	annex = utw_annex(t);
	waiting = utw_transport_waiting(t);
	if (t->record && (len > UINT32_MAX || (annex->record_max && len > annex->record_max)))
		return -EMSGSIZE;
	if (waiting > annex->cap || len > annex->cap - waiting)
		return write_refuse_full(t, len);
	error = queue_add(t, iov, count, len);
	if (error)
		return error;

	if (waiting + len >= UTW_COALESCE && !t->want_out)
		utw_transport_flush(t);
	utw_transport_schedule(t);
	if (!t->reason)
		mark_high(t);
	return write_status(t);
}

int utw_transport_write(struct utw_transport *t, const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };

	return utw_transport_writev(t, &iov, 1);
}

/*
 * What the peer sent before it went away is still to be read, if somebody
 * reads. With nothing unsent there is even time to wait for a paused reader.
 */
void utw_transport_write_broken(struct utw_transport *t, int error)
{
	if (!utw_annex_make(t)) {
		utw_transport_lose(t, utw_transport_failure(t, error, "write"));
		return;
	}
	if (!t->annex->draining)
		t->annex->draining = utw_transport_failure(t, error, "write");
	t->unsent = t->unsent || t->queue;
	utw_transport_queue_drop(t);
	t->want_out = false;
	utw_end_silence(&t->annex->out);
	if (t->read_side == UTW_READ_PAUSED && !t->unsent)
		utw_transport_hung_up_paused(t);
	else
		utw_transport_schedule(t);
}

/* One system call. Sets *full when the kernel takes no more for now. */
static ssize_t flush_once(struct utw_transport *t, size_t budget, bool *full)
{
	struct utw_transport_queue *q = t->queue;
	const char *data = utw_buffer_data(&q->bytes);
	size_t len = q->payload < budget ? q->payload : budget;
	size_t header = 0;
	uint32_t record_len;
	ssize_t put;

	if (t->record) {
		memcpy(&record_len, data, sizeof(record_len));
		header = sizeof(record_len);
		len = record_len;
	}
	put = t->carrier->write(t, data + header, len);
	/* The carrier may have ended the transport, and the queue with it. */
	if (put < 0 || !t->queue)
		return put;
	/* A record goes whole; what a device took of it is its own affair. */
	*full = !t->record && (size_t)put < len;
	if (t->record)
		put = (ssize_t)len;
	utw_buffer_consume(&q->bytes, header + (size_t)put);
	q->payload -= (size_t)put;
	if (!q->payload)
		utw_transport_queue_drop(t);
	return put;
}

bool utw_transport_sent(struct utw_transport *t)
{
	return !t->queue && !(t->carrier->busy && t->carrier->busy(t));
}

void utw_transport_flush(struct utw_transport *t)
{
	size_t budget = UTW_TURN_BYTES;
	int records = UTW_TURN_RECORDS;
	bool full = false;

	while (t->queue && budget && !full && records) {
		ssize_t put = flush_once(t, budget, &full);

		if (put == -EAGAIN)
			break;
		if (put < 0) {
			utw_transport_write_broken(t, (int)put);
			return;
		}
		budget -= (size_t)put < budget ? (size_t)put : budget;
		records -= t->record;
	}
	t->want_out = t->queue;
	t->left = t->left || !budget || !records;
}

static void mark_low(struct utw_transport *t)
{
	if (!t->over || utw_transport_waiting(t) > utw_annex(t)->low)
		return;
	t->over = false;
	if (t->protocol->ops->resume)
		t->protocol->ops->resume(t->protocol);
	if (!t->reason && utw_annex(t)->producer_kind == UTW_PRODUCER_PUSH)
		utw_transport_producer_resume(t);
}

static void write_shut(struct utw_transport *t)
{
	t->write_side = UTW_WRITE_SHUT;
	t->carrier->shut_write(t);
	if (t->read_side == UTW_READ_ENDED)
		utw_transport_lose(t, utw_transport_done(t, "both sides"));
}

void utw_transport_settle(struct utw_transport *t)
{
	utw_transport_producer_tell(t);
	if (t->reason || utw_transport_draining(t))
		return;
	mark_low(t);
	if (!t->reason && !t->queue && utw_annex(t)->producer_kind == UTW_PRODUCER_PULL)
		utw_transport_producer_resume(t);
	if (t->reason || t->queue)
		return;
	if (t->closing && !t->await_producer) {
		if (utw_transport_sent(t))
			utw_transport_lose(t, utw_transport_done(t, "this side"));
	} else if (t->write_side == UTW_WRITE_ENDING) {
		write_shut(t);
	}
}

size_t utw_transport_queued(const struct utw_transport *t)
{
	return t ? utw_transport_waiting(t) : 0;
}

int utw_transport_set_watermarks(struct utw_transport *t, size_t low, size_t high, size_t cap,
				 enum utw_cap_policy policy)
{
	if (low > high || high > cap)
		return -EINVAL;
	if (utw_transport_lost(t))
		return -EPIPE;
	if (!utw_annex_make(t))
		return -ENOMEM;
	t->annex->low = low;
	t->annex->high = high;
	t->annex->cap = cap;
	t->annex->policy = policy;
	return 0;
}
