/* SPDX-License-Identifier: MIT */
/* Double: see untwist/testing/double.h. */
#include <untwist/testing/double.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <untwist/failure.h>

/* A piece of a stream, or a record. */
struct utw_double_record {
	struct utw_double_record *next;
	size_t len;
	size_t full_len;
	size_t taken; /* of a stream's piece */
	char data[];
};

static void queue_init(struct utw_double_queue *q)
{
	q->first = NULL;
	q->end = &q->first;
	q->len = 0;
}

static int queue_add(struct utw_double_queue *q, const void *data, size_t len, size_t full_len)
{
	struct utw_double_record *r = malloc(sizeof(*r) + len);

	if (!r)
		return -ENOMEM;
	r->next = NULL;
	r->len = len;
	r->full_len = full_len;
	r->taken = 0;
	if (len)
		memcpy(r->data, data, len);
	*q->end = r;
	q->end = &r->next;
	q->len += len;
	return 0;
}

/* The first, which is the caller's then. */
static struct utw_double_record *queue_pop(struct utw_double_queue *q)
{
	struct utw_double_record *r = q->first;

	if (!r)
		return NULL;
	q->first = r->next;
	if (!q->first)
		q->end = &q->first;
	q->len -= r->len - r->taken;
	return r;
}

static void queue_clear(struct utw_double_queue *q)
{
	while (q->first)
		free(queue_pop(q));
}

/* Some bytes of a stream. */
static size_t queue_take(struct utw_double_queue *q, void *data, size_t size)
{
	struct utw_double_record *r = q->first;
	size_t len = r->len - r->taken < size ? r->len - r->taken : size;

	memcpy(data, r->data + r->taken, len);
	r->taken += len;
	q->len -= len;
	if (r->taken == r->len)
		free(queue_pop(q));
	return len;
}

static struct utw_double *double_of(struct utw_custom *c)
{
	return utw_container_of(c, struct utw_double, custom);
}

static void double_update(struct utw_double *d)
{
	uint32_t events = d->out.len < d->room ? EPOLLOUT : 0;

	/* A call that is to fail must come to be made. */
	if (d->fail_at[UTW_DOUBLE_WRITE])
		events |= EPOLLOUT;
	if (d->in.first || d->ended || d->fail_at[UTW_DOUBLE_READ])
		events |= EPOLLIN;
	if (d->ended)
		events |= EPOLLRDHUP;
	utw_custom_set_ready(&d->custom, events);
}

/* -errno when it is this call's turn to fail. */
static int double_fault(struct utw_double *d, enum utw_double_call call)
{
	if (!d->fail_at[call] || --d->fail_at[call])
		return 0;
	double_update(d);
	return d->error[call];
}

static ssize_t double_read(struct utw_custom *c, void *data, size_t size)
{
	struct utw_double *d = double_of(c);
	int error = double_fault(d, UTW_DOUBLE_READ);
	size_t len;

	d->reads++;
	if (error)
		return error;
	if (!d->in.first)
		return d->ended ? 0 : -EAGAIN;
	if (d->piece && size > d->piece)
		size = d->piece;
	len = queue_take(&d->in, data, size);
	double_update(d);
	return (ssize_t)len;
}

static ssize_t double_read_record(struct utw_custom *c, const void **data, size_t *full_len,
				  bool *end)
{
	struct utw_double *d = double_of(c);
	int error = double_fault(d, UTW_DOUBLE_READ);

	d->reads++;
	if (error)
		return error;
	free(d->told);
	d->told = queue_pop(&d->in);
	double_update(d);
	if (!d->told) {
		*end = d->ended;
		return d->ended ? 0 : -EAGAIN;
	}
	*data = d->told->data;
	*full_len = d->told->full_len;
	return (ssize_t)d->told->len;
}

