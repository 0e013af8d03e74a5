/* SPDX-License-Identifier: MIT */
/* DNS: c-ares within the reactor: its sockets, its clock, its errors: see untwist/dns.h. */
#include <untwist/dns.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include <untwist/reactor.h>

#include "dns-private.h"

struct utw_dns_socket {
	struct utw_dns_socket *next;
	struct utw_dns *dns;
	struct utw_watch watch;
	int fd;
};

static int code_of(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return UTW_DNS_NO_NAME;
	case ARES_ENODATA:
		return UTW_DNS_NO_DATA;
	case ARES_EBADNAME:
	case ARES_EBADQUERY:
	case ARES_EBADSTR:
		return UTW_DNS_BAD_NAME;
	case ARES_ETIMEOUT:
		return UTW_DNS_TIMEOUT;
	case ARES_EREFUSED:
		return UTW_DNS_REFUSED;
	}
	return UTW_DNS_FAILED;
}

struct utw_failure *utw_dns_failure(int status, const char *operation, const char *name)
{
	if (status == ARES_ENOMEM)
		return utw_failure_from_errno(-ENOMEM, operation, "%s", name);
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		return utw_failure_new(&utw_domain_reason, UTW_CANCELLED, operation, NULL, "%s",
				       name);
	return utw_failure_new(&utw_domain_dns, code_of(status), operation, NULL, "%s: %s", name,
			       ares_strerror(status));
}

static void socket_ready(struct utw_watch *w, uint32_t events)
{
	struct utw_dns_socket *s = utw_container_of(w, struct utw_dns_socket, watch);
	struct utw_dns *d = s->dns;
	bool read = events & (EPOLLIN | EPOLLERR | EPOLLHUP);
	bool write = events & EPOLLOUT;
	int fd = s->fd;

	/* Errors are found by reading; the socket may be gone when this returns. */
	ares_process_fd(d->channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
	utw_dns_changed(d);
}

static struct utw_dns_socket **socket_place(struct utw_dns *d, int fd)
{
	struct utw_dns_socket **place = &d->sockets;

	while (*place && (*place)->fd != fd)
		place = &(*place)->next;
	return place;
}

static void socket_remove(struct utw_dns_socket **place)
{
	struct utw_dns_socket *s = *place;

	utw_watch_stop(&s->watch);
	*place = s->next;
	free(s);
}

/*
 * c-ares wants to know something else of a socket, or nothing any more. Without
 * memory a query is not answered, and fails when its time is over.
 */
static void socket_state(void *data, ares_socket_t fd, int read, int write)
{
	struct utw_dns *d = data;
	struct utw_dns_socket **place = socket_place(d, fd);
	uint32_t events = (read ? EPOLLIN : 0) | (write ? EPOLLOUT : 0);
	struct utw_dns_socket *s = *place;

	if (s && !events) {
		socket_remove(place);
	} else if (s) {
		utw_watch_set_events(&s->watch, events);
	} else if (events) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return;
		s->dns = d;
		s->fd = fd;
		utw_watch_init(&s->watch, socket_ready);
		*place = s;
		utw_watch_start(&s->watch, d->reactor, fd, events);
	}
}

static void dns_late(struct utw_timer *t)
{
	struct utw_dns *d = utw_container_of(t, struct utw_dns, timer);

	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	utw_dns_changed(d);
}

void utw_dns_changed(struct utw_dns *d)
{
	struct timeval tv;

	utw_timer_cancel(&d->timer);
	if (!ares_timeout(d->channel, NULL, &tv))
		return;
	utw_timer_start(&d->timer, d->reactor,
			(uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000);
}

static int dns_open(struct utw_dns *d, const struct utw_dns_options *o)
{
	struct ares_options options = {
		.sock_state_cb = socket_state,
		.sock_state_cb_data = d,
		.lookups = (char *)"fb",
		.timeout = (int)o->timeout,
		.tries = (int)o->tries,
	};
	int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS;
	int status;

	if (o->timeout)
		mask |= ARES_OPT_TIMEOUTMS;
	if (o->tries)
		mask |= ARES_OPT_TRIES;
	if (ares_library_init(ARES_LIB_INIT_ALL))
		return -ENOMEM;
	status = ares_init_options(&d->channel, &options, mask);
	if (status == ARES_SUCCESS && o->servers) {
		status = ares_set_servers_ports_csv(d->channel, o->servers);
		if (status)
			ares_destroy(d->channel);
	}
	if (status)
		ares_library_cleanup();
	if (status == ARES_ENOMEM)
		return -ENOMEM;
	return status ? -EINVAL : 0;
}

int utw_dns_new(struct utw_dns **ret, struct utw_reactor *r, const struct utw_dns_options *options)
{
	static const struct utw_dns_options defaults = { .timeout = 0 };
	struct utw_dns *d = calloc(1, sizeof(*d));
	int error;

	if (!d)
		return -ENOMEM;
	d->resolver.ops = &utw_dns_resolver_ops;
	d->reactor = r;
	utw_timer_init(&d->timer, dns_late);
	error = dns_open(d, options ? options : &defaults);
	if (error)
		free(d);
	else
		*ret = d;
	return error;
}

void utw_dns_free(struct utw_dns *d)
{
	if (!d)
		return;
	d->ending = true;
	utw_timer_cancel(&d->timer);
	ares_destroy(d->channel);
	utw_dns_lookups_drop(d);
	utw_dns_queries_drop(d);
	utw_dns_cache_clear(d);
	while (d->sockets)
		socket_remove(&d->sockets);
	ares_library_cleanup();
	free(d);
}

struct utw_resolver *utw_dns_resolver(struct utw_dns *d)
{
	return &d->resolver;
}
