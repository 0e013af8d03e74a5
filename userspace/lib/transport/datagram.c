/* SPDX-License-Identifier: MIT */
/* Datagram port: its life and what it waits for: see untwist/datagram.h. */
#include "datagram-private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"

static void datagram_free(struct utw_datagram *d)
{
	free(d->batch);
	free(d);
}

/* What the kernel reports without being asked, EPOLLERR, is wanted always. */
static void datagram_update(struct utw_datagram *d)
{
	uint32_t events = 0;

	if (!d->paused && !utw_datagram_batch_waits(d))
		events |= EPOLLIN;
	if (d->want_out)
		events |= EPOLLOUT;
	utw_watch_set_events(&d->watch, events);
}

static void tell_writable(struct utw_datagram *d)
{
	d->want_out = false;
	if (d->receiver->ops->writable)
		d->receiver->ops->writable(d->receiver);
}

/* A callback may close the port, whose memory goes when all of them have returned. */
static void datagram_turn(struct utw_datagram *d, uint32_t events)
{
	d->busy = true;
	if (events & EPOLLERR)
		utw_datagram_tell_errors(d, 0);
	if (!d->closed && (events & EPOLLIN))
		utw_datagram_receive(d);
	if (!d->closed && d->want_out && (events & EPOLLOUT))
		tell_writable(d);
	d->busy = false;
	if (d->closed)
		datagram_free(d);
	else
		datagram_update(d);
}

static void datagram_ready(struct utw_watch *w, uint32_t events)
{
	datagram_turn(utw_container_of(w, struct utw_datagram, watch), events);
}

static void datagram_later(struct utw_call *c)
{
	datagram_turn(utw_container_of(c, struct utw_datagram, later), EPOLLIN);
}

static int receiver_check(const struct utw_datagram_receiver *receiver)
{
	if (!receiver->ops || !receiver->ops->received)
		return -EINVAL;
	return receiver->port ? -EBUSY : 0;
}

static void datagram_set_name(struct utw_datagram *d, const char *kind)
{
	char text[UTW_ADDRESS_TEXT];

	utw_address_format(&d->host, text, sizeof(text));
	snprintf(d->name, sizeof(d->name), "%s%s%s", kind ? kind : "", kind ? " " : "", text);
}

int utw_datagram_new(struct utw_datagram **ret, struct utw_reactor *r, int fd, const char *kind,
		     const struct utw_unix_path *path, struct utw_datagram_receiver *receiver)
{
	struct utw_datagram *d;
	int error = receiver_check(receiver);

	if (error)
		return error;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->reactor = r;
	d->receiver = receiver;
	d->fd = fd;
	d->path.lock = -1;
	utw_watch_init(&d->watch, datagram_ready);
	utw_call_init(&d->later, datagram_later);
	d->batch = utw_datagram_batch_new();
	error = d->batch ? utw_connection_host(fd, &d->host) : -ENOMEM;
	if (!error)
		error = utw_watch_start(&d->watch, r, fd, EPOLLIN);
	if (error) {
		datagram_free(d);
		return error;
	}
	if (path)
		d->path = *path;
	datagram_set_name(d, kind);
	receiver->port = d;
	*ret = d;
	return 0;
}

void utw_datagram_pause(struct utw_datagram *d)
{
	if (!d || d->paused)
		return;
	d->paused = true;
	utw_call_stop(&d->later);
	if (!d->busy)
		datagram_update(d);
}

void utw_datagram_resume(struct utw_datagram *d)
{
	if (!d || !d->paused)
		return;
	d->paused = false;
	if (utw_datagram_batch_waits(d))
		utw_call_start(&d->later, d->reactor);
	if (!d->busy)
		datagram_update(d);
}

void utw_datagram_close(struct utw_datagram *d)
{
	if (!d || d->closed)
		return;
	d->closed = true;
	d->receiver->port = NULL;
	utw_watch_stop(&d->watch);
	utw_call_stop(&d->later);
	utw_unix_path_release(&d->path);
	close(d->fd);
	if (!d->busy)
		datagram_free(d);
}

int utw_datagram_connect(struct utw_datagram *d, const struct utw_address *to)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int error;

	if (!d)
		return -EPIPE;
	if (to)
		error = connect(d->fd, (const struct sockaddr *)&to->storage, to->length);
	else
		error = connect(d->fd, &nobody, sizeof(nobody));
	return error ? -errno : 0;
}

const struct utw_address *utw_datagram_host(const struct utw_datagram *d)
{
	return &d->host;
}

const char *utw_datagram_name(const struct utw_datagram *d)
{
	return d->name;
}

const struct utw_datagram_counts *utw_datagram_counts(const struct utw_datagram *d)
{
	return &d->counts;
}
