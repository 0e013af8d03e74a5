/* SPDX-License-Identifier: MIT */
/* File sender: see untwist/sender.h. */
#include <untwist/sender.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <untwist/deferred.h>
#include <untwist/producer.h>
#include <untwist/transport.h>

#include "transport/send-file.h"

struct sender {
	struct utw_producer producer;
	struct utw_transport *transport; /* has it as its producer */
	struct utw_deferred *deferred;
	struct utw_file_sent *sent; /* the result, made first so that the end cannot fail */
	int fd;
	bool copies; /* the kernel cannot do it alone */
	size_t direct; /* bytes to let the kernel send at a time */
	size_t size;
	unsigned char chunk[];
};

/* Let go of all but the deferred, which is returned. */
static struct utw_deferred *sender_end(struct sender *s)
{
	struct utw_deferred *d = s->deferred;

	utw_deferred_set_canceller(d, NULL, NULL);
	utw_transport_unregister_producer(s->transport);
	free(s->sent);
	free(s);
	return d;
}

static void sender_fail(struct sender *s, struct utw_failure *failure)
{
	struct utw_deferred *d = sender_end(s);

	utw_deferred_errback(d, failure);
	utw_deferred_unref(d);
}

/* The last byte, where it did not come through our hands. */
static void sender_look_back(struct sender *s)
{
	unsigned char last;

	if (s->sent->bytes && s->sent->last < 0 &&
	    pread(s->fd, &last, 1, lseek(s->fd, 0, SEEK_CUR) - 1) == 1)
		s->sent->last = last;
}

static void sender_finish(struct sender *s)
{
	struct utw_file_sent *sent = s->sent;
	struct utw_deferred *d;

	sender_look_back(s);

	s->sent = NULL;
	d = sender_end(s);
	utw_deferred_callback_owned(d, sent, free);
	utw_deferred_unref(d);
}

/*
 * From the file to the socket within the kernel. False: this time it is copied,
 * which also finds the end, tells what is wrong, and waits for room.
 */
static bool sender_send_directly(struct sender *s)
{
	ssize_t put;

	if (s->copies)
		return false;
	put = utw_transport_send_file(s->transport, s->fd, s->direct);
	if (put > 0) {
		s->sent->bytes += (uint64_t)put;
		s->sent->last = -1;
	}
	s->copies = put < 0 && put != -EAGAIN && put != -EINTR;
	return put > 0;
}

static void sender_resume(struct utw_producer *p)
{
	struct sender *s = utw_container_of(p, struct sender, producer);
	ssize_t got;
	int status;

	if (sender_send_directly(s))
		return;

	do {
		got = read(s->fd, s->chunk, s->size);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		sender_fail(s,
			    utw_failure_from_errno(-errno, "read",
						   "descriptor %d, after %" PRIu64 " bytes", s->fd,
						   s->sent->bytes));
		return;
	}
	if (got == 0) {
		sender_finish(s);
		return;
	}
	status = utw_transport_write(s->transport, s->chunk, (size_t)got);
	if (status < 0) {
		sender_fail(s,
			    utw_failure_from_errno(status, "write", "%s, after %" PRIu64 " bytes",
						   utw_transport_name(s->transport),
						   s->sent->bytes));
		return;
	}
	s->sent->bytes += (uint64_t)got;
	s->sent->last = s->chunk[got - 1];
}

static void sender_stop(struct utw_producer *p)
{
	struct sender *s = utw_container_of(p, struct sender, producer);

	sender_fail(s,
		    utw_failure_new(&utw_domain_reason, UTW_LOST, "send file", NULL,
				    "%s takes no more, after %" PRIu64 " bytes",
				    utw_transport_name(s->transport), s->sent->bytes));
}

static const struct utw_producer_ops sender_ops = { .resume = sender_resume, .stop = sender_stop };

static enum utw_cancel sender_cancel(struct utw_deferred *d, void *data)
{
	(void)d;
	utw_deferred_unref(sender_end(data));
	return UTW_CANCEL_NOW;
}

static struct sender *sender_new(struct utw_transport *t, int fd, size_t chunk)
{
	size_t size = chunk ? chunk : UTW_FILE_CHUNK;
	struct sender *s = malloc(sizeof(*s) + size);

	if (!s)
		return NULL;
	utw_producer_init(&s->producer, &sender_ops);
	s->transport = t;
	s->fd = fd;
	s->copies = false;
	s->direct = chunk ? chunk : UTW_TURN_BYTES;
	s->size = size;
	s->sent = malloc(sizeof(*s->sent));
	if (!s->sent) {
		free(s);
		return NULL;
	}
	s->sent->bytes = 0;
	s->sent->last = -1;
	return s;
}

struct utw_deferred *utw_file_send(struct utw_transport *t, int fd, size_t chunk)
{
	struct sender *s = sender_new(t, fd, chunk);
	struct utw_deferred *d = s ? utw_deferred_new() : NULL;
	int error;

	if (!d) {
		if (s)
			free(s->sent);
		free(s);
		return NULL;
	}
	s->deferred = utw_deferred_ref(d);
	utw_deferred_set_canceller(d, sender_cancel, s);
	error = utw_transport_register_producer(t, &s->producer, UTW_PRODUCER_PULL);
	if (error) {
		s->transport = NULL;
		sender_fail(s,
			    utw_failure_from_errno(error, "send file", "%s",
						   t ? utw_transport_name(t) : "no transport"));
	}
	return d;
}