static ssize_t double_write(struct utw_custom *c, const void *data, size_t len)
{
	struct utw_double *d = double_of(c);
	int error = double_fault(d, UTW_DOUBLE_WRITE);

	d->writes++;
	if (error)
		return error;
	if (d->out.len >= d->room)
		return -EAGAIN;
	if (d->kind == UTW_DOUBLE_STREAM && len > d->room - d->out.len)
		len = d->room - d->out.len;
	error = queue_add(&d->out, data, len, len);
	double_update(d);
	return error ? error : (ssize_t)len;
}

static void double_shut_write(struct utw_custom *c)
{
	double_of(c)->shut = true;
}

static void double_close(struct utw_custom *c, bool abort)
{
	double_of(c)->closed = true;
	double_of(c)->aborted = abort;
}

static void double_free(struct utw_custom *c)
{
	(void)c;
}

static const struct utw_custom_ops double_ops = { .read = double_read,
						  .read_record = double_read_record,
						  .write = double_write,
						  .shut_write = double_shut_write,
						  .close = double_close,
						  .free = double_free };

int utw_double_open(struct utw_double *d, struct utw_reactor *r, enum utw_double_kind kind,
		    struct utw_protocol *p)
{
	struct utw_custom_options options = { .name = "double",
					      .record = kind == UTW_DOUBLE_RECORD };
	int error;

	memset(d, 0, sizeof(*d));
	d->kind = kind;
	d->room = SIZE_MAX;
	queue_init(&d->in);
	queue_init(&d->out);
	error = utw_custom_transport_new(NULL, r, &d->custom, &double_ops, &options, p);
	if (!error)
		double_update(d);
	return error;
}

void utw_double_release(struct utw_double *d)
{
	queue_clear(&d->in);
	queue_clear(&d->out);
	free(d->told);
	free(d->text);
	d->told = NULL;
	d->text = NULL;
}

int utw_double_feed(struct utw_double *d, const void *data, size_t len)
{
	return utw_double_feed_cut(d, data, len, len);
}

int utw_double_feed_cut(struct utw_double *d, const void *data, size_t len, size_t full_len)
{
	int error = 0;

	if (len || d->kind == UTW_DOUBLE_RECORD)
		error = queue_add(&d->in, data, len, full_len);
	double_update(d);
	return error;
}

void utw_double_set_piece(struct utw_double *d, size_t piece)
{
	d->piece = piece;
}

void utw_double_set_room(struct utw_double *d, size_t room)
{
	d->room = room;
	double_update(d);
}

void utw_double_fail(struct utw_double *d, enum utw_double_call call, unsigned int nth, int error)
{
	d->fail_at[call] = nth;
	d->error[call] = error;
	double_update(d);
}

void utw_double_end(struct utw_double *d)
{
	d->ended = true;
	double_update(d);
}

void utw_double_lose(struct utw_double *d, int reason)
{
	utw_custom_lose(&d->custom,
			utw_failure_new(&utw_domain_reason, reason, "double", NULL,
					"lost, as the test wants it"));
}

const char *utw_double_written(struct utw_double *d, size_t *len)
{
	const struct utw_double_record *r;
	char *to;

	free(d->text);
	d->text = malloc(d->out.len + 1);
	if (!d->text)
		return NULL;
	to = d->text;
	for (r = d->out.first; r; r = r->next) {
		memcpy(to, r->data + r->taken, r->len - r->taken);
		to += r->len - r->taken;
	}
	*to = '\0';
	if (len)
		*len = d->out.len;
	return d->text;
}

ssize_t utw_double_take(struct utw_double *d, void *data, size_t size)
{
	struct utw_double_record *r;
	size_t len;

	if (!d->out.first)
		return -EAGAIN;
	if (d->kind == UTW_DOUBLE_STREAM) {
		len = queue_take(&d->out, data, size);
	} else {
		r = queue_pop(&d->out);
		len = r->len;
		memcpy(data, r->data, len < size ? len : size);
		free(r);
	}
	double_update(d);
	return (ssize_t)len;
}
